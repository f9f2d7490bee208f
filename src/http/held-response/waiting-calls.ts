import type { NodeResponse } from '../node-response'
import type { HeldResponse, Holder } from './hold'
import { toUtf8 } from '../../core/encoding'
import { headersOf } from '../node-response'
import { describeErrorBody } from './error-head'

const METHODS = ['writeHead', 'write', 'end', 'flushHeaders'] as const
type Method = typeof METHODS[number]
interface Call { method: Method, args: unknown[] }

/** A writer that is further ahead than this is told to wait. */
const MAX_KEPT_BYTES = 1024 * 1024

/**
 * Makes a response wait whose bytes cannot: one of another runtime, or one that somebody looks at
 * in place of its bytes. The calls that would send something are kept, and done in the same order
 * when nothing is left to wait for.
 */
export class WaitingCalls implements HeldResponse {
  readonly #res: NodeResponse
  readonly #holder: Holder
  readonly #original = {} as Record<Method, (...args: unknown[]) => unknown>
  readonly #kept: Call[] = []
  #state: 'open' | 'held' | 'released' | 'failed' = 'open'
  #keptBytes = 0
  #isWriterWaiting = false
  #isEnded = false

  constructor(res: NodeResponse, holder: Holder) {
    this.#res = res
    this.#holder = holder
    for (const method of METHODS) {
      const implementation = res[method]
      if (implementation) {
        this.#original[method] = implementation
        res[method] = (...args: unknown[]) => this.#intercept({ method, args })
      }
    }
  }

  get isReleased(): boolean {
    return this.#state === 'released' || this.#state === 'failed'
  }

  #intercept(call: Call): unknown {
    if (this.#state === 'open') {
      const flushed = this.#holder.flush()
      if (!flushed)
        return this.#perform(call)
      this.#hold(flushed)
    }
    if (this.#state === 'held')
      return this.#keep(call)
    if (this.#state === 'released')
      return this.#perform(call)
    callBack(call)
    return call.method === 'write' ? true : this.#res
  }

  #hold(flushed: Promise<void>): void {
    this.#state = 'held'
    this.#report('headersSent', () => true)
    for (const name of ['writableEnded', 'writableFinished', 'finished'] as const)
      this.#report(name, () => this.#isEnded)
    // While it was held the headers could still change, and so could the session: look once more.
    flushed.then(() => this.#holder.flush())
      .then(() => this.#release())
      .catch(error => this.#fail(error))
      .catch(error => this.#res.destroy(error))
  }

  #keep(call: Call): unknown {
    // Wrappers such as compression ask for the head at every write until they see it sent.
    if (!this.#isEnded && (call.method !== 'writeHead' || this.#kept.length === 0))
      this.#kept.push(call)
    else
      callBack(call)
    this.#isEnded ||= call.method === 'end'
    if (call.method !== 'write')
      return this.#res
    this.#keptBytes += sizeOf(call.args[0])
    this.#isWriterWaiting ||= this.#keptBytes > MAX_KEPT_BYTES
    return !this.#isWriterWaiting
  }

  #release(): void {
    this.#kept.forEach(call => this.#perform(call))
    // Whoever was told to wait by `write` goes on, unless Node itself will say when.
    if (this.#isWriterWaiting && !this.#res.writableNeedDrain)
      this.#res.emit('drain')
  }

  #perform({ method, args }: Call): unknown {
    if (this.#state === 'released')
      return this.#original[method].apply(this.#res, args)
    const first = method === 'writeHead' ? hoistHeaders(this.#res, args) : args
    this.#holder.finish(headersOf(this.#res))
    this.#state = 'released'
    return this.#original[method].apply(this.#res, first)
  }

  #fail(error: unknown): void {
    const res = this.#res
    const { statusCode, statusMessage, body } = this.#holder.toErrorResponse(error)
    const isStarted = this.#state === 'released' && res.headersSent
    this.#state = 'failed'
    this.#kept.forEach(callBack)
    if (isStarted) {
      res.destroy(error)
      return
    }
    const headers = headersOf(res)
    this.#holder.finish(headers)
    describeErrorBody(headers, toUtf8(body).length)
    res.statusCode = statusCode
    res.statusMessage = statusMessage
    // `end` comes back to `writeHead` for the headers it implies.
    this.#state = 'released'
    this.#original.end.call(res, body)
    this.#state = 'failed'
  }

  /** What a property of the response tells while it is held: to its handler it has begun, and ended. */
  #report(name: 'finished' | 'headersSent' | 'writableEnded' | 'writableFinished', whileHeld: () => boolean): void {
    const res = this.#res
    let owner: object | null = res
    while (owner && !Object.hasOwn(owner, name))
      owner = Object.getPrototypeOf(owner) as object | null
    const { get, value } = Object.getOwnPropertyDescriptor(owner ?? {}, name) ?? {}
    let own: unknown = value
    Object.defineProperty(res, name, {
      configurable: true,
      get: () => this.#state === 'held' || this.#state === 'failed' ? whileHeld() : get ? get.call(res) as unknown : own,
      set: (next) => { own = next },
    })
  }
}

/**
 * Sets the headers given to `writeHead` beforehand, as Node itself does, so that the last
 * word on them can be ours. Its cookies are added to those that are set, not put in their place.
 */
function hoistHeaders(res: NodeResponse, args: unknown[]): unknown[] {
  const headers = args.at(-1)
  if (typeof headers !== 'object' || headers === null)
    return args
  const values = new Map<string, string[]>()
  for (const [name, value] of toPairs(headers)) {
    const key = String(name).toLowerCase()
    values.set(key, [...values.get(key) ?? [], ...[value].flat() as string[]])
  }
  for (const [name, given] of values) {
    const all = name === 'set-cookie' ? [...new Set([...[res.getHeader(name) ?? []].flat().map(String), ...given])] : given
    if (given[0] !== undefined)
      res.setHeader(name, all.length === 1 && name !== 'set-cookie' ? all[0]! : all)
  }
  return args.slice(0, -1)
}

/** Headers as `writeHead` takes them: an object, a list of pairs, or names and values in turn. */
function toPairs(headers: object): [name: unknown, value: unknown][] {
  if (!Array.isArray(headers))
    return Object.entries(headers)
  if (Array.isArray(headers[0]))
    return headers as [unknown, unknown][]
  return Array.from({ length: headers.length / 2 }, (_, index) => [headers[index * 2], headers[index * 2 + 1]])
}

function sizeOf(chunk: unknown): number {
  return typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk.length : 0
}

/** Tells a writer that its chunk is done with. */
function callBack({ args }: Call): void {
  const callback = args.at(-1)
  if (typeof callback === 'function')
    queueMicrotask(() => callback())
}
