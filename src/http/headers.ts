import type { NodeResponse } from './node-response'
import { isSetCookieOf } from '../core/cookie'

/** The headers of a response; those of the Fetch standard fit. */
export type HeaderList = Pick<Headers, 'get' | 'set' | 'append' | 'delete' | 'getSetCookie' | 'keys'>

/** The headers of a Node response, as those of the Fetch standard. */
export function headersOf(res: NodeResponse): HeaderList {
  return new NodeHeaders(res)
}

class NodeHeaders implements HeaderList {
  readonly #res: NodeResponse

  constructor(res: NodeResponse) {
    this.#res = res
  }

  get(name: string): string | null {
    const value = this.#res.getHeader(name)
    return value === undefined ? null : Array.isArray(value) ? value.join(', ') : String(value)
  }

  set(name: string, value: string): void {
    this.#res.setHeader(name, value)
  }

  append(name: string, value: string): void {
    this.#res.setHeader(name, [...toList(this.#res.getHeader(name)), value])
  }

  delete(name: string): void {
    this.#res.removeHeader(name)
  }

  getSetCookie(): string[] {
    return toList(this.#res.getHeader('set-cookie'))
  }

  keys(): ReturnType<Headers['keys']> {
    return this.#res.getHeaderNames().values() as ReturnType<Headers['keys']>
  }
}

function toList(value: number | string | string[] | undefined): string[] {
  if (value === undefined)
    return []
  return typeof value === 'object' ? value : [String(value)]
}

/** Sets our one `Set-Cookie` of that name; everybody else's stay as they are. */
export function replaceSetCookie(headers: HeaderList, name: string, header: string | undefined): void {
  const all = headers.getSetCookie()
  if (all.length === 1 && all[0] === header)
    return
  const others = all.filter(line => !isSetCookieOf(name, line))
  // It is there already, and once.
  if (header !== undefined && others.length === all.length - 1 && all.includes(header))
    return
  // Headers that cannot be changed need not be.
  if (header === undefined && others.length === all.length)
    return
  if (all.length > 0)
    headers.delete('set-cookie')
  for (const line of header === undefined ? others : [...others, header])
    headers.append('set-cookie', line)
}

const HOST_CACHE_CONTROL = /(?:^|-)cdn-cache-control$|^surrogate-control$/i

/** A response with a session cookie is for one visitor (OWASP Session Management, Web Content Caching). */
export function forbidCaching(headers: HeaderList): void {
  // Nitro marks the responses of cached routes for shared caches, cookie or not.
  if (headers.get('cache-control') === null || isForSharedCaches(headers))
    headers.set('cache-control', 'no-store')
  // These go before Cache-Control in the caches of hosts (RFC 9213).
  for (const name of [...headers.keys()].filter(name => HOST_CACHE_CONTROL.test(name)))
    headers.delete(name)
  varyByCookie(headers)
}

/** True when others may keep the response, because something says how long (RFC 9111, section 3). */
export function isForSharedCaches(headers: HeaderList): boolean {
  const cacheControl = headers.get('cache-control')
  return cacheControl !== null && !/\b(?:private|no-store|no-cache)\b/i.test(cacheControl)
}

export function varyByCookie(headers: HeaderList): void {
  const vary = headers.get('vary')
  if (!vary || !/(?:^|,)\s*(?:cookie|\*)\s*(?:,|$)/i.test(vary))
    headers.set('vary', vary ? `${vary}, Cookie` : 'Cookie')
}
