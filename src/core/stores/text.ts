import type { SessionRecord } from '../types'
import { fromUtf8 } from '../encoding'
import { parseStored } from '../record'

/** A record as text. It begins with version and revision, which Redis compares. */
export function toText({ version, revision, ...rest }: SessionRecord): string {
  return JSON.stringify({ version, revision, ...rest })
}

/** The stored value; a text that is not JSON is answered as it is, and is no record. */
export function fromText(value: unknown): unknown {
  if (value === null || value === undefined)
    return undefined
  try {
    const text = value instanceof Uint8Array ? fromUtf8(value) : value
    return typeof text === 'string' ? JSON.parse(text) : text
  }
  catch {
    return value
  }
}

/** The revision of the record in a text, if there is one. */
export function revisionOf(text: string): string | undefined {
  return parseStored(fromText(text))?.revision
}
