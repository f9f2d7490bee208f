import type { Edit, Sink } from './output-buffer'
import type { HeldResponse, HoldOptions, NodeResponse } from './node-response'
import { toUtf8 } from '../core/encoding'
import { cookiesOf, prependCookies } from './headers'
import { HeadLines } from './head-lines'
import { OutputBuffer, Part } from './output-buffer'
import { describeErrorBody } from './replaced-head'

type Socket = Sink & { readonly _httpMessage?: object | null, readonly destroyed: boolean, destroySoon(): void }

/** What Node's response of HTTP/1.1 has besides. */
interface Http1Response extends NodeResponse {
  readonly req: { readonly method?: string | undefined, readonly socket: Socket }
  /** Missing while an earlier response of a pipelined connection is being sent. */
  readonly socket: Socket | null
  /** The head as text, once it is written; it leaves with the first byte of the body. */
  _header: string | null
  once(event: 'socket', listener: (socket: Socket) => void): unknown
}

/** True for a response whose bytes go through a stream of Node. */
export function isHttp1(res: NodeResponse): res is Http1Response {
  const { req, _header } = res as Partial<Http1Response>
  return _header !== undefined && typeof req?.socket?._write === 'function'
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
      const returned = writeHead.apply(res, args)
      if (!isBegun) {
        isBegun = true
        this.#cookies = cookies.filter(line => !res._header!.includes(`: ${line}\r\n`))
        this.#begin()
      }
      return returned
    }
    // Whatever starts a response comes by here; Node throws at the second time.
    Object.defineProperty(res, 'writeHead', { configurable: true, enumerable: false, writable: true, value: begin })
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
    const part = new Part(res)
    const attach = (socket: Socket): void => part.attach(OutputBuffer.of(socket, () => socket._httpMessage ?? undefined))
    if (res.socket)
      attach(res.socket)
    else
      res.once('socket', attach)
    // While it was held the session could still change: look once more. What listeners throw is not ours to catch.
    settled.then(() => this.#options.settle()).then(
      () => queueMicrotask(() => this.#release(part)),
      error => queueMicrotask(() => this.#fail(part, error)),
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
    part.replace(Buffer.concat([Buffer.from(head.toString(), 'latin1'), res.req.method === 'HEAD' ? new Uint8Array() : bytes]))
    if (!isEnded)
      res.req.socket.destroySoon()
  }
}

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
