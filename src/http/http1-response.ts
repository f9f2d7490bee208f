import type { Sink } from './output-buffer'
import type { Edit } from './output-part'
import type { HeldResponse, HoldOptions, NodeResponse } from './node-response'
import { toUtf8 } from '../core/encoding'
import { cookiesOf, prependCookies } from './headers'
import { HeadLines } from './head-lines'
import { OutputBuffer } from './output-buffer'
import { Part } from './output-part'
import { override } from './override'
import { groupHeaders, hasOnlyOurs } from './raw-headers'
import { describeErrorBody } from './replaced-head'

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
}

/** True for a response on a connection of Node itself. Others may look at the response in place of its bytes. */
export function isHttp1(res: NodeResponse): res is Http1Response {
  const { req, _header } = res as Partial<Http1Response>
  const socket = req?.socket
  // One that was destroyed has no handle any more.
  return _header !== undefined && Boolean(socket?._handle ?? socket?.destroyed) && socket?.parser?.socket === socket
}

export function holdHttp1(res: Http1Response, options: HoldOptions): HeldResponse {
  return new HeldHttp1(res, options)
}

class HeldHttp1 implements HeldResponse {
  isReleased = false
  readonly #res: Http1Response
  readonly #options: HoldOptions
  /** Those in whose place `writeHead` put others: they stay. */
  #cookies: readonly string[] = []

  constructor(res: Http1Response, options: HoldOptions) {
    this.#res = res
    this.#options = options
    const { writeHead } = res
    let isBegun = false
    const begin = (...args: unknown[]): unknown => {
      const cookies = cookiesOf(res)
      const isGrouped = args.some(Array.isArray) && options.addsHeaders?.() && hasOnlyOurs(res)
      const returned = writeHead.apply(res, isGrouped ? groupHeaders(args) : args)
      if (!isBegun) {
        isBegun = true
        this.#cookies = cookies.filter(line => !res._header!.includes(`: ${line}\r\n`))
        this.#begin()
      }
      return returned
    }
    // Whatever starts a response comes by here; Node throws at the second time.
    override(res, { writeHead: begin })
  }

  #begin(): void {
    const settled = this.#options.settle()
    if (settled) {
      this.#hold(settled)
      return
    }
    this.isReleased = true
    this.#res._header = this.#finish(this.#res._header!)
  }

  #hold(settled: Promise<void>): void {
    const res = this.#res
    const part = new Part(res, error => res.req.socket.destroy(error))
    const attach = (socket: Socket): void => part.attach(OutputBuffer.of(socket, () => socket._httpMessage ?? undefined))
    if (res.socket)
      attach(res.socket)
    else
      res.once('socket', attach)
    // While it was held the session could still change: look once more. What listeners throw is not ours to catch.
    settled.then(() => this.#options.settle()).then(
      () => queueMicrotask(() => this.#release(part)),
      error => queueMicrotask(() => part.attempt(() => this.#fail(part, error))),
    )
  }

  #release(part: Part): void {
    this.isReleased = true
    part.release(editHead(this.#res._header!, head => this.#finish(head)))
  }

  #finish(text: string): string {
    const head = new HeadLines(text)
    this.#complete(head)
    return head.toString()
  }

  #complete(head: HeadLines): void {
    prependCookies(head, this.#cookies)
    this.#options.finish(head)
  }

  #fail(part: Part, error: unknown): void {
    const res = this.#res
    const { statusCode, statusMessage, body } = this.#options.toErrorResponse(error)
    const head = new HeadLines(res._header!)
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
