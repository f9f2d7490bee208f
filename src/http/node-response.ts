import type { ErrorResponse } from './error-response'
import { toUtf8 } from '../core/encoding'

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
  finish(): void
  /** The response to send when `settle` rejects. */
  toErrorResponse(error: unknown): ErrorResponse
}

export interface HeldResponse {
  /** True when the headers have left and can no longer change. */
  readonly isReleased: boolean
}

const METHODS = ['writeHead', 'write', 'end', 'flushHeaders'] as const
type Method = typeof METHODS[number]
interface Call { method: Method, args: unknown[] }

/** Headers that described a body which is not sent. */
const BODY_HEADERS = ['content-length', 'content-encoding', 'content-range', 'content-disposition', 'transfer-encoding', 'accept-ranges', 'etag', 'last-modified', 'location', 'cache-control', 'trailer']

/** A writer that is further ahead than this is told to wait. */
const MAX_KEPT_BYTES = 1024 * 1024

/**
 * Makes a Node response wait: whatever starts it (a returned value, a redirect, a stream, a
 * direct `res.end`) is kept until `settle` resolved and then done in the same order. When
 * `settle` rejects, an error is sent in its place and everything else is dropped.
 */
export function holdNodeResponse(res: NodeResponse, options: HoldOptions): HeldResponse {
  return new WaitingResponse(res, options)
}

class WaitingResponse implements HeldResponse {
  readonly #res: NodeResponse
  readonly #options: HoldOptions
  readonly #original = {} as Record<Method, (...args: unknown[]) => unknown>
  readonly #kept: Call[] = []
  #state: 'open' | 'held' | 'released' | 'failed' = 'open'
  #keptBytes = 0
  #isWriterWaiting = false

  constructor(res: NodeResponse, options: HoldOptions) {
    this.#res = res
    this.#options = options
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
      const settled = this.#options.settle()
      if (!settled)
        return this.#perform(call)
      this.#hold(settled)
    }
    if (this.#state === 'held')
      return this.#keep(call)
    if (this.#state === 'released')
      return this.#perform(call)
    callBack(call)
    return call.method === 'write' ? true : this.#res
  }

  #hold(settled: Promise<void>): void {
    this.#state = 'held'
    reportHeldAsSent(this.#res, () => this.#state === 'held' || this.#state === 'failed')
    // While it was held the headers could still change, and so could the session: look once more.
    settled.then(() => this.#options.settle())
      .then(() => this.#release())
      .catch(error => this.#fail(error))
      .catch(error => this.#res.destroy(error))
  }

  #keep(call: Call): unknown {
    // Wrappers such as compression ask for the head at every write until they see it sent.
    if (call.method !== 'writeHead' || this.#kept.length === 0)
      this.#kept.push(call)
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
    this.#options.finish()
    this.#state = 'released'
    return this.#original[method].apply(this.#res, first)
  }

  #fail(error: unknown): void {
    const res = this.#res
    const { statusCode, statusMessage, body } = this.#options.toErrorResponse(error)
    const isStarted = this.#state === 'released' && res.headersSent
    this.#state = 'failed'
    this.#kept.forEach(callBack)
    if (isStarted) {
      res.destroy(error)
      return
    }
    this.#options.finish()
    BODY_HEADERS.forEach(name => res.removeHeader(name))
    // Node gives no length by itself once one was removed.
    res.setHeader('content-length', toUtf8(body).length)
    res.statusCode = statusCode
    res.statusMessage = statusMessage
    res.setHeader('content-type', 'application/json')
    res.setHeader('cache-control', 'no-store')
    // `end` comes back to `writeHead` for the headers it implies.
    this.#state = 'released'
    this.#original.end.call(res, body)
    this.#state = 'failed'
  }
}

/** To its handler a held response has begun: h3 must not answer it a second time. */
function reportHeldAsSent(res: NodeResponse, isHeld: () => boolean): void {
  let prototype = Object.getPrototypeOf(res)
  while (prototype && !Object.hasOwn(prototype, 'headersSent'))
    prototype = Object.getPrototypeOf(prototype)
  const getter = Object.getOwnPropertyDescriptor(prototype ?? {}, 'headersSent')?.get
  Object.defineProperty(res, 'headersSent', {
    configurable: true,
    get: () => isHeld() || getter?.call(res) === true,
  })
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
