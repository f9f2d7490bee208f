import type { SessionRecord } from '../types'
import { fromUtf8 } from '../encoding'
import { parseStored, RECORD_VERSION } from '../record/record'

/** A record as text. It begins with version and revision, which Redis compares, and its expiry, which the sweep looks for. */
export function toText({ version, revision, expiresAt, data, flash, createdAt, lastSeenAt, lifetime, isReplaced }: SessionRecord): string {
  return JSON.stringify({ version, revision, expiresAt, data, flash, createdAt, lastSeenAt, lifetime, isReplaced })
}

/** Where a text of ours tells its expiry: before any data, which could hold the same words. */
const EXPIRY = /^\{"version":1,"revision":"[\w-]*","expiresAt":(\d+)/

/** When the record in a text expires, without parsing all of it; NaN for texts that begin in another way. */
export function expiryOf(text: unknown): number {
  return typeof text === 'string' ? Number(EXPIRY.exec(text)?.[1]) : Number.NaN
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

/** How the text of a record with this revision begins; see {@link toText}. */
export function textBeginning(revision: string): string {
  return JSON.stringify({ version: RECORD_VERSION, revision }).slice(0, -1)
}

/** True for the stored value of a record with this revision, or for none where there must be none. */
export function isAtRevision(value: unknown, revision: string | undefined): boolean {
  if (revision === undefined)
    return value === undefined || value === null
  // Of a text that we wrote the beginning is enough.
  return (typeof value === 'string' && value.startsWith(textBeginning(revision))) || parseStored(fromText(value))?.revision === revision
}

/** The revision of the record in a text, if there is one. */
export function revisionOf(text: string): string | undefined {
  return parseStored(fromText(text))?.revision
}
