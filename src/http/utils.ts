import type { Maybe } from '../core/maybe'
import type { RequestSession } from '../core/session/request-session'
import type { DeepReadonly, DefaultData, DefaultFlash, FlashKey, RegenerateOptions, SessionPatch, SessionUpdater } from '../core/types'
import { called, calledLater, ofUser } from '../core/calls/caller'
import { SessionError } from '../core/errors'
import { handOut } from '../core/calls/hand-out'
import { andThen } from '../core/maybe'
import { assertKey, assertPatch } from '../core/calls/misuse'
import { connectionIn, type ConnectionSessions, ownSessionsOf, sessionsOf } from './find-sessions'
import { assertEvent, assertOurs, notAnEvent } from './misuse'

/** Whatever has the context of a request: an event of h3 v1 or h3 v2, the request or the peer of a WebSocket. */
export interface EventLike {
  readonly context?: object
}

/**
 * The data of the loaded session, or null for a visitor without one. Synchronous; never creates.
 *
 * @throws SessionError `INVALID_SESSION` when the request carries a session that was not loaded
 */
export function getSession<T extends object = DefaultData>(event: EventLike): DeepReadonly<T> | null
export function getSession(event: EventLike, ...others: unknown[]): object | null {
  return called(getSession, () => {
    assertOurs('getSession(event)', others)
    return dataOf(openSession(event, 'getSession(event)'))
  })
}

/**
 * The data of a session, or null where there is none.
 *
 * @throws SessionError `INVALID_SESSION` when the request carries a session that was not loaded
 */
export function dataOf(session: RequestSession): object | null {
  session.assertLoaded()
  return session.exists ? handOut(session.data, 'session.data') : null
}

/**
 * Applies a patch to the newest data and stores it before it resolves; starts a session when
 * there is none. A function may run more than once and must be pure.
 *
 * @returns the data as stored
 * @throws SessionError `STORAGE_ERROR`, `EXPIRED_SESSION`, `CONFLICT_ERROR`, `INVALID_VALUE`, `COOKIE_ERROR`
 */
export function updateSession<P extends SessionPatch>(event: EventLike, updater: SessionUpdater<DefaultData, P>): Promise<DefaultData>
export function updateSession(event: EventLike, patch: SessionPatch): Promise<DefaultData>
export function updateSession(event: EventLike, ...given: [patch: SessionPatch | SessionUpdater<DefaultData>]): Promise<DefaultData> {
  return calledLater(updateSession, () => {
    const call = 'await updateSession(event, patch)'
    assertOurs(call, given, 1)
    assertPatch(call, given[0], true)
    const patch = ofUser(given[0])
    return withSession(event, call, session => session.update(patch) as Promise<DefaultData>)
  })
}

/**
 * Gives the session a new id and ends the old one, with an optional patch in the same write.
 * Call it at every login, against session fixation.
 *
 * @param event the event of the handler; in `upgrade` of a WebSocket the request
 * @param patch the keys to set, or to remove with `undefined`
 * @param options what stays of the session (`keep`), and whether its lifetime begins anew (`lifetime`)
 * @throws SessionError `STORAGE_ERROR`, `EXPIRED_SESSION`, `CONFLICT_ERROR`, `INVALID_VALUE`, `COOKIE_ERROR`
 */
export function regenerateSession(event: EventLike, patch?: SessionPatch, options?: RegenerateOptions): Promise<void> {
  return calledLater(regenerateSession, () => {
    const call = 'await regenerateSession(event, patch)'
    assertPatch(call, patch, false)
    return withSession(event, call, session => session.regenerate(patch, options))
  })
}

/**
 * Removes the record and expires the cookie. Safe without a session.
 *
 * @throws SessionError `STORAGE_ERROR`, with the cookie expired all the same; `EXPIRED_SESSION`
 * when another request replaced the id a moment ago: the session goes on under the new one
 */
export function destroySession(event: EventLike): Promise<void>
export function destroySession(event: EventLike, ...others: unknown[]): Promise<void> {
  return calledLater(destroySession, () => {
    const call = 'await destroySession(event)'
    assertOurs(call, others)
    return openSession(event, call).destroy()
  })
}

/** {@link destroySession} under the name that h3 uses. */
export const clearSession = destroySession

/** Leaves a message for the next request that reads it. */
export function flash<K extends FlashKey>(event: EventLike, key: K, value: DefaultFlash[K]): void
/** Reads a message and removes it. */
export function flash<K extends FlashKey>(event: EventLike, key: K): DefaultFlash[K] | undefined
export function flash(event: EventLike, key: string, ...value: unknown[]): unknown {
  return called(flash, () => {
    const call = value.length > 0 ? 'flash(event, key, value)' : 'flash(event, key)'
    assertEvent(call, event)
    assertKey(call, key)
    const session = openSession(event, call)
    session.assertLoaded()
    return (session.handle.flash as (key: string, ...value: unknown[]) => unknown)(key, ...value)
  })
}

/** What an operation on the loaded session resolves to. */
export function withSession<R>(event: EventLike, call: string, operation: (session: RequestSession) => Promise<R>): Promise<R> {
  const session = openSession(event, call)
  return session.loadAtOnce() ? operation(session) : session.whenLoaded(() => operation(session))
}

/**
 * The session of an event, loaded once; that of a WebSocket as it is stored now. A promise only
 * where there is something to wait for.
 *
 * @param overrides options of another session than the configured one
 * @param call what asks for it, as its caller writes it
 */
export function loadSession(event: EventLike, overrides?: object, call = 'await useSession(event)'): Maybe<RequestSession> {
  assertEvent(call, event)
  const socket = socketOf(event)
  if (socket)
    return socket.load(overrides)
  const session = openSession(event, call, overrides)
  return session.loadAtOnce() ? session : andThen(session.ensureLoaded(), () => session)
}

/**
 * The session of an event, not loaded yet.
 *
 * @param call what asks for it, as its caller writes it
 * @param overrides options of another session than the configured one
 * @throws SessionError `INVALID_SESSION` where nobody configured sessions, `INVALID_VALUE` for what is no event
 */
export function openSession(event: EventLike, call: string, overrides?: object): RequestSession {
  const session = findSession(event, call, overrides)
  if (!session)
    throw new SessionError('INVALID_SESSION', 'No session config is active for this event. Add `modules: [\'unsession\']` to the config of Nitro or Nuxt; in plain h3 apps `app.use(sessionMiddleware(options))` or first `await useSession(event, options)`, and `socketSessions(options, hooks)` around the hooks of a WebSocket. In a unit test, make the event with `await createSessionEvent()` of `unsession/test`.')
  return session
}

/** As {@link openSession}; `undefined` where nobody configured sessions. */
export function findSession(event: EventLike, call: string, overrides?: object): RequestSession | undefined {
  assertEvent(call, event)
  const socket = socketOf(event)
  if (socket)
    return socket.current(overrides)
  const found = sessionsOf(event)
  if (found)
    return found.use(event, overrides)
  if (typeof event.context !== 'object')
    throw notAnEvent(call, event)
  return undefined
}

/** The sessions of a connection, for a peer; requests, whose context may be the same, have their own. */
function socketOf(event: EventLike): ConnectionSessions | undefined {
  return ownSessionsOf(event) ? undefined : connectionIn(event.context)
}
