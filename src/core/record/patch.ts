import type { SessionLifetime } from '../types'
import type { Entries } from './versioned-map'
import { isEqualValue } from './value'
import { VersionedMap } from './versioned-map'

/**
 * In a patch: the message under a key was read, and only that one goes; another that was
 * written meanwhile stays.
 */
export class ReadMessage {
  constructor(readonly message: unknown) {}
}

/** The changes of one session since it was last stored. A value of `undefined` removes its key, in `flash` also a {@link ReadMessage}. */
export interface RecordPatch {
  /** True removes everything that was there before `data` and `flash` are applied. */
  readonly isCleared: boolean
  readonly data: Entries
  readonly flash: Entries
  readonly lifetime: SessionLifetime | undefined
  /** True when the session was used and its idle time starts again. */
  readonly isTouched: boolean
}

const NO_ENTRIES: Entries = new Map()

export const NO_CHANGES: RecordPatch = { isCleared: false, data: NO_ENTRIES, flash: NO_ENTRIES, lifetime: undefined, isTouched: false }

/** A patch of some parts. */
export function patchOf({ isCleared = false, data = NO_ENTRIES, flash = NO_ENTRIES, lifetime, isTouched = false }: Partial<RecordPatch>): RecordPatch {
  return { isCleared, data, flash, lifetime, isTouched }
}

/** One patch that does what two do one after the other. It costs as much as the second one is long. */
export function mergePatches(first: RecordPatch, second: RecordPatch): RecordPatch {
  if (first === NO_CHANGES)
    return second
  if (second === NO_CHANGES)
    return first
  return {
    isCleared: first.isCleared || second.isCleared,
    data: addEntries(second.isCleared ? NO_ENTRIES : first.data, second.data),
    flash: addMessages(second.isCleared ? NO_ENTRIES : first.flash, second.flash),
    lifetime: second.lifetime ? { ...first.lifetime, ...second.lifetime } : first.lifetime,
    isTouched: first.isTouched || second.isTouched,
  }
}

function addEntries(first: Entries, second: Entries): Entries {
  if (second.size === 0)
    return first
  if (first.size === 0)
    return second
  let sum = versioned(first)
  for (const [key, value] of second)
    sum = sum.with(key, value)
  return sum
}

function addMessages(first: Entries, second: Entries): Entries {
  if (second.size === 0)
    return first
  if (first.size === 0)
    return second
  let sum = versioned(first)
  for (const [key, value] of second) {
    // Written and read by the same request: whatever is stored under the key is replaced by nothing.
    const isOwn = first.has(key) && !(first.get(key) instanceof ReadMessage)
    sum = sum.with(key, value instanceof ReadMessage && isOwn ? undefined : value)
  }
  return sum
}

function versioned(entries: Entries): VersionedMap {
  return entries instanceof VersionedMap ? entries : copyOf(entries)
}

function copyOf(entries: Entries): VersionedMap {
  return new VersionedMap(new Map(entries))
}

/** True for changes that matter only while the session lives: reading a message, being seen. */
export function isPassive(patch: RecordPatch): boolean {
  return !patch.isCleared && patch.data.size === 0 && !patch.lifetime
    && (patch.flash.size === 0 || [...patch.flash].every(([, value]) => value === undefined || value instanceof ReadMessage))
}

/** True for a patch that does no more than keep a session alive that was read. */
export function isOnlyTouch(patch: RecordPatch): boolean {
  return patch.isTouched && isPassive(patch) && patch.flash.size === 0
}

/** True for a patch that changes nothing. */
export function isNothing(patch: RecordPatch): boolean {
  return !patch.isTouched && patch.flash.size === 0 && isPassive(patch)
}

/** What a patch makes of the value that a key has. Both are `undefined` where there is none. */
export function patchValue(value: unknown, change: unknown): unknown {
  if (!(change instanceof ReadMessage))
    return change
  return isEqualValue(value, change.message) ? undefined : value
}
