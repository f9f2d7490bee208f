import type { SessionRecord } from '../types'
import type { ExpiredRecords } from './expired-records'
import type { RecordAccess } from './record-access'
import { orElse } from '../maybe'

/** Ids that this process replaced a moment ago, and until when that matters. */
export class ReplacedIds {
  readonly #ends = new Map<string, number>()
  readonly #access: RecordAccess
  readonly #expired: ExpiredRecords
  readonly now: () => number

  constructor(access: RecordAccess, expired: ExpiredRecords, now: () => number) {
    this.#access = access
    this.#expired = expired
    this.now = now
  }

  has(id: string): boolean {
    return (this.#ends.get(id) ?? 0) > this.now()
  }

  /** Remembers an id, and ends with those of which it is time, so that they need not wait for a sweep. */
  add(id: string, { expiresAt }: SessionRecord): void {
    for (const [earlier, end] of this.#ends) {
      if (end > this.now())
        break
      this.#ends.delete(earlier)
      if (this.#expired.haveToBeRemoved)
        void orElse(() => this.#expired.remove(this.#access.keyOf(earlier)), () => false)
    }
    this.#ends.set(id, expiresAt)
  }
}
