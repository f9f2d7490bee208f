const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function toUtf8(text: string): Uint8Array {
  return utf8Encoder.encode(text)
}

/** @throws TypeError for bytes that are not UTF-8 */
export function fromUtf8(bytes: Uint8Array): string {
  return utf8Decoder.decode(bytes)
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

/** Standard base64 without padding, RFC 4648 section 4. */
export function toBase64(bytes: Uint8Array): string {
  return encode(bytes).replace(/=+$/, '')
}

/** base64url without padding, RFC 4648 section 5. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_')
}

/** The bytes, or `undefined` unless the text is exactly what {@link toBase64Url} writes. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  if (!/^[\w-]+$/.test(text))
    return undefined
  const bytes = decode(text.replaceAll('-', '+').replaceAll('_', '/'))
  return bytes && toBase64Url(bytes) === text ? bytes : undefined
}

function encode(bytes: Uint8Array): string {
  if (typeof Buffer === 'function')
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  let binary = ''
  for (const byte of bytes)
    binary += String.fromCharCode(byte)
  return btoa(binary)
}

function decode(base64: string): Uint8Array | undefined {
  if (typeof Buffer === 'function')
    return Buffer.from(base64, 'base64')
  if (base64.length % 4 === 1)
    return undefined
  return Uint8Array.from(atob(base64), char => char.charCodeAt(0))
}

/** Compares without telling by its duration where the texts differ. */
export function isEqualConstantTime(a: string, b: string): boolean {
  if (a.length !== b.length)
    return false
  let difference = 0
  for (let index = 0; index < a.length; index++)
    difference |= a.charCodeAt(index) ^ b.charCodeAt(index)
  return difference === 0
}
