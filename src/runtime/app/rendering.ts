import type { PageSession } from '../../core/ports'
import type { PagePayload } from './types'
import type { NuxtApp } from '#app'
import { createError } from '#app/composables/error'
import { stateOf } from '../wire'

/** The session while a page is rendered on the server. */
export interface RenderedSession {
  /** True for a page that is shown to others too. */
  readonly isForEverybody: boolean
  /** How many components of each name have asked. */
  readonly counts: Record<string, number>
  readonly isLoaded: boolean
  /** When the session ends, as the page saw it first, in milliseconds since the epoch. */
  readonly expiresAt: number | undefined
  /** True where autoload is off, so that components have to wait for the session. */
  readonly isLate: boolean
  load(): Promise<void>
  /** The data as a component sees it, or as it is now for who has no id. */
  read(id: string | undefined): Record<string, unknown>
  /** Reads a message, which is removed once it is clear that the page is shown. */
  readMessage(key: string): unknown
  refresh(): Promise<void>
  clear(): Promise<void>
}

const sessions = new WeakMap<NuxtApp, RenderedSession>()

/** The session of the page that is being rendered, read from its event. */
export function useRenderedSession(nuxtApp: NuxtApp): RenderedSession {
  const session = sessions.get(nuxtApp) ?? createRenderedSession(nuxtApp)
  sessions.set(nuxtApp, session)
  return session
}

function createRenderedSession(nuxtApp: NuxtApp): RenderedSession {
  const session = openPage(nuxtApp)
  if (!session)
    return NOBODY
  const isLate = !session.isLoaded
  const messages = new Map<string, unknown>()
  /** What each component saw. It keeps seeing that, so that the browser can show the same. */
  const seen = new Map<string, Record<string, unknown>>()
  /** As the page saw it first. */
  let expiry: { at: number | undefined } | undefined
  nuxtApp.hook('app:rendered', () => {
    if (!session.isLoaded || isDiscarded(nuxtApp.ssrContext!))
      return
    messages.forEach((message, key) => session.takeMessage(key, message))
    nuxtApp.payload.unsession = { ...toPayload(session, seen, messages), ...(expiry && { expiresAt: expiry.at }), ...(isLate && { isLate }) }
  })
  return {
    isForEverybody: false,
    counts: {},
    isLate,
    get isLoaded() { return session.isLoaded },
    get expiresAt() { return (expiry ??= { at: session.expiresAt }).at },
    load: () => session.load(),
    read(id) {
      if (id === undefined)
        return session.data
      const own = seen.get(id) ?? Object.create(null) as Record<string, unknown>
      seen.set(id, own)
      return remember(overlay(session.data, own), session.keys, own)
    },
    readMessage(key) {
      if (session.canTakeMessages && !messages.has(key))
        messages.set(key, session.readMessage(key))
      return messages.get(key)
    },
    refresh: () => session.load(),
    clear: () => session.destroy(),
  }
}

/** True for a page that a redirect or the error page takes the place of. */
function isDiscarded(context: NonNullable<NuxtApp['ssrContext']>): boolean {
  const { error, payload, '~renderResponse': response, _renderResponse } = context as typeof context & { '~renderResponse'?: unknown, '_renderResponse'?: unknown }
  return Boolean(response ?? _renderResponse) || (Boolean(payload.error) && !error)
}

/** The page's part of the session; none on pages that are rendered for everybody. */
function openPage({ ssrContext }: NuxtApp): PageSession | undefined {
  const { event, error } = ssrContext!
  // Where the server side of this package keeps the sessions of an event.
  const sessions = event.context[Symbol.for('unsession') as never] as { page(event: object): PageSession | undefined } | undefined
  const session = sessions?.page(event)
  // An error page is shown even when the session is what failed.
  return session && error ? forgive(session) : session
}

function forgive(session: PageSession): PageSession {
  const attempt = <T>(read: () => T, otherwise: T): T => {
    try {
      return read()
    }
    catch {
      return otherwise
    }
  }
  return {
    keys: session.keys,
    canTakeMessages: session.canTakeMessages,
    get isLoaded() { return session.isLoaded },
    get hasCookie() { return session.hasCookie },
    get expiresAt() { return attempt(() => session.expiresAt, undefined) },
    load: () => session.load().catch(() => {}),
    destroy: () => session.destroy(),
    get data() { return attempt(() => session.data, {}) },
    get hasMessages() { return attempt(() => session.hasMessages, false) },
    readMessage: key => attempt(() => session.readMessage(key), undefined),
    takeMessage: (key, message) => attempt(() => session.takeMessage(key, message), undefined),
  }
}

/** The data with other values; keys whose value is `undefined` are not there. */
function overlay(data: Record<string, unknown>, values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ ...data, ...values }).filter(([, value]) => value !== undefined))
}

/** The data, which notes what is read of it. */
function remember(data: Record<string, unknown>, keys: readonly string[], seen: Record<string, unknown>): Record<string, unknown> {
  const see = (key: string): unknown => seen[key] = data[key]
  return new Proxy(data, {
    get: (_, key) => keys.includes(key as string) ? see(key as string) : Reflect.get(data, key),
    has(_, key) {
      if (keys.includes(key as string))
        see(key as string)
      return key in data
    },
    ownKeys() {
      keys.forEach(see)
      return Reflect.ownKeys(data)
    },
  })
}

function toPayload(session: PageSession, seen: Map<string, Record<string, unknown>>, messages: Map<string, unknown>): PagePayload {
  const { data, hasCookie } = session
  const earlier = [...seen].filter(([, own]) => Object.entries(own).some(([key, value]) => JSON.stringify(value) !== JSON.stringify(data[key])))
  return {
    ...stateOf(session),
    hasCookie,
    messages: Object.fromEntries(messages),
    ...(earlier.length > 0 && { earlier: Object.fromEntries(earlier.map(([id, own]) => [id, overlay(data, own)])) }),
  }
}

const CACHED = 'The session was read in route middleware or a plugin while a cached or prerendered page was rendered. What is decided there is shown to every visitor. Either do not cache this route (remove `cache`, `swr`, `isr` or `prerender` from its route rules), or decide in the browser only: `if (import.meta.server) return`.'

const NOBODY: RenderedSession = {
  isForEverybody: true,
  // Nobody sees anything that another does not.
  get counts() { return {} },
  isLate: false,
  isLoaded: true,
  expiresAt: undefined,
  load: async () => {},
  read(id) {
    // A component fills in later. A decision would be cached for everybody, a redirect to the login for one.
    if (id === undefined)
      throw createError({ statusCode: 500, unhandled: true, data: { code: 'CACHED_RESPONSE' }, message: CACHED })
    return {}
  },
  readMessage: () => undefined,
  refresh: async () => {},
  clear: async () => {},
}
