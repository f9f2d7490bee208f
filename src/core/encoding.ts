const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function toUtf8(text: string): Uint8Array {
  return utf8Encoder.encode(text)
}

/** @throws TypeError for bytes that are not UTF-8 */
export function fromUtf8(bytes: Uint8Array): string {
  return utf8Decoder.decode(bytes)
}

/** The same text in memory of its own: engines keep a part of a text as a reference to the whole. */
export function copyText(text: string): string {
  return fromUtf8(toUtf8(text))
}

/** Stand-ins on workers may not know this encoding. */
const hasBuffer = typeof Buffer === 'function' && Buffer.isEncoding('base64url')

/** Bytes of any content; small ones are cut from a pool. */
export function allocate(length: number): Uint8Array {
  return hasBuffer ? Buffer.allocUnsafe(length) : new Uint8Array(length)
}

/** How many bytes of UTF-8 a text is. */
export function byteLength(text: string): number {
  return hasBuffer ? Buffer.byteLength(text) : toUtf8(text).length
}

/** The UTF-8 of a text, behind so many bytes of any content. */
export function toUtf8Behind(length: number, text: string): Uint8Array {
  if (hasBuffer) {
    const bytes = Buffer.allocUnsafe(length + Buffer.byteLength(text))
    bytes.write(text, length)
    return bytes
  }
  const body = toUtf8(text)
  const bytes = new Uint8Array(length + body.length)
  bytes.set(body, length)
  return bytes
}

export function toHex(bytes: Uint8Array): string {
  return hasBuffer ? toBuffer(bytes).toString('hex') : Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

/** Standard base64 without padding, RFC 4648 section 4. */
export function toBase64(bytes: Uint8Array): string {
  return withoutPadding(encode(bytes))
}

export function withoutPadding(base64: string): string {
  const end = base64.indexOf('=')
  return end < 0 ? base64 : base64.slice(0, end)
}

/** base64url without padding, RFC 4648 section 5. */
export function toBase64Url(bytes: Uint8Array): string {
  return hasBuffer ? toBuffer(bytes).toString('base64url') : toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_')
}

/** The bytes, or `undefined` unless the text is exactly what {@link toBase64Url} writes. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  return /^[\w-]+$/.test(text) && hasNoUnusedBits(text) ? decodeBase64Url(text) : undefined
}

/** False where the last character has bits that belong to no byte and are not zero, so that another text has the same bytes. */
function hasNoUnusedBits(text: string): boolean {
  switch (text.length % 4) {
    case 0: return true
    case 2: return 'AQgw'.includes(text.at(-1)!)
    case 3: return 'AEIMQUYcgkosw048'.includes(text.at(-1)!)
    default: return false
  }
}

/** The bytes of a text that is known to be base64url. */
export function decodeBase64Url(text: string): Uint8Array {
  return hasBuffer ? Buffer.from(text, 'base64url') : Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), char => char.charCodeAt(0))
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function encode(bytes: Uint8Array): string {
  if (hasBuffer)
    return toBuffer(bytes).toString('base64')
  let binary = ''
  for (const byte of bytes)
    binary += String.fromCharCode(byte)
  return btoa(binary)
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
