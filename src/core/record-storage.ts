import type { KeyedLock } from './lock'
import type { ResolvedSessionOptions } from './options'
import type { RecordPatch } from './record'
import type { SessionState } from './session'
import type { SessionRecord, SessionStore } from './types'
import { toStorageKey } from './id'
import { applyPatch, isEmpty, isExpired, isNothing, mergePatches, NO_CHANGES, parseRecord, remainingSeconds, succeedRecord } from './record'
import { changedKeys } from './session'
import { deepFreeze } from './value'

/** Makes a patch from the newest data. */
export type MakePatch = (data: unknown) => unknown

/** What a write came to. */
export interface Written {
  record: SessionRecord
  /** False when storage held it already. */
  isChanged: boolean
}

/** The records of one store, read and written so that nothing is lost inside this process. */
export class RecordStorage {
  readonly #store: SessionStore
  readonly #lock: KeyedLock
  readonly #options: ResolvedSessionOptions
  readonly #now: () => number

  constructor(store: SessionStore, lock: KeyedLock, options: ResolvedSessionOptions, now: () => number) {
    this.#store = store
    this.#lock = lock
    this.#options = options
    this.#now = now
  }

  /** The record of an id, expired ones too; otherwise why there is none. */
  async fetch(id: string): Promise<SessionRecord | 'unknown' | 'corrupt'> {
    const key = toStorageKey(id)
    let value = await this.#store.get(key)
    // Drivers that rewrite in place can show a half-written record: look again when nobody writes.
    if (value !== undefined && !parseRecord(value))
      value = await this.#lock.run(key, () => this.#store.get(key))
    const record = parseRecord(value)
    if (record && isExpired(record, this.#now())) {
      // Whether the removal succeeds does not matter to this visitor: the record is dead.
      await this.#lock.run(key, () => this.#removeExpired(key)).catch(() => {})
    }
    return record ?? (value === undefined ? 'unknown' : 'corrupt')
  }

  /** Runs a task while nobody else in this process writes the records of these ids. */
  exclusively<T>(ids: Iterable<string>, task: () => Promise<T>): Promise<T> {
    // One order for everybody, so that two tasks never wait for each other.
    const keys = [...new Set(ids)].map(toStorageKey).sort()
    return keys.reduceRight((inner, key) => () => this.#lock.run(key, inner), task)()
  }

  /**
   * Applies changes to the newest record and stores it, unless nothing changes or nothing is
   * left to store: an emptied record is the caller's to remove.
   *
   * @returns undefined when the session is gone from storage
   */
  async write(state: SessionState, changes: RecordPatch, makePatch?: MakePatch): Promise<Written | undefined> {
    const base = await this.#readBase(state)
    if (!base)
      return undefined
    const patch = makePatch ? this.#withMade(base, changes, makePatch) : changes
    const isChanged = state.isNew || !isNothing(patch)
    if (!isChanged)
      return { record: base, isChanged }
    const record = applyPatch(base, patch, this.#now(), this.#options)
    if (!isEmpty(record) || this.#options.saveUninitialized)
      await this.#store.set(toStorageKey(state.id), record, remainingSeconds(record, this.#now()))
    return { record, isChanged }
  }

  async remove(id: string): Promise<void> {
    await this.#store.delete(toStorageKey(id))
  }

  #withMade(base: SessionRecord, changes: RecordPatch, makePatch: MakePatch): RecordPatch {
    const { data } = applyPatch(base, changes, this.#now(), this.#options)
    return mergePatches(changes, { ...NO_CHANGES, data: changedKeys(data, makePatch(deepFreeze(data))) })
  }

  /** Looks again first: somebody may have extended it since it was read. */
  async #removeExpired(key: string): Promise<void> {
    const record = parseRecord(await this.#store.get(key))
    if (record && isExpired(record, this.#now()))
      await this.#store.delete(key)
  }

  /** What changes are applied to; undefined when it is gone. */
  async #readBase(state: SessionState): Promise<SessionRecord | undefined> {
    const id = state.isNew ? state.replaces : state.id
    if (!id)
      return state.base
    const record = parseRecord(await this.#store.get(toStorageKey(id)))
    if (!record || isExpired(record, this.#now()))
      return undefined
    return state.isNew ? succeedRecord(record, state.base.createdAt, this.#options) : record
  }
}
