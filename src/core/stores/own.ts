import type { Maybe } from '../maybe'
import type { SessionStore } from '../types'
import type { Action } from './storage-error'
import { holderOf, lockWith } from '../lock'
import { andThen } from '../maybe'
import { CircuitBreaker } from './circuit-breaker'
import { causeOf, Notice } from './notice'
import { storageError } from './storage-error'

/**
 * A store that an app wrote itself, held to what sessions rely on: whatever it fails with becomes
 * a `STORAGE_ERROR`, and no operation takes longer than the timeout.
 *
 * @param store what keeps the records
 * @param timeout milliseconds that one operation may take
 */
export function createOwnStore(store: SessionStore, timeout: number): SessionStore {
  const notice = new Notice('the store of the app', 'unknown')
  const breaker = new CircuitBreaker(timeout, {
    silent: isSilent => isSilent ? notice.away(`no answer within ${timeout} ms`) : notice.back(),
    failed: (action, cause) => notice.failed(action, causeOf(cause)),
  })
  const own = guard(store, (action, key, operation) => notice.watch(action, breaker.run(action, key, operation)))
  lockWith(own, () => holderOf(store))
  return own
}

type Run = <T>(action: Action, key: string, operation: () => T | PromiseLike<T>) => Maybe<T>

function guard(store: SessionStore, run: Run): SessionStore {
  return {
    // Clients of databases say null for what is missing.
    get: key => andThen(run('reading', key, () => store.get(key)), value => value ?? undefined),
    set: (key, record, ttl) => run('writing', key, () => store.set(key, record, ttl)),
    delete: key => run('removing', key, () => store.delete(key)),
    ...(store.compareAndSet && { compareAndSet: (key, revision, record, ttl) => run(record ? 'writing' : 'removing', key, () => store.compareAndSet!(key, revision, record, ttl)) }),
    ...(store.keys && { keys: now => listed(store, now) }),
    ...(store.dropsExpired && { dropsExpired: () => run('reading', '', () => store.dropsExpired!()) }),
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
