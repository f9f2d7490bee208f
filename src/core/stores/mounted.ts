import type { SessionStore } from '../types'
import type { Driver, TextStorage } from './driver'
import { lockWith } from '../lock'
import { isSessionError } from '../errors'
import { type Action, Attempts, storageError } from './attempt'
import { isPromise, whenThere } from '../value'
import { createDriverStorage } from './driver'
import { createFileStorage } from './files'
import { createRedisStorage } from './redis'
import { fromText, isAtRevision, toText } from './text'

/** What knows the driver of each key; a storage of unstorage does, in both major versions. */
export interface Mounts {
  getMount(key: string): { base: string, driver: Driver | Promise<Driver> }
}

export interface UnstorageStoreOptions {
  /** Where in the storage the records are, for example `session`; empty for all of it. */
  base: string
  /** Milliseconds that one operation may take. */
  timeout: number
}

/** The mount that holds our records, and what their keys begin with there. */
interface Place {
  texts: TextStorage
  at: string
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
export function createMountedStore(mounts: Mounts, { base, timeout }: UnstorageStoreOptions): SessionStore {
  const attempts = new Attempts(timeout)
  const prefix = base ? `${base}:` : ''
  /** Where our records are now; the app may mount anew. */
  const locate = (): Place | Promise<Place> => {
    const { base, driver } = mounts.getMount(prefix)
    const at = prefix.slice(base.length)
    return whenThere(whenThere(driver, open), texts => ({ texts, at }))
  }
  const run = async <T>(action: Action, key: string, operation: (place: Place) => T | Promise<T>): Promise<T> =>
    attempts.run(action, key, () => whenThere(locate(), operation))
  /** Compare-and-set of the driver's storage, or else as two operations. */
  const compareAndSet = ({ texts, at }: Place, key: string, revision: string | undefined, text: string | undefined, ttl: number): boolean | Promise<boolean> => {
    const action = text === undefined ? 'removing' : 'writing'
    if (texts.compareAndSet)
      return attempts.run(action, key, () => texts.compareAndSet!(at + key, revision, text, ttl))
    const write = (): unknown => text === undefined ? texts.delete(at + key) : texts.set(at + key, text, ttl)
    return whenThere(attempts.run('reading', key, () => texts.get(at + key)), stored =>
      isAtRevision(stored, revision) && whenThere(attempts.run(action, key, write), () => true))
  }
  const store: SessionStore = {
    get: key => run('reading', key, ({ texts, at }) => whenThere(texts.get(at + key), fromText)),
    set: (key, record, ttl) => run('writing', key, async ({ texts, at }) => {
      await texts.set(at + key, toText(record), ttl)
    }),
    delete: key => run('removing', key, async ({ texts, at }) => {
      await texts.delete(at + key)
    }),
    async compareAndSet(key, revision, record, ttl) {
      const text = record && toText(record)
      try {
        return await whenThere(locate(), place => compareAndSet(place, key, revision, text, ttl))
      }
      catch (cause) {
        throw isSessionError(cause) ? cause : storageError(record ? 'writing' : 'removing', cause)
      }
    },
    dropsExpired: async () => !(await locate()).texts.keys,
    async* keys(now) {
      try {
        const { texts, at } = await locate()
        for await (const lot of texts.keys?.(at, now) ?? [])
          yield lot.map(key => key.slice(at.length)).filter(key => OUR_KEY.test(key))
      }
      catch (cause) {
        throw storageError('listing', cause)
      }
    },
  }
  lockWith(store, () => {
    const { driver } = mounts.getMount(prefix)
    // Whoever loads a driver when it is first used has it alone.
    return isPromise(driver) ? mounts : driver
  })
  return store
}

const opened = new WeakMap<Driver, TextStorage | Promise<TextStorage>>()

/** The texts of a driver, whatever storage it is mounted in. */
function open(driver: Driver): TextStorage | Promise<TextStorage> {
  const texts = opened.get(driver)
  if (texts)
    return texts
  const opening = createTextStorage(driver).then((texts) => {
    opened.set(driver, texts)
    return texts
  })
  opened.set(driver, opening)
  // A client that could not be loaded may be there the next time.
  opening.catch(() => opened.delete(driver))
  return opening
}

async function createTextStorage(driver: Driver): Promise<TextStorage> {
  return await createRedisStorage(driver) ?? createFileStorage(driver) ?? createDriverStorage(driver)
}
