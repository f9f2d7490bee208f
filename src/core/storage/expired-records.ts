import type { Maybe } from '../maybe'
import type { Limits } from '../record/record'
import type { SessionStore } from '../types'
import type { RecordAccess } from './record-access'
import { andThen } from '../maybe'
import { isExpired, parseStored, underLimits } from '../record/record'

/** Removes what has expired. */
export class ExpiredRecords {
  readonly #store: SessionStore
  readonly #access: RecordAccess
  readonly #now: () => number

  constructor(store: SessionStore, access: RecordAccess, now: () => number) {
    this.#store = store
    this.#access = access
    this.#now = now
  }

  /** False where storage drops expired records by itself. */
  get haveToBeRemoved(): boolean {
    return this.#store.keys !== undefined
  }

  /**
   * Removes a record if it has expired. It looks again first: somebody may have extended it since it was read.
   *
   * @param limits those in force for the record; without them it is judged by itself
   */
  remove(key: string, limits?: Limits): Maybe<boolean> {
    return this.#access.withLock(key, () => andThen(this.#access.get(key), stored =>
      this.isOver(stored, limits) && this.#access.swap(key, parseStored(stored), undefined)))
  }

  /** True for a stored value that is a record, and has expired. */
  isOver(stored: unknown, limits?: Limits): boolean {
    const record = parseStored(stored)
    return record !== undefined && isExpired(limits ? underLimits(record, limits) : record, this.#now())
  }
}
