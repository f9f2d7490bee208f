import type { ClientSession, ExposedData } from './types'
import type { NuxtApp } from '#app'
import type { Ref } from 'vue'
import { useNuxtApp } from '#app/nuxt'
import { customRef, onServerPrefetch } from 'vue'
import { toAwaitable, toDate } from './awaitable'
import { useBrowserSession } from './browser'
import { useComponentId } from './component-id'
import { useSessionHere } from './in-component'
import { useRenderedSession } from './rendering'
import { tellUnexposed } from './unexposed'

/**
 * The exposed part of the visitor's session, kept current after every request of the page and
 * in all tabs. Await it where the data must be known, as in route middleware: on cached and
 * prerendered pages the browser has to fetch it first.
 *
 * ```ts
 * const { data, ready, expiresAt, refresh, clear } = useClientSession()
 * ```
 */
export function useClientSession(): ClientSession & Promise<ClientSession> {
  const nuxtApp = useNuxtApp()
  return import.meta.server ? useOnServer(nuxtApp) : useSessionHere(useBrowserSession(nuxtApp))
}

function useOnServer(nuxtApp: NuxtApp): ClientSession & Promise<ClientSession> {
  const session = useRenderedSession(nuxtApp)
  const { refresh, clear } = session
  const id = useComponentId(session.counts)
  const data = readOnly<ExposedData>(() => tellUnexposed(session.read(id)))
  const ready = readOnly(() => session.isLoaded && !session.isForEverybody)
  const expiresAt = readOnly(() => toDate(session.expiresAt))
  const loading = session.isLoaded ? undefined : session.load()
  // Templates are rendered after this; who reads in setup has to await.
  if (session.isLate && id !== undefined)
    onServerPrefetch(() => loading)
  return toAwaitable({ data, ready, expiresAt, refresh, clear }, loading)
}

function readOnly<T>(get: () => T): Readonly<Ref<T>> {
  return customRef<T>(() => ({ get, set: () => {} }))
}
