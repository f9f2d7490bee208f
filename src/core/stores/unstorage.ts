import type { SessionStore } from '../types'
import type { Driver, TextStorage } from './driver'
import { shareLock } from '../lock'
import { Attempts, storageError } from './attempt'
import { createDriverStorage } from './driver'
import { createFileStorage } from './files'
import { createRedisStorage } from './redis'
import { setAfterReading } from './set-after-reading'
import { fromText, toText } from './text'

/** The part of an unstorage `Storage` that is used; both major versions fit. */
export interface UnstorageLike {
  getMount(key: string): { base: string, driver: Driver | Promise<Driver> }
}

export interface UnstorageStoreOptions {
  /** Where in the storage the records are, for example `session`; empty for all of it. */
  base: string
  /** Milliseconds that one operation may take. */
  timeout: number
}

/** The last part of our keys; nothing else in the same storage is swept. */
const OUR_KEY = /^[\da-f]{64}$/

/**
 * Keeps records as JSON in any unstorage storage. It talks to the mounted driver itself:
 * `Storage.getItem` drops `__proto__` keys, `getItemRaw` gives another type on every driver,
 * and both hide errors that the file system drivers return instead of throwing.
 *
 * With the drivers `redis`, `fs` and `fs-lite`, `compareAndSet` holds between processes. With
 * all others it reads and then writes, and holds while one writer at a time is let at a record,
 * as the session manager does within its process.
 */
export function createStorageStore(storage: UnstorageLike, { base, timeout }: UnstorageStoreOptions): SessionStore {
  const attempts = new Attempts(timeout)
  const known = new WeakMap<Driver, Promise<TextStorage>>()
  const locate = async (key: string): Promise<{ texts: TextStorage, key: string }> => {
    const fullKey = base ? `${base}:${key}` : key
    const mount = storage.getMount(fullKey)
    const driver = await mount.driver
    const texts = known.get(driver) ?? createTextStorage(driver)
    known.set(driver, texts)
    // A client that could not be loaded may be there the next time.
    texts.catch(() => known.delete(driver))
    return { texts: await texts, key: fullKey.slice(mount.base.length) }
  }
  const store: SessionStore = {
    get: key => attempts.run('reading', key, async () => {
      const at = await locate(key)
      return fromText(await at.texts.get(at.key))
    }),
    set: (key, record, ttl) => attempts.run('writing', key, async () => {
      const at = await locate(key)
      await at.texts.set(at.key, toText(record), ttl)
    }),
    delete: key => attempts.run('removing', key, async () => {
      const at = await locate(key)
      await at.texts.delete(at.key)
    }),
    async compareAndSet(key, revision, record, ttl) {
      const action = record ? 'writing' : 'removing'
      const { texts, key: at } = await locate(key).catch((cause) => {
        throw storageError(action, cause)
      })
      const { compareAndSet } = texts
      if (!compareAndSet)
        return setAfterReading(store, key, revision, record, ttl)
      return attempts.run(action, key, () => compareAndSet(at, revision, record && toText(record), ttl))
    },
    dropsExpired: async () => !(await locate('')).texts.keys,
    async* keys(now) {
      try {
        const at = await locate('')
        for await (const lot of at.texts.keys?.(at.key, now) ?? [])
          yield lot.map(key => key.slice(at.key.length)).filter(key => OUR_KEY.test(key))
      }
      catch (cause) {
        throw storageError('listing', cause)
      }
    },
  }
  shareLock(store, storage)
  return store
}

async function createTextStorage(driver: Driver): Promise<TextStorage> {
  return await createRedisStorage(driver) ?? createFileStorage(driver) ?? createDriverStorage(driver)
}
