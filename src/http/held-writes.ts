/** One chunk on its way out of a stream. */
export interface Piece { chunk: string | Uint8Array, encoding: string }

type Done = (error?: Error | null) => void

/** What implements a writable stream of Node: the socket of a response, or its HTTP/2 stream. */
export interface Sink {
  _write(chunk: Piece['chunk'], encoding: string, done: Done): void
  _writev?(pieces: Piece[], done: Done): void
  _final?(done: Done): void
  once(event: 'close', listener: () => void): unknown
  off(event: 'close', listener: () => void): unknown
}

/** Changes chunks on their way; true when it has seen what it was waiting for. */
export type Edit = (pieces: Piece[]) => boolean

interface Held { pass(): void, drop(): void }

/**
 * Keeps the bytes of a stream from leaving it. To whoever writes it is a stream whose reader is
 * slow: Node itself keeps what is written, tells the writer to wait, and calls back when the
 * bytes have left.
 */
export class HeldWrites {
  #sink: Sink | undefined
  #native: Pick<Sink, '_write' | '_writev' | '_final'> | undefined
  #ours: Sink['_write'] | undefined
  /** Node waits for one write at a time, and then for the end. */
  #kept: Held | undefined
  #edit: Edit | undefined
  #substitute: { bytes: Uint8Array, done: () => void } | undefined
  #isDropped = false

  /** @param isEndHeld true where the end of the stream is the end of the response */
  attach(sink: Sink, isEndHeld = false): void {
    const { _write, _writev, _final } = sink
    this.#sink = sink
    this.#native = { _write, ..._writev && { _writev }, ..._final && { _final } }
    this.#ours = sink._write = (chunk, encoding, done) => this.#keepPieces([{ chunk, encoding }], done)
    if (_writev)
      sink._writev = (pieces, done) => this.#keepPieces(pieces, done)
    if (_final && isEndHeld) {
      const end = (done: Done): void => _final.call(sink, done)
      sink._final = done => this.#keep({ pass: () => end(done), drop: () => end(done) })
    }
    // Node calls back for what was on its way when its stream was closed.
    sink.once('close', this.#drop)
    if (this.#substitute)
      this.#send(this.#substitute)
  }

  /** Lets everything leave; `edit` sees it first, until it has seen what it was waiting for. */
  release(edit: Edit = () => true): void {
    this.#edit = edit
    this.#take()?.pass()
  }

  /**
   * Sends other bytes. All that was kept, and all that follows until `stop`, is dropped as if it had left.
   *
   * @param done called when the bytes have left
   */
  replace(bytes: Uint8Array, done: () => void): void {
    this.#substitute = { bytes, done }
    if (this.#sink)
      this.#send(this.#substitute)
  }

  /** Gives the stream back to Node. */
  stop(): void {
    const sink = this.#sink
    sink?.off('close', this.#drop)
    if (sink && sink._write === this.#ours)
      Object.assign(sink, this.#native)
  }

  #send({ bytes, done }: { bytes: Uint8Array, done: () => void }): void {
    this.#native!._write.call(this.#sink, bytes, 'buffer', () => {
      this.#drop()
      done()
    })
  }

  readonly #drop = (): void => {
    this.#isDropped = true
    this.#take()?.drop()
  }

  #take(): Held | undefined {
    const kept = this.#kept
    this.#kept = undefined
    return kept
  }

  #keepPieces(pieces: Piece[], done: Done): void {
    this.#keep({ pass: () => this.#pass(pieces, done), drop: done })
  }

  #keep(held: Held): void {
    if (this.#isDropped)
      held.drop()
    else if (this.#edit)
      held.pass()
    else
      this.#kept = held
  }

  #pass(pieces: Piece[], done: Done): void {
    const { _write, _writev } = this.#native!
    if (this.#edit!(pieces))
      this.stop()
    if (pieces.length === 1)
      _write.call(this.#sink, pieces[0]!.chunk, pieces[0]!.encoding, done)
    else
      _writev!.call(this.#sink, pieces, done)
  }
}
