import type { ClientSession, ExposedData } from './types'
import type { NuxtApp } from '#app'
import { useNuxtApp } from '#app/nuxt'
import { computed, customRef, getCurrentInstance, onServerPrefetch } from 'vue'
import { useBrowserSession } from './browser'
import { useHydrated } from './hydrated'
import { overlay, useRenderedSession } from './rendering'

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
  const nuxtApp = useNuxtApp()
  const session = useRenderedSession(nuxtApp)
  const { refresh, clear } = session
  const id = useComponentId(nuxtApp)
  const data = customRef<ExposedData>(() => ({ get: () => session.read(id), set: () => {} }))
  const loading = session.isLoaded ? undefined : session.load()
  // Templates are rendered after this; who reads in setup has to await.
  if (session.isLate && id !== undefined)
    onServerPrefetch(() => loading)
  return toAwaitable({ data, refresh, clear }, loading)
}

function useInBrowser(): ClientSession & Promise<ClientSession> {
  const nuxtApp = useNuxtApp()
  const session = useBrowserSession(nuxtApp)
  const isHydrated = useHydrated(session.rendered)
  const id = useComponentId(nuxtApp)
  const data = computed(() => (isHydrated.value ? session.data.value : overlay(session.rendered?.data ?? {}, session.rendered?.earlier?.[id ?? ''])) as ExposedData)
  const known = session.know()
  return toAwaitable({ data, refresh: session.refresh, clear: session.clear }, isHydrated.value ? known : undefined)
}

const counts = new WeakMap<NuxtApp, Map<string, number>>()

/**
 * Mostly the same on the server and in the browser; middleware and plugins have none. Not
 * Vue's `useId`, which would shift the ids of everybody else.
 */
function useComponentId(nuxtApp: NuxtApp): string | undefined {
  const type = getCurrentInstance()?.type
  if (!type)
    return undefined
  const { __name: name = '' } = type
  const count = counts.get(nuxtApp) ?? new Map<string, number>()
  counts.set(nuxtApp, count)
  const number = (count.get(name) ?? 0) + 1
  count.set(name, number)
  return `${name}:${number}`
}

/** The session, and the promise of it once its data is known. */
function toAwaitable(session: ClientSession, known: Promise<void> = Promise.resolve()): ClientSession & Promise<ClientSession> {
  const promise = known.then(() => session)
  // Only who awaits it wants to hear of a failure.
  promise.catch(() => {})
  return Object.assign(promise, session)
}
