import type { HeaderList } from './headers'
import type { Sink } from './held-writes'
import type { HeldResponse, HoldOptions, NodeResponse } from './node-response'
import { toUtf8 } from '../core/encoding'
import { cookiesOf, restoreCookies } from './headers'
import { HeldWrites } from './held-writes'
import { describeErrorBody } from './replaced-head'

type Fields = Record<string, string | string[] | number>
type Respond = (headers: Fields, options?: { endStream?: boolean }) => void

interface Stream extends Sink {
  readonly destroyed: boolean
  readonly closed: boolean
  readonly headersSent: boolean
  readonly headRequest?: boolean
  readonly writableEnded: boolean
  respond: Respond
  end(): unknown
  close(): void
}

interface Http2Response extends NodeResponse {
  readonly stream: Stream
}

/** Responses without a body: Node ends the stream with their headers (RFC 9110, section 6.4.1). */
const BODILESS = new Set([204, 205, 304])

export function isHttp2(res: NodeResponse): res is Http2Response {
  return typeof (res as Partial<Http2Response>).stream?.respond === 'function'
}

export function holdHttp2(res: Http2Response, options: HoldOptions): HeldResponse {
  return new HeldHttp2(res, options)
}

class HeldHttp2 implements HeldResponse {
  isReleased = false
  readonly #stream: Stream
  readonly #options: HoldOptions
  readonly #respond: Respond
  /** Those that were set when the head was written: `writeHead` may put others in their place. */
  #cookies: readonly string[] = []

  constructor(res: Http2Response, options: HoldOptions) {
    const { stream, writeHead } = res
    this.#stream = stream
    this.#options = options
    this.#respond = stream.respond
    res.writeHead = (...args) => {
      if (!stream.headersSent)
        this.#cookies = cookiesOf(res)
      return writeHead.apply(res, args)
    }
    // Whatever starts a response comes by here.
    stream.respond = (...args) => this.#begin(args)
  }

  #begin(args: Parameters<Respond>): void {
    const stream = this.#stream
    stream.respond = this.#respond
    const settled = this.#options.settle()
    if (settled)
      this.#hold(settled, args)
    else
      this.#send(args)
  }

  #hold(settled: Promise<void>, args: Parameters<Respond>): void {
    const [headers, options] = args
    const stream = this.#stream
    const writes = new HeldWrites()
    writes.attach(stream, true)
    Object.defineProperties(stream, {
      headersSent: { configurable: true, value: true },
      sentHeaders: { configurable: true, value: headers },
    })
    if (options?.endStream || stream.headRequest || BODILESS.has(Number(headers[':status'])))
      stream.end()
    // While it was held the session could still change: look once more.
    settled.then(() => this.#options.settle()).then(() => this.#release(writes, args), error => this.#fail(writes, args, error))
  }

  #release(writes: HeldWrites, args: Parameters<Respond>): void {
    if (this.#uncover())
      this.#send(args)
    writes.release()
  }

  /** Shows the stream as it is. True when it can still be answered. */
  #uncover(): boolean {
    const stream = this.#stream as Partial<Record<'headersSent' | 'sentHeaders', unknown>>
    delete stream.headersSent
    delete stream.sentHeaders
    this.isReleased = true
    return !this.#stream.destroyed && !this.#stream.closed
  }

  #send([headers, options]: Parameters<Respond>): void {
    const sent = { ...headers }
    this.isReleased = true
    this.#complete(new Http2Head(sent))
    this.#respond.call(this.#stream, sent, options)
  }

  #complete(head: Http2Head): void {
    restoreCookies(head, this.#cookies)
    this.#options.finish(head)
  }

  #fail(writes: HeldWrites, [headers]: Parameters<Respond>, error: unknown): void {
    const stream = this.#stream
    const { statusCode, body } = this.#options.toErrorResponse(error)
    if (!this.#uncover())
      return
    const bytes = toUtf8(body)
    const sent: Fields = { ...headers, ':status': statusCode }
    const head = new Http2Head(sent)
    this.#complete(head)
    describeErrorBody(head, bytes.length)
    const isEnded = stream.writableEnded
    this.#respond.call(stream, sent, { endStream: stream.headRequest === true })
    if (stream.headRequest)
      writes.release()
    else
      writes.replace(bytes, () => isEnded || stream.close())
  }
}

/** The headers of an HTTP/2 response, as those of the Fetch standard. */
class Http2Head implements HeaderList {
  readonly #fields: Fields

  constructor(fields: Fields) {
    this.#fields = fields
  }

  get(name: string): string | null {
    const value = this.#fields[name.toLowerCase()]
    return value === undefined ? null : Array.isArray(value) ? value.join(', ') : String(value)
  }

  set(name: string, value: string): void {
    this.#fields[name.toLowerCase()] = value
  }

  append(name: string, value: string): void {
    this.#fields[name.toLowerCase()] = [this.#fields[name.toLowerCase()] ?? [], value].flat().map(String)
  }

  delete(name: string): void {
    delete this.#fields[name.toLowerCase()]
  }

  getSetCookie(): string[] {
    return [this.#fields['set-cookie'] ?? []].flat().map(String)
  }

  keys(): ReturnType<Headers['keys']> {
    return Object.keys(this.#fields).filter(name => !name.startsWith(':')).values() as unknown as ReturnType<Headers['keys']>
  }
}
