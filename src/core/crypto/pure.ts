import type { CryptoBackend } from './backend'
import { gcm } from '@noble/ciphers/aes.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'

/** The backend in pure JavaScript, for workers without `node:crypto`. */
export function createPureBackend(): CryptoBackend {
  return {
    sha256: data => sha256(data),
    hkdf: (secret, info) => hkdf(sha256, secret, undefined, info, 32),
    hmac(key) {
      const keyed = hmac.create(sha256, key)
      return data => keyed.clone().update(data).digest()
    },
    aesGcm: key => ({
      encrypt: (iv, plaintext) => gcm(key, iv).encrypt(plaintext),
      decrypt(iv, ciphertext) {
        try {
          return gcm(key, iv).decrypt(ciphertext)
        }
        catch {
          return undefined
        }
      },
    }),
  }
}
