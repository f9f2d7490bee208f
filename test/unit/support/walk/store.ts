import type { SessionRecord, SessionStore } from '../../../../src/core/types'
import { SessionError } from '../../../../src/core/errors'
import { parseStored } from '../../../../src/core/record'

export type Step = 'read' | 'write'

/** When an operation fails: before it takes effect, or after, so that only its answer is lost. */
export type Fault = 'before' | 'after'

/** What a write did to a record. */
interface Effect {
  /** The number of the request that did it. */
  by: number
  record: SessionRecord | undefined
}

type OnWrite = (key: string, by: number, before: SessionRecord | undefined, record: SessionRecord | undefined) => void

/** What happened to one key, in order. */
interface History {
  effects: Effect[]
}

/** A store in memory that can be slow and can fail, and that knows who did what. */
export class WalkStore implements SessionStore {
  readonly #texts = new Map<string, string>()
  readonly #histories = new Map<string, History>()
  /** Every value that was ever stored. */
  readonly stored = new Set<unknown>()
  /** The numbers of the requests that lost an answer. */
  readonly losers = new Set<number>()
  readonly #by: () => number
  readonly #onViolation: (what: string) => void
  readonly #onWrite: OnWrite
  readonly #waiting: (() => void)[] = []
  #faults: { step: Step, fault: Fault }[] = []
  isSlow = false
  compareAndSet?: SessionStore['compareAndSet']

  /**
   * @param by the number of the request that runs
   * @param onViolation is told when a session comes back that had ended
   * @param onWrite is told of every write that takes effect
   * @param canCompare false for a store without compare-and-set
   */
  constructor(by: () => number, onViolation: (what: string) => void, onWrite: OnWrite, canCompare: boolean) {
    this.#by = by
    this.#onViolation = onViolation
    this.#onWrite = onWrite
    if (canCompare) {
      this.compareAndSet = (key, revision, record) => this.#step('write', () => {
        if (parseStored(this.#read(key))?.revision !== revision)
          return false
        this.#write(key, record)
        return true
      })
    }
  }

  get(key: string): Promise<unknown> {
    return this.#step('read', () => this.#read(key))
  }

  set(key: string, record: SessionRecord): Promise<void> {
    return this.#step('write', () => this.#write(key, record))
  }

  delete(key: string): Promise<void> {
    return this.#step('write', () => this.#write(key, undefined))
  }

  /** The record of a key, unless it is what is left of a replaced id. */
  live(key: string): SessionRecord | undefined {
    const record = parseStored(this.#read(key))
    return record?.isReplaced ? undefined : record
  }

  /** The keys of all records but of what is left of replaced ids. */
  liveKeys(): string[] {
    return [...this.#texts.keys()].filter(key => this.live(key))
  }

  /** Who wrote or removed the record of a key first, or last. */
  writerOf(key: string, which: 'first' | 'last'): number | undefined {
    return this.#histories.get(key)?.effects.at(which === 'first' ? 0 : -1)?.by
  }

  fail(step: Step, fault: Fault, count: number): void {
    for (let n = 0; n < count; n++)
      this.#faults.push({ step, fault })
  }

  repair(): void {
    this.#faults = []
  }

  /** Lets operations that wait go on, the oldest first. */
  release(count = this.#waiting.length): void {
    this.#waiting.splice(0, count).forEach(resolve => resolve())
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  async #step<T>(step: Step, act: () => T): Promise<T> {
    const index = this.#faults.findIndex(fault => fault.step === step)
    const [fault] = index < 0 ? [] : this.#faults.splice(index, 1)
    await this.#wait()
    if (fault?.fault === 'before')
      throw new SessionError('STORAGE_ERROR', 'The storage fails.')
    const result = act()
    await this.#wait()
    if (fault) {
      this.losers.add(this.#by())
      throw new SessionError('STORAGE_ERROR', 'The storage lost the answer.')
    }
    return result
  }

  async #wait(): Promise<void> {
    if (this.isSlow)
      await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  #read(key: string): unknown {
    const text = this.#texts.get(key)
    return text === undefined ? undefined : JSON.parse(text)
  }

  #write(key: string, record: SessionRecord | undefined): void {
    const history = this.#histories.get(key) ?? { effects: [] }
    this.#histories.set(key, history)
    const last = history.effects.at(-1)
    if (record && !record.isReplaced && last && (!last.record || last.record.isReplaced))
      this.#onViolation('a session came back that had ended')
    history.effects.push({ by: this.#by(), record })
    this.#onWrite(key, this.#by(), last?.record, record)
    if (!record) {
      this.#texts.delete(key)
      return
    }
    this.#texts.set(key, JSON.stringify(record))
    for (const value of [...Object.values(record.data), ...Object.values(record.flash)])
      this.stored.add(value)
  }
}
