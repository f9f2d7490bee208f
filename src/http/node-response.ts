import type { ErrorResponse } from './error-response'
import type { HeaderList } from './headers'
import { WaitingCalls } from './held-calls'
import { holdHttp1, isHttp1 } from './http1-response'
import { holdHttp2, isHttp2 } from './http2-response'

/** The part of Node's `ServerResponse` that is used; `Http2ServerResponse` has it too. */
export interface NodeResponse {
  statusCode: number
  statusMessage: string
  readonly headersSent: boolean
  readonly writableEnded: boolean
  readonly writableNeedDrain?: boolean
  getHeader(name: string): number | string | string[] | undefined
  setHeader(name: string, value: number | string | readonly string[]): unknown
  removeHeader(name: string): void
  getHeaderNames(): string[]
  writeHead(...args: unknown[]): unknown
  write(...args: unknown[]): unknown
  end(...args: unknown[]): unknown
  flushHeaders?(...args: unknown[]): unknown
  emit(event: string, ...args: unknown[]): boolean
  destroy(error?: unknown): unknown
}

export interface HoldOptions {
  /** What the first byte must wait for; `undefined` when there is nothing. */
  settle(): Promise<void> | undefined
  /** Called right before the headers leave, to give the last word on them. */
  finish(headers: HeaderList): void
  /** The response to send when `settle` rejects. */
  toErrorResponse(error: unknown): ErrorResponse
  /** True when it has put headers on the response, which might have none otherwise. */
  addsHeaders?(): boolean
}

export interface HeldResponse {
  /** True when the headers have left and can no longer change. */
  readonly isReleased: boolean
}

/** Runtimes that have responses of their own under the names of Node. */
const isEmulated = 'Bun' in globalThis || 'Deno' in globalThis

/** Who waits for one response: apps that are mounted in others have sessions of their own. */
interface Holding { response: HeldResponse, holders: HoldOptions[] }

const holdings = new WeakMap<NodeResponse, Holding>()

/**
 * Makes a Node response wait: whatever starts it (a returned value, a redirect, a stream, a
 * direct `res.end`), nothing of it leaves until `settle` resolved. When `settle` rejects, an
 * error is sent in its place and everything else is dropped.
 */
export function holdNodeResponse(res: NodeResponse, options: HoldOptions): HeldResponse {
  const known = holdings.get(res)
  if (known) {
    known.holders.push(options)
    return known.response
  }
  const holders = [options]
  const response = hold(res, new Holders(holders))
  holdings.set(res, { response, holders })
  return response
}

function hold(res: NodeResponse, options: HoldOptions): HeldResponse {
  if (!isEmulated && isHttp2(res))
    return holdHttp2(res, options)
  if (!isEmulated && isHttp1(res))
    return holdHttp1(res, options)
  return new WaitingCalls(res, options)
}

/** Several that hold one response; the first that fails answers. */
class Holders implements HoldOptions {
  readonly #holders: readonly HoldOptions[]
  #failed: HoldOptions | undefined

  constructor(holders: readonly HoldOptions[]) {
    this.#holders = holders
  }

  settle(): Promise<void> | undefined {
    const pending = this.#holders.flatMap((holder) => {
      const settled = holder.settle()
      return settled ? [this.#watch(holder, settled)] : []
    })
    return pending.length > 1 ? this.#settleAll(pending) : pending[0]
  }

  finish(headers: HeaderList): void {
    this.#holders.forEach(holder => holder.finish(headers))
  }

  addsHeaders(): boolean {
    return this.#holders.some(holder => holder.addsHeaders?.())
  }

  toErrorResponse(error: unknown): ErrorResponse {
    return (this.#failed ?? this.#holders[0]!).toErrorResponse(error)
  }

  async #watch(holder: HoldOptions, settled: Promise<void>): Promise<void> {
    try {
      await settled
    }
    catch (error) {
      this.#failed ??= holder
      throw error
    }
  }

  async #settleAll(pending: Promise<void>[]): Promise<void> {
    const results = await Promise.allSettled(pending)
    const failed = results.find(result => result.status === 'rejected')
    if (failed)
      throw failed.reason
  }
}
