import type crypto from 'node:crypto'
import type { AesGcm, CryptoBackend } from './backend'
import { withoutPadding } from '../encoding'
import { TAG_BYTES } from './backend'

type NodeCrypto = typeof crypto

/**
 * The backend over `node:crypto`, or `undefined` where it is missing or a stub. Platforms
 * without it may ship functions that exist and throw when called, so it is probed by calling.
 */
export function createNodeBackend(): CryptoBackend | undefined {
  try {
    const crypto = globalThis.process?.getBuiltinModule?.('node:crypto')
    if (!crypto)
      return undefined
    const backend = fromNodeCrypto(crypto)
    const key = new Uint8Array(32)
    backend.sha256(key)
    backend.hkdf(key, key)
    backend.hmac(key, 'base64url')(key)
    const cipher = backend.aesGcm(key)
    const iv = new Uint8Array(12)
    // No whole number of blocks.
    const text = new Uint8Array(33)
    return cipher.decrypt(iv, cipher.encrypt(iv, text))?.length === text.length ? backend : undefined
  }
  catch {
    return undefined
  }
}

function fromNodeCrypto(crypto: NodeCrypto): CryptoBackend {
  return {
    // In one call where there is such a function: three times as fast for something as short as an id.
    sha256: typeof crypto.hash === 'function' ? data => crypto.hash('sha256', data, 'hex') : data => crypto.createHash('sha256').update(data).digest('hex'),
    hkdf: (secret, info) => new Uint8Array(crypto.hkdfSync('sha256', secret, new Uint8Array(), info, 32)),
    hmac(key, encoding) {
      const keyObject = crypto.createSecretKey(key)
      return data => withoutPadding(crypto.createHmac('sha256', keyObject).update(data).digest(encoding))
    },
    aesGcm: key => createAesGcm(crypto, key),
  }
}

function createAesGcm(crypto: NodeCrypto, key: Uint8Array): AesGcm {
  const keyObject = crypto.createSecretKey(key)
  return {
    encrypt(iv, plaintext) {
      const cipher = crypto.createCipheriv('aes-256-gcm', keyObject, iv)
      const ciphertext = cipher.update(plaintext)
      // GCM keeps no rest back.
      cipher.final()
      return Buffer.concat([ciphertext, cipher.getAuthTag()])
    },
    decrypt(iv, ciphertext) {
      const end = ciphertext.length - TAG_BYTES
      const decipher = crypto.createDecipheriv('aes-256-gcm', keyObject, iv, { authTagLength: TAG_BYTES })
      decipher.setAuthTag(ciphertext.subarray(end))
      const plaintext = decipher.update(ciphertext.subarray(0, end))
      try {
        decipher.final()
        return plaintext
      }
      catch {
        return undefined
      }
    },
  }
}
