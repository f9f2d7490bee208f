import type { SessionRecord, SessionStore } from '../../../src/core/types'
import type { Gate } from './stops'
import { SessionError } from '../../../src/core/errors'
import { Stops } from './stops'

export type StoreOperation = 'get' | 'set' | 'delete' | 'compareAndSet'

/** A store with compare-and-set, every step of which can be seen, held and made to fail. */
export class HeldStore implements SessionStore {
  /** What was asked for, and the answer. */
  readonly calls: { operation: StoreOperation, result: unknown }[] = []
  readonly #inner: SessionStore
  readonly #stops = new Stops<StoreOperation>()
  readonly #failing = new Set<StoreOperation>()
  #lostAnswers = 0
  /** When set, every comparison fails. */
  isAlwaysBeaten = false

  constructor(inner: SessionStore) {
    this.#inner = inner
  }

  get(key: string): Promise<unknown> {
    return this.#step('get', async () => this.#inner.get(key))
  }

  set(key: string, record: SessionRecord, ttl: number): Promise<void> {
    return this.#step('set', async () => this.#inner.set(key, record, ttl))
  }

  delete(key: string): Promise<void> {
    return this.#step('delete', async () => this.#inner.delete(key))
  }

  compareAndSet(key: string, revision: string | undefined, record: SessionRecord | undefined, ttl: number): Promise<boolean> {
    return this.#step('compareAndSet', async () => {
      if (this.isAlwaysBeaten)
        return false
      const isDone = await this.#inner.compareAndSet!(key, revision, record, ttl)
      const isLost = isDone && this.#lostAnswers-- > 0
      return isDone && !isLost
    })
  }

  async* keys(now: number): AsyncGenerator<readonly string[]> {
    yield* this.#inner.keys?.(now) ?? []
  }

  /** Holds the next such operation, before it takes effect or before its answer arrives. */
  hold(operation: StoreOperation, when: 'before' | 'after' = 'before'): Gate {
    return this.#stops.hold(operation, when)
  }

  /** Makes every such operation fail until {@link HeldStore.repair}. */
  fail(operation: StoreOperation): void {
    this.#failing.add(operation)
  }

  repair(): void {
    this.#failing.clear()
  }

  /** The next comparisons that succeed answer that they did not, as when a client asks twice. */
  loseAnswers(count = 1): void {
    this.#lostAnswers = count
  }

  /** How often such an operation was answered so. */
  count(operation: StoreOperation, result?: unknown): number {
    return this.calls.filter(call => call.operation === operation && (result === undefined || call.result === result)).length
  }

  async #step<T>(operation: StoreOperation, act: () => Promise<T>): Promise<T> {
    const isFailing = this.#failing.has(operation)
    await this.#stops.pass(operation, 'before')
    if (isFailing)
      throw new SessionError('STORAGE_ERROR', `cannot ${operation}`)
    const result = await act()
    await this.#stops.pass(operation, 'after')
    this.calls.push({ operation, result })
    return result
  }
}
