import type { SessionStore } from '../types'
import { holderOf, lockWith } from '../lock'
import { andThen } from '../maybe'
import { CircuitBreaker } from './circuit-breaker'
import { storageError } from './storage-error'

/**
 * A store that an app wrote itself, held to what sessions rely on: whatever it fails with becomes
 * a `STORAGE_ERROR`, and no operation takes longer than the timeout.
 *
 * @param store what keeps the records
 * @param timeout milliseconds that one operation may take
 */
export function createOwnStore(store: SessionStore, timeout: number): SessionStore {
  const own = guard(store, new CircuitBreaker(timeout))
  lockWith(own, () => holderOf(store))
  return own
}

function guard(store: SessionStore, breaker: CircuitBreaker): SessionStore {
  return {
    // Clients of databases say null for what is missing.
    get: key => andThen(breaker.run('reading', key, () => store.get(key)), value => value ?? undefined),
    set: (key, record, ttl) => breaker.run('writing', key, () => store.set(key, record, ttl)),
    delete: key => breaker.run('removing', key, () => store.delete(key)),
    ...(store.compareAndSet && { compareAndSet: (key, revision, record, ttl) => breaker.run(record ? 'writing' : 'removing', key, () => store.compareAndSet!(key, revision, record, ttl)) }),
    ...(store.keys && { keys: now => listed(store, now) }),
    ...(store.dropsExpired && { dropsExpired: () => breaker.run('reading', '', () => store.dropsExpired!()) }),
  }
}

async function* listed(store: SessionStore, now: number): AsyncIterable<readonly string[]> {
  try {
    yield* store.keys!(now)
  }
  catch (cause) {
    throw storageError('listing', cause)
  }
}
