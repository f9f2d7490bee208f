import type { CryptoBackend, Data } from './backend'
import { gcm } from '@noble/ciphers/aes.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { toBase64, toBase64Url, toHex, toUtf8 } from '../encoding'

/** The backend in pure JavaScript, for workers without `node:crypto`. */
export function createPureBackend(): CryptoBackend {
  return {
    sha256: data => toHex(sha256(toBytes(data))),
    hkdf(secret, info) {
      // No salt is one of zeros, and 32 bytes are the first block, so the rest of HKDF is not needed.
      const extracted = hmac(sha256, new Uint8Array(32), secret)
      return hmac.create(sha256, extracted).update(info).update(Uint8Array.of(1)).digest()
    },
    hmac(key, encoding) {
      const keyed = hmac.create(sha256, key)
      const encode = encoding === 'base64url' ? toBase64Url : toBase64
      return data => encode(keyed.clone().update(toBytes(data)).digest())
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

function toBytes(data: Data): Uint8Array {
  return typeof data === 'string' ? toUtf8(data) : data
}
