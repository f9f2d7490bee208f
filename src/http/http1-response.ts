import type { Edit, Piece, Sink } from './held-writes'
import type { HeldResponse, HoldOptions, NodeResponse } from './node-response'
import { toUtf8 } from '../core/encoding'
import { cookiesOf, restoreCookies } from './headers'
import { HeadLines } from './head-lines'
import { HeldWrites } from './held-writes'
import { describeErrorBody } from './replaced-head'

type Socket = Sink & { readonly destroyed: boolean, destroySoon(): void }

/** What Node's response of HTTP/1.1 has besides. */
interface Http1Response extends NodeResponse {
  readonly req: { readonly method?: string | undefined, readonly socket: Socket }
  /** Missing while an earlier response of a pipelined connection is being sent. */
  readonly socket: Socket | null
  /** The head as text, once it is written; it leaves with the first byte of the body. */
  _header: string | null
  once(event: 'socket', listener: (socket: Socket) => void): unknown
  prependOnceListener(event: 'finish', listener: () => void): unknown
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
  /** Those that were set when the head was written: `writeHead` may have put others in their place. */
  #cookies: readonly string[] = []

  constructor(res: Http1Response, options: HoldOptions) {
    this.#res = res
    this.#options = options
    const { writeHead } = res
    let isBegun = false
    // Whatever starts a response comes by here; Node throws at the second time.
    res.writeHead = (...args) => {
      const cookies = cookiesOf(res)
      const returned: unknown = writeHead.apply(res, args)
      if (!isBegun) {
        isBegun = true
        this.#cookies = cookies
        this.#begin()
      }
      return returned
    }
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
    const writes = new HeldWrites()
    if (res.socket)
      writes.attach(res.socket)
    else
      res.once('socket', socket => writes.attach(socket))
    // While it was held the session could still change: look once more.
    settled.then(() => this.#options.settle()).then(() => this.#release(writes), error => this.#fail(writes, error))
  }

  #release(writes: HeldWrites): void {
    this.isReleased = true
    writes.release(editHead(this.#res._header!, head => this.#finish(head)))
  }

  #finish(text: string): string {
    const head = new HeadLines(text)
    this.#complete(head)
    return head.toString()
  }

  #complete(head: HeadLines): void {
    restoreCookies(head, this.#cookies)
    this.#options.finish(head)
  }

  #fail(writes: HeldWrites, error: unknown): void {
    const res = this.#res
    const { statusCode, statusMessage, body } = this.#options.toErrorResponse(error)
    this.isReleased = true
    if (res.req.socket.destroyed)
      return
    const head = new HeadLines(res._header!)
    head.statusLine = `HTTP/1.1 ${statusCode} ${statusMessage}`
    this.#complete(head)
    const bytes = toUtf8(body)
    describeErrorBody(head, bytes.length)
    // To a handler that goes on writing the client has gone away.
    const isEnded = res.writableEnded
    if (isEnded)
      res.prependOnceListener('finish', () => writes.stop())
    else
      head.set('connection', 'close')
    writes.replace(Buffer.concat([Buffer.from(head.toString(), 'latin1'), res.req.method === 'HEAD' ? new Uint8Array() : bytes]), () => isEnded || res.req.socket.destroySoon())
  }
}

/** Changes a head where it passes; hints may pass before it. */
function editHead(expected: string, change: (head: string) => string): Edit {
  const beginning = expected.slice(0, 'HTTP/1.1 200 '.length)
  return (pieces: Piece[]) => {
    for (const piece of pieces) {
      const text = typeof piece.chunk === 'string' ? piece.chunk : (piece.chunk as Buffer).toString('latin1')
      if (!text.startsWith(beginning))
        continue
      const length = text.indexOf('\r\n\r\n') + 4
      const edited = change(text.slice(0, length)) + text.slice(length)
      piece.chunk = typeof piece.chunk === 'string' ? edited : Buffer.from(edited, 'latin1')
      return true
    }
    return false
  }
}
