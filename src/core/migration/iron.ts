import { fromBase64Url, fromUtf8, toUtf8 } from '../encoding'

/** What a seal held. */
export interface Unsealed {
  value: unknown
  /** Milliseconds since the epoch; missing for a seal without a lifetime. */
  expiresAt?: number
}

const PREFIX = 'Fe26.2'

/** Characters that the parts of a seal consist of; the password's id and the expiry may be empty. */
const SHAPE = /^Fe26\.2\*\w*\*[\da-f]+\*[\w-]+\*[\w-]+\*\d*\*[\da-f]+\*[\w-]+$/

/** h3 v1 derives its keys in one step and h3 v2 in 8192; nothing in a seal tells which. */
const ITERATIONS = [1, 8192]

/** True for a text that could be a seal. */
export function isSeal(text: string): boolean {
  return SHAPE.test(text)
}

/**
 * What is inside a seal of the format `Fe26.2` as h3 makes it: AES-256-CBC and HMAC-SHA-256, with
 * keys of PBKDF2 from the password. Needs Web Crypto only.
 *
 * @returns undefined for a seal that no password opens, and for one that does not hold JSON
 */
export async function unseal(seal: string, passwords: readonly string[]): Promise<Unsealed | undefined> {
  const [, passwordId, salt, iv, ciphertext, expiry, macSalt, mac] = seal.split('*') as string[]
  const sealed = [PREFIX, passwordId, salt, iv, ciphertext, expiry].join('*')
  const bytes = [iv!, ciphertext!, mac!].map(fromBase64Url)
  if (bytes.includes(undefined))
    return undefined
  const [ivBytes, ciphertextBytes, macBytes] = bytes as BufferSource[]
  for (const iterations of ITERATIONS) {
    for (const password of passwords) {
      const macKey = await deriveKey(password, macSalt!, iterations, { name: 'HMAC', hash: 'SHA-256' }, 'verify')
      if (!await crypto.subtle.verify('HMAC', macKey, macBytes!, toUtf8(sealed) as BufferSource))
        continue
      const key = await deriveKey(password, salt!, iterations, { name: 'AES-CBC' }, 'decrypt')
      const value = await decryptJson(key, ivBytes!, ciphertextBytes!)
      return value === undefined ? undefined : { value, ...(expiry && { expiresAt: Number(expiry) }) }
    }
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
