import type { RejectReason } from '../types'
import type { OldCookieOptions, OldSession, SessionMigration } from './migration'
import { hmac } from '@noble/hashes/hmac.js'
import { sha1 } from '@noble/hashes/legacy.js'
import { MAX_COOKIE_BYTES } from '../cookie/set-cookie'
import { normalizeValue } from '../cookie/header'
import { decodeBase64Url, fromUtf8, isEqualConstantTime, toBase64Url, toUtf8 } from '../encoding'
import { configError } from '../resolve-options'
import { isPlainObject } from '../record/value'

/** The name that cookie-session gives its cookie. */
export const COOKIE_SESSION_COOKIE = 'session'

/** All that may have signed, as cookie-session takes them. Nothing in its cookies tells when they end. */
export interface CookieSessionOptions {
  cookie?: OldCookieOptions | undefined
  keys?: readonly string[] | undefined
  /** Is taken where there are no `keys`. */
  secret?: string | undefined
}

/** JSON in base64. Of no other text the signature is looked at. */
const BASE64 = /^[A-Za-z\d+/]+={0,2}$/

/**
 * The sessions of cookie-session: all data readable in one cookie, and its signature in another.
 * Cookies without a signature are refused.
 *
 * Such a cookie tells neither when it was made nor whose it is: visitors with the same data have
 * the same cookie. So each request that brings one begins a session of its own, also in storage
 * mode, and a copy is good for as long as the migration is in place and its key is among `keys`.
 * There is no `maxAge`, since there is no time to count it from.
 *
 * @throws SessionError `CONFIG_ERROR` without a key, or for one that is empty or not a string
 */
export function fromCookieSession({ cookie, keys, secret }: CookieSessionOptions): SessionMigration {
  const name = cookie?.name ?? COOKIE_SESSION_COOKIE
  const signatureName = `${name}.sig`
  const isSigned = createVerifier(keys ?? (secret === undefined ? [] : [secret]))
  return {
    cookie: { ...cookie, name },
    recognize(raw, readCookie) {
      const value = raw.length <= MAX_COOKIE_BYTES ? normalizeValue(raw) : undefined
      const signature = normalizeValue(readCookie(signatureName) ?? '')
      if (value === undefined || !signature || !BASE64.test(value) || !isSigned(`${name}=${value}`, signature))
        return undefined
      return { names: [name, signatureName], open: async () => toOldSession(value) }
    },
  }
}

/** Verifies what keygrip signs: HMAC-SHA1, in base64url without padding. */
function createVerifier(keys: readonly string[]): (text: string, signature: string) => boolean {
  assertKeys(keys)
  const macs = keys.map(key => hmac.create(sha1, toUtf8(key)))
  return (text, signature) => {
    const bytes = toUtf8(text)
    return macs.some(mac => isEqualConstantTime(toBase64Url(mac.clone().update(bytes).digest()), signature))
  }
}

function assertKeys(keys: unknown): void {
  const remedy = 'Pass the `keys` of cookie-session, an array, or its `secret`.'
  if (!Array.isArray(keys))
    throw configError([{ path: 'keys', problem: 'It is not an array.', remedy }], SUBJECT)
  if (keys.length === 0)
    throw configError([{ path: 'keys', problem: 'It is missing.', remedy }], SUBJECT)
  if (!keys.every(key => typeof key === 'string' && key !== ''))
    throw configError([{ path: 'keys', problem: 'It holds a key that is empty or not a string.', remedy }], SUBJECT)
}

const SUBJECT = 'the options of `fromCookieSession`'

function toOldSession(value: string): OldSession | RejectReason {
  const data = parse(value)
  return typeof data === 'object' && data !== null && isPlainObject(data) ? { data: data as Record<string, unknown> } : 'corrupt'
}

function parse(value: string): unknown {
  try {
    return JSON.parse(fromUtf8(decodeBase64Url(value)))
  }
  catch {
    return undefined
  }
}
