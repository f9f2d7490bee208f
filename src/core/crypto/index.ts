import type { CryptoBackend } from './backend'
import { SessionError } from '../errors'
import { IV_BYTES, TAG_BYTES } from './backend'
import { createNodeBackend } from './node'
import { createPureBackend } from './pure'

export type { AesGcm, CryptoBackend } from './backend'
export { IV_BYTES, TAG_BYTES }

let backend: CryptoBackend | undefined

/** The fastest backend that works here, chosen at the first call. */
export function getCrypto(): CryptoBackend {
  return backend ??= createNodeBackend() ?? createPureBackend()
}

/** Random bytes are fetched for so many nonces at once: each call costs as much as an encryption. */
const POOL_BYTES = 16 * IV_BYTES
let pool = new Uint8Array()
let poolUsed = 0

/** @throws SessionError `CRYPTO_ERROR` where the platform has no secure random source */
export function randomBytes(length: number): Uint8Array {
  if (typeof globalThis.crypto?.getRandomValues !== 'function') {
    throw new SessionError('CRYPTO_ERROR', 'This platform has no `crypto.getRandomValues`; sessions need a secure random source.')
  }
  if (poolUsed + length > pool.length) {
    // Never filled again, so that nobody's bytes change.
    pool = globalThis.crypto.getRandomValues(new Uint8Array(Math.max(length, POOL_BYTES)))
    poolUsed = 0
  }
  return pool.subarray(poolUsed, poolUsed += length)
}
