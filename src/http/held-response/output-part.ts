/** Changes a chunk on its way; `undefined` for one that is not what it is waiting for. */
export type Edit = (bytes: Buffer) => Buffer | undefined

/** The parts of a stream, in their order. */
interface Queue {
  add(part: Part): void
  /** Lets leave what may. */
  flush(): void
}

/** What one response has written, and what is to become of it. */
export class Part {
  readonly owner: object
  readonly #destroy: ((error: unknown) => void) | undefined
  #chunks: Buffer[] = []
  #buffer: Queue | undefined
  #edit: Edit | undefined
  #isHeld: boolean
  #isDropped = false

  /** @param destroy ends what cannot be answered */
  constructor(owner: object, destroy?: (error: unknown) => void) {
    this.owner = owner
    this.#isHeld = destroy !== undefined
    this.#destroy = destroy
  }

  get isHeld(): boolean {
    return this.#isHeld
  }

  /** True when nothing more has to be done about what follows. */
  get isDone(): boolean {
    return !this.#isHeld && !this.#isDropped && !this.#edit
  }

  /** From now on the bytes of its owner are kept. */
  attach(buffer: Queue): void {
    this.#buffer = buffer
    buffer.add(this)
  }

  /** Lets everything leave; `edit` sees it first, until it has seen what it is waiting for. */
  release(edit?: Edit): void {
    this.#isHeld = false
    this.#edit = edit
    this.#buffer?.flush()
  }

  /** Lets other bytes leave in place of all that its owner wrote and will write. */
  replace(bytes: Uint8Array): void {
    this.#isHeld = false
    this.#isDropped = true
    this.#chunks = [Buffer.from(bytes)]
    this.#buffer?.flush()
  }

  /** Does something for the response, which is dropped when that fails. */
  attempt(act: () => void): void {
    try {
      act()
    }
    catch (error) {
      this.#isHeld = false
      this.#isDropped = true
      this.#edit = undefined
      this.#chunks = []
      queueMicrotask(() => {
        this.#destroy?.(error)
        this.#buffer?.flush()
      })
    }
  }

  push(chunk: Buffer): void {
    if (!this.#isDropped)
      this.#chunks.push(chunk)
  }

  /** What can leave now. */
  take(): Buffer | undefined {
    if (this.#edit)
      this.attempt(() => this.#chunks = this.#chunks.map(chunk => this.#change(chunk)))
    const chunks = this.#chunks
    this.#chunks = []
    return chunks.length > 1 ? Buffer.concat(chunks) : chunks[0]
  }

  #change(chunk: Buffer): Buffer {
    const changed = this.#edit?.(chunk)
    if (changed)
      this.#edit = undefined
    return changed ?? chunk
  }
}
