import type { SessionRecord, SessionStore } from '../../../../src/core/types'
import { SessionError } from '../../../../src/core/errors'

export type Step = 'read' | 'write'

/** When an operation fails: before it takes effect, or after, so that only its answer is lost. */
export type Fault = 'before' | 'after'

/** Is told what a store does. */
export interface StoreWatcher {
  /** @param record what is stored from now on; `undefined` when it was removed */
  written(key: string, record: SessionRecord | undefined, before: SessionRecord | undefined): void
  failed(fault: Fault): void
}

/** A store in memory that can be slow and can fail. */
export class WalkStore implements SessionStore {
  readonly #texts = new Map<string, string>()
  /** The same, as it is looked at by the rules. */
  readonly #records = new Map<string, SessionRecord>()
  readonly #known = new Set<string>()
  readonly #watcher: StoreWatcher
  readonly #waiting: (() => void)[] = []
  #faults: { step: Step, fault: Fault }[] = []
  isSlow = false
  compareAndSet?: SessionStore['compareAndSet']

  constructor(watcher: StoreWatcher, canCompare: boolean) {
    this.#watcher = watcher
    if (canCompare) {
      this.compareAndSet = (key, revision, record) => this.#step('write', () => {
        if (this.find(key)?.revision !== revision)
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

  /** The record of a key, or what is left of a replaced id. */
  find(key: string): SessionRecord | undefined {
    return this.#records.get(key)
  }

  /** The record of a key, unless it is what is left of a replaced id. */
  live(key: string): SessionRecord | undefined {
    const record = this.find(key)
    return record?.isReplaced ? undefined : record
  }

  /** The keys of all records but of what is left of replaced ids. */
  liveKeys(): string[] {
    return [...this.#texts.keys()].filter(key => this.live(key))
  }

  /** True when there ever was a record under a key. */
  hasKnown(key: string): boolean {
    return this.#known.has(key)
  }

  fail(step: Step, fault: Fault, count: number): void {
    for (let n = 0; n < count; n++)
      this.#faults.push({ step, fault })
  }

  repair(): void {
    this.#faults = []
  }

  get isFaulty(): boolean {
    return this.#faults.length > 0
  }

  /** Lets one operation that waits go on: the oldest is number 0. */
  release(number: number): void {
    this.#waiting.splice(number % this.#waiting.length, 1).forEach(resolve => resolve())
  }

  releaseAll(): void {
    this.#waiting.splice(0).forEach(resolve => resolve())
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  async #step<T>(step: Step, act: () => T): Promise<T> {
    const index = this.#faults.findIndex(fault => fault.step === step)
    const [fault] = index < 0 ? [] : this.#faults.splice(index, 1)
    if (this.isSlow)
      await this.#wait()
    if (fault)
      this.#watcher.failed(fault.fault)
    if (fault?.fault === 'before')
      throw new SessionError('STORAGE_ERROR', 'The storage fails.')
    const result = act()
    if (this.isSlow)
      await this.#wait()
    if (fault)
      throw new SessionError('STORAGE_ERROR', 'The storage lost the answer.')
    return result
  }

  #wait(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve))
  }

  #read(key: string): unknown {
    const text = this.#texts.get(key)
    return text === undefined ? undefined : JSON.parse(text)
  }

  #write(key: string, record: SessionRecord | undefined): void {
    const before = this.find(key)
    if (record) {
      const text = JSON.stringify(record)
      this.#texts.set(key, text)
      this.#records.set(key, JSON.parse(text) as SessionRecord)
    }
    else {
      this.#texts.delete(key)
      this.#records.delete(key)
    }
    this.#watcher.written(key, record, before)
    if (record)
      this.#known.add(key)
  }
}
