import type { RawHeaders } from './http2-head'
import type { Sink } from './output-buffer'
import { define } from './pretend'

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

const WRITES = ['_write', '_writev'] as const

/** What Node keeps of nghttp2 behind a symbol; nothing once the stream is over. */
export function handleOf(stream: object): { respond?: unknown } | undefined {
  const symbol = Object.getOwnPropertySymbols(stream).find(({ description }) => description === 'kHandle')
  return symbol && (stream as Record<symbol, object | undefined>)[symbol]
}

/** Bytes alone start a response as well: Node would answer past `respond`. Gives what undoes it. */
export function respondBeforeBytes(stream: Http2Stream): () => void {
  const undo = (): void => WRITES.forEach(name => Reflect.deleteProperty(stream, name))
  for (const name of WRITES) {
    define(stream, name, (...args: unknown[]) => {
      undo()
      if (!stream.headersSent)
        stream.respond()
      Reflect.apply(stream[name] as () => void, stream, args)
    })
  }
  return undo
}

/** Keeps Node, which takes the end of a stream as gone, from closing it before that has left. Gives what lets it. */
export function closeBehindEnd(stream: Http2Stream): () => void {
  const { close } = stream
  let closeNow = (): void => {}
  define(stream, 'close', (code = 0, onClose?: () => void) => {
    if (code !== 0 || !stream.writableEnded)
      close.call(stream, code, onClose)
    else
      closeNow = () => close.call(stream, code, onClose)
  })
  // What nghttp2 was given leaves a moment later: for a stream that is over by then it would send empty frames without end.
  return () => setImmediate(() => setImmediate(() => {
    Reflect.deleteProperty(stream, 'close')
    closeNow()
  }))
}
