import type { SessionRecord } from './types'
import { MAX_COOKIE_BYTES } from './cookie'
import { readCookies } from './cookie-header'
import { getCrypto, IV_BYTES, randomBytes, TAG_BYTES } from './crypto/index'
import { allocate, fromBase64Url, fromUtf8, isEqualConstantTime, toBase64Url, toUtf8 } from './encoding'
import { isPlausibleId } from './id'
import { decodePayload, encodePayload } from './payload'
import { Recent } from './recent'
import { parseRecord, RECORD_VERSION } from './record'

/** What a cookie's value was found to hold. */
export interface OpenedToken {
  content: TokenContent
  /** True when an older secret signed it, so that the cookie is to be issued again. */
  isOutdated: boolean
}

/** Why a cookie's value was refused. */
export type TokenFault = 'malformed' | 'signature'

/** Turns content into the text of a cookie and back. Content has exactly one text per key and nonce. */
export interface TokenCodec {
  write(content: Required<TokenContent>): string
  /** False where a token is the same for all records of an id. */
  readonly holdsRecord: boolean
  /** Never throws, whatever the text. */
  read(token: string): OpenedToken | TokenFault
}

/** What travels in the cookie: the id, and in cookie mode the whole session with it. */
export interface TokenContent {
  id: string
  record?: SessionRecord
}

type Mac = (text: string) => string

/**
 * Signs a value as `s:value.signature`: HMAC-SHA256 in standard base64 without padding, as
 * express's cookie-signature does.
 *
 * @throws TypeError for an empty secret
 */
export function signCookie(value: string, secret: string): string {
  return sign(value, getCrypto().hmac(cookieSecret(secret)))
}

/**
 * The value inside a signed cookie, or `null` when no secret verifies it.
 *
 * @throws TypeError for an empty secret
 */
export function unsignCookie(signed: string, secrets: string | readonly string[]): string | null {
  return createUnsigner(secrets)(signed)
}

/**
 * {@link unsignCookie} for many cookies of the same secrets.
 *
 * @throws TypeError for an empty secret
 */
export function createUnsigner(secrets: string | readonly string[]): (signed: string) => string | null {
  const macs = [secrets].flat().map(secret => getCrypto().hmac(cookieSecret(secret)))
  return (signed) => {
    for (const mac of macs) {
      const value = unsign(signed, mac)
      if (value !== undefined)
        return value
    }
    return null
  }
}

/** Storage mode: `s:id.signature`. */
export function createIdCodec(secrets: readonly string[], cookieName: string): TokenCodec {
  const macs = secrets.map(secret => getCrypto().hmac(deriveKey(secret, 'signed-id', cookieName)))
  return {
    holdsRecord: false,
    write: ({ id }) => sign(id, macs[0]!),
    read(token) {
      if (!isPlausibleId(signedValue(token)))
        return 'malformed'
      return firstOf(macs, (mac) => {
        const id = unsign(token, mac)
        return id === undefined ? undefined : { id }
      })
    },
  }
}

/** Cookie mode, `encrypt: false`: `payload.signature`, base64url JSON that the client can read. */
export function createSignedPayloadCodec(secrets: readonly string[], cookieName: string): TokenCodec {
  const macs = secrets.map(secret => getCrypto().hmac(deriveKey(secret, 'signed-payload', cookieName)))
  return {
    holdsRecord: true,
    write(content) {
      const text = toBase64Url(toUtf8(encodeReadable(content)))
      return `${text}.${macs[0]!(text)}`
    },
    read(token) {
      const dot = token.indexOf('.')
      const text = token.slice(0, dot)
      const bytes = dot > 0 ? fromBase64Url(text) : undefined
      if (!bytes)
        return 'malformed'
      return firstOf(macs, mac => isEqualConstantTime(mac(text), token.slice(dot + 1)) ? decodeReadable(bytes) : undefined)
    },
  }
}

/** Cookie mode, the default: AES-256-GCM over the payload; base64url of nonce, ciphertext and tag. */
export function createSealedPayloadCodec(secrets: readonly string[], cookieName: string): TokenCodec {
  const ciphers = secrets.map(secret => getCrypto().aesGcm(deriveKey(secret, 'sealed-payload', cookieName)))
  return {
    holdsRecord: true,
    write(content) {
      const iv = randomBytes(IV_BYTES)
      const ciphertext = ciphers[0]!.encrypt(iv, encodePayload(content))
      const sealed = allocate(IV_BYTES + ciphertext.length)
      sealed.set(iv)
      sealed.set(ciphertext, IV_BYTES)
      return toBase64Url(sealed)
    },
    read(token) {
      const sealed = fromBase64Url(token)
      if (!sealed || sealed.length <= IV_BYTES + TAG_BYTES)
        return 'malformed'
      const iv = sealed.subarray(0, IV_BYTES)
      return firstOf(ciphers, (cipher) => {
        const plaintext = cipher.decrypt(iv, sealed.subarray(IV_BYTES))
        return plaintext && decodePayload(plaintext)
      })
    },
  }
}

/** At the end of tokens whose session has an idle time of its own; never inside of others. */
const IDLE_MARK = '~'

function isMarked(token: string): boolean {
  return token.endsWith(IDLE_MARK)
}

/** True for a `Cookie` header with a token whose session has an idle time of its own, verified or not. */
export function carriesIdleTime(cookieHeader: string | undefined, name: string): boolean {
  return cookieHeader !== undefined && cookieHeader.includes(IDLE_MARK) && readCookies(cookieHeader, name).some(isMarked)
}

/** Marks tokens that hold a session with an idle time of its own, so that others need not be opened to find out. */
export function createMarkingCodec(codec: TokenCodec): TokenCodec {
  const isIdle = ({ record }: TokenContent): boolean => (record?.lifetime?.idleTimeout ?? 0) > 0
  return {
    holdsRecord: codec.holdsRecord,
    write: content => codec.write(content) + (isIdle(content) ? IDLE_MARK : ''),
    read(token) {
      const opened = codec.read(isMarked(token) ? token.slice(0, -IDLE_MARK.length) : token)
      return typeof opened === 'object' && isIdle(opened.content) !== isMarked(token) ? 'signature' : opened
    },
  }
}

/** Of so many tokens each codec remembers what they hold. */
const REMEMBERED = 500

/**
 * Knows what tokens hold that were read or written a moment ago: most requests come with one of
 * these. What was verified once is compared as a whole, so no other text passes for it.
 */
export function createRememberingCodec(codec: TokenCodec): TokenCodec {
  const recent = new Recent<OpenedToken>(REMEMBERED)
  const { holdsRecord } = codec
  return {
    holdsRecord,
    write(content) {
      const token = codec.write(content)
      // What no browser keeps does not come back.
      if (token.length <= MAX_COOKIE_BYTES)
        recent.set(token, { content: holdsRecord ? content : { id: content.id }, isOutdated: false })
      return token
    },
    read(token) {
      const known = recent.get(token)
      if (known)
        return known
      const opened = codec.read(token)
      if (typeof opened === 'object')
        recent.set(token, opened)
      return opened
    },
  }
}

/** Tries the newest key first. */
function firstOf<K>(keys: readonly K[], open: (key: K) => TokenContent | undefined): OpenedToken | TokenFault {
  for (const [index, key] of keys.entries()) {
    const content = open(key)
    if (content)
      return { content, isOutdated: index > 0 }
  }
  return 'signature'
}

/** The id of ours that a session of another package gets: the same for all requests that carry its cookie. */
export function createMigratedId(secrets: readonly string[], cookieName: string, oldId: string): string {
  return toBase64Url(deriveKey(secrets[0]!, `migrated-id/${oldId}`, cookieName))
}

/** Every purpose and cookie name has a key of its own, so no token passes for another kind. */
function deriveKey(secret: string, purpose: string, cookieName: string): Uint8Array {
  return getCrypto().hkdf(toUtf8(secret), toUtf8(`unsession/${RECORD_VERSION}/${purpose}/${cookieName}`))
}

function cookieSecret(secret: string): Uint8Array {
  if (!secret)
    throw new TypeError('A cookie cannot be signed with an empty secret.')
  return toUtf8(secret)
}

function sign(value: string, mac: Mac): string {
  return `s:${value}.${mac(value)}`
}

function unsign(signed: string, mac: Mac): string | undefined {
  const value = signedValue(signed)
  return value !== undefined && isEqualConstantTime(sign(value, mac), signed) ? value : undefined
}

function signedValue(signed: string): string | undefined {
  const dot = signed.lastIndexOf('.')
  return signed.startsWith('s:') && dot > 1 ? signed.slice(2, dot) : undefined
}

function encodeReadable({ id, record }: Required<TokenContent>): string {
  const { version, createdAt, expiresAt, lastSeenAt, data, flash, lifetime } = record
  return JSON.stringify([version, id, createdAt, expiresAt, lastSeenAt, data, flash, lifetime])
}

/** The bytes verified, yet an older or newer version of this package may have written them. */
function decodeReadable(bytes: Uint8Array): TokenContent | undefined {
  try {
    const [version, id, createdAt, expiresAt, lastSeenAt, data, flash, lifetime] = JSON.parse(fromUtf8(bytes))
    const record = parseRecord({ version, createdAt, expiresAt, lastSeenAt, data, flash, lifetime: lifetime ?? undefined })
    return record && isPlausibleId(id) ? { id, record } : undefined
  }
  catch {
    return undefined
  }
}
