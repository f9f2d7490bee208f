import type { ErrorResponse } from '../error-response'
import type { HeaderList } from '../headers'
import type { Holder } from './hold'

/** Who waits for one response: apps that are mounted in others have sessions of their own. The first that fails answers. */
export class Holders implements Holder {
  readonly #all: Holder[]
  #failed: Holder | undefined

  constructor(first: Holder) {
    this.#all = [first]
  }

  add(holder: Holder): void {
    this.#all.push(holder)
  }

  flush(): Promise<void> | undefined {
    if (this.#all.length === 1)
      return this.#all[0]!.flush()
    const pending = this.#all.flatMap(holder => holder.flush()?.catch((error) => {
      this.#failed ??= holder
      throw error
    }) ?? [])
    return pending.length > 1 ? waitForAll(pending) : pending[0]
  }

  finish(headers: HeaderList): void {
    this.#all.forEach(holder => holder.finish(headers))
  }

  addsHeaders(): boolean {
    return this.#all.some(holder => holder.addsHeaders?.())
  }

  toErrorResponse(error: unknown): ErrorResponse {
    return (this.#failed ?? this.#all[0]!).toErrorResponse(error)
  }
}

async function waitForAll(pending: Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(pending)
  const failed = results.find(result => result.status === 'rejected')
  if (failed)
    throw failed.reason
}
