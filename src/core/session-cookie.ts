import type { FoundCookies, FoundToken } from './found-cookies'
import type { ResolvedSessionOptions } from './options'
import type { TokenCodec, TokenFault } from './token'
import type { Exchange, SessionRecord } from './types'
import { assertCookieFits, buildRemoval, buildSetCookie } from './cookie'
import { otherScopes, parseScopeText, scopeTextOf } from './cookie-scope'
import { findCookies } from './found-cookies'
import { remainingSeconds } from './record'

const NOTHING: readonly string[] = []

/** Our cookies in one exchange: what came with the request, and what the response says of them. */
export class SessionCookie {
  readonly #options: ResolvedSessionOptions
  readonly #codec: TokenCodec
  readonly #exchange: Exchange
  readonly #onRejected: (fault: TokenFault) => void
  /** The headers to go back to when a write fails. */
  #settled = NOTHING
  #current = NOTHING
  /** An id, and its text. */
  #writtenId = ''
  #writtenText = ''
  /** `undefined` until the cookies were looked at. */
  #found: FoundCookies | undefined
  /** The cookie that the session of the request was found by. */
  #chosen: FoundToken | undefined
  /** What goes out before whatever is said of ours. */
  #before = NOTHING
  /** Cookies without a session, as far as storage was asked. */
  readonly #dead = new Set<FoundToken>()

  constructor(options: ResolvedSessionOptions, codec: TokenCodec, exchange: Exchange, onRejected: (fault: TokenFault) => void) {
    this.#options = options
    this.#codec = codec
    this.#exchange = exchange
    this.#onRejected = onRejected
  }

  /** All cookies that verify, those first that the session is to be looked for by. */
  get tokens(): readonly FoundToken[] {
    return this.#lookUp().tokens
  }

  /** The cookie of the session, as far as is known; null when none verifies. */
  get token(): FoundToken | null {
    return this.#chosen ?? this.tokens[0] ?? null
  }

  /** True for a request with a cookie of our name, verified or not. */
  get isPresent(): boolean {
    return this.#lookUp().count > 0
  }

  /** Is told by which of several cookies the session was found. */
  choose(token: FoundToken): void {
    this.#chosen = token
  }

  /** Is told that there is no session behind a cookie. */
  markDead(token: FoundToken): void {
    this.#dead.add(token)
  }

  /** The ids of further cookies, behind which there may be sessions as well. */
  get otherIds(): string[] {
    return this.tokens.filter(token => token !== this.token && !this.#dead.has(token)).map(({ content: { id } }) => id)
  }

  /**
   * Sets the cookie of a session, in place of an earlier one.
   *
   * @throws SessionError `COOKIE_ERROR` when it would be too big; an earlier one stays
   */
  write(id: string, record: SessionRecord, now: number): void {
    const { cookie } = this.#options
    const maxAge = record.lifetime?.persistent === false ? undefined : remainingSeconds(record, now)
    const header = buildSetCookie(cookie, this.#textOf(id, record), maxAge)
    assertCookieFits(header, record)
    const isDeadLeft = this.tokens.length > 1 && this.#dead.size > 0
    this.#set([...this.#removeElsewhere(isDeadLeft), header])
  }

  /** From now on, whatever is said of our cookie also removes one of its name from elsewhere. */
  removeBeside(removal: string | undefined): void {
    this.#before = removal === undefined ? NOTHING : [removal]
  }

  /** Expires the browser's cookies; where it has none of our name, there is nothing to say. */
  remove(): void {
    const { count } = this.#lookUp()
    this.#set(count > 0 ? [...this.#removeElsewhere(count > 1), buildRemoval(this.#options.cookie)] : NOTHING)
  }

  /** Sends no cookie after all; the browser keeps what it has. */
  takeBack(): void {
    this.#set(NOTHING)
  }

  /** From now on the cookie points to what is stored. */
  settle(): void {
    this.#settled = this.#current
  }

  /** Goes back to the cookie of what is stored: none may point to what is not. */
  rollBack(): void {
    this.#set(this.#settled)
  }

  /** True when the browser has the cookie of an id: it came with the request, or goes out with the response. */
  isKnown(id: string): boolean {
    return this.tokens.some(({ content }) => content.id === id)
      || (this.#writtenId === id && this.#current.at(-1)?.includes(`=${this.#writtenText};`) === true)
  }

  #set(headers: readonly string[]): void {
    this.#current = headers
    this.#exchange.setCookies(this.#options.cookie.name, headers.length > 0 ? [...this.#before, ...headers] : headers)
  }

  /**
   * Removes our cookies from other scopes, from where they would be found again once the one that
   * the response speaks of is gone. Those that hold a session tell where they are.
   *
   * @param isEverywhere true where others do not, so that they are removed from wherever they can be
   */
  #removeElsewhere(isEverywhere: boolean): readonly string[] {
    const { cookie } = this.#options
    const own = scopeTextOf(cookie)
    const told = this.tokens.flatMap(({ content: { scope = own } }) => scope === own ? [] : parseScopeText(scope))
    if (!isEverywhere && told.length === 0)
      return NOTHING
    const scopes = isEverywhere ? [...told, ...otherScopes(cookie, this.#exchange.address)] : told
    return [...new Set(scopes.map(scope => buildRemoval({ ...cookie, ...scope })))]
  }

  #textOf(id: string, record: SessionRecord): string {
    if (this.#codec.holdsRecord)
      return this.#codec.write({ id, record, scope: scopeTextOf(this.#options.cookie) })
    // Signed once, by this request or by the one that the browser has it from.
    if (this.#writtenId !== id) {
      const known = this.tokens.find(({ content, isOutdated }) => !isOutdated && content.id === id)
      this.#writtenId = id
      this.#writtenText = known?.text ?? this.#codec.write({ id, record })
    }
    return this.#writtenText
  }

  #lookUp(): FoundCookies {
    if (this.#found)
      return this.#found
    const found = findCookies(this.#exchange.cookieHeader, this.#options.cookie.name, this.#codec)
    this.#found = found
    if (found.tokens.length === 0 && found.fault)
      this.#onRejected(found.fault)
    return found
  }
}
