/** Calls back the writer of a stream. */
export type Done = (error?: Error | null) => void

/** A write that counts as sent: its writer is called back when Node itself would do that. */
export class PretendedWrite {
  /** nghttp2 takes bytes a moment later, the kernel at once. */
  readonly #isHttp2: boolean
  #done: Done | undefined
  /** nghttp2 takes what is written meanwhile in the same turn. */
  #isEnding = false

  constructor(isHttp2: boolean) {
    this.#isHttp2 = isHttp2
  }

  begin(done: Done): void {
    this.#done = done
    if (!this.#isHttp2)
      this.end()
    else if (this.#isEnding)
      process.nextTick(this.end)
    else
      setImmediate(this.end)
  }

  readonly end = (): void => {
    const done = this.#done
    this.#done = undefined
    this.#isEnding = true
    try {
      done?.()
    }
    finally {
      this.#isEnding = false
    }
  }
}
