import type { Maybe } from '../maybe'
import type { MaybeStore, SessionStore } from '../types'

/** A store as those use it who await every answer. */
export function promised({ get, set, delete: remove, compareAndSet, keys, dropsExpired }: MaybeStore): SessionStore {
  return {
    get: key => promise(() => get(key)),
    set: (key, record, ttl) => promise(() => set(key, record, ttl)),
    delete: key => promise(() => remove(key)),
    ...(compareAndSet && { compareAndSet: (key, revision, record, ttl) => promise(() => compareAndSet(key, revision, record, ttl)) }),
    ...(keys && { keys }),
    ...(dropsExpired && { dropsExpired: () => promise(dropsExpired) }),
  }
}

function promise<T>(ask: () => Maybe<T>): Promise<T> {
  try {
    return Promise.resolve(ask())
  }
  catch (error) {
    return Promise.reject(error)
  }
}
