import type { Maybe } from '../maybe'
import type { SessionError } from '../errors'
import { elapsed } from '../clock'
import { isPromise } from '../maybe'
import { type Action, storageError } from './storage-error'

/** Storage that was silent to so many records is asked for by one operation at a time. */
const SILENCES = 2

/** After so many timeouts a write is taken for one that never ends. */
const FORGOTTEN_AFTER = 12

/** Is told of a storage. */
export interface StorageWatcher {
  /** It is silent to all, or answers again. */
  silent?(isSilent: boolean): void
  /** It answers that it cannot. */
  failed?(action: Action, cause: unknown): void
}

/**
 * Runs operations of one storage, none of which may keep a request waiting for long. When one
 * took longer than the timeout, others on its record fail at once, and when storage was silent
 * to a second record as well, all others: pages that can do without the session shall not wait
 * for it each time. One at a time asks again, and any answer ends that.
 */
export class CircuitBreaker {
  /** Milliseconds that one operation may take. */
  readonly #timeout: number
  readonly #watcher: StorageWatcher
  /** Writes that go on although nobody waits for them any more, by key. */
  readonly #late = new Map<string, Promise<void>>()
  /** The records that waited in vain since storage answered last, and whether it was silent to all meanwhile. */
  readonly #stalled = new Map<string, boolean>()
  /** How many of them it was silent to all for. */
  #silences = 0
  #stalledUntil = 0
  #lastAnswer = Number.NEGATIVE_INFINITY

  constructor(timeout: number, watcher: StorageWatcher = {}) {
    this.#timeout = timeout
    this.#watcher = watcher
  }

  /**
   * What the operation answers; what is there at once, as in memory, needs no clock.
   *
   * @param action what it does
   * @param key the record that it is about
   * @param operation the operation
   * @param limit milliseconds that it may take, where that is less than usual
   * @throws SessionError `STORAGE_ERROR` when the operation fails or does not answer in time
   */
  run<T>(action: Action, key: string, operation: () => T | PromiseLike<T>, limit = this.#timeout): Maybe<T> {
    this.#assertUnwritten(action, key, operation)
    this.#assertAnswering(action, key)
    let result
    try {
      result = operation()
    }
    catch (cause) {
      throw this.#errorOf(action, cause)
    }
    if (isPromise(result))
      return this.#inTime(action, key, result, limit)
    if (this.#stalled.size > 0)
      this.#noteAnswer()
    return result
  }

  /** One promise and one timer: this is on the way of every request that waits for storage. */
  #inTime<T>(action: Action, key: string, result: PromiseLike<T>, limit: number): Promise<T> {
    const start = elapsed()
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#noteSilence(key, start)
        if (action !== 'reading')
          this.#rememberLate(key, Promise.resolve(result).then(() => {}, () => {}))
        reject(storageError(action, new Error(`No answer within ${limit} ms.`)))
      }
      // Where the process stood still itself, the answer may be there and only waits to be heard.
      let timer = setTimeout(() => {
        if (elapsed() - start < 1.5 * limit)
          end()
        else
          timer = setTimeout(end, limit)
      }, limit)
      const answer = (): void => {
        clearTimeout(timer)
        this.#noteAnswer()
      }
      result.then((value) => {
        answer()
        resolve(value)
      }, (cause: unknown) => {
        answer()
        reject(this.#errorOf(action, cause))
      })
    })
  }

  #noteSilence(key: string, start: number): void {
    this.#stalledUntil = elapsed() + this.#timeout
    // More need not be remembered: nothing is asked of it any more.
    if (this.#silences === SILENCES)
      return
    const wasSilent = this.#stalled.get(key) === true
    const isSilent = wasSilent || this.#lastAnswer < start
    this.#stalled.set(key, isSilent)
    if (isSilent && !wasSilent && ++this.#silences === SILENCES)
      this.#watcher.silent?.(true)
  }

  #noteAnswer(): void {
    const wasSilent = this.#silences === SILENCES
    this.#lastAnswer = elapsed()
    this.#stalled.clear()
    this.#silences = 0
    if (wasSilent)
      this.#watcher.silent?.(false)
  }

  #errorOf(action: Action, cause: unknown): SessionError {
    const error = storageError(action, cause)
    if (error.code === 'STORAGE_ERROR')
      this.#watcher.failed?.(action, cause)
    return error
  }

  #assertAnswering(action: Action, key: string): void {
    if (!this.#stalled.has(key) && this.#silences < SILENCES)
      return
    if (elapsed() < this.#stalledUntil)
      throw storageError(action, new Error(`Storage did not answer within ${this.#timeout} ms a moment ago.`))
    // This one asks for all.
    this.#stalledUntil = elapsed() + this.#timeout
  }

  /** A write that is late must not land on what comes after it, so nothing does; a removal is made up for. */
  #assertUnwritten(action: Action, key: string, operation: () => unknown): void {
    const late = this.#late.get(key)
    if (!late || action === 'reading')
      return
    if (action === 'removing')
      this.#rememberLate(key, late.then(operation).then(() => {}, () => {}))
    throw storageError(action, new Error('An earlier write of the record has not ended.'))
  }

  #rememberLate(key: string, ended: Promise<void>): void {
    const forget = (): void => {
      clearTimeout(timer)
      if (this.#late.get(key) === ended)
        this.#late.delete(key)
    }
    const timer = setTimeout(forget, FORGOTTEN_AFTER * this.#timeout)
    timer.unref?.()
    this.#late.set(key, ended)
    void ended.then(forget)
  }
}
