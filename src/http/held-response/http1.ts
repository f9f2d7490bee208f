import type { Sink } from './output-buffer'
import type { Edit } from './output-part'
import type { NodeResponse } from '../node-response'
import type { HeldResponse, Holder } from './hold'
import { toUtf8 } from '../../core/encoding'
import { prependCookies } from '../headers'
import { cookiesOf } from '../node-response'
import { Http1Head } from './http1-head'
import { OutputBuffer } from './output-buffer'
import { Part } from './output-part'
import { groupHeaders, hasOnlyOurs } from './raw-headers'
import { describeErrorBody } from './error-head'

interface Socket extends Sink {
  readonly _httpMessage?: object | null
  /** What reads requests from it. */
  readonly parser?: { readonly socket?: unknown } | null
  readonly destroyed: boolean
  destroy(error?: unknown): unknown
  destroySoon(): void
}

/** What Node's response of HTTP/1.1 has besides. */
interface Http1Response extends NodeResponse {
  readonly req: { readonly socket: Socket }
  /** False for an answer to HEAD, and for a status without a body. */
  readonly _hasBody: boolean
  /** Missing while an earlier response of a pipelined connection is being sent. */
  readonly socket: Socket | null
  /** The head as text, once it is written; it leaves with the first byte of the body. */
  _header: string | null
  once(event: 'socket', listener: (socket: Socket) => void): unknown
  [HELD]?: HeldHttp1
}

/** True for a response on a connection of Node itself. Others may look at the response in place of its bytes. */
export function isHttp1(res: NodeResponse): res is Http1Response {
  const { req, _header } = res as Partial<Http1Response>
  const socket = req?.socket
  // One that was destroyed has no handle any more.
  return _header !== undefined && Boolean(socket?._handle ?? socket?.destroyed) && socket?.parser?.socket === socket
}

export function holdHttp1(res: Http1Response, holder: Holder): HeldResponse {
  return new HeldHttp1(res, holder)
}

/** Where a response has what holds it. All responses have the same functions, so that they stay of one shape. */
const HELD = Symbol('held')

/** Takes the place of `writeHead`: whatever starts a response comes by here. */
function writeHead(this: Http1Response, ...args: unknown[]): unknown {
  return this[HELD]!.writeHead(args)
}

/** Not to be seen by whoever lists what a response has. */
const WRITE_HEAD: PropertyDescriptor = { configurable: true, enumerable: false, writable: true, value: writeHead }

class HeldHttp1 implements HeldResponse {
  isReleased = false
  readonly #res: Http1Response
  readonly #holder: Holder
  readonly #writeHead: Http1Response['writeHead']
  /** Those in whose place `writeHead` put others: they stay. */
  #cookies: readonly string[] = []
  #isBegun = false

  constructor(res: Http1Response, holder: Holder) {
    this.#res = res
    this.#holder = holder
    this.#writeHead = res.writeHead
    res[HELD] = this
    Object.defineProperty(res, 'writeHead', WRITE_HEAD)
  }

  writeHead(args: unknown[]): unknown {
    const res = this.#res
    const cookies = args.length > 1 ? cookiesOf(res) : []
    const isGrouped = args.some(Array.isArray) && this.#holder.addsHeaders?.() && hasOnlyOurs(res)
    const returned = this.#writeHead.apply(res, isGrouped ? groupHeaders(args) : args)
    // Node throws at the second time.
    if (!this.#isBegun) {
      this.#isBegun = true
      this.#cookies = cookies.filter(line => !res._header!.includes(`: ${line}\r\n`))
      this.#begin()
    }
    return returned
  }

  #begin(): void {
    const flushed = this.#holder.flush()
    if (flushed) {
      this.#hold(flushed)
      return
    }
    this.isReleased = true
    this.#res._header = this.#finish(this.#res._header!)
  }

  #hold(flushed: Promise<void>): void {
    const res = this.#res
    const part = new Part(res, error => res.req.socket.destroy(error))
    const attach = (socket: Socket): void => part.attach(OutputBuffer.of(socket, () => socket._httpMessage ?? undefined))
    if (res.socket)
      attach(res.socket)
    else
      res.once('socket', attach)
    // While it was held the session could still change: look once more. What listeners throw is not ours to catch.
    flushed.then(() => this.#holder.flush()).then(
      () => queueMicrotask(() => this.#release(part)),
      error => queueMicrotask(() => part.attempt(() => this.#fail(part, error))),
    )
  }

  #release(part: Part): void {
    this.isReleased = true
    part.release(editHead(this.#res._header!, head => this.#finish(head)))
  }

  #finish(text: string): string {
    const head = new Http1Head(text)
    this.#complete(head)
    return head.toString()
  }

  #complete(head: Http1Head): void {
    prependCookies(head, this.#cookies)
    this.#holder.finish(head)
  }

  #fail(part: Part, error: unknown): void {
    const res = this.#res
    const { statusCode, statusMessage, body } = this.#holder.toErrorResponse(error)
    const head = new Http1Head(res._header!)
    const bytes = toUtf8(body)
    head.statusLine = `HTTP/1.1 ${statusCode} ${statusMessage}`
    this.#complete(head)
    this.isReleased = true
    describeErrorBody(head, bytes.length)
    // To a handler that goes on writing the client has gone away.
    const isEnded = res.writableEnded
    if (!isEnded)
      head.set('connection', 'close')
    const isHead = !res._hasBody && !BODILESS.has(res.statusCode)
    part.replace(Buffer.concat([Buffer.from(head.toString(), 'latin1'), isHead ? new Uint8Array() : bytes]))
    if (isEnded)
      return
    if (res.socket)
      res.socket.destroySoon()
    else
      res.once('socket', socket => socket.destroySoon())
  }
}

/** What has no body to any request (RFC 9112, section 6.3). */
const BODILESS = new Set([204, 304])

/** Changes a head where it passes; hints may pass before it. */
function editHead(expected: string, change: (head: string) => string): Edit {
  const beginning = expected.slice(0, 'HTTP/1.1 200 '.length)
  return (bytes) => {
    if (bytes.toString('latin1', 0, beginning.length) !== beginning)
      return undefined
    const end = bytes.indexOf('\r\n\r\n') + 4
    return Buffer.concat([Buffer.from(change(bytes.toString('latin1', 0, end)), 'latin1'), bytes.subarray(end)])
  }
}
