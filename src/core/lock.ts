import type { Maybe } from './maybe'
import { Turns } from './turns'

/** Runs tasks of the same key one after the other, tasks of different keys side by side. */
export interface KeyedLock {
  run<T>(key: string, task: () => Maybe<T>): Maybe<T>
}

const locks = new WeakMap<object, KeyedLock>()
const holders = new WeakMap<object, () => object>()

/** The one lock in this process of the records that a store has, whatever other stores have them too. */
export function lockOf(store: object): KeyedLock {
  return holders.has(store) ? { run: (key, task) => lockAt(holderOf(store)).run(key, task) } : lockAt(store)
}

/** What holds the records of a store now. */
export function holderOf(store: object): object {
  return holders.get(store)?.() ?? store
}

/** Gives a store the lock of what holds its records, such as a driver: other stores may have them there as well. */
export function lockWith(store: object, holder: () => object): void {
  holders.set(store, holder)
}

function lockAt(holder: object): KeyedLock {
  const lock = locks.get(holder) ?? createKeyedLock()
  locks.set(holder, lock)
  return lock
}

/** Inside one process. Holds nothing for a key that nobody uses. */
export function createKeyedLock(): KeyedLock {
  const inUse = new Map<string, Turns>()
  return {
    run(key, task) {
      let turns = inUse.get(key)
      if (!turns) {
        turns = new Turns(() => inUse.delete(key))
        inUse.set(key, turns)
      }
      return turns.take(task)
    },
  }
}
