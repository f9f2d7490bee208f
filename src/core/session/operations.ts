import type { Maybe } from '../maybe'
import { toPromise } from '../maybe'

/** What one request began and has not ended; its response waits for it. */
export class Operations {
  /** Made when one has to be waited for, which most need not. */
  #running: Set<Promise<unknown>> | undefined
  readonly #onBegin: () => void

  constructor(onBegin: () => void) {
    this.#onBegin = onBegin
  }

  /** True while none runs. */
  get areDone(): boolean {
    return this.#running === undefined || this.#running.size === 0
  }

  /**
   * Runs an operation that the response waits for, also when the handler does not. Its
   * failure cannot end the process when nobody awaits it: a failed write becomes the response.
   */
  run<T>(operation: () => Maybe<T>): Promise<T> {
    this.#onBegin()
    let isPromised = false
    const result = toPromise(() => {
      const value = operation()
      isPromised = value instanceof Promise
      return value
    })
    if (!isPromised)
      return result
    const forget = (): void => {
      this.#running?.delete(end)
    }
    const end = result.then(forget, forget)
    this.#running ??= new Set()
    this.#running.add(end)
    return result
  }

  /** Resolves when those that run now have ended. */
  async whenDone(): Promise<void> {
    await Promise.all(this.#running ?? [])
  }
}
