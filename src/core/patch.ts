import type { SessionLifetime } from './types'
import { isEqualValue } from './value'

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
  readonly data: ReadonlyMap<string, unknown>
  readonly flash: ReadonlyMap<string, unknown>
  readonly lifetime?: SessionLifetime | undefined
  /** True when the session was used and its idle time starts again. */
  readonly isTouched: boolean
}

export const NO_CHANGES: RecordPatch = { isCleared: false, data: new Map(), flash: new Map(), isTouched: false }

/** A patch to which others are added in place, so that n changes cost n steps. */
export class Changes implements RecordPatch {
  isCleared = false
  data = new Map<string, unknown>()
  flash = new Map<string, unknown>()
  lifetime: SessionLifetime | undefined
  isTouched = false

  /** Adds what is changed next. Returns what takes it back, as long as nothing was added since. */
  add(patch: RecordPatch): () => void {
    const { isCleared, data, flash, lifetime, isTouched } = this
    const undo: (() => void)[] = []
    if (patch.isCleared)
      Object.assign(this, { isCleared: true, data: new Map(), flash: new Map() })
    for (const [key, value] of patch.data)
      undo.push(put(this.data, key, value))
    for (const [key, value] of patch.flash) {
      // Written and read by the same request: whatever is stored under the key is replaced by nothing.
      const isOwn = this.flash.has(key) && !(this.flash.get(key) instanceof ReadMessage)
      undo.push(put(this.flash, key, value instanceof ReadMessage && isOwn ? undefined : value))
    }
    if (patch.lifetime)
      this.lifetime = { ...lifetime, ...patch.lifetime }
    this.isTouched ||= patch.isTouched
    return () => {
      undo.forEach(undoOne => undoOne())
      Object.assign(this, { isCleared, data, flash, lifetime, isTouched })
    }
  }
}

/** One patch that does what two do one after the other. */
export function mergePatches(first: RecordPatch, second: RecordPatch): RecordPatch {
  if (first === NO_CHANGES)
    return second
  if (second === NO_CHANGES)
    return first
  const merged = new Changes()
  merged.add(first)
  merged.add(second)
  return merged
}

/** True for changes that matter only while the session lives: reading a message, being seen. */
export function isPassive(patch: RecordPatch): boolean {
  return !patch.isCleared && patch.data.size === 0 && !patch.lifetime
    && [...patch.flash.values()].every(value => value === undefined || value instanceof ReadMessage)
}

/** True for a patch that does no more than keep a session alive that was read. */
export function isOnlyTouch(patch: RecordPatch): boolean {
  return patch.isTouched && isPassive(patch) && patch.flash.size === 0
}

/** True for a patch that changes nothing. */
export function isNothing(patch: RecordPatch): boolean {
  return isPassive(patch) && patch.flash.size === 0 && !patch.isTouched
}

/** What a patch makes of the value that a key has. Both are `undefined` where there is none. */
export function patchValue(value: unknown, change: unknown): unknown {
  if (!(change instanceof ReadMessage))
    return change
  return isEqualValue(value, change.message) ? undefined : value
}

function put(map: Map<string, unknown>, key: string, value: unknown): () => void {
  const [had, before] = [map.has(key), map.get(key)]
  map.set(key, value)
  return () => void (had ? map.set(key, before) : map.delete(key))
}
