import { type Done, PretendedWrite } from './pretended-write'
import { Part } from './output-part'
import { override, pretend } from './override'

type Chunk = string | Uint8Array
interface Written { chunk: Chunk, encoding: string }

/** What implements a stream of Node: the socket of a response, or its HTTP/2 stream. */
export interface Sink {
  _write(chunk: Chunk, encoding: string, done: Done): void
  _writev?(chunks: Written[], done: Done): void
  _final(done: Done): void
  _destroy(error: Error | null, done: Done): void
  /** Of a connection: where its bytes come from. */
  readonly _handle?: { readStop?(): unknown, readStart?(): unknown } | null
  /** Of HTTP/2. */
  readonly session?: { readonly destroyed: boolean } | undefined
  readonly closed?: boolean
}

/** A writer that is further ahead than this is told to wait. */
const MAX_BYTES = 1024 * 1024

/** What a client takes at first (RFC 9113, section 6.9.2). */
const MAX_HTTP2_BYTES = 65_535

/** For so many milliseconds a stream that is destroyed is kept for what has not left. */
const GRACE = 30_000

/** The end of a stream that still has something to send. */
interface Destruction {
  readonly destroy: () => void
  /** Gives it up. */
  readonly grace: NodeJS.Timeout
}

const buffers = new WeakMap<Sink, OutputBuffer>()

/**
 * Takes the bytes of a stream, as the kernel does, and lets them leave in their order when they
 * may. To whoever writes they have been sent: Node calls back, tells that all is finished and
 * goes on with the next response. What ends the stream waits as well.
 */
export class OutputBuffer {
  readonly #sink: Sink
  readonly #writer: () => object | undefined
  /** Gives the stream its own methods back. */
  readonly #restore: () => void
  readonly #write: Sink['_write']
  /** nghttp2 takes bytes a moment later, the kernel at once. */
  readonly #isHttp2: boolean
  readonly #parts: Part[] = []
  readonly #pretended: PretendedWrite
  #size = 0
  #isSending = false
  #isEnded = false
  /** Of a write that has to wait. */
  #waiting: Done | undefined
  #end: (() => void) | undefined
  #destruction: Destruction | undefined

  /** @param writer tells which response writes now */
  static of(sink: Sink, writer: () => object | undefined): OutputBuffer {
    const buffer = buffers.get(sink) ?? new OutputBuffer(sink, writer)
    buffers.set(sink, buffer)
    return buffer
  }

  private constructor(sink: Sink, writer: () => object | undefined) {
    const { _write, _final, _destroy } = sink
    this.#sink = sink
    this.#writer = writer
    this.#write = _write
    this.#isHttp2 = 'session' in sink
    this.#pretended = new PretendedWrite(this.#isHttp2)
    this.#restore = override(sink, {
      _write: (chunk: Chunk, encoding: string, done: Done) => this.#take([{ chunk, encoding }], done),
      _writev: (chunks: Written[], done: Done) => this.#take(chunks, done),
      _final: (done: Done) => this.#finishWith(() => _final.call(sink, this.#isHttp2 ? () => {} : done), done),
      _destroy: (error: Error | null, done: Done) => this.#destroyWith(() => _destroy.call(sink, error, done), isLost(sink, error)),
    })
  }

  add(part: Part): void {
    this.#parts.push(part)
    this.flush()
  }

  /** Lets leave what may, up to what may not. */
  flush(): void {
    if (!this.#isSending)
      this.#sendNext()
    const isLeaving = this.#isSending && (this.#isEnded || !this.#isHttp2)
    if (this.#destruction && !isLeaving && !this.#parts.some(({ isHeld }) => isHeld))
      this.#destroyNow(this.#destruction)
  }

  #sendNext(): void {
    for (let part = this.#parts[0]; part; part = this.#parts[0]) {
      if (part.isHeld)
        return
      const bytes = part.take()
      if (bytes) {
        this.#send(bytes)
        return
      }
      if (this.#parts.length === 1 && !part.isDone && part.owner === this.#writer()) {
        this.#goOn()
        return
      }
      this.#parts.shift()
    }
    this.#detach()
    this.#goOn()
  }

  #send(bytes: Buffer): void {
    this.#isSending = true
    const write = (): void => this.#write.call(this.#sink, bytes, 'buffer', (error) => {
      this.#isSending = false
      if (error)
        this.#parts.length = 0
      this.flush()
    })
    // Nothing is written on a stream of HTTP/2 that is destroyed.
    if (this.#destruction && this.#isHttp2)
      pretend(this.#sink, { destroyed: false }, write)
    else
      write()
  }

  /** Everything has left. */
  #goOn(): void {
    const [done, end] = [this.#waiting, this.#end]
    this.#waiting = this.#end = undefined
    this.#size = 0
    done?.()
    if (!end)
      return
    this.#sink._handle?.readStart?.()
    end()
  }

  #take(chunks: Written[], done: Done): void {
    const part = this.#partOf(this.#writer())
    for (const { chunk, encoding } of chunks) {
      // Whoever wrote it may change it now.
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding as BufferEncoding) : Buffer.from(chunk)
      this.#size += bytes.length
      part.push(bytes)
    }
    const isFull = this.#size > (this.#isHttp2 ? MAX_HTTP2_BYTES : MAX_BYTES)
    if (isFull)
      this.#waiting = done
    this.flush()
    if (!isFull)
      this.#pretended.begin(done)
  }

  /** What responses write that wait for nothing goes behind what is kept. */
  #partOf(owner: object = this.#sink): Part {
    const last = this.#parts.at(-1)
    if (last?.owner === owner)
      return last
    const part = new Part(owner)
    this.#parts.push(part)
    return part
  }

  #finishWith(end: () => void, done: Done): void {
    this.#end = end
    this.#isEnded = true
    // What follows on a connection that is to end would be done and never answered.
    this.#sink._handle?.readStop?.()
    this.flush()
    if (this.#isHttp2)
      done()
  }

  #destroyWith(destroy: () => void, isLost: boolean): void {
    this.#pretended.end()
    this.#sink._handle?.readStop?.()
    this.#destruction = { destroy, grace: setTimeout(() => this.#giveUp(), GRACE).unref() }
    // Nobody is there to read it.
    if (isLost)
      this.#parts.length = 0
    this.flush()
  }

  #giveUp(): void {
    this.#parts.length = 0
    this.#isSending = false
    this.flush()
  }

  #destroyNow({ destroy, grace }: Destruction): void {
    this.#destruction = undefined
    clearTimeout(grace)
    // nghttp2 sends what it was given a moment later.
    if (this.#isHttp2)
      setImmediate(() => setImmediate(destroy))
    else
      destroy()
  }

  #detach(): void {
    buffers.delete(this.#sink)
    this.#restore()
  }
}

/** True when a stream ends because its client has gone, or has reset it. */
function isLost({ session, closed }: Sink, error: Error | null): boolean {
  const { code } = Object(error) as { code?: unknown }
  return code === 'ECONNRESET' || code === 'EPIPE' || session?.destroyed === true || closed === true
}
