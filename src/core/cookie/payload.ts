import type { NewTokenContent, TokenContent } from '../session/found-token'
import { decodeBase64Url, fromUtf8, toBase64Url, toUtf8Behind } from '../encoding'
import { isPlausibleId } from '../id'
import { parseRecord } from '../record/record'

const HEAD_BYTES = 20

/**
 * A session as bytes, for a cookie: version, length of the id, then creation, expiry and last use
 * (6 bytes each, milliseconds since the epoch), the id, and JSON: the data, or in an array data,
 * flash messages, lifetime and the scope of the cookie.
 */
export function encodePayload({ id, record, scope = '' }: NewTokenContent): Uint8Array {
  const { createdAt, expiresAt, lastSeenAt, data, flash, lifetime } = record
  const idBytes = decodeBase64Url(id)
  const isPlain = lifetime === undefined && scope === '' && Object.keys(flash).length === 0
  const bytes = toUtf8Behind(HEAD_BYTES + idBytes.length, JSON.stringify(isPlain ? data : [data, flash, lifetime, ...scope ? [scope] : []]))
  bytes[0] = record.version
  bytes[1] = idBytes.length
  writeTime(bytes, 2, createdAt)
  writeTime(bytes, 8, expiresAt)
  writeTime(bytes, 14, lastSeenAt)
  bytes.set(idBytes, HEAD_BYTES)
  return bytes
}

/** The bytes verified, yet an older or newer version of this package may have written them. */
export function decodePayload(bytes: Uint8Array): TokenContent | undefined {
  try {
    const start = HEAD_BYTES + bytes[1]!
    const body: unknown = JSON.parse(fromUtf8(bytes.subarray(start)))
    const [data, flash, lifetime, scope = ''] = Array.isArray(body) ? body : [body, {}]
    const id = toBase64Url(bytes.subarray(HEAD_BYTES, start))
    const record = parseRecord({
      version: bytes[0],
      data,
      flash,
      createdAt: readTime(bytes, 2),
      expiresAt: readTime(bytes, 8),
      lastSeenAt: readTime(bytes, 14),
      ...(lifetime && { lifetime }),
    })
    return record && isPlausibleId(id) ? { id, record, scope } : undefined
  }
  catch {
    return undefined
  }
}

const TIME_BYTES = 6

/** Big-endian, of more than the 32 bits that operators for bits can do. */
function writeTime(bytes: Uint8Array, start: number, time: number): void {
  for (let at = start + TIME_BYTES - 1, rest = time; at >= start; at--, rest = Math.floor(rest / 256))
    bytes[at] = rest % 256
}

function readTime(bytes: Uint8Array, start: number): number {
  let time = 0
  for (let at = start; at < start + TIME_BYTES; at++)
    time = time * 256 + bytes[at]!
  return time
}
