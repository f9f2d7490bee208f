import type { KeyedLock } from '../lock'
import type { Maybe } from '../maybe'
import type { Limits } from '../record/record'
import type { Ended } from '../session/state'
import type { SessionRecord, SessionStore } from '../types'
import { SessionError } from '../errors'
import { toStorageKey } from '../id'
import { lockOf } from '../lock'
import { andThen } from '../maybe'
import { Recent } from '../recent'
import { isExpired, parseStored, remainingSeconds, underLimits } from '../record/record'
import { followsOn } from '../record/revision'
import { setAfterReading } from '../stores/set-after-reading'

/** Of so many records it is known what this process wrote last. */
const REMEMBERED = 500

/** One record of a store at a time, by its key: read, replaced only if nobody was faster, removed. */
export class RecordAccess {
  readonly #store: SessionStore
  readonly #lock: KeyedLock
  readonly #limits: Limits
  readonly #now: () => number
  /** The id whose key was asked for last. */
  #lastId = ''
  #lastKey = ''
  /** The last revision that this process gave a record; empty for one that it removed. */
  readonly #written = new Recent<string>(REMEMBERED)

  constructor(store: SessionStore, limits: Limits, now: () => number) {
    this.#store = store
    this.#lock = lockOf(store)
    this.#limits = limits
    this.#now = now
  }

  /** The key of an id, which each request asks for several times in a row. */
  keyOf(id: string): string {
    if (this.#lastId !== id) {
      this.#lastKey = toStorageKey(id)
      this.#lastId = id
    }
    return this.#lastKey
  }

  /** Runs a task while nobody else in this process writes the record. */
  withLock<T>(key: string, task: () => Maybe<T>): Maybe<T> {
    return this.#lock.run(key, task)
  }

  get(key: string): Maybe<unknown> {
    return this.#store.get(key)
  }

  delete(key: string): Maybe<void> {
    return this.#store.delete(key)
  }

  /** The record that is there now, or why there is none. */
  newest(key: string): Maybe<SessionRecord | Ended> {
    return andThen(this.get(key), stored => this.judge(parseStored(stored)))
  }

  judge(stored: SessionRecord | undefined): SessionRecord | Ended {
    const record = stored && underLimits(stored, this.#limits)
    if (!record || isExpired(record, this.#now()))
      return 'gone'
    return record.isReplaced ? 'replaced' : record
  }

  /** True for a record that this process itself has replaced since. */
  isOutdated(key: string, { revision }: SessionRecord): boolean {
    const written = this.#written.get(key)
    return written !== undefined && written !== revision
  }

  /** Replaces or removes a record if storage still holds the expected one. */
  swap(key: string, expected: SessionRecord | undefined, next: SessionRecord | undefined): Maybe<boolean> {
    const ttl = next ? remainingSeconds(next, this.#now()) : 0
    return andThen(this.#compareAndSet(key, expected?.revision, next, ttl), (isDone) => {
      if (isDone && expected)
        this.#written.set(key, next?.revision ?? '')
      return isDone || (next !== undefined && this.#isThere(key, next))
    })
  }

  #compareAndSet(key: string, revision: string | undefined, next: SessionRecord | undefined, ttl: number): Maybe<boolean> {
    const store = this.#store
    return store.compareAndSet ? store.compareAndSet(key, revision, next, ttl) : setAfterReading(store, key, revision, next, ttl)
  }

  /**
   * True when storage holds what this very write was to leave there, or what others made of it: a
   * client that lost the answer may have asked twice, and lost to itself.
   */
  #isThere(key: string, next: SessionRecord): Maybe<boolean> {
    return andThen(this.get(key), (value) => {
      const stored = parseStored(value)
      if (!stored || !followsOn(stored.revision, next.revision!))
        return false
      if (stored.isReplaced && !next.isReplaced)
        throw new SessionError('STORAGE_ERROR', 'The session storage lost an answer, and the session got another id meanwhile.', { details: { action: 'writing' } })
      return true
    })
  }
}
