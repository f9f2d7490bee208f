import type { RawHeaders } from './http2-head'
import type { Sink } from './output-buffer'
import { override } from './override'

export type Respond = (headers?: RawHeaders, options?: { endStream?: boolean, waitForTrailers?: boolean }) => void
type RespondWith = (file: unknown, headers?: RawHeaders, options?: unknown) => void

/** The part of Node's `ServerHttp2Stream` that is used. */
export interface Http2Stream extends Sink {
  readonly destroyed: boolean
  readonly closed: boolean
  readonly headersSent: boolean
  readonly headRequest?: boolean
  readonly writableEnded: boolean
  respond: Respond
  respondWithFile: RespondWith
  respondWithFD: RespondWith
  sendTrailers(trailers: object): void
  end(bytes?: Uint8Array): unknown
  close(code?: number, onClose?: () => void): void
  destroy(error?: unknown): unknown
}

/** What Node keeps of nghttp2 behind a symbol; nothing once the stream is over. */
export function handleOf(stream: object): { respond?: unknown } | undefined {
  const symbol = Object.getOwnPropertySymbols(stream).find(({ description }) => description === 'kHandle')
  return symbol && (stream as Record<symbol, object | undefined>)[symbol]
}

/**
 * Has bytes that are written without a head begin the response by `respond`; Node would send a head of its own.
 *
 * @returns what ends that
 */
export function respondBeforeBytes(stream: Http2Stream): () => void {
  const write = (name: '_write' | '_writev') => (...args: unknown[]): void => {
    stop()
    if (!stream.headersSent)
      stream.respond()
    Reflect.apply(stream[name] as () => void, stream, args)
  }
  const stop = override(stream, { _write: write('_write'), _writev: write('_writev') })
  return stop
}

/**
 * Keeps Node, which takes the end of a stream as sent, from closing the stream before the end has left.
 *
 * @returns what is to be called when nghttp2 has the end
 */
export function closeBehindEnd(stream: Http2Stream): () => void {
  const { close } = stream
  let closeNow = (): void => {}
  const restore = override(stream, {
    close(code = 0, onClose?: () => void) {
      if (code !== 0 || !stream.writableEnded)
        close.call(stream, code, onClose)
      else
        closeNow = () => close.call(stream, code, onClose)
    },
  })
  // It sends a moment later, and sends empty frames without end for a stream that was closed by then.
  return () => setImmediate(() => setImmediate(() => {
    restore()
    closeNow()
  }))
}
