import type { CryptoBackend } from './backend'
import { SessionError } from '../errors'
import { createNodeBackend } from './node'
import { createPureBackend } from './pure'

export type { AesGcm, CryptoBackend } from './backend'
export { IV_BYTES, TAG_BYTES } from './backend'

let backend: CryptoBackend | undefined

/** The fastest backend that works here, chosen at the first call. */
export function getCrypto(): CryptoBackend {
  return backend ??= createNodeBackend() ?? createPureBackend()
}

/** @throws SessionError `CRYPTO_ERROR` where the platform has no secure random source */
export function randomBytes(length: number): Uint8Array {
  if (typeof globalThis.crypto?.getRandomValues !== 'function') {
    throw new SessionError('CRYPTO_ERROR', 'This platform has no `crypto.getRandomValues`; sessions need a secure random source.')
  }
  return globalThis.crypto.getRandomValues(new Uint8Array(length))
}
