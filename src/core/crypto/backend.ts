/** A text stands for its UTF-8; where the platform encodes it itself, it is not copied. */
export type Data = string | Uint8Array

/** The alphabets of RFC 4648, sections 4 and 5. */
export type Base64 = 'base64' | 'base64url'

/** The synchronous primitives that tokens are made of. Both implementations give the same. */
export interface CryptoBackend {
  /** In lower-case hex. */
  sha256(data: Data): string
  /** HKDF-SHA256 (RFC 5869) without salt: 32 bytes. */
  hkdf(secret: Uint8Array, info: Uint8Array): Uint8Array
  /** HMAC-SHA256 with the key prepared once; without padding. */
  hmac(key: Uint8Array, encoding: Base64): (data: Data) => string
  /** AES-256-GCM with the key prepared once. */
  aesGcm(key: Uint8Array): AesGcm
}

export interface AesGcm {
  /** The ciphertext followed by its 16 byte tag. */
  encrypt(iv: Uint8Array, plaintext: Uint8Array): Uint8Array
  /** The plaintext, or `undefined` when the tag does not verify. */
  decrypt(iv: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined
}

export const IV_BYTES = 12
export const TAG_BYTES = 16
