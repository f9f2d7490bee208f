import type { SessionEvent } from '../adapters/event'
import type { DeepReadonly, DefaultData, RegenerateOptions, SessionPatch } from '../core/types'
import type { Peer, UpgradeRequest } from '../http/sockets/upgrade'
import { called, calledLater } from '../core/calls/caller'
import { SessionError } from '../core/errors'
import { assertPatch } from '../core/calls/misuse'
import { assertOurs } from '../http/misuse'
import { requireSession as requireAnySession, type RequireSession } from '../http/require-session'
import * as utils from '../http/utils'

/** Whatever has sessions: an event, or what the hooks of a WebSocket get. */
export type SessionSource = SessionEvent | UpgradeRequest | Peer

/**
 * The data of the loaded session. Null for a visitor without one, and where neither `useSession`
 * nor `sessionMiddleware` has set sessions up for the event. Synchronous; never creates.
 *
 * @throws SessionError `INVALID_SESSION` when the request carries a session that was not loaded
 */
export function getSession<T extends object = DefaultData>(event: SessionSource): DeepReadonly<T> | null
export function getSession(event: SessionSource, ...others: unknown[]): object | null {
  return called(getSession, () => {
    assertOurs('getSession(event)', others)
    const session = utils.findSession(event, 'getSession(event)')
    return session ? utils.dataOf(session) : null
  })
}

/**
 * Applies a patch to the newest data and stores it before it resolves; starts a session when
 * there is none. A function may run more than once and must be pure.
 *
 * @returns the data as stored
 * @throws SessionError `INVALID_SESSION` before `useSession` or `sessionMiddleware`; `STORAGE_ERROR`,
 * `EXPIRED_SESSION`, `CONFLICT_ERROR`, `INVALID_VALUE`, `COOKIE_ERROR`
 */
export const updateSession: <T extends object = DefaultData>(event: SessionSource, patch: SessionPatch<NoInfer<T>> | ((data: DeepReadonly<T>) => SessionPatch<NoInfer<T>>)) => Promise<T> = utils.updateSession as never

/**
 * Gives the session a new id and ends the old one, with an optional patch in the same write.
 * Call it at every login, against session fixation.
 *
 * @param event an event of h3 v1 or h3 v2; in `upgrade` of a WebSocket the request
 * @param patch the keys to set, or to remove with `undefined`
 * @param options what stays of the session (`keep`), and whether its lifetime begins anew (`lifetime`)
 * @throws SessionError `INVALID_SESSION` before `useSession` or `sessionMiddleware`, and for a
 * visitor without a session when there is no patch to begin one with; `STORAGE_ERROR`,
 * `EXPIRED_SESSION`, `CONFLICT_ERROR`, `INVALID_VALUE`, `COOKIE_ERROR`
 */
export function regenerateSession<T extends object = DefaultData>(event: SessionSource, patch?: SessionPatch<NoInfer<T>>, options?: RegenerateOptions<NoInfer<T>>): Promise<void>
export function regenerateSession(event: SessionSource, patch?: SessionPatch, options?: RegenerateOptions): Promise<void> {
  return calledLater(regenerateSession, () => {
    const call = 'await regenerateSession(event, patch)'
    assertPatch(call, patch, false)
    return utils.withSession(event, call, async (session) => {
      const hasReason = session.exists || patch !== undefined
      await session.regenerate(patch, options)
      if (!hasReason && !session.exists)
        throw noSession()
    })
  })
}

let hasTold = false

/** Apps answer it with a bare 401, and only to visitors without a session: so the console says once what to write. */
function noSession(): SessionError {
  const message = 'There is no session that could get a new id. Begin one with a patch: `await regenerateSession(event, { userId })`.'
  if (!hasTold)
    console.warn(`[unsession] ${message}`)
  hasTold = true
  return new SessionError('INVALID_SESSION', message)
}

/**
 * The data of a session that has to be there: with a value under a key, or allowed by a function.
 * Await it, or everybody gets in. Creates no session.
 *
 * @throws SessionError `INVALID_SESSION` (401), also before `useSession` or `sessionMiddleware`;
 * `FORBIDDEN` (403) when the function says no; `STORAGE_ERROR`, `CACHED_RESPONSE`
 */
export const requireSession: RequireSession<SessionSource> = requireAnySession

/**
 * Removes the record and expires the cookie. Safe without a session, and where neither
 * `useSession` nor `sessionMiddleware` has set sessions up for the event.
 *
 * @throws SessionError `STORAGE_ERROR`, with the cookie expired all the same; `EXPIRED_SESSION`
 * when another request replaced the id a moment ago: the session goes on under the new one
 */
export function destroySession(event: SessionSource): Promise<void>
export function destroySession(event: SessionSource, ...others: unknown[]): Promise<void> {
  return calledLater(destroySession, () => {
    const call = 'await destroySession(event)'
    assertOurs(call, others)
    return utils.findSession(event, call)?.destroy() ?? Promise.resolve()
  })
}

/** {@link destroySession} under the name that h3 uses. */
export const clearSession = destroySession
