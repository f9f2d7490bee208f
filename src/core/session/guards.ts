import type { Exchange } from '../ports'
import type { State } from './state'
import { cachedResponseError, SessionError } from '../errors'

/** What can still be said to the browser. */
export interface Reach {
  /** True for a response that is shown to everybody. */
  readonly isShared: boolean
  /** Why no cookie can be sent, or none any more, as a sentence. */
  readonly obstacle: string | undefined
  /** Where one could be sent. */
  readonly remedy: string
  /** True where the cookie is the session. */
  readonly isCookieMode: boolean
}

export function reachOf({ cookieObstacle, isSent, isShared = false, lateRemedy }: Pick<Exchange, 'cookieObstacle' | 'isSent' | 'isShared' | 'lateRemedy'>, isCookieMode: boolean): Reach {
  return {
    isShared,
    obstacle: cookieObstacle ?? (isSent ? 'The response has begun, so no cookie can follow.' : undefined),
    remedy: cookieObstacle ? 'in a request over HTTP' : `before sending or streaming${lateRemedy ? `, ${lateRemedy}` : ''}`,
    isCookieMode,
  }
}

/** Why a session cannot be changed now; `undefined` when it can. */
export function refusalOf({ slot }: State, reach: Reach, needsCookie: boolean): SessionError | undefined {
  if (reach.isShared)
    return sharedError()
  if (slot.kind === 'over')
    return endedError()
  return needsCookie ? cookieRefusalOf(reach) : undefined
}

/**
 * Why no cookie can follow a change.
 *
 * @param what the part of the session that is about to change; without it a new session begins
 */
export function cookieRefusalOf({ obstacle, remedy, isCookieMode }: Reach, what?: string): SessionError | undefined {
  if (!obstacle)
    return undefined
  return new SessionError('COOKIE_ERROR', isCookieMode
    ? `${obstacle} In cookie mode the cookie is the session: change it ${remedy}, or use \`mode: 'storage'\`.`
    : `${obstacle} ${what ? `Change ${what}` : 'Begin the session'} ${remedy}.`)
}

export function sharedError(): SessionError {
  return cachedResponseError('A session was changed while prerendering.')
}

export function endedError(): SessionError {
  return new SessionError('EXPIRED_SESSION', 'The session ended while this request ran: it was destroyed, replaced or it expired.')
}
