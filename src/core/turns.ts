import type { Maybe } from './maybe'
import { whenDone } from './maybe'

/** Runs tasks one after the other, in the order in which they were asked for. */
export class Turns {
  #isBusy = false
  readonly #waiting: (() => void)[] = []
  readonly #onIdle: (() => void) | undefined

  /** @param onIdle called whenever nothing runs and nothing waits any more */
  constructor(onIdle?: () => void) {
    this.#onIdle = onIdle
  }

  /** True while a task runs, or others wait. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Runs a task when those before it have ended: at once when there are none. */
  take<T>(task: () => Maybe<T>): Maybe<T> {
    if (!this.#isBusy)
      return this.#run(task)
    return new Promise<void>(resolve => this.#waiting.push(resolve)).then(() => this.#run(task))
  }

  #run<T>(task: () => Maybe<T>): Maybe<T> {
    // Before it begins: a task may itself ask for a turn.
    this.#isBusy = true
    return whenDone(task, () => this.#next())
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next) {
      next()
      return
    }
    this.#isBusy = false
    this.#onIdle?.()
  }
}
