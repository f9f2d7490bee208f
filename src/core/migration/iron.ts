import { type BoundedQueue, createBoundedQueue } from './bounded-queue'
import { fromBase64Url, fromUtf8, toUtf8 } from '../encoding'

/** What a seal held. */
export interface Unsealed {
  value: unknown
  /** Milliseconds since the epoch; missing for a seal without a lifetime. */
  expiresAt?: number
}

/** A seal in its parts, all of which can be decoded. */
interface Seal {
  /** What the signature is about. */
  sealed: string
  salt: string
  iv: BufferSource
  ciphertext: BufferSource
  expiry: string
  macSalt: string
  mac: BufferSource
}

const PREFIX = 'Fe26.2'

/** Characters that the parts of a seal consist of; the password's id and the expiry may be empty. */
const SHAPE = /^Fe26\.2\*\w*\*[\da-f]+\*[\w-]+\*[\w-]+\*\d*\*[\da-f]+\*[\w-]+$/

/** How keys were derived; nothing in a seal tells which way it was. */
interface Derivation {
  readonly iterations: number
  readonly inTurn: BoundedQueue
}

/**
 * h3 v1 and iron-session need a fraction of a millisecond and h3 v2 ten, on threads that storage
 * needs too, and a seal that somebody made up costs as much as a real one. So there is one
 * derivation of each kind at a time in a process, which keeps a real seal of h3 v1 from waiting
 * behind those of h3 v2, and what waits is about a second or two of work.
 */
const QUICK: Derivation = { iterations: 1, inTurn: createBoundedQueue(1000) }
const SLOW: Derivation = { iterations: 8192, inTurn: createBoundedQueue(200) }

export const H3_WAYS: readonly Derivation[] = [QUICK, SLOW]
export const IRON_SESSION_WAYS: readonly Derivation[] = [QUICK]

/** Iron takes no shorter password. */
export const MIN_PASSWORD_LENGTH = 32

/** True for a text that could be a seal. */
export function isSeal(text: string): boolean {
  return SHAPE.test(text)
}

/** The id of the password in a seal; empty where the password had none. */
export function passwordIdOf(seal: string): string {
  return seal.split('*', 2)[1]!
}

/**
 * What is inside a seal of the format `Fe26.2` as h3 and iron-session make it: AES-256-CBC and
 * HMAC-SHA-256, with keys of PBKDF2 from the password. Needs Web Crypto only.
 *
 * @returns undefined for a seal that no password opens, `'corrupt'` for one that does not hold
 * JSON, and `'busy'` when too many others wait to be opened
 */
export async function unseal(text: string, passwords: readonly string[], ways: readonly Derivation[]): Promise<Unsealed | 'corrupt' | 'busy' | undefined> {
  const seal = parse(text)
  if (!seal)
    return undefined
  for (const { iterations, inTurn } of ways) {
    const opened = await inTurn(() => tryPasswords(seal, passwords, iterations))
    if (opened)
      return opened
  }
  return undefined
}

function parse(text: string): Seal | undefined {
  const [, passwordId, salt, iv, ciphertext, expiry, macSalt, mac] = text.split('*') as string[]
  const bytes = [iv!, ciphertext!, mac!].map(fromBase64Url)
  if (bytes.includes(undefined))
    return undefined
  const [ivBytes, ciphertextBytes, macBytes] = bytes as BufferSource[]
  return {
    sealed: [PREFIX, passwordId, salt, iv, ciphertext, expiry].join('*'),
    salt: salt!,
    iv: ivBytes!,
    ciphertext: ciphertextBytes!,
    expiry: expiry!,
    macSalt: macSalt!,
    mac: macBytes!,
  }
}

async function tryPasswords({ sealed, salt, iv, ciphertext, expiry, macSalt, mac }: Seal, passwords: readonly string[], iterations: number): Promise<Unsealed | 'corrupt' | undefined> {
  for (const password of passwords) {
    const macKey = await deriveKey(password, macSalt, iterations, { name: 'HMAC', hash: 'SHA-256' }, 'verify')
    if (!await crypto.subtle.verify('HMAC', macKey, mac, toUtf8(sealed) as BufferSource))
      continue
    const key = await deriveKey(password, salt, iterations, { name: 'AES-CBC' }, 'decrypt')
    const value = await decryptJson(key, iv, ciphertext)
    return value === undefined ? 'corrupt' : { value, ...(expiry && { expiresAt: Number(expiry) }) }
  }
  return undefined
}

async function deriveKey(password: string, salt: string, iterations: number, algorithm: { name: string, hash?: string }, usage: KeyUsage): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', toUtf8(password) as BufferSource, 'PBKDF2', false, ['deriveBits'])
  const bits = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: toUtf8(salt) as BufferSource, iterations }, material, 256)
  return crypto.subtle.importKey('raw', bits, algorithm, false, [usage])
}

async function decryptJson(key: CryptoKey, iv: BufferSource, ciphertext: BufferSource): Promise<unknown> {
  try {
    const plaintext = await crypto.subtle.decrypt({ name: 'AES-CBC', iv }, key, ciphertext)
    return JSON.parse(fromUtf8(new Uint8Array(plaintext)))
  }
  catch {
    return undefined
  }
}
