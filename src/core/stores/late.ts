import type { Maybe } from '../maybe'
import type { SessionStore } from '../types'
import { holderOf, lockWith } from '../lock'
import type { Action } from './storage-error'
import { CircuitBreaker } from './circuit-breaker'
import { setAfterReading } from './set-after-reading'

/**
 * Opens what is still being made when it is first asked for. Operations wait for it, no longer
 * than for storage that does not answer.
 *
 * @param made what is to be opened, or fails to be there
 * @param open is called once
 * @param timeout milliseconds that an operation may wait
 */
export function opener<T, S>(made: PromiseLike<T>, open: (made: T) => S, timeout: number): (action: Action, key: string) => Maybe<S> {
  const breaker = new CircuitBreaker(timeout)
  let opened: S | undefined
  return (action, key) => opened ?? breaker.run(action, key, () => promiseOf(made).then(value => opened ??= open(value)))
}

const promises = new WeakMap<object, Promise<unknown>>()

/** The promise of what is being made. What only has a `then` may make another thing each time that is called. */
export function promiseOf<T>(made: PromiseLike<T>): Promise<T> {
  const promise = promises.get(made) as Promise<T> | undefined ?? Promise.resolve(made)
  promises.set(made, promise)
  return promise
}

/** A store that is still being made; the parameters are those of {@link opener}. */
export function createLateStore<T>(made: PromiseLike<T>, open: (made: T) => SessionStore, timeout: number): SessionStore {
  let store: SessionStore | undefined
  const opened = opener(made, value => store = open(value), timeout)
  const late: SessionStore = {
    get: async key => (await opened('reading', key)).get(key),
    set: async (key, record, ttl) => (await opened('writing', key)).set(key, record, ttl),
    delete: async key => (await opened('removing', key)).delete(key),
    async compareAndSet(key, revision, record, ttl) {
      const store = await opened(record ? 'writing' : 'removing', key)
      return store.compareAndSet ? store.compareAndSet(key, revision, record, ttl) : setAfterReading(store, key, revision, record, ttl)
    },
    async* keys(now) {
      yield* (await opened('listing', '')).keys?.(now) ?? []
    },
    dropsExpired: async () => await (await opened('reading', '')).dropsExpired?.() ?? false,
  }
  // An id is read before anything is written to its record, so whoever writes finds the store.
  lockWith(late, () => store ? holderOf(store) : late)
  return late
}
