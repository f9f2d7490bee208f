/** Runs tasks of the same key one after the other, tasks of different keys side by side. */
export interface KeyedLock {
  run<T>(key: string, task: () => Promise<T>): Promise<T>
}

const locks = new WeakMap<object, KeyedLock>()

/** The one lock of a store in this process, whoever uses the store. */
export function lockOf(store: object): KeyedLock {
  const lock = locks.get(store) ?? createKeyedLock()
  locks.set(store, lock)
  return lock
}

/** Gives a store the lock of the storage that it is made of: other stores may be made of it as well. */
export function shareLock(store: object, storage: object): void {
  locks.set(store, lockOf(storage))
}

/** Inside one process. Holds nothing for a key that nobody uses. */
export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<void>>()
  return {
    run(key, task) {
      const before = tails.get(key)
      const result = before ? before.then(task) : task()
      const end = (): void => {
        if (tails.get(key) === tail)
          tails.delete(key)
      }
      const tail = result.then(end, end)
      tails.set(key, tail)
      return result
    },
  }
}
