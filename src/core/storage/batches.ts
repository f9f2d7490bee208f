import type { Maybe } from '../maybe'
import type { Written } from '../session/ports'
import type { Ended, Present } from '../session/state'
import type { Plan } from './plan'
import type { RecordAccess } from './record-access'
import { isSessionError, SessionError } from '../errors'
import { createRevision } from '../record/revision'
import { keeps } from '../session/state'
import { untilWon } from './retry'

/** One request's change of a stored session. */
export interface Change {
  readonly session: Present
  readonly plan: Plan
  /** True when what is written depends on what is there. */
  readonly isMade: boolean
}

interface WaitingChange extends Change {
  resolve(result: Maybe<Written | Ended>): void
  reject(error: unknown): void
}

/**
 * Changes of one record that come while others wait for its lock go out together: one
 * compare-and-set for all of them, of which each gets its own result or its own error.
 */
export class Batches {
  readonly #access: RecordAccess
  readonly #writeAlone: (key: string, change: Change) => Maybe<Written | Ended>
  /** What has joined a change that waits for the lock, by key. */
  readonly #joined = new Map<string, WaitingChange[]>()

  /** @param writeAlone writes one change, when nobody else in this process writes the record */
  constructor(access: RecordAccess, writeAlone: (key: string, change: Change) => Maybe<Written | Ended>) {
    this.#access = access
    this.#writeAlone = writeAlone
  }

  write(key: string, change: Change): Maybe<Written | Ended> {
    const joined = this.#joined.get(key)
    if (joined)
      return new Promise((resolve, reject) => joined.push({ ...change, resolve, reject }))
    const others: WaitingChange[] = []
    let isBegun = false
    const result = this.#access.withLock(key, () => {
      isBegun = true
      this.#joined.delete(key)
      return others.length === 0 ? this.#writeAlone(key, change) : this.#writeTogether(key, change, others)
    })
    // In its turn among all that waits for the record.
    if (!isBegun)
      this.#joined.set(key, others)
    return result
  }

  /** Resolves to the result of the first when all were told. */
  async #writeTogether(key: string, first: Change, others: readonly WaitingChange[]): Promise<Written | Ended> {
    let changes: readonly WaitingChange[] = others
    const result = new Promise<Written | Ended>((resolve, reject) => changes = [{ ...first, resolve, reject }, ...others])
    result.catch(() => {})
    try {
      while (changes.length > 0)
        changes = changes.slice(await this.#writeSome(key, changes))
    }
    catch (error) {
      changes.forEach(({ reject }) => reject(copyOf(error)))
    }
    return result
  }

  /** Writes changes up to one that ends the session. Resolves to their number. */
  #writeSome(key: string, changes: readonly WaitingChange[]): Maybe<number> {
    /** What a removal came to whose answer got lost, or that others were faster to make. */
    let removal: (() => void)[] | undefined
    return untilWon(async () => {
      const newest = await this.#access.newest(key)
      if (typeof newest === 'string') {
        if (newest === 'gone' && removal)
          return tellAll(removal)
        return tellAll(changes.map(({ resolve }) => () => resolve(newest)))
      }
      const results: (() => void)[] = []
      let record = newest
      let isKept = true
      for (const { session, plan, resolve, reject } of changes) {
        try {
          const written = plan(record)
          results.push(() => resolve(written))
          record = written.record
          isKept = keeps(session, record)
        }
        catch (error) {
          results.push(() => reject(error))
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
