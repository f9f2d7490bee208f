import type { ResolvedSessionOptions } from '../core/options'
import type { RequestSession } from '../core/session/request-session'
import type { EventExchange, EventResponse, ResponseHost, ResponseSessions } from './response-cookies'
import { buildSetCookie } from '../core/cookie/set-cookie'
import { remainingSeconds } from '../core/record/record'
import { MARK } from './page-part'
import { ResponseCookies } from './response-cookies'

/** The cookies of an event whose app has pages. */
export class PageCookies extends ResponseCookies {
  readonly isBackground: boolean
  readonly #name: string

  /** @param isBackground true for a request that no visitor made */
  constructor(response: EventResponse, sessions: ResponseSessions, host: ResponseHost, { cookie }: ResolvedSessionOptions, isBackground: boolean) {
    super(response, sessions, host)
    this.isBackground = isBackground
    this.#name = cookie.name
  }

  override setCookies(name: string, lines: readonly string[]): void {
    super.setCookies(name, lines)
    if (name === this.#name)
      super.setCookies(MARK + name, lines.map(toMark))
  }
}

/** The mark that goes with a session cookie: in its place, and no longer there. */
function toMark(line: string): string {
  const [pair = '', ...attributes] = line.split(';')
  const [name, value] = pair.split('=', 2)
  return [`${MARK}${name}=${value && 1}`, ...attributes.filter(attribute => attribute !== ' HttpOnly')].join(';')
}

/** Sends the mark again to a browser that has the session without it, since a session of before may have none. */
export function mendMark(session: RequestSession, exchange: EventExchange, { cookie }: ResolvedSessionOptions): void {
  const { cookieHeader, cookies } = exchange
  if (!session.isCarried || !session.exists || cookies.get(cookie.name)?.length || cookieHeader?.includes(`${MARK}${cookie.name}=`))
    return
  const { record } = session
  const line = buildSetCookie(cookie, '1', record.lifetime?.persistent === false ? undefined : remainingSeconds(record, Date.now()))
  exchange.setCookies(MARK + cookie.name, [toMark(line)])
}
