import type { RecordPatch } from './patch'
import type { Limits } from './record'
import type { SessionRecord } from '../types'
import type { Entries } from './versioned-map'
import { mergePatches, NO_CHANGES, patchValue } from './patch'
import { continueRecord, EMPTY, patchKeys } from './record'
import { entryBytes, jsonBytes, OUTLINE_AT_MOST, outlineBytes, recordTooBig } from './size'

type Values = Readonly<Record<string, unknown>>

/** How many keys there are, and how many bytes they are as JSON, each with a comma. */
interface Extent {
  readonly size: number
  readonly bytes: number
}

/** What is there for the data and for the messages. */
interface Both<T> {
  readonly data: T
  readonly flash: T
}

const NOTHING: Extent = { size: 0, bytes: 0 }

/** A record with changes on top. Immutable; what costs something is made when it is asked for. */
export class Content {
  /** The record as last stored, or what a new session starts from. */
  readonly base: SessionRecord
  /** What was changed since, also what is being written. */
  readonly changes: RecordPatch
  #extents: Both<Extent> | undefined
  #outlineBytes: number | undefined
  #values: Both<Values> | undefined
  /** What this one was made of by the last change, where its values are there already. */
  #before: { readonly values: Both<Values>, readonly patch: RecordPatch } | undefined
  #record: SessionRecord | undefined

  constructor(base: SessionRecord, changes: RecordPatch = NO_CHANGES) {
    this.base = base
    this.changes = changes
  }

  /**
   * The content after another change. It costs as much as the change is long.
   *
   * @param areBytesCounted false where nobody is going to ask how many bytes it is
   */
  with(patch: RecordPatch, areBytesCounted: boolean): Content {
    const next = new Content(this.base, mergePatches(this.changes, patch))
    const before = patch.isCleared ? undefined : this
    const { data, flash } = before ? before.#measure(areBytesCounted) : { data: NOTHING, flash: NOTHING }
    const bytesOf = areBytesCounted ? entryBytes : (): number => 0
    next.#extents = {
      data: extend(data, patch.data, key => before?.get(key), bytesOf),
      flash: extend(flash, patch.flash, key => before?.getMessage(key), bytesOf),
    }
    next.#outlineBytes = patch.lifetime ? undefined : this.#outlineBytes
    next.#before = this.#values && { values: this.#values, patch }
    return next
  }

  /** The value under a key of the data, or `undefined`. */
  get(key: string): unknown {
    const { data, isCleared } = this.changes
    if (data.has(key))
      return data.get(key)
    return isCleared ? undefined : ownValue(this.base.data, key)
  }

  /** The message under a key, or `undefined`. */
  getMessage(key: string): unknown {
    const { flash, isCleared } = this.changes
    const stored = isCleared ? undefined : ownValue(this.base.flash, key)
    return flash.has(key) ? patchValue(stored, flash.get(key)) : stored
  }

  get data(): Values {
    return this.#patched.data
  }

  get flash(): Values {
    return this.#patched.flash
  }

  /** True without data and messages. */
  get isEmpty(): boolean {
    const { data, flash } = this.#extents ?? { data: sizeOf(this.data), flash: sizeOf(this.flash) }
    return data.size === 0 && flash.size === 0
  }

  /** The record as it will be stored, as far as this request knows. */
  record(now: number, limits: Limits): SessionRecord {
    if (this.changes === NO_CHANGES)
      return this.base
    // A long request is seen until its end.
    if (!this.#record || now - this.#record.lastSeenAt >= 1000) {
      const { data, flash } = this.#patched
      this.#record = continueRecord(this.base, { data, flash, lifetime: this.changes.lifetime }, now, limits)
    }
    return this.#record
  }

  /** {@link Content.record} for who needs neither data nor messages: it costs the same whatever they are. */
  outline(now: number, limits: Limits): SessionRecord {
    if (this.changes === NO_CHANGES)
      return this.base
    return continueRecord(this.base, { data: EMPTY, flash: EMPTY, lifetime: this.changes.lifetime }, now, limits)
  }

  /**
   * @param before the content before the last change: what makes one smaller that is too big already is allowed
   * @throws SessionError `INVALID_VALUE` when the record is bigger than `maxBytes`
   */
  assertFits(before: Content, maxBytes: number, now: number, limits: Limits): void {
    const { data, flash } = this.#measure(true)
    // Most are far from any limit.
    if (OUTLINE_AT_MOST + data.bytes + flash.bytes <= maxBytes)
      return
    const bytes = this.#bytes(now, limits)
    if (bytes > maxBytes && bytes > before.#bytes(now, limits))
      throw recordTooBig(this.record(now, limits), bytes, maxBytes)
  }

  #bytes(now: number, limits: Limits): number {
    const { data, flash } = this.#measure(true)
    this.#outlineBytes ??= outlineBytes(this.outline(now, limits))
    return this.#outlineBytes + jsonBytesOf(data) + jsonBytesOf(flash)
  }

  get #patched(): Both<Values> {
    if (!this.#values) {
      const { values, patch } = this.#before ?? { values: this.base, patch: this.changes }
      this.#before = undefined
      this.#values = {
        data: patchKeys(patch.isCleared ? EMPTY : values.data, patch.data),
        flash: patchKeys(patch.isCleared ? EMPTY : values.flash, patch.flash),
      }
    }
    return this.#values
  }

  #measure(areBytesCounted: boolean): Both<Extent> {
    const extentOf = areBytesCounted ? measure : sizeOf
    return this.#extents ??= { data: extentOf(this.data), flash: extentOf(this.flash) }
  }
}

function ownValue(values: Values, key: string): unknown {
  return Object.hasOwn(values, key) ? values[key] : undefined
}

function sizeOf(values: Values): Extent {
  return { size: Object.keys(values).length, bytes: 0 }
}

function measure(values: Values): Extent {
  const size = Object.keys(values).length
  return size === 0 ? NOTHING : { size, bytes: jsonBytes(values) - 1 }
}

function extend({ size, bytes }: Extent, changes: Entries, get: (key: string) => unknown, bytesOf: typeof entryBytes): Extent {
  for (const [key, change] of changes) {
    const before = get(key)
    const after = patchValue(before, change)
    size += Number(after !== undefined) - Number(before !== undefined)
    bytes += bytesOf(key, after) - bytesOf(key, before)
  }
  return { size, bytes }
}

/** With braces, and without the last comma. */
function jsonBytesOf({ size, bytes }: Extent): number {
  return size === 0 ? 2 : bytes + 1
}
