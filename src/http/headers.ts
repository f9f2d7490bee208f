import { identityOf } from '../core/cookie/scope'

/** The headers of a response; those of the Fetch standard fit. */
export type HeaderList = Pick<Headers, 'get' | 'set' | 'append' | 'delete' | 'getSetCookie' | 'keys'>

/** Puts cookies in front of the others. */
export function prependCookies(headers: HeaderList, cookies: readonly string[]): void {
  if (cookies.length === 0)
    return
  const all = headers.getSetCookie()
  headers.delete('set-cookie')
  ;[...cookies, ...all].forEach(line => headers.append('set-cookie', line))
}

/** What a response says of one of our cookies. */
export interface OwnCookies {
  /** The `Set-Cookie` headers to send: the last is the cookie itself, others remove it from other scopes. */
  readonly lines: readonly string[]
  /** What the response said before, taken back or not. */
  readonly earlier: readonly string[]
}

/**
 * Sets our own `Set-Cookie` headers of one name in place of earlier ones. What others set stays,
 * under the same name too where browsers keep it apart: identity is name, Domain, Path and partition.
 */
export function replaceSetCookies(headers: HeaderList, { lines, earlier }: OwnCookies, requestPath: () => string): void {
  const cookie = lines.at(-1) ?? earlier.at(-1)
  const all = headers.getSetCookie()
  if (cookie === undefined || (all.length === 1 && lines.length === 1 && all[0] === cookie))
    return
  const beginning = cookie.slice(0, cookie.indexOf('=') + 1)
  const namesakes = all.filter(line => line.startsWith(beginning))
  if (namesakes.length === 0) {
    lines.forEach(line => headers.append('set-cookie', line))
    return
  }
  const path = requestPath()
  const identities = new Map(namesakes.map(line => [line, identityOf(line, path)]))
  const identity = identityOf(cookie, path)
  const isOurs = (line: string): boolean => identities.get(line) === identity || earlier.includes(line) || lines.includes(line)
  const others = all.filter(line => !isOurs(line))
  const taken = new Set(others.map(line => identities.get(line)))
  const own = lines.filter(line => line === cookie || !taken.has(identityOf(line, path)))
  const next = [...others, ...own]
  // Headers that cannot be changed need not be.
  if (next.length === all.length && next.every(line => all.includes(line)))
    return
  headers.delete('set-cookie')
  next.forEach(line => headers.append('set-cookie', line))
}
