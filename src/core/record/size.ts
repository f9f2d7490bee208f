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
