import type { AesGcm } from './backend'
import { gcm } from '@noble/ciphers/aes.js'

/** AES-256-GCM in pure JavaScript. */
export function createPureAesGcm(key: Uint8Array): AesGcm {
  return {
    encrypt: (iv, plaintext) => gcm(key, iv).encrypt(plaintext),
    decrypt(iv, ciphertext) {
      try {
        return gcm(key, iv).decrypt(ciphertext)
      }
      catch {
        return undefined
      }
    },
  }
}
