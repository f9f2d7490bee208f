import type { HeaderList } from './headers'
import type { HeldResponse, HoldOptions, NodeResponse } from './node-response'
import type { Sink } from './output-buffer'
import { toUtf8 } from '../core/encoding'
import { cookiesOf, prependCookies } from './headers'
import { OutputBuffer } from './output-buffer'
import { Part } from './output-part'
import { describeErrorBody } from './replaced-head'

type Fields = Record<string, string | string[] | number>
type Respond = (headers: Fields, options?: { endStream?: boolean, waitForTrailers?: boolean }) => void

interface Stream extends Sink {
  readonly destroyed: boolean
  readonly closed: boolean
  readonly headersSent: boolean
  readonly headRequest?: boolean
  readonly writableEnded: boolean
  respond: Respond
  end(): unknown
  destroy(error?: unknown): unknown
}

interface Http2Response extends NodeResponse {
  readonly stream: Stream
}

/** Responses that end with their headers (RFC 9110, section 6.4.1). */
const BODILESS = new Set([204, 205, 304])

/** True for a response whose headers Node hands to nghttp2 where they can be held back. */
export function isHttp2(res: NodeResponse): res is Http2Response {
  const { stream } = res as Partial<Http2Response>
  return stream !== undefined && handleOf(stream) !== undefined
}

export function holdHttp2(res: Http2Response, options: HoldOptions): HeldResponse {
  return new HeldHttp2(res, options)
}

/** What Node keeps of nghttp2 behind a symbol. */
function handleOf(stream: object): { respond?: unknown } | undefined {
  const symbol = Object.getOwnPropertySymbols(stream).find(({ description }) => description === 'kHandle')
  return symbol && (stream as Record<symbol, object | undefined>)[symbol]
}

class HeldHttp2 implements HeldResponse {
  isReleased = false
  readonly #stream: Stream
  readonly #options: HoldOptions
  readonly #respond: Respond
  /** Those that were set before the head: `writeHead` may put others in their place, and they stay. */
  #cookies: readonly string[] = []
  #isDestroyed = false

  constructor(res: Http2Response, options: HoldOptions) {
    const { stream, writeHead } = res
    this.#stream = stream
    this.#options = options
    this.#respond = stream.respond
    const begin = (...args: unknown[]): unknown => {
      if (!stream.headersSent)
        this.#cookies = cookiesOf(res)
      return writeHead.apply(res, args)
    }
    define(res, 'writeHead', begin)
    // Whatever starts a response comes by here.
    define(stream, 'respond', (...args: Parameters<Respond>) => this.#begin(res, args))
  }

  #begin(res: object, args: Parameters<Respond>): void {
    const stream = this.#stream
    const canBegin = !stream.headersSent && !stream.destroyed && !stream.closed
    const settled = canBegin ? this.#options.settle() : undefined
    if (settled)
      this.#hold(res, settled, args)
    else if (canBegin)
      this.#send(args, this.#respond)
    else
      this.#respond.apply(stream, args)
  }

  #hold(res: object, settled: Promise<void>, args: Parameters<Respond>): void {
    const part = new Part(res, error => this.#stream.destroy(error))
    part.attach(OutputBuffer.of(this.#stream, () => res))
    this.#takeHead(part, args)
    // While it was held the session could still change: look once more. What listeners throw is not ours to catch.
    settled.then(() => this.#options.settle()).then(
      () => queueMicrotask(() => part.attempt(() => this.#release(() => {
        this.#send(args, this.#respondLate)
        part.release()
      }))),
      error => queueMicrotask(() => part.attempt(() => this.#release(() => this.#fail(part, args, error)))),
    )
  }

  /** Lets Node check the headers and take them as sent. */
  #takeHead(part: Part, args: Parameters<Respond>): void {
    const handle = handleOf(this.#stream)!
    define(handle, 'respond', () => 0)
    try {
      this.#respond.apply(this.#stream, args)
    }
    catch (error) {
      part.release()
      throw error
    }
    finally {
      delete handle.respond
    }
  }

  /** Answers on the stream as it was when nothing had been sent and nobody had ended it. */
  #release(answer: () => void): void {
    this.isReleased = true
    // Its client has gone.
    if (!handleOf(this.#stream))
      return
    this.#isDestroyed = this.#stream.destroyed
    this.#pretend({ destroyed: false, closed: false }, answer)
  }

  #send([headers, options]: Parameters<Respond>, respond: Respond): void {
    const sent = { ...headers }
    this.#complete(new Http2Head(sent))
    this.isReleased = true
    respond.call(this.#stream, sent, options)
  }

  /** Sends headers that Node has taken as sent. */
  readonly #respondLate: Respond = (headers, options) => {
    const stream = this.#stream
    const endStream = options?.endStream === true || stream.headRequest === true || BODILESS.has(Number(headers[':status']))
    // Node asks nobody for trailers when the stream was destroyed, and would wait for them.
    const late = { ...options, endStream, ...this.#isDestroyed && { waitForTrailers: false } }
    this.#pretend({ headersSent: false, end: () => stream }, () => this.#respond.call(stream, headers, late))
  }

  /** Does something while the stream says other than it is. */
  #pretend(properties: Record<string, unknown>, act: () => void): void {
    const stream = this.#stream
    const names = Object.keys(properties)
    names.forEach(name => define(stream, name, properties[name]))
    try {
      act()
    }
    finally {
      names.forEach(name => Reflect.deleteProperty(stream, name))
    }
  }

  #complete(head: Http2Head): void {
    const all = head.getSetCookie()
    prependCookies(head, this.#cookies.filter(line => !all.includes(line)))
    this.#options.finish(head)
  }

  #fail(part: Part, [headers]: Parameters<Respond>, error: unknown): void {
    const stream = this.#stream
    const { statusCode, body } = this.#options.toErrorResponse(error)
    const bytes = toUtf8(body)
    const sent: Fields = { ...headers, ':status': statusCode }
    const head = new Http2Head(sent)
    this.#complete(head)
    describeErrorBody(head, bytes.length)
    this.#respondLate(sent)
    part.replace(stream.headRequest ? new Uint8Array() : bytes)
    stream.end()
  }
}

function define(object: object, name: string, value: unknown): void {
  Object.defineProperty(object, name, { configurable: true, enumerable: false, writable: true, value })
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
