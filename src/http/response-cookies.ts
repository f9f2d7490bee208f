import type { RequestAddress } from '../core/ports'
import type { Exchange } from '../core/ports'
import type { ErrorResponse } from './error-response'
import type { HeaderList } from './headers'
import type { HeldResponse, Holder } from './held-response/index'
import type { NodeResponse } from './node-response'
import { forbidCaching, forbidStoring, isForSharedCaches, varyByCookie } from './caching'
import { replaceSetCookies } from './headers'
import { holdNodeResponse } from './held-response/index'
import { createSaver } from './save-soon'

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

/** The sessions that a response depends on. */
export interface ResponseSessions {
  /** What the response must wait for; `undefined` when there is nothing. */
  flush(): Promise<void> | undefined
  /** Keeps headers that are complete from caches that others share, where the response is personal. */
  protect(headers: HeaderList): void
  /** Stores what nothing waits for. */
  save(): Promise<void>
}

/** What a host does for the response of an event. */
export interface ResponseHost {
  /**
   * True while prerendering.
   *
   * @default false
   */
  readonly isShared?: boolean
  /**
   * False where no response waits for `flush` but those of Node.
   *
   * @default true
   */
  readonly isAwaited?: boolean
  /** That of the exchange. */
  readonly lateRemedy?: string | undefined
  /** Is told why an error takes the place of a response that was already being sent. */
  onFailure(error: unknown): ErrorResponse
  /** Is told of a change that no response waited for, and that could not be stored. */
  onUnsaved(error: unknown): void
  /** Keeps the host from ending before a change is stored that no response waits for. */
  waitUntil?(saved: Promise<void>): void
}

/** The `Set-Cookie` headers for each of our cookies, by name. */
export type CookieLines = ReadonlyMap<string, readonly string[]>

/** What a host knows of a response besides. */
export interface EventExchange extends Exchange {
  /** True when the response is marked for caches that others share, and nothing sees its headers when they are complete. */
  readonly isForSharedCaches: boolean
  /** The `Set-Cookie` headers that the response has for each of our cookies; none where they were taken back. */
  readonly cookies: CookieLines
  /** To be called where the response depends on a session, so that `protect` sees its headers. */
  watch(): void
  /**
   * Keeps the response apart in caches; out of them when it is private.
   *
   * @param isError true for an error page
   */
  markPrivate(isPrivate: boolean, isError?: boolean): void
  /** Tells the page that made the request what changed. */
  setChanges(changes: string): void
  /**
   * The last word on headers that are complete.
   *
   * @param headers by default those of the event's response
   */
  finish(headers?: HeaderList): void
}

/** Read by the page in the browser. */
export const CHANGED_HEADER = 'session-changed'

/** Reads and writes the cookies of one event, and lets its response wait for their sessions. */
export class ResponseCookies implements EventExchange, Holder {
  readonly isShared: boolean
  readonly cookies: Map<string, readonly string[]>
  /** What was said of each of them before. */
  #earlier: Map<string, readonly string[]> | undefined
  readonly #response: EventResponse
  readonly #sessions: ResponseSessions
  readonly #host: ResponseHost
  #held: HeldResponse | undefined
  #saveSoon: (() => void) | undefined
  #mark: ((headers: HeaderList) => void) | undefined
  #changes: string | undefined
  #isClosed = false

  /** @param cookies those that the response carries from the start */
  constructor(response: EventResponse, sessions: ResponseSessions, host: ResponseHost, cookies?: CookieLines) {
    this.#response = response
    this.#sessions = sessions
    this.#host = host
    this.isShared = host.isShared ?? false
    this.cookies = new Map(cookies)
    this.#earlier = cookies && new Map(cookies)
  }

  get cookieHeader(): string | undefined {
    return this.#response.cookieHeader
  }

  get address(): RequestAddress {
    return this.#response.address
  }

  get lateRemedy(): string | undefined {
    return this.#host.lateRemedy
  }

  get isForSharedCaches(): boolean {
    return !this.#held && !this.#response.isFinished && this.#response.headers.some(isForSharedCaches)
  }

  get isSent(): boolean {
    return this.#held ? this.#held.isReleased : this.#response.isSent
  }

  watch(): void {
    const { node } = this.#response
    if (!this.#held && node && !node.headersSent)
      this.#held = holdNodeResponse(node, this)
  }

  markPrivate(isPrivate: boolean, isError = false): void {
    if (!this.#isChangeable || this.#mark === forbidStoring)
      return
    if (isPrivate || this.#mark === forbidCaching)
      this.#mark = isError ? forbidStoring : forbidCaching
    else
      this.#mark = varyByCookie
    // Otherwise it is done when all is known that the app set.
    if (!this.#response.isFinished)
      this.#response.headers.forEach(this.#mark)
  }

  setChanges(changes: string): void {
    if (!this.#isChangeable)
      return
    this.#changes = changes
    this.#response.headers.forEach(headers => headers.set(CHANGED_HEADER, changes))
  }

  setCookies(name: string, lines: readonly string[]): void {
    if (this.#isClosed)
      return
    this.watch()
    const earlier = this.cookies.get(name)
    if (!this.#isChangeable || (lines.length === 0 && earlier === undefined))
      return
    if (earlier !== undefined && earlier.length > 0)
      (this.#earlier ??= new Map()).set(name, earlier)
    this.cookies.set(name, lines)
    for (const headers of this.#response.headers) {
      this.#replace(headers, name, lines)
      if (lines.length > 0 && !this.#held && !this.#response.isFinished)
        forbidCaching(headers)
    }
  }

  holdResponse(): void {
    this.watch()
    // After the response has begun nothing waits any more.
    if (this.isSent || (!this.#response.node && this.#host.isAwaited === false))
      (this.#saveSoon ??= this.#createSaver())()
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

  flush(): Promise<void> | undefined {
    return this.#sessions.flush()
  }

  addsHeaders(): boolean {
    return this.cookies.size > 0 || this.#mark !== undefined || this.#changes !== undefined
  }

  toErrorResponse(error: unknown): ErrorResponse {
    return this.#host.onFailure(error)
  }

  #complete(headers: HeaderList): void {
    let isSet = false
    for (const [name, lines] of this.cookies) {
      this.#replace(headers, name, lines)
      isSet ||= lines.length > 0
    }
    if (this.#changes !== undefined)
      headers.set(CHANGED_HEADER, this.#changes)
    if (isSet && this.#mark !== forbidStoring) {
      forbidCaching(headers)
      return
    }
    this.#mark?.(headers)
    this.#sessions.protect(headers)
  }

  #createSaver(): () => void {
    return createSaver({
      save: () => this.#sessions.save(),
      onUnsaved: error => this.#host.onUnsaved(error),
      waitUntil: saved => this.#host.waitUntil?.(saved),
    })
  }

  #replace(headers: HeaderList, name: string, lines: readonly string[]): void {
    replaceSetCookies(headers, { lines, earlier: this.#earlier?.get(name) ?? [] }, () => this.address.path)
  }

  get #isChangeable(): boolean {
    return !(this.#held ? this.#held.isReleased : this.#response.haveHeadersLeft)
  }
}
