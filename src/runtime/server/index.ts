import type { DefaultData, Session } from '../../core/types'
import type { EventLike } from '../../http/utils'
import type { SessionOverrides } from './types'
import { beginAt, type Site, siteOf } from '../../core/calls/caller'
import { assertOptions } from '../../http/misuse'
import { loadSession } from '../../http/utils'

// Generated types name this file only; with the root of the package in the program too,
// `declare module 'unsession'` in an app finds what it augments.
export type {} from '../../nitro'
export { isSessionError, SessionError, type SessionErrorCode } from '../../core/errors'
export type { DeepReadonly, RegenerateOptions, SessionPatch, SessionUpdater } from '../../core/types'
export { clearSession, destroySession, flash, getSession, regenerateSession, updateSession } from '../../http/utils'
export { requireSession } from '../../http/require-session'
export type * from './types'

/**
 * The session of a request, loaded once. Reading it creates nothing. For a WebSocket each call
 * gives it as it is stored now. For server code: in the Vue app it is `useClientSession`.
 *
 * @param event the event of the handler; in the hooks of a WebSocket the request or the peer
 * @param overrides options of a second, independent session, such as `{ cookie: { name: 'cart' } }`
 * @throws SessionError `STORAGE_ERROR` when storage cannot be read, `CACHED_RESPONSE` inside a cached handler
 */
export async function useSession<T extends object = DefaultData>(event: EventLike, overrides?: SessionOverrides): Promise<Session<T>> {
  let site: Site | undefined
  try {
    assertOptions(overrides)
    const loading = loadSession(event, overrides)
    if (loading instanceof Promise)
      site = siteOf(useSession)
    const session = await loading
    return session.handle as unknown as Session<T>
  }
  catch (error) {
    throw beginAt(error, useSession, site)
  }
}
