import { vi } from 'vitest'
import { getCrypto } from '../../../src/core/crypto/index'

/** Counts how often something is signed, verified, encrypted or decrypted by keys that are made from now on. */
export function countCrypto(): { readonly calls: number, reset(): void } {
  let calls = 0
  const counted = <A extends unknown[], R>(run: (...args: A) => R) => (...args: A): R => {
    calls++
    return run(...args)
  }
  const backend = getCrypto()
  const { hmac, aesGcm } = backend
  vi.spyOn(backend, 'hmac').mockImplementation((...args) => counted(hmac(...args)))
  vi.spyOn(backend, 'aesGcm').mockImplementation((key) => {
    const { encrypt, decrypt } = aesGcm(key)
    return { encrypt: counted(encrypt), decrypt: counted(decrypt) }
  })
  return {
    get calls() { return calls },
    reset: () => calls = 0,
  }
}
