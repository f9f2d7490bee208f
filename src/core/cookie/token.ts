import type { NewTokenContent, TokenContent } from '../session/found-token'
import { MAX_COOKIE_BYTES } from './set-cookie'
import { normalizeValue, readCookies } from './header'
import { getCrypto, IV_BYTES, randomBytes, TAG_BYTES } from '../crypto/index'
import { allocate, copyText, fromBase64Url, fromUtf8, isEqualConstantTime, toBase64Url, toUtf8 } from '../encoding'
import { isPlausibleId } from '../id'
import { decodePayload, encodePayload } from './payload'
import { Recent } from '../recent'
import { parseRecord, RECORD_VERSION } from '../record/record'

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
  write(content: NewTokenContent): string
  /** False where a token is the same for all records of an id. */
  readonly holdsRecord: boolean
  /** Never throws, whatever the text. */
  read(token: string): OpenedToken | TokenFault
  /** Called for a token that others took the place of, so that it is not remembered instead of them. */
  forget?(token: string): void
}

/** HMAC-SHA256 in base64url without padding. */
type Mac = (text: string) => string

/** Characters of such a signature. */
const MAC_LENGTH = 43

/** Storage mode: `id.signature`. */
export function createIdCodec(secrets: readonly string[], cookieName: string): TokenCodec {
  const macs = createMacs(secrets, 'signed-id', cookieName)
  return {
    holdsRecord: false,
    write: ({ id }) => sign(id, macs),
    read(token) {
      const id = signedText(token)
      return isPlausibleId(id) ? verify(token, id, macs, () => ({ id })) : 'malformed'
    },
  }
}

/** Cookie mode, `encrypt: false`: `payload.signature`, base64url JSON that the client can read. */
export function createSignedPayloadCodec(secrets: readonly string[], cookieName: string): TokenCodec {
  const macs = createMacs(secrets, 'signed-payload', cookieName)
  return {
    holdsRecord: true,
    write: content => sign(toBase64Url(toUtf8(encodeReadable(content))), macs),
    read(token) {
      const text = signedText(token)
      const bytes = text && fromBase64Url(text)
      return bytes ? verify(token, text, macs, () => decodeReadable(bytes)) : 'malformed'
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
  // Most headers have it nowhere, spelled in one way or the other.
  if (!cookieHeader?.includes(IDLE_MARK) && !cookieHeader?.includes('%'))
    return false
  return readCookies(cookieHeader, name).some(value => isMarked(normalizeValue(value) ?? ''))
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

/** About so many bytes of memory, and twice as many at most, are for what a codec remembers: some thousand tokens. */
const REMEMBERED = 1024 * 1024
/** What a remembered token takes beside its text. */
const ENTRY_BYTES = 200

/**
 * Knows what tokens hold that were read or written a moment ago: most requests come with one of
 * these. What was verified once is compared as a whole, so no other text passes for it.
 */
export function createRememberingCodec(codec: TokenCodec): TokenCodec {
  const recent = new Recent<OpenedToken>(REMEMBERED, token => token.length + ENTRY_BYTES)
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
      // What is remembered must not keep the header in memory that it came with.
      const own = copyText(token)
      const opened = codec.read(own)
      if (typeof opened === 'object')
        recent.set(own, opened)
      return opened
    },
    forget: token => recent.delete(token),
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

function createMacs(secrets: readonly string[], purpose: string, cookieName: string): readonly Mac[] {
  return secrets.map(secret => getCrypto().hmac(deriveKey(secret, purpose, cookieName), 'base64url'))
}

function sign(text: string, [mac]: readonly Mac[]): string {
  return `${text}.${mac!(text)}`
}

/** What a token signs, if it can be one at all. Nothing is verified yet. */
function signedText(token: string): string | undefined {
  const end = token.length - MAC_LENGTH - 1
  return token[end] === '.' ? token.slice(0, end) : undefined
}

function verify(token: string, text: string, macs: readonly Mac[], open: () => TokenContent | undefined): OpenedToken | TokenFault {
  const signature = token.slice(text.length + 1)
  return firstOf(macs, mac => isEqualConstantTime(mac(text), signature) ? open() : undefined)
}

function encodeReadable({ id, record, scope }: NewTokenContent): string {
  const { version, createdAt, expiresAt, lastSeenAt, data, flash, lifetime } = record
  return JSON.stringify([version, id, createdAt, expiresAt, lastSeenAt, data, flash, lifetime, ...scope ? [scope] : []])
}

/** The bytes verified, yet an older or newer version of this package may have written them. */
function decodeReadable(bytes: Uint8Array): TokenContent | undefined {
  try {
    const [version, id, createdAt, expiresAt, lastSeenAt, data, flash, lifetime, scope = ''] = JSON.parse(fromUtf8(bytes))
    const record = parseRecord({ version, createdAt, expiresAt, lastSeenAt, data, flash, lifetime: lifetime ?? undefined })
    return record && isPlausibleId(id) ? { id, record, scope } : undefined
  }
  catch {
    return undefined
  }
}
