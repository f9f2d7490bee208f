import { SessionError } from '../errors'

export type Action = 'reading' | 'writing' | 'removing' | 'listing'

/** One operation on its way. */
interface Attempt {
  action: Action
  key: string
  /** False while it waits for an earlier one on its record. */
  hasBegun: boolean
  /** True when nobody waits for it any more. */
  isLate: boolean
}

/**
 * Runs operations of one storage, none of which may keep a request waiting for long. When one
 * took longer than the timeout, others on its record fail at once for as long again, and when a
 * second record waited in vain, all others: pages that can do without the session shall not
 * wait for it each time. Any answer ends that.
 */
export class Attempts {
  /** Milliseconds that one operation may take. */
  readonly #timeout: number
  /** Operations that go on although nobody waits for them any more, by key. */
  readonly #late = new Map<string, Promise<void>>()
  /** The records that waited in vain since storage answered last. */
  readonly #stalled = new Set<string>()
  #stalledUntil = 0

  constructor(timeout: number) {
    this.#timeout = timeout
  }

  /** @throws SessionError `STORAGE_ERROR` when the operation fails or does not answer in time */
  async run<T>(action: Action, key: string, operation: () => Promise<T>): Promise<T> {
    if (performance.now() < this.#stalledUntil && (this.#stalled.has(key) || this.#stalled.size > 1))
      throw storageError(action, new Error(`Storage did not answer within ${this.#timeout} ms a moment ago.`))
    const attempt: Attempt = { action, key, hasBegun: false, isLate: false }
    const result = this.#start(attempt, operation)
    const answered = result.then(() => {}, () => {}).then(() => this.#stalled.clear())
    let timer: ReturnType<typeof setTimeout> | undefined
    const timedOut = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#giveUp(attempt, answered)
        reject(new Error(`No answer within ${this.#timeout} ms.`))
      }, this.#timeout)
    })
    try {
      return await Promise.race([result, timedOut])
    }
    catch (cause) {
      throw storageError(action, cause)
    }
    finally {
      clearTimeout(timer)
    }
  }

  async #start<T>(attempt: Attempt, operation: () => Promise<T>): Promise<T> {
    const { action, key } = attempt
    // What is written late must not land on what comes after it.
    if (action !== 'reading')
      await this.#late.get(key)
    attempt.hasBegun = true
    // A removal is made up for; of anything else the caller has been told that it failed.
    if (attempt.isLate && action !== 'removing')
      throw new Error('Its turn came too late.')
    return operation()
  }

  #giveUp(attempt: Attempt, answered: Promise<void>): void {
    const { action, key, hasBegun } = attempt
    attempt.isLate = true
    // Who waited for an earlier one says nothing about storage.
    if (hasBegun) {
      if (performance.now() >= this.#stalledUntil)
        this.#stalled.clear()
      this.#stalled.add(key)
      this.#stalledUntil = performance.now() + this.#timeout
    }
    if (action === 'reading')
      return
    const ended = answered.then(() => {
      if (this.#late.get(key) === ended)
        this.#late.delete(key)
    })
    this.#late.set(key, ended)
  }
}

/** The error of every operation that fails. */
export function storageError(action: Action, cause: unknown): SessionError {
  return new SessionError('STORAGE_ERROR', `The session storage failed at ${action} records. The driver's error is the cause.`, { cause, details: { action } })
}
