import type { ResolvedSessionOptions } from './options'
import type { OpenedToken, TokenCodec, TokenFault } from './token'
import type { Exchange, SessionRecord } from './types'
import { assertCookieFits, buildRemoval, buildSetCookie, MAX_COOKIE_BYTES } from './cookie'
import { readCookies } from './cookie-header'
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
  /** An id, and its text. */
  #writtenId = ''
  #writtenText = ''
  /** The text of the token. */
  #carriedText: string | undefined
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
    const header = buildSetCookie(cookie, this.#textOf(id, record), maxAge)
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

  #textOf(id: string, record: SessionRecord): string {
    if (this.#codec.holdsRecord)
      return this.#codec.write({ id, record })
    // Signed once, by this request or by the one that the browser has it from.
    if (this.#writtenId !== id) {
      const { token } = this
      this.#writtenId = id
      this.#writtenText = token && !token.isOutdated && token.content.id === id ? this.#carriedText! : this.#codec.write({ id, record })
    }
    return this.#writtenText
  }

  #open(): OpenedToken | null {
    const found = openCookie(this.#exchange.cookieHeader, this.#options.cookie.name, this.#codec)
    if (typeof found === 'string')
      this.#onRejected(found)
    if (typeof found !== 'object')
      return null
    this.#carriedText = found.text
    return found.token
  }
}

/** The first cookie of a name that verifies; otherwise why there is none, if there was one at all. */
export function openCookie(header: string | undefined, name: string, codec: TokenCodec): { text: string, token: OpenedToken } | TokenFault | undefined {
  let fault: TokenFault | undefined
  for (const text of readCookies(header, name)) {
    const token = text.length > MAX_COOKIE_BYTES ? 'malformed' : codec.read(text)
    if (typeof token === 'object')
      return { text, token }
    fault = token === 'signature' ? token : fault ?? token
  }
  return fault
}
