import type { Maybe } from './maybe'

/**
 * Runs tasks one after the other, in the order in which they were asked for. Each waits for the
 * promise of the one before: on workers no request may resolve a promise of another.
 */
export class Turns {
  /** True while a task runs that has not answered yet, not even with a promise. */
  #isRunning = false
  /** Until the last of what was asked for has ended; never rejects. */
  #tail: Promise<void> | undefined
  /** Ends the wait of those that were asked for by a task that runs. */
  #release: (() => void) | undefined
  readonly #onIdle: (() => void) | undefined

  /** @param onIdle called whenever nothing runs and nothing waits any more */
  constructor(onIdle?: () => void) {
    this.#onIdle = onIdle
  }

  /** True while a task runs, or others wait. */
  get isBusy(): boolean {
    return this.#isRunning || this.#tail !== undefined
  }

  /** Runs a task when those before it have ended: at once when there are none. */
  take<T>(task: () => Maybe<T>): Maybe<T> {
    if (this.isBusy) {
      this.#tail ??= new Promise(resolve => this.#release = resolve)
      return this.#append(this.#tail.then(task))
    }
    this.#isRunning = true
    let value: Maybe<T>
    try {
      value = task()
    }
    catch (error) {
      this.#answered(undefined)
      throw error
    }
    this.#answered(value instanceof Promise ? value : undefined)
    return value
  }

  /** @param end what the task has still to wait for */
  #answered(end: Promise<unknown> | undefined): void {
    const release = this.#release
    this.#isRunning = false
    this.#release = undefined
    if (release)
      void (end ? end.then(release, release) : release())
    else if (end)
      void this.#append(end)
    else
      this.#onIdle?.()
  }

  #append<T>(result: Promise<T>): Promise<T> {
    const end = (): void => {
      if (this.#tail !== tail)
        return
      this.#tail = undefined
      this.#onIdle?.()
    }
    const tail = result.then(end, end)
    this.#tail = tail
    return result
  }
}
