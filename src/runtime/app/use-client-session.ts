import type { ClientSession, ExposedData, PagePayload } from './types'
import { useNuxtApp } from '#app'
import { computed, customRef, getCurrentInstance, onServerPrefetch, useId } from 'vue'
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
  const id = useComponentId()
  const data = customRef<ExposedData>(() => ({ get: () => session.read(id), set: () => {} }))
  const loading = session.isLoaded ? undefined : session.load()
  // Templates are rendered after this; who reads in setup has to await.
  beforeRender(id, () => loading)
  return toAwaitable({ data, refresh, clear }, loading)
}

function useInBrowser(): ClientSession & Promise<ClientSession> {
  const session = useBrowserSession(useNuxtApp())
  const isHydrated = useHydrated()
  const id = useComponentId()
  const data = computed(() => (isHydrated.value ? session.data.value : renderedFor(id, session.rendered)) as ExposedData)
  const known = session.know()
  beforeRender(id)
  return toAwaitable({ data, refresh: session.refresh, clear: session.clear }, isHydrated.value ? known : undefined)
}

/** The same on the server and in the browser; middleware and plugins have none. */
function useComponentId(): string | undefined {
  return getCurrentInstance() ? useId() : undefined
}

/**
 * On both sides, and whether there is something to wait for or not: Vue numbers the ids of
 * components by it, and they must agree.
 */
function beforeRender(id: string | undefined, load: () => Promise<void> | undefined = () => undefined): void {
  if (id !== undefined)
    onServerPrefetch(load)
}

function renderedFor(id: string | undefined, rendered?: PagePayload): Record<string, unknown> {
  const earlier = id === undefined ? undefined : rendered?.earlier?.[id]
  return { ...rendered?.data, ...earlier }
}

/** The session, and the promise of it once its data is known. */
function toAwaitable(session: ClientSession, known: Promise<void> = Promise.resolve()): ClientSession & Promise<ClientSession> {
  const promise = known.then(() => session)
  // Only who awaits it wants to hear of a failure.
  promise.catch(() => {})
  return Object.assign(promise, session)
}
