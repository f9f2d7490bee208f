import type { Maybe } from '../maybe'
import type { Written } from '../session/ports'
import type { Ended, Present } from '../session/state'
import type { Plan } from './plan'
import type { RecordAccess } from './record-access'
import { isSessionError, SessionError } from '../errors'
import { createRevision } from '../record/revision'
import { andThen } from '../maybe'
import { keeps } from '../session/state'
import { untilWon } from './retry'

/** One request's change of a stored session. */
export interface Change {
  readonly session: Present
  readonly plan: Plan
  /** True when what is written depends on what is there. */
  readonly isMade: boolean
}

/** A change in a batch, and what it came to. */
class BatchedChange {
  readonly change: Change
  #outcome: (() => Written | Ended) | undefined

  constructor(change: Change) {
    this.change = change
  }

  /** @param outcome gives the result, or throws */
  tell(outcome: () => Written | Ended): void {
    this.#outcome = outcome
  }

  get result(): Written | Ended {
    return this.#outcome!()
  }
}

/** Changes that wait for the lock of a record, and the write that is going to be theirs. */
interface Batch {
  readonly changes: BatchedChange[]
  readonly written: Promise<void>
}

/**
 * Changes of one record that come while others wait for its lock go out together: one
 * compare-and-set for all of them, of which each gets its own result or its own error.
 */
export class Batches {
  readonly #access: RecordAccess
  readonly #writeAlone: (key: string, change: Change) => Maybe<Written | Ended>
  /** What waits for the lock, by key. */
  readonly #waiting = new Map<string, Batch>()

  /** @param writeAlone writes one change, when nobody else in this process writes the record */
  constructor(access: RecordAccess, writeAlone: (key: string, change: Change) => Maybe<Written | Ended>) {
    this.#access = access
    this.#writeAlone = writeAlone
  }

  write(key: string, change: Change): Maybe<Written | Ended> {
    const batched = new BatchedChange(change)
    const batch = this.#waiting.get(key)
    if (batch) {
      batch.changes.push(batched)
      // That promise is of the first that waits: each request waits for a promise, and resolves none of another.
      return batch.written.then(() => batched.result)
    }
    const changes = [batched]
    let isBegun = false
    const alone = this.#access.withLock<Written | Ended | undefined>(key, () => {
      isBegun = true
      this.#waiting.delete(key)
      return changes.length === 1 ? this.#writeAlone(key, change) : this.#writeTogether(key, changes)
    })
    // In its turn among all that waits for the record.
    if (!isBegun && alone instanceof Promise)
      this.#waiting.set(key, { changes, written: alone.then(() => {}, () => {}) })
    return andThen(alone, written => written ?? batched.result)
  }

  /** Tells every change. */
  async #writeTogether(key: string, changes: readonly BatchedChange[]): Promise<undefined> {
    let left = changes
    try {
      while (left.length > 0)
        left = left.slice(await this.#writeSome(key, left))
    }
    catch (error) {
      left.forEach(batched => batched.tell(() => {
        throw copyOf(error)
      }))
    }
  }

  /** Writes changes up to one that ends the session. Resolves to their number. */
  #writeSome(key: string, changes: readonly BatchedChange[]): Maybe<number> {
    /** What a removal came to whose answer got lost, or that others were faster to make. */
    let removal: (() => void)[] | undefined
    return untilWon(async () => {
      const newest = await this.#access.newest(key)
      if (typeof newest === 'string') {
        if (newest === 'gone' && removal)
          return tellAll(removal)
        return tellAll(changes.map(batched => () => batched.tell(() => newest)))
      }
      const results: (() => void)[] = []
      let record = newest
      let isKept = true
      for (const batched of changes) {
        const { session, plan } = batched.change
        try {
          const written = plan(record)
          results.push(() => batched.tell(() => written))
          record = written.record
          isKept = keeps(session, record)
        }
        catch (error) {
          results.push(() => batched.tell(() => {
            throw error
          }))
        }
        if (!isKept)
          break
      }
      // One mark for all of them: a record remembers few.
      const next = isKept ? { ...record, revision: createRevision(newest.revision) } : undefined
      if (record !== newest && !await this.#access.swap(key, newest, next)) {
        removal = isKept ? undefined : results
        return undefined
      }
      return tellAll(results)
    })
  }
}

function tellAll(results: readonly (() => void)[]): number {
  results.forEach(tell => tell())
  return results.length
}

/** Each caller's error has a stack of its own. */
function copyOf(error: unknown): unknown {
  if (!isSessionError(error))
    return error
  const { code, message, cause, details } = error
  return new SessionError(code, message, { ...(cause !== undefined && { cause }), ...(details !== undefined && { details }) })
}
