import type { ResolvedSessionOptions } from './options'
import type { OpenedToken, TokenCodec, TokenFault } from './token'
import type { Exchange, SessionRecord } from './types'
import { assertCookieFits, buildRemoval, buildSetCookie, MAX_COOKIE_BYTES, readCookies } from './cookie'
import { remainingSeconds } from './record'

/** Our cookie in one exchange: what came with the request, and the one that goes out. */
export class SessionCookie {
  readonly #options: ResolvedSessionOptions
  readonly #codec: TokenCodec
  readonly #exchange: Exchange
  readonly #onRejected: (fault: TokenFault) => void
  /** The header to go back to when a write fails. */
  #settled: string | undefined
  #current: string | undefined
  /** `undefined` until the cookies were looked at. */
  #token: OpenedToken | null | undefined

  constructor(options: ResolvedSessionOptions, codec: TokenCodec, exchange: Exchange, onRejected: (fault: TokenFault) => void) {
    this.#options = options
    this.#codec = codec
    this.#exchange = exchange
    this.#onRejected = onRejected
  }

  /** The first cookie of our name that verifies, or null. */
  get token(): OpenedToken | null {
    return this.#token === undefined ? this.#token = this.#open() : this.#token
  }

  /**
   * Sets the cookie of a session, in place of an earlier one.
   *
   * @throws SessionError `COOKIE_ERROR` when it would be too big; an earlier one stays
   */
  write(id: string, record: SessionRecord, now: number): void {
    const { cookie } = this.#options
    const maxAge = record.lifetime?.persistent === false ? undefined : remainingSeconds(record, now)
    const header = buildSetCookie(cookie, this.#codec.write({ id, record }), maxAge)
    assertCookieFits(header, record)
    this.#set(header)
  }

  /** Expires the browser's cookie; where it has none of ours, there is nothing to say. */
  remove(): void {
    const { cookie } = this.#options
    this.#set(this.token ? buildRemoval(cookie) : undefined)
  }

  /** Sends no cookie after all; the browser keeps what it has. */
  takeBack(): void {
    this.#set(undefined)
  }

  /** From now on the cookie points to what is stored. */
  settle(): void {
    this.#settled = this.#current
  }

  /** Goes back to the cookie of what is stored: none may point to what is not. */
  rollBack(): void {
    this.#set(this.#settled)
  }

  #set(header: string | undefined): void {
    this.#current = header
    this.#exchange.setCookie(this.#options.cookie.name, header)
  }

  #open(): OpenedToken | null {
    const candidates = readCookies(this.#exchange.cookieHeader, this.#options.cookie.name)
    let fault: TokenFault | undefined
    for (const candidate of candidates) {
      const token = candidate.length > MAX_COOKIE_BYTES ? 'malformed' : this.#codec.read(candidate)
      if (typeof token === 'object')
        return token
      fault = token === 'signature' ? token : fault ?? token
    }
    if (fault)
      this.#onRejected(fault)
    return null
  }
}
