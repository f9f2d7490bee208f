import type { Manager } from '../core/manager'
import type { PageSession } from '../core/ports'
import type { RequestSession } from '../core/session/request-session'
import { cachedResponseError } from '../core/errors'

/** What an event finds: its sessions, or that it may have none. */
export interface FoundSessions {
  /** What the sessions of the configured cookie share; missing inside a cached handler. */
  readonly manager: Manager | undefined
  /** True for an event that uses these sessions. */
  has(event: object): boolean
  /**
   * What an internal request finds: these sessions, unless it is made for a cached response, whose
   * context Nitro marks. Then it may have none.
   */
  forSubRequest(event: object, parent: object): FoundSessions
  /**
   * The session of the configured cookie, or of the one that overrides name; opened once.
   *
   * @throws SessionError `CACHED_RESPONSE` for an event that never joined: the inner event of
   * a cached handler, which has the outer one's context but not its cookies
   */
  open(event: object, overrides?: object): RequestSession
  /** As {@link FoundSessions.open}, for a handler whose response will depend on it. */
  use(event: object, overrides?: object): RequestSession
  /** Loads the session before anybody uses it; `undefined` where there is nothing to wait for. */
  load(event: object, overrides?: object): Promise<void> | undefined
  /**
   * What the page that is rendered for an event may see of its visitor's session, or
   * `undefined` where what is rendered is shown to everybody.
   */
  page(event: object): PageSession | undefined
}

/** @throws SessionError `CACHED_RESPONSE` */
export function refuseCached(): never {
  throw cachedResponseError('A session was used inside a cached handler.')
}

/** What internal requests of cached handlers find, and the requests that these make. */
export const NO_SESSIONS: FoundSessions = {
  manager: undefined,
  has: () => false,
  forSubRequest: () => NO_SESSIONS,
  open: refuseCached,
  use: refuseCached,
  load: () => undefined,
  page: () => undefined,
}
