import type { KeyedLock } from './lock'
import type { ResolvedSessionOptions } from './options'
import type { RecordPatch } from './record'
import type { SessionState } from './session'
import type { SessionRecord, SessionStore } from './types'
import { toStorageKey } from './id'
import { applyPatch, isEmpty, isExpired, NO_CHANGES, parseRecord, remainingSeconds, succeedRecord } from './record'
import { changedKeys } from './session'
import { deepFreeze } from './value'

/** Makes a patch from the newest data. */
export type MakePatch = (data: unknown) => unknown

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
      await this.#lock.run(key, () => this.#store.delete(key)).catch(() => {})
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
   * Applies changes to the newest record and stores it, or removes it when nothing is left.
   *
   * @returns the record, or undefined when the session is gone from storage
   */
  async write(state: SessionState, changes: RecordPatch, makePatch?: MakePatch): Promise<SessionRecord | undefined> {
    const base = await this.#readBase(state)
    if (!base)
      return undefined
    let record = applyPatch(base, changes, this.#now(), this.#options)
    if (makePatch) {
      const data = changedKeys(record.data, makePatch(deepFreeze(record.data)))
      record = applyPatch(record, { ...NO_CHANGES, data }, this.#now(), this.#options)
    }
    if (!isEmpty(record) || this.#options.saveUninitialized)
      await this.#store.set(toStorageKey(state.id), record, remainingSeconds(record, this.#now()))
    else if (!state.isNew)
      await this.#store.delete(toStorageKey(state.id))
    return record
  }

  async remove(id: string): Promise<void> {
    await this.#store.delete(toStorageKey(id))
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
