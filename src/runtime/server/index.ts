import type { SessionEvent } from '../../adapters/event'
import type { RequestSession } from '../../core/request-session'
import type { DeepReadonly, DefaultData, DefaultFlash, FlashKey, Session, SessionPatch, SessionUpdater } from '../../core/types'
import type { SessionOverrides } from './types'
import { getBag } from '../../adapters/bag'
import { SessionError } from '../../core/errors'

// Generated types name this file only; with the root of the package in the program too,
// `declare module 'unsession'` in an app finds what it augments.
export type {} from '../../nitro'
export { isSessionError, SessionError, type SessionErrorCode } from '../../core/errors'
export type { DeepReadonly, SessionPatch, SessionUpdater } from '../../core/types'
export type * from './types'

/**
 * The session of a request, loaded once. Reading it creates nothing.
 *
 * @param event the event of the handler
 * @param overrides options of a second, independent session, such as `{ cookie: { name: 'cart' } }`
 * @throws SessionError `STORAGE_ERROR` when storage cannot be read, `CACHED_RESPONSE` inside a cached handler
 */
export async function useSession<T extends object = DefaultData>(event: SessionEvent, overrides?: SessionOverrides): Promise<Session<T>> {
  const session = openSession(event, overrides)
  await session.load()
  return session.handle as unknown as Session<T>
}

/**
 * The data of the loaded session, or null for a visitor without one. Synchronous; never creates.
 *
 * @throws SessionError `INVALID_SESSION` when the request carries a session that was not loaded
 */
export function getSession<T extends object = DefaultData>(event: SessionEvent): DeepReadonly<T> | null {
  const session = openSession(event)
  session.assertLoaded()
  return session.exists ? session.handle.data as unknown as DeepReadonly<T> : null
}

/**
 * Applies a patch to the newest data and stores it before it resolves; starts a session when
 * there is none. A function may run more than once and must be pure.
 *
 * @returns the data as stored
 * @throws SessionError `STORAGE_ERROR`, `EXPIRED_SESSION`, `CONFLICT_ERROR`, `INVALID_VALUE`, `COOKIE_ERROR`
 */
export function updateSession<P extends SessionPatch>(event: SessionEvent, updater: SessionUpdater<DefaultData, P>): Promise<DefaultData>
export function updateSession(event: SessionEvent, patch: SessionPatch): Promise<DefaultData>
export function updateSession(event: SessionEvent, patch: SessionPatch | SessionUpdater<DefaultData>): Promise<DefaultData> {
  return withSession(event, session => session.handle.update(patch as SessionPatch))
}

/**
 * Gives the session a new id and ends the old one, with an optional patch in the same write.
 * Call it at every login, against session fixation.
 *
 * @throws SessionError `STORAGE_ERROR`, `EXPIRED_SESSION`, `CONFLICT_ERROR`, `INVALID_VALUE`, `COOKIE_ERROR`
 */
export function regenerateSession(event: SessionEvent, patch?: SessionPatch): Promise<void> {
  return withSession(event, session => session.handle.regenerate(patch))
}

/**
 * Removes the record and expires the cookie. Safe without a session.
 *
 * @throws SessionError `STORAGE_ERROR`, with the cookie expired all the same; `EXPIRED_SESSION`
 * when another request replaced the id a moment ago: the session goes on under the new one
 */
export function destroySession(event: SessionEvent): Promise<void> {
  return openSession(event).handle.destroy()
}

/** {@link destroySession} under the name that h3 uses. */
export const clearSession = destroySession

/** Leaves a message for the next request that reads it. */
export function flash<K extends FlashKey>(event: SessionEvent, key: K, value: DefaultFlash[K]): void
/** Reads a message and removes it. */
export function flash<K extends FlashKey>(event: SessionEvent, key: K): DefaultFlash[K] | undefined
export function flash(event: SessionEvent, key: string, ...value: unknown[]): unknown {
  const session = openSession(event)
  session.assertLoaded()
  return (session.handle.flash as (key: string, ...value: unknown[]) => unknown)(key, ...value)
}

function withSession<R>(event: SessionEvent, operation: (session: RequestSession) => Promise<R>): Promise<R> {
  const session = openSession(event)
  return session.run(async () => {
    await session.load()
    return operation(session)
  })
}

function openSession(event: SessionEvent, overrides?: SessionOverrides): RequestSession {
  const bag = getBag(event.context)
  if (!bag)
    throw new SessionError('INVALID_SESSION', 'No session config is active for this event. Add `modules: [\'unsession\']` to nuxt.config or nitro.config.')
  return bag.use(event, overrides)
}
