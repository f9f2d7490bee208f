import type { ErrorResponse } from '../error-response'
import type { HeaderList } from '../headers'
import type { Holder } from './hold'

/** Who waits for one response: apps that are mounted in others have sessions of their own. The first that fails answers. */
export class Holders implements Holder {
  readonly #first: Holder
  #others: Holder[] | undefined
  #failed: Holder | undefined

  constructor(first: Holder) {
    this.#first = first
  }

  add(holder: Holder): void {
    this.#others ??= []
    this.#others.push(holder)
  }

  flush(): Promise<void> | undefined {
    return this.#others ? this.#flushAll([this.#first, ...this.#others]) : this.#first.flush()
  }

  finish(headers: HeaderList): void {
    this.#first.finish(headers)
    this.#others?.forEach(holder => holder.finish(headers))
  }

  addsHeaders(): boolean {
    return this.#first.addsHeaders?.() || this.#others?.some(holder => holder.addsHeaders?.()) || false
  }

  toErrorResponse(error: unknown): ErrorResponse {
    return (this.#failed ?? this.#first).toErrorResponse(error)
  }

  #flushAll(holders: readonly Holder[]): Promise<void> | undefined {
    const pending = holders.flatMap((holder) => {
      const flushed = holder.flush()
      return flushed ? [this.#watch(holder, flushed)] : []
    })
    return pending.length > 1 ? waitForAll(pending) : pending[0]
  }

  async #watch(holder: Holder, flushed: Promise<void>): Promise<void> {
    try {
      await flushed
    }
    catch (error) {
      this.#failed ??= holder
      throw error
    }
  }
}

async function waitForAll(pending: Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(pending)
  const failed = results.find(result => result.status === 'rejected')
  if (failed)
    throw failed.reason
}
