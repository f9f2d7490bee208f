import type { ClientSession, ExposedData } from './types'
import { useNuxtApp } from '#app'
import { computed, customRef, getCurrentInstance, onServerPrefetch } from 'vue'
import { useBrowserSession } from './browser'
import { useHydrated } from './hydrated'
import { useRenderedSession } from './rendering'

/**
 * The exposed part of the visitor's session, kept current after every request of the page and
 * in all tabs. Await it where the data must be known, as in route middleware: on cached and
 * prerendered pages the browser has to fetch it first.
 *
 * ```ts
 * const { data } = useClientSession()
 * ```
 */
export function useClientSession(): ClientSession & Promise<ClientSession> {
  return import.meta.server ? useOnServer() : useInBrowser()
}

function useOnServer(): ClientSession & Promise<ClientSession> {
  const session = useRenderedSession(useNuxtApp())
  const { refresh, clear } = session
  const data = customRef<ExposedData>(() => ({ get: () => session.data, set: () => {} }))
  if (session.isLoaded)
    return toAwaitable({ data, refresh, clear })
  const loading = session.load()
  // Templates are rendered after this; who reads in setup has to await.
  if (getCurrentInstance())
    onServerPrefetch(() => loading)
  return toAwaitable({ data, refresh, clear }, loading)
}

function useInBrowser(): ClientSession & Promise<ClientSession> {
  const session = useBrowserSession(useNuxtApp())
  const isHydrated = useHydrated()
  const data = computed(() => (isHydrated.value ? session.data.value : session.rendered?.data ?? {}) as ExposedData)
  const known = session.know()
  return toAwaitable({ data, refresh: session.refresh, clear: session.clear }, isHydrated.value ? known : undefined)
}

/** The session, and the promise of it once its data is known. */
function toAwaitable(session: ClientSession, known: Promise<void> = Promise.resolve()): ClientSession & Promise<ClientSession> {
  const promise = known.then(() => session)
  // Only who awaits it wants to hear of a failure.
  promise.catch(() => {})
  return Object.assign(promise, session)
}
