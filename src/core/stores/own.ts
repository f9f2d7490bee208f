import type { SessionStore } from '../types'
import { holderOf, lockWith } from '../lock'
import { Attempts, storageError } from './attempt'

/**
 * A store that an app wrote itself, held to what sessions rely on: whatever it fails with becomes
 * a `STORAGE_ERROR`, and no operation takes longer than the timeout.
 *
 * @param store what keeps the records
 * @param timeout milliseconds that one operation may take
 */
export function createOwnStore(store: SessionStore, timeout: number): SessionStore {
  const attempts = new Attempts(timeout)
  const own: SessionStore = {
    // Clients of databases say null for what is missing.
    get: async key => await attempts.run('reading', key, () => store.get(key)) ?? undefined,
    set: async (key, record, ttl) => attempts.run('writing', key, () => store.set(key, record, ttl)),
    delete: async key => attempts.run('removing', key, () => store.delete(key)),
  }
  if (store.compareAndSet)
    own.compareAndSet = async (key, revision, record, ttl) => attempts.run(record ? 'writing' : 'removing', key, () => store.compareAndSet!(key, revision, record, ttl))
  if (store.keys)
    own.keys = now => listed(store, now)
  if (store.dropsExpired)
    own.dropsExpired = async () => attempts.run('reading', '', () => store.dropsExpired!())
  lockWith(own, () => holderOf(store))
  return own
}

async function* listed(store: SessionStore, now: number): AsyncIterable<readonly string[]> {
  try {
    yield* store.keys!(now)
  }
  catch (cause) {
    throw storageError('listing', cause)
  }
}
