import type { ResolvedCookieOptions } from '../options'
import type { SessionRecord } from '../types'
import { toUtf8 } from '../encoding'
import { SessionError } from '../errors'
import { largestKeys } from '../record/size'

/** Browsers drop a cookie whose name, value and attributes exceed this: RFC 6265bis, section 5.6. */
export const MAX_COOKIE_BYTES = 4096

/**
 * A `Set-Cookie` header.
 *
 * @param maxAge seconds; `undefined` for a cookie that ends with the browser
 */
export function buildSetCookie(options: ResolvedCookieOptions, value: string, maxAge: number | undefined): string {
  return `${options.name}=${value}${maxAge === undefined ? '' : `; Max-Age=${maxAge}`}${attributesOf(options)}`
}

const attributes = new WeakMap<ResolvedCookieOptions, string>()

/** The attributes that do not change. */
function attributesOf(options: ResolvedCookieOptions): string {
  const known = attributes.get(options)
  if (known !== undefined)
    return known
  const { path, domain, httpOnly, secure, sameSite, partitioned, priority } = options
  const text = [
    domain && `Domain=${domain}`,
    `Path=${path}`,
    httpOnly && 'HttpOnly',
    secure && 'Secure',
    sameSite && `SameSite=${capitalize(sameSite)}`,
    partitioned && 'Partitioned',
    priority && `Priority=${capitalize(priority)}`,
  ].filter(Boolean).map(attribute => `; ${attribute}`).join('')
  attributes.set(options, text)
  return text
}

/** The `Set-Cookie` header that removes a cookie: browsers match name, Domain, Path and Partitioned. */
export function buildRemoval(options: ResolvedCookieOptions): string {
  return buildSetCookie(options, '', 0)
}

/**
 * @throws SessionError `COOKIE_ERROR` when a browser would silently drop the cookie
 */
export function assertCookieFits(header: string, content: Pick<SessionRecord, 'data' | 'flash'>): void {
  // Three bytes is the most that a character can take.
  if (header.length * 3 <= MAX_COOKIE_BYTES)
    return
  const size = toUtf8(header).length
  if (size <= MAX_COOKIE_BYTES)
    return
  const { largest, text } = largestKeys(content)
  throw new SessionError(
    'COOKIE_ERROR',
    `The session cookie would be ${size} bytes; browsers drop cookies over ${MAX_COOKIE_BYTES}. The largest keys are ${text}. Store less, or use \`mode: 'storage'\`.`,
    { details: { size, limit: MAX_COOKIE_BYTES, largest } },
  )
}

function capitalize(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1)
}
