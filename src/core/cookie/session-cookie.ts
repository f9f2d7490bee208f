import type { FoundCookies } from './found-cookies'
import type { ResolvedSessionOptions } from '../options'
import type { CookieWord } from '../session/cookie-of'
import type { FoundToken } from '../session/found-token'
import type { Cookies } from '../session/ports'
import type { Present, State } from '../session/state'
import type { TokenCodec, TokenFault } from './token'
import type { Exchange } from '../ports'
import type { SessionRecord } from '../types'
import { assertCookieFits, buildRemoval, buildSetCookie } from './set-cookie'
import { otherScopes, parseScopeText, scopeTextOf } from './scope'
import { findCookies } from './found-cookies'
import { MAX_LOOKUPS } from '../session/finding'
import { remainingSeconds } from '../record/record'

const NO_HEADERS: readonly string[] = []

/** Our cookies in one exchange: what came with the request, and what the response says of them. */
export class SessionCookie implements Cookies {
  readonly #options: ResolvedSessionOptions
  readonly #codec: TokenCodec
  readonly #exchange: Exchange
  readonly #onRejected: (fault: TokenFault) => void
  /** `undefined` until the cookies were looked at. */
  #found: FoundCookies | undefined
  #headers = NO_HEADERS
  /** What was written last, and its text. */
  #written: { readonly id: string, readonly record: SessionRecord | undefined, readonly text: string } | undefined

  constructor(options: ResolvedSessionOptions, codec: TokenCodec, exchange: Exchange, onRejected: (fault: TokenFault) => void) {
    this.#options = options
    this.#codec = codec
    this.#exchange = exchange
    this.#onRejected = onRejected
  }

  get tokens(): readonly FoundToken[] {
    return this.#lookUp().tokens
  }

  tokenOf({ token }: State): FoundToken | undefined {
    return token ?? this.tokens[0]
  }

  otherIds(state: State): string[] {
    const token = this.tokenOf(state)
    return this.tokens.filter(other => other !== token && !state.dead.includes(other)).map(({ content: { id } }) => id)
  }

  isKnown(id: string): boolean {
    return (this.#written?.id === id && this.#headers.at(-1)?.includes(`=${this.#written.text};`) === true)
      || this.tokens.some(({ content }) => content.id === id)
  }

  say(word: CookieWord, { dead }: State, now: number, before: string | undefined): void {
    const headers = word.say === 'set' ? this.#setCookie(word.session, dead, now) : word.say === 'remove' ? this.#removal() : NO_HEADERS
    this.#set(before !== undefined && headers.length > 0 ? [before, ...headers] : headers)
  }

  #setCookie({ id, content }: Present, dead: readonly FoundToken[], now: number): readonly string[] {
    const { cookie } = this.#options
    const { holdsRecord } = this.#codec
    const record = holdsRecord ? content.record(now, this.#options) : content.outline(now, this.#options)
    const maxAge = record.lifetime?.persistent === false ? undefined : remainingSeconds(record, now)
    const header = buildSetCookie(cookie, this.#textOf(id, record), maxAge)
    assertCookieFits(header, record)
    if (this.tokens.length === 0)
      return [header]
    const hasDead = this.tokens.length > 1 && dead.length > 0
    // With one more, the cookie that comes now might not be looked up.
    const isFull = this.tokens.length >= MAX_LOOKUPS && !this.tokens.some(({ content }) => content.id === id)
    return [...this.#removeElsewhere(hasDead || isFull), header]
  }

  /** Where the browser has no cookie of our name, there is nothing to say. */
  #removal(): readonly string[] {
    const { count } = this.#lookUp()
    return count > 0 ? [...this.#removeElsewhere(count > 1), buildRemoval(this.#options.cookie)] : NO_HEADERS
  }

  #set(headers: readonly string[]): void {
    if (headers.length === this.#headers.length && headers.every((header, index) => header === this.#headers[index]))
      return
    this.#headers = headers
    this.#exchange.setCookies(this.#options.cookie.name, headers)
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
      return NO_HEADERS
    const scopes = isEverywhere ? [...told, ...otherScopes(cookie, this.#exchange.address)] : told
    return [...new Set(scopes.map(scope => buildRemoval({ ...cookie, ...scope })))]
  }

  /** Signed or sealed once for an id, or a record, by this request or by the one that the browser has it from. */
  #textOf(id: string, record: SessionRecord): string {
    const { holdsRecord } = this.#codec
    const written = this.#written
    if (written?.id === id && (!holdsRecord || written.record === record))
      return written.text
    const known = holdsRecord ? undefined : this.tokens.find(({ content, isOutdated }) => !isOutdated && content.id === id)
    const text = known?.text ?? this.#codec.write(holdsRecord ? { id, record, scope: scopeTextOf(this.#options.cookie) } : { id, record })
    if (holdsRecord)
      [...this.tokens, ...written ? [written] : []].forEach(({ text }) => this.#codec.forget?.(text))
    this.#written = { id, record: holdsRecord ? record : undefined, text }
    return text
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
