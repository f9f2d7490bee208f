import type { SessionRecord } from '../types'
import { byteLength } from '../encoding'
import { SessionError } from '../errors'
import { EMPTY } from './record'
import { MAX_REVISION_LENGTH } from './revision'

/** How many bytes of UTF-8 a value is as JSON. */
export function jsonBytes(value: unknown): number {
  return byteLength(JSON.stringify(value))
}

/** How many bytes a key and its value are in an object, with the colon and a comma; none without a value. */
export function entryBytes(key: string, value: unknown): number {
  return value === undefined ? 0 : jsonBytes(key) + jsonBytes(value) + 2
}

/** What a record is as JSON beside its data and messages, with room to spare. */
export const OUTLINE_AT_MOST = 400
/** A control character: a backslash, `u` and four digits. */
const CHARACTER_AT_MOST = 6
/** `-1.2345678901234567e-300`, and the comma behind it. */
const NUMBER_AT_MOST = 25

/**
 * What is left of a number of bytes when a value was written as JSON, or less; negative once it
 * might be too big. Several times as fast as to write it.
 */
function leftAfter(bytes: number, value: unknown): number {
  if (typeof value === 'string')
    return bytes - value.length * CHARACTER_AT_MOST - 3
  if (typeof value !== 'object' || value === null)
    return bytes - NUMBER_AT_MOST
  let left = bytes - 3
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && left >= 0; index++)
      left = leftAfter(left, value[index])
    return left
  }
  for (const key in value) {
    if (left < 0)
      break
    left = leftAfter(left - key.length * CHARACTER_AT_MOST - 3, (value as Record<string, unknown>)[key])
  }
  return left
}

/** True for most records, which are far from any limit. */
function isSmall({ data, flash, lifetime }: SessionRecord, maxBytes: number): boolean {
  return leftAfter(leftAfter(leftAfter(maxBytes - OUTLINE_AT_MOST, lifetime), flash), data) >= 0
}

const NO_REVISION = '-'.repeat(MAX_REVISION_LENGTH)

/** How many bytes a record is as JSON, with the longest revision that it can get. */
export function recordBytes(record: SessionRecord): number {
  return jsonBytes({ ...record, revision: NO_REVISION })
}

/** How many bytes of that are there whatever the session holds. */
export function outlineBytes(record: SessionRecord): number {
  return recordBytes({ ...record, data: EMPTY, flash: EMPTY }) - 2 * jsonBytes(EMPTY)
}

/**
 * @param before the record as it was: what makes one smaller that is too big already is allowed
 * @throws SessionError `INVALID_VALUE` when the record is bigger than `maxBytes`
 */
export function assertRecordFits(record: SessionRecord, maxBytes: number, before: SessionRecord): void {
  if (isSmall(record, maxBytes))
    return
  const size = recordBytes(record)
  if (size > maxBytes && size > recordBytes(before))
    throw recordTooBig(record, size, maxBytes)
}

export function recordTooBig(record: Content, size: number, limit: number): SessionError {
  const { largest, text } = largestKeys(record)
  return new SessionError(
    'INVALID_VALUE',
    `The session would be ${size} bytes; \`maxBytes\` allows ${limit}. The largest keys are ${text}. Store less, keep it elsewhere under an id, or raise \`maxBytes\`.`,
    { details: { key: largest[0]?.key, size, limit, largest } },
  )
}

type Content = Pick<SessionRecord, 'data' | 'flash'>

/** The keys that take the most room, and how a message names them. */
export function largestKeys({ data, flash }: Content): { largest: { key: string, bytes: number }[], text: string } {
  const largest = [...Object.entries(data), ...Object.entries(flash)]
    .map(([key, value]) => ({ key: key.slice(0, MAX_SHOWN), bytes: jsonBytes(value) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
  return { largest, text: largest.map(({ key, bytes }) => `\`${key}\` (${bytes} bytes)`).join(', ') }
}

/** Characters of a key that an error shows. */
const MAX_SHOWN = 60
