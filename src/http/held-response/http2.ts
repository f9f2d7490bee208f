import type { RawHeaders } from './http2-head'
import type { Http2Stream, Respond } from './http2-stream'
import type { NodeResponse } from '../node-response'
import type { HeldResponse, Holder } from './hold'
import { toUtf8 } from '../../core/encoding'
import { prependCookies } from '../headers'
import { cookiesOf } from '../node-response'
import { Http2Head } from './http2-head'
import { closeBehindEnd, handleOf, respondBeforeBytes } from './http2-stream'
import { OutputBuffer } from './output-buffer'
import { Part } from './output-part'
import { override, pretend } from './override'
import { describeErrorBody } from './error-head'

interface Http2Response extends NodeResponse {
  readonly stream: Http2Stream
}

/** Responses that end with their headers (RFC 9110, section 6.4.1). */
const BODILESS = new Set([204, 205, 304])

/** True for a response whose headers Node hands to nghttp2 where they can be held back. */
export function isHttp2(res: NodeResponse): res is Http2Response {
  const { stream } = res as Partial<Http2Response>
  return stream !== undefined && handleOf(stream) !== undefined
}

export function holdHttp2(res: Http2Response, holder: Holder): HeldResponse {
  return new HeldHttp2(res, holder)
}

class HeldHttp2 implements HeldResponse {
  isReleased = false
  readonly #res: Http2Response
  readonly #stream: Http2Stream
  readonly #holder: Holder
  readonly #respond: Respond
  /** Those that were set before the head: `writeHead` may put others in their place, and they stay. */
  #cookies: readonly string[] = []
  #unwatch: () => void
  #isDestroyed = false
  /** To be called when nghttp2 has the end. */
  #onEnd = (): void => {}

  constructor(res: Http2Response, holder: Holder) {
    const { stream, writeHead } = res
    this.#res = res
    this.#stream = stream
    this.#holder = holder
    this.#respond = stream.respond
    override(res, {
      writeHead: (...args: unknown[]) => {
        if (!stream.headersSent)
          this.#cookies = cookiesOf(res)
        return writeHead.apply(res, args)
      },
    })
    override(stream, { respond: (...args: Parameters<Respond>) => this.#begin(args) })
    this.#unwatch = respondBeforeBytes(stream)
    for (const name of ['respondWithFile', 'respondWithFD'] as const) {
      const respondWith = stream[name]
      override(stream, {
        [name]: (file: unknown, headers?: RawHeaders, options?: unknown) =>
          this.#sendFile(headers, headers => respondWith.call(stream, file, headers, options)),
      })
    }
  }

  get #canBegin(): boolean {
    const { headersSent, destroyed, closed } = this.#stream
    return !headersSent && !destroyed && !closed
  }

  #begin(args: Parameters<Respond>): void {
    const canBegin = this.#canBegin
    const flushed = canBegin ? this.#holder.flush() : undefined
    if (flushed)
      this.#hold(flushed, args)
    else if (canBegin)
      this.#send(args, this.#respond)
    else
      this.#respond.apply(this.#stream, args)
  }

  #hold(flushed: Promise<void>, args: Parameters<Respond>): void {
    const stream = this.#stream
    const part = new Part(this.#res, error => stream.destroy(error))
    this.#unwatch()
    part.attach(OutputBuffer.of(stream, () => this.#res))
    try {
      this.#takeHead(args)
    }
    catch (error) {
      part.release()
      this.#unwatch = respondBeforeBytes(stream)
      // What answers in its place waits as well.
      flushed.catch(() => {})
      throw error
    }
    this.#onEnd = closeBehindEnd(stream)
    // While it was held the session could still change: look once more. What listeners throw is not ours to catch.
    flushed.then(() => this.#holder.flush()).then(
      () => queueMicrotask(() => part.attempt(() => this.#release(() => {
        this.#send(args, this.#respondLate)
        part.release()
      }))),
      error => queueMicrotask(() => part.attempt(() => this.#release(() => this.#fail(part, args, error)))),
    )
  }

  /** Lets Node check the headers and take them as sent. */
  #takeHead(args: Parameters<Respond>): void {
    pretend(handleOf(this.#stream)!, { respond: () => 0 }, () => this.#respond.apply(this.#stream, args))
  }

  /** Answers on the stream as it was when nothing had been sent and nobody had ended it. */
  #release(answer: () => void): void {
    const stream = this.#stream
    this.isReleased = true
    // Its client has gone.
    if (!handleOf(stream))
      return
    this.#isDestroyed = stream.destroyed
    pretend(stream, { destroyed: false, closed: false }, answer)
  }

  #send([headers, options]: Parameters<Respond>, respond: Respond): void {
    const head = new Http2Head(headers)
    this.#complete(head)
    this.isReleased = true
    respond.call(this.#stream, head.fields, options)
  }

  /** Sends headers that Node has taken as sent. */
  readonly #respondLate: Respond = (headers, options) => {
    const stream = this.#stream
    const { ':status': status } = headers as Http2Head['fields']
    const endStream = options?.endStream === true || stream.headRequest === true || BODILESS.has(Number(status))
    // Node has seen the end already: only trailers tell it when that leaves. A stream that is destroyed asks nobody for them, and would wait.
    const late = { ...options, endStream, waitForTrailers: !this.#isDestroyed }
    const { sendTrailers } = stream
    override(stream, {
      sendTrailers: (trailers: object) => {
        sendTrailers.call(stream, trailers)
        this.#onEnd()
      },
    })
    pretend(stream, { headersSent: false, end: () => stream }, () => this.#respond.call(stream, headers, late))
    if (endStream)
      this.#onEnd()
  }

  #complete(head: Http2Head): void {
    const all = head.getSetCookie()
    prependCookies(head, this.#cookies.filter(line => !all.includes(line)))
    this.#holder.finish(head)
  }

  #fail(part: Part, [headers, options]: Parameters<Respond>, error: unknown): void {
    const stream = this.#stream
    const { sendTrailers } = stream
    const { head, bytes } = this.#toError(headers, error)
    // The other trailers are dropped too.
    override(stream, { sendTrailers: () => sendTrailers.call(stream, {}) })
    this.#respondLate(head.fields, { ...options, endStream: false })
    part.replace(stream.headRequest ? new Uint8Array() : bytes)
    stream.end()
  }

  #toError(headers: RawHeaders | undefined, error: unknown): { head: Http2Head, bytes: Uint8Array } {
    const { statusCode, body } = this.#holder.toErrorResponse(error)
    const bytes = toUtf8(body)
    const head = new Http2Head(headers)
    head.set(':status', String(statusCode))
    this.#complete(head)
    describeErrorBody(head, bytes.length)
    return { head, bytes }
  }

  /** Node sends a file past every buffer: it begins when there is nothing left to wait for. */
  #sendFile(headers: RawHeaders | undefined, send: Respond): void {
    const canBegin = this.#canBegin
    const flushed = canBegin ? this.#holder.flush() : undefined
    if (flushed)
      this.#holdFile(flushed, headers, send)
    else if (canBegin)
      this.#send([headers], send)
    else
      send(headers)
  }

  #holdFile(flushed: Promise<void>, headers: RawHeaders | undefined, send: Respond): void {
    const stream = this.#stream
    // To its handler the response has begun, and Node will end it.
    const restore = override(stream, { headersSent: true, end: () => stream })
    const attempt = (act: () => void): void => {
      restore()
      this.isReleased = true
      try {
        act()
      }
      catch (error) {
        stream.destroy(error)
      }
    }
    flushed.then(() => this.#holder.flush()).then(
      () => attempt(() => this.#send([headers], send)),
      error => attempt(() => {
        const { head, bytes } = this.#toError(headers, error)
        this.#respond.call(stream, head.fields)
        stream.end(bytes)
      }),
    )
  }
}
