import type { Exchange } from '../core/types'
import type { SessionEvent } from './event'
import type { HeldResponse, NodeResponse } from './node-response'
import { isSetCookieOf } from '../core/cookie'
import { isMockResponse, responseOf } from './event'
import { holdNodeResponse } from './node-response'

export interface ExchangeOptions {
  /**
   * True while prerendering.
   *
   * @default false
   */
  isShared?: boolean
  /** What the response must wait for; `undefined` when there is nothing. */
  settle(): Promise<void> | undefined
  /** Is told why an error takes the place of a response that was already being sent. */
  onFailure(error: unknown): { statusCode: number, statusMessage: string, body: string }
}

/** What a host knows of a response besides. */
export interface EventExchange extends Exchange {
  /** True when the response is marked for caches that others share. */
  readonly isForSharedCaches: boolean
  /** Keeps the response apart in caches; out of them when it is private. */
  personalize(isPrivate: boolean): void
  /** Tells the page that made the request what changed. */
  announce(changes: string): void
}

/** Read by the page in the browser. */
export const CHANGED_HEADER = 'session-changed'

/** The exchange of an h3 v1 event. */
export function createExchange(event: SessionEvent, { settle, onFailure, isShared = false }: ExchangeOptions): EventExchange {
  const res = responseOf(event)
  /** The last word on each of our cookies. */
  const cookies = new Map<string, string | undefined>()
  const isMock = isMockResponse(res)
  let held: HeldResponse | undefined
  let isClosed = false
  const hold = (): void => {
    if (held || isMock || res.headersSent)
      return
    held = holdNodeResponse(res, {
      settle,
      finish() {
        cookies.forEach((header, name) => replaceSetCookie(res, name, header))
        if ([...cookies.values()].some(header => header !== undefined))
          forbidCaching(res)
      },
      toErrorResponse: onFailure,
    })
  }
  const isChangeable = (): boolean => held ? !held.isReleased : isMock || !res.headersSent
  return {
    isShared,
    get cookieHeader() { return event.node.req.headers.cookie },
    get isForSharedCaches() { return isForSharedCaches(res) },
    personalize(isPrivate) {
      if (!isChangeable())
        return
      if (isPrivate)
        forbidCaching(res)
      else
        varyByCookie(res)
    },
    announce(changes) {
      if (isChangeable())
        res.setHeader(CHANGED_HEADER, changes)
    },
    get isSent() { return held ? held.isReleased : res.headersSent || res.writableEnded },
    setCookie(name, header) {
      if (isClosed)
        return
      hold()
      if (held ? held.isReleased : res.headersSent || (header === undefined && !cookies.has(name)))
        return
      cookies.set(name, header)
      replaceSetCookie(res, name, header)
      if (header !== undefined)
        forbidCaching(res)
    },
    hold,
    close() { isClosed = true },
  }
}

/** Sets our one `Set-Cookie` of that name; everybody else's stay as they are. */
function replaceSetCookie(res: NodeResponse, name: string, header: string | undefined): void {
  const others = [res.getHeader('set-cookie') ?? []].flat().map(String).filter(line => !isSetCookieOf(name, line))
  const lines = header === undefined ? others : [...others, header]
  if (lines.length > 0)
    res.setHeader('set-cookie', lines)
  else
    res.removeHeader('set-cookie')
}

/** A response with a session cookie is for one visitor (OWASP Session Management, Web Content Caching). */
function forbidCaching(res: NodeResponse): void {
  // Nitro marks the responses of cached routes for shared caches, cookie or not.
  if (res.getHeader('cache-control') === undefined || isForSharedCaches(res))
    res.setHeader('cache-control', 'no-store')
  // These go before Cache-Control in the caches of hosts (RFC 9213).
  for (const name of res.getHeaderNames()) {
    if (/(?:^|-)cdn-cache-control$|^surrogate-control$/i.test(name))
      res.removeHeader(name)
  }
  varyByCookie(res)
}

/** True when others may keep the response, because something says how long (RFC 9111, section 3). */
function isForSharedCaches(res: NodeResponse): boolean {
  const cacheControl = res.getHeader('cache-control')
  return cacheControl !== undefined && !/\b(?:private|no-store|no-cache)\b/i.test(String(cacheControl))
}

function varyByCookie(res: NodeResponse): void {
  const vary = String(res.getHeader('vary') ?? '')
  if (!/(?:^|,)\s*(?:cookie|\*)\s*(?:,|$)/i.test(vary))
    res.setHeader('vary', vary ? `${vary}, Cookie` : 'Cookie')
}
