import type { RequestSession } from '../core/session/request-session'
import { EventSessions } from './event-sessions'
import { type FoundSessions, NO_SESSIONS } from './found-sessions'
import { join } from './membership'

const SESSIONS = Symbol.for('unsession')
const CONNECTION = Symbol.for('unsession.socket')

/** What has sessions: an event, the context of one, that of a WebSocket. */
interface Place {
  [SESSIONS]?: FoundSessions
  [CONNECTION]?: ConnectionSessions
}

/** The sessions of a WebSocket. */
export interface ConnectionSessions {
  /** A session as storage has it now. */
  load(overrides?: object): Promise<RequestSession>
  /** The session that was loaded last, or one that is not loaded yet. */
  current(overrides?: object): RequestSession
}

/**
 * The sessions of a request, on its headers. Private to this copy of the package. A WeakMap with
 * an entry for each request would cost the garbage collector more than everything else we do.
 */
const OF_REQUEST = Symbol('sessions')

interface RequestHeaders extends Headers {
  [OF_REQUEST]?: FoundSessions
}

/** The sessions of objects that are not ours to write on. */
const kept = new WeakMap<object, FoundSessions>()

/** Puts sessions where their event, and the sub-requests of it, find them. */
export function setSessions(event: { context: object }, sessions: FoundSessions): void {
  // Some hosts give one context to all requests, so the event has it too.
  const place = event as Place
  place[SESSIONS] = sessions
  const headers = headersOf(event)
  if (headers)
    // Not enumerable: `{ ...headers }` would copy it, and a symbol is not the name of a header.
    Object.defineProperty(headers, OF_REQUEST, { configurable: true, writable: true, value: sessions })
  const context: Place = event.context
  context[SESSIONS] = sessions
}

/** Puts sessions where their owner finds them, and nobody else. */
export function setOwnSessions(owner: object, sessions: FoundSessions): void {
  kept.set(owner, sessions)
}

/** The sessions that were given to an event itself. */
export function ownSessionsOf(event: object): FoundSessions | undefined {
  const found = (event as Place)[SESSIONS]
  // A copy of an event has what the event had, and is another.
  return found === NO_SESSIONS || found?.has(event) ? found : kept.get(event)
}

/** The sessions of an event, or those of the one whose context it has. */
export function sessionsOf(event: { readonly context?: object | undefined }): FoundSessions | undefined {
  return ownSessionsOf(event) ?? joinRequest(event) ?? sessionsIn(event.context)
}

/** The sessions of an event whose response carries their cookies. */
export function sessionsOwnedBy(event: { readonly context?: object | undefined }): EventSessions | undefined {
  const found = sessionsOf(event)
  return found instanceof EventSessions && found.isOwnedBy(event) ? found : undefined
}

/** The sessions in the context of an event. */
export function sessionsIn(context: object | undefined): FoundSessions | undefined {
  return (context as Place | undefined)?.[SESSIONS]
}

/** Puts the sessions of a WebSocket into the context of its connection. */
export function setConnection<T extends object>(context: T, sessions: ConnectionSessions): T {
  return Object.assign(context, { [CONNECTION]: sessions })
}

/** The sessions in the context of a connection. */
export function connectionIn(context: object | undefined): ConnectionSessions | undefined {
  return (context as Place | undefined)?.[CONNECTION]
}

/** An app of h3 v2 that is mounted by its `fetch` makes another event of the same request. */
function joinRequest(event: object): FoundSessions | undefined {
  const headers = headersOf(event)
  const found = headers?.[OF_REQUEST]
  if (!(found instanceof EventSessions))
    return found
  // A request may be made again when it was answered.
  if (found.isSent)
    return undefined
  join(event, found)
  return found
}

/** What stays the same when h3 gives the request another URL. */
function headersOf(event: object): RequestHeaders | undefined {
  const { headers } = Object((event as { req?: unknown }).req) as { headers?: unknown }
  return headers instanceof Headers ? headers : undefined
}
