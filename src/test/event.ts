/** @ts-ignore An app of Nitro 3 need not see the package; then events are `any`. */
import type { H3Event } from 'h3'
import type { SessionEvent } from '../adapters/event'
import type { DeepReadonly, DefaultData, DefaultFlash, SessionPatch, SessionStore } from '../core/types'
import type { EventLike } from '../http/utils'
import type { PlainSessionOptions } from '../plain/app'
import type { TestFlash } from './content'
import type { H3Library } from './make-event'
import { SessionError } from '../core/errors'
import { EventSessions } from '../http/event-sessions'
import { sessionsOf, setSessions } from '../http/find-sessions'
import { plainAppOf } from '../plain/app'
import { PlainHost } from '../plain/host'
import { beginSession } from './begin-session'
import { toContent } from './content'
import { makeEvent } from './make-event'

export type { H3Library } from './make-event'

export interface SessionEventOptions<T extends object = DefaultData> {
  /** The data of the session; without data and messages the visitor has none. */
  data?: SessionPatch<NoInfer<T>>
  /** Messages that nobody has read yet. */
  flash?: TestFlash
  /** GET by default, and POST where there is a `body`. */
  method?: string
  /**
   * The path of the request, with its query.
   *
   * @default '/'
   */
  path?: string
  headers?: Record<string, string>
  /** What the handler reads: an object is sent as JSON, anything else as `fetch` would send it. */
  body?: object | string
  /** The parameters of the route, as `getRouterParam` finds them. */
  params?: Record<string, string>
  /** Session options of the app, such as `userKey` and `mode`, where they matter to the handler. */
  options?: PlainSessionOptions
  /** The h3 of the handler, where it is not the package `h3`: `await import('nitro/h3')`. */
  h3?: H3Library
}

/** What a session holds. */
export interface SessionSnapshot {
  data: DeepReadonly<DefaultData>
  flash: DeepReadonly<{ [K in keyof DefaultFlash]?: DefaultFlash[K] }>
}

/**
 * An event to call a handler with in a unit test. Its session is in memory, and all utils of
 * `unsession/server` and `unsession/h3` work on it.
 *
 * @throws SessionError `INVALID_VALUE` for a value that no session can keep, `CONFIG_ERROR` where
 * there is no h3, or for `options` that are not valid
 */
export async function createSessionEvent<T extends object = DefaultData>(options: SessionEventOptions<T> = {}): Promise<H3Event> {
  const { data = {}, flash, options: given, h3, ...request } = options
  const app = plainAppOf({ secret: SECRET, ...given, ...(given?.mode !== 'cookie' && { store: given?.store ?? createMemoryStore() }) })
  const header = await beginSession(app, toContent(data, flash))
  const event = await makeEvent({ ...request, cookie: header?.split(';', 1)[0] }, h3)
  const sessions = new EventSessions(new PlainHost(event as SessionEvent, app, true))
  setSessions(event, sessions)
  await sessions.load(event)
  return event as H3Event
}

/**
 * The session of an event as its handler left it, or null where there is none.
 *
 * @throws SessionError `INVALID_SESSION` for an event that is not of {@link createSessionEvent}
 */
export function sessionOf(event: EventLike): SessionSnapshot | null {
  const session = sessionsOf(event)?.open(event)
  if (!session)
    throw new SessionError('INVALID_SESSION', 'This event has no sessions. Make it with `await createSessionEvent()`.')
  session.assertLoaded()
  const { data, flash } = session.record
  return session.exists ? { data: data as DefaultData, flash } : null
}

/** Of what only tests see. */
const SECRET = 'the secret of events that tests make up'

function createMemoryStore(): SessionStore {
  const records = new Map<string, unknown>()
  return {
    get: key => records.get(key),
    set: (key, record) => void records.set(key, record),
    delete: key => void records.delete(key),
  }
}
