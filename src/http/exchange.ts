import type { Exchange } from '../core/types'
import type { ErrorResponse } from './error-response'
import type { HeaderList } from './headers'
import type { HeldResponse, NodeResponse } from './node-response'
import { forbidCaching, headersOf, isForSharedCaches, replaceSetCookie, varyByCookie } from './headers'
import { holdNodeResponse } from './node-response'

/** One event and its response, as an adapter finds them. */
export interface EventResponse {
  /** The raw `Cookie` header. */
  readonly cookieHeader: string | undefined
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

export interface ExchangeOptions {
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
  /** Is told of a change where no response of Node can wait for it. */
  onUnheld?(): void
  /** Is told why an error takes the place of a response that was already being sent. */
  onFailure(error: unknown): ErrorResponse
}

/** What a host knows of a response besides. */
export interface EventExchange extends Exchange {
  /** True when the response is marked for caches that others share. */
  readonly isForSharedCaches: boolean
  /** What the response says of each of our cookies; `undefined` where one was taken back. */
  readonly cookies: ReadonlyMap<string, string | undefined>
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
export function createExchange(response: EventResponse, { settle, onFailure, onUnheld, isShared = false, cookies: earlier }: ExchangeOptions): EventExchange {
  /** The last word on each of our cookies. */
  const cookies = new Map(earlier)
  let held: HeldResponse | undefined
  let isClosed = false
  const complete = (headers: HeaderList): void => {
    cookies.forEach((header, name) => replaceSetCookie(headers, name, header))
    if ([...cookies.values()].some(header => header !== undefined))
      forbidCaching(headers)
  }
  const holdNode = (): void => {
    const { node } = response
    if (held || !node || node.headersSent)
      return
    held = holdNodeResponse(node, { settle, finish: () => complete(headersOf(node)), toErrorResponse: onFailure })
  }
  const isChangeable = (): boolean => !(held ? held.isReleased : response.haveHeadersLeft)
  /** Every list of headers that may be sent; Node's own is the last to be looked at. */
  const lists = (): readonly HeaderList[] => held && response.node ? [...response.headers, headersOf(response.node)] : response.headers
  return {
    isShared,
    cookies,
    get cookieHeader() { return response.cookieHeader },
    get isForSharedCaches() { return response.headers.some(isForSharedCaches) },
    personalize(isPrivate) {
      if (isChangeable())
        lists().forEach(isPrivate ? forbidCaching : varyByCookie)
    },
    announce(changes) {
      if (isChangeable())
        lists().forEach(headers => headers.set(CHANGED_HEADER, changes))
    },
    get isSent() { return held ? held.isReleased : response.isSent },
    setCookie(name, header) {
      if (isClosed)
        return
      holdNode()
      if (!isChangeable() || (header === undefined && !cookies.has(name)))
        return
      cookies.set(name, header)
      for (const headers of response.headers) {
        replaceSetCookie(headers, name, header)
        // Otherwise it is done when all is known that the app set.
        if (header !== undefined && !held && !response.isFinished)
          forbidCaching(headers)
      }
    },
    hold() {
      holdNode()
      if (!response.node)
        onUnheld?.()
    },
    close() { isClosed = true },
    finish(headers) {
      if (headers)
        complete(headers)
      else if (isChangeable())
        response.headers.forEach(complete)
    },
  }
}
