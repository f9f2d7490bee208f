import type { RequestAddress } from '../core/cookie-scope'
import type { Exchange } from '../core/ports'
import type { ErrorResponse } from './error-response'
import type { Saving } from './give-way'
import type { HeaderList } from './headers'
import type { HeldResponse, NodeResponse } from './node-response'
import { forbidCaching, isForSharedCaches, varyByCookie } from './caching'
import { createSaver } from './give-way'
import { replaceSetCookies } from './headers'
import { holdNodeResponse } from './node-response'

/** One event and its response, as an adapter finds them. */
export interface EventResponse {
  /** The raw `Cookie` header. */
  readonly cookieHeader: string | undefined
  readonly address: RequestAddress
  /** What the response's headers will be; errors may have a list of their own. */
  readonly headers: readonly HeaderList[]
  /** Node's response, where there is a real one: its first byte can wait. */
  readonly node: NodeResponse | undefined
  /** True when the handler has answered: the session can no longer change. */
  readonly isSent: boolean
  /** True when the headers have left, or would reach nobody. */
  readonly haveHeadersLeft: boolean
  /** True where `finish` of the exchange is called for every response. */
  readonly isFinished: boolean
}

export interface ExchangeOptions extends Saving {
  /**
   * True while prerendering.
   *
   * @default false
   */
  isShared?: boolean
  /** Cookies that the response carries from the start. */
  cookies?: EventExchange['cookies']
  /** What the response must wait for; `undefined` when there is nothing. */
  settle(): Promise<void> | undefined
  /** Keeps headers that are complete from caches that others share, where the response is personal. */
  protect(headers: HeaderList): void
  /**
   * False where no response waits for `settle` but those of Node.
   *
   * @default true
   */
  isAwaited?: boolean
  /** Is told why an error takes the place of a response that was already being sent. */
  onFailure(error: unknown): ErrorResponse
}

/** What a host knows of a response besides. */
export interface EventExchange extends Exchange {
  /** True when the response is marked for caches that others share. */
  readonly isForSharedCaches: boolean
  /** The `Set-Cookie` headers that the response has for each of our cookies; none where they were taken back. */
  readonly cookies: ReadonlyMap<string, readonly string[]>
  /** To be called where the response depends on a session, so that `protect` sees its headers. */
  watch(): void
  /** Keeps the response apart in caches; out of them when it is private. */
  personalize(isPrivate: boolean): void
  /** Tells the page that made the request what changed. */
  announce(changes: string): void
  /**
   * The last word on headers that are complete.
   *
   * @param headers by default those of the event's response
   */
  finish(headers?: HeaderList): void
}

/** Read by the page in the browser. */
export const CHANGED_HEADER = 'session-changed'

/** Reads and writes the cookies of one event. */
export function createExchange(response: EventResponse, options: ExchangeOptions): EventExchange {
  return new ResponseExchange(response, options)
}

class ResponseExchange implements EventExchange {
  readonly isShared: boolean
  readonly cookies: Map<string, readonly string[]>
  /** What was said of each of them before. */
  readonly #earlier: Map<string, readonly string[]>
  readonly #response: EventResponse
  readonly #options: ExchangeOptions
  #held: HeldResponse | undefined
  #saveSoon: (() => void) | undefined
  #personalize: ((headers: HeaderList) => void) | undefined
  #changes: string | undefined
  #isClosed = false

  constructor(response: EventResponse, options: ExchangeOptions) {
    this.#response = response
    this.#options = options
    this.isShared = options.isShared ?? false
    this.cookies = new Map(options.cookies)
    this.#earlier = new Map(options.cookies)
  }

  get cookieHeader(): string | undefined {
    return this.#response.cookieHeader
  }

  get address(): RequestAddress {
    return this.#response.address
  }

  get isForSharedCaches(): boolean {
    return this.#response.headers.some(isForSharedCaches)
  }

  get isSent(): boolean {
    return this.#held ? this.#held.isReleased : this.#response.isSent
  }

  watch(): void {
    this.#holdNode()
  }

  personalize(isPrivate: boolean): void {
    if (!this.#isChangeable)
      return
    this.#personalize = isPrivate || this.#personalize === forbidCaching ? forbidCaching : varyByCookie
    // Otherwise it is done when all is known that the app set.
    if (!this.#response.isFinished)
      this.#response.headers.forEach(this.#personalize)
  }

  announce(changes: string): void {
    if (!this.#isChangeable)
      return
    this.#changes = changes
    this.#response.headers.forEach(headers => headers.set(CHANGED_HEADER, changes))
  }

  setCookies(name: string, lines: readonly string[]): void {
    if (this.#isClosed)
      return
    this.#holdNode()
    const earlier = this.cookies.get(name)
    if (!this.#isChangeable || (lines.length === 0 && earlier === undefined))
      return
    if (earlier !== undefined && earlier.length > 0)
      this.#earlier.set(name, earlier)
    this.cookies.set(name, lines)
    for (const headers of this.#response.headers) {
      this.#replace(headers, name, lines)
      if (lines.length > 0 && !this.#held && !this.#response.isFinished)
        forbidCaching(headers)
    }
  }

  hold(): void {
    this.#holdNode()
    // After the response has begun nothing waits any more.
    if (this.isSent || (!this.#response.node && this.#options.isAwaited === false))
      (this.#saveSoon ??= createSaver(this.#options))()
  }

  close(): void {
    this.#isClosed = true
  }

  finish(headers?: HeaderList): void {
    if (headers)
      this.#complete(headers)
    else if (this.#isChangeable)
      this.#response.headers.forEach(list => this.#complete(list))
  }

  #complete(headers: HeaderList): void {
    let isSet = false
    for (const [name, lines] of this.cookies) {
      this.#replace(headers, name, lines)
      isSet ||= lines.length > 0
    }
    if (isSet)
      forbidCaching(headers)
    this.#personalize?.(headers)
    if (this.#changes !== undefined)
      headers.set(CHANGED_HEADER, this.#changes)
    this.#options.protect(headers)
  }

  #replace(headers: HeaderList, name: string, lines: readonly string[]): void {
    replaceSetCookies(headers, { lines, earlier: this.#earlier.get(name) ?? [] }, () => this.address.path)
  }

  #holdNode(): void {
    const { node } = this.#response
    if (this.#held || !node || node.headersSent)
      return
    this.#held = holdNodeResponse(node, {
      settle: this.#options.settle,
      finish: headers => this.#complete(headers),
      toErrorResponse: this.#options.onFailure,
      addsHeaders: () => this.cookies.size > 0 || this.#personalize !== undefined || this.#changes !== undefined,
    })
  }

  get #isChangeable(): boolean {
    return !(this.#held ? this.#held.isReleased : this.#response.haveHeadersLeft)
  }
}
