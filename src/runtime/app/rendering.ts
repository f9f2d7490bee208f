import type { PageSession } from '../../core/types'
import type { PagePayload } from './types'
import type { NuxtApp } from '#app'
import { getCurrentInstance } from 'vue'

/** The session while a page is rendered on the server. */
export interface RenderedSession {
  readonly isLoaded: boolean
  load(): Promise<void>
  readonly data: Record<string, unknown>
  takeMessage(key: string): unknown
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
  const messages = new Map<string, unknown>()
  const seen = new Map<PropertyKey, unknown>()
  /** The data with the values that components have seen, which stay so that the whole page agrees. */
  const agreed = (): Record<string, unknown> => {
    const entries = new Map<PropertyKey, unknown>([...Object.entries(session.data), ...seen])
    return Object.fromEntries([...entries].filter(([, value]) => value !== undefined))
  }
  const see = (data: Record<string, unknown>, key: PropertyKey): unknown => {
    const value: unknown = Reflect.get(data, key)
    seen.set(key, value)
    return value
  }
  const returnMessages = (): void => {
    messages.forEach((message, key) => message === undefined || session.returnMessage(key, message))
    messages.clear()
  }
  nuxtApp.hook('app:error', returnMessages)
  nuxtApp.hook('app:rendered', () => {
    if (isDiscarded(nuxtApp.ssrContext!))
      returnMessages()
    else if (session.isLoaded)
      nuxtApp.payload.unsession = toPayload(session, agreed(), messages)
  })
  return {
    get isLoaded() { return session.isLoaded },
    load: () => session.load(),
    get data() {
      const data = agreed()
      if (!getCurrentInstance())
        return data
      return new Proxy(data, {
        get: see,
        ownKeys(data) {
          const keys = Reflect.ownKeys(data)
          keys.forEach(key => see(data, key))
          return keys
        },
      })
    },
    takeMessage(key) {
      if (session.canTakeMessages && !messages.has(key))
        messages.set(key, session.takeMessage(key))
      return messages.get(key)
    },
    async refresh() {
      await session.load()
      seen.clear()
    },
    async clear() {
      await session.destroy()
      seen.clear()
    },
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
  const bag = event.context[Symbol.for('unsession') as never] as { page(event: object): PageSession | undefined } | undefined
  const session = bag?.page(event)
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
    canTakeMessages: session.canTakeMessages,
    get isLoaded() { return session.isLoaded },
    load: () => session.load().catch(() => {}),
    destroy: () => session.destroy(),
    get data() { return attempt(() => session.data, {}) },
    get hasMessages() { return attempt(() => session.hasMessages, false) },
    takeMessage: key => attempt(() => session.takeMessage(key), undefined),
    returnMessage: (key, message) => attempt(() => session.returnMessage(key, message), undefined),
  }
}

function toPayload({ data, hasMessages }: PageSession, rendered: Record<string, unknown>, messages: Map<string, unknown>): PagePayload {
  const isOutdated = JSON.stringify(rendered) !== JSON.stringify(data)
  return {
    data: rendered,
    hasMessages,
    messages: Object.fromEntries(messages),
    ...(isOutdated && { latest: data }),
  }
}

const NOBODY: RenderedSession = {
  isLoaded: true,
  load: async () => {},
  data: {},
  takeMessage: () => undefined,
  refresh: async () => {},
  clear: async () => {},
}
