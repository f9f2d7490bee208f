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
  const prefix = base ? `${base}:` : ''
  const attempts = new Attempts(timeout, (isSilent) => {
    const texts = textsOf(mounts, prefix)
    if (isSilent)
      tellAway(texts, `no answer within ${timeout} ms`)
    else if (!texts?.outage?.())
      texts?.notice.back()
  })
  /** Where our records are now; the app may mount anew. */
  const locate = (): Place | Promise<Place> => {
    const { base, driver } = mounts.getMount(prefix)
    const at = prefix.slice(base.length)
    return whenThere(whenThere(driver, openTexts), texts => ({ texts, at }))
  }
  /**
   * One operation. Storage may be back a moment after it went away, so it is waited for, yet no
   * longer than the timeout since then: who comes later is answered at once.
   */
  const attempt = <T>(action: Action, key: string, operation: () => T | PromiseLike<T>): T | Promise<T> => {
    const texts = textsOf(mounts, prefix)
    const outage = texts?.outage?.() ?? 0
    if (outage < timeout)
      return attempts.run(action, key, operation, Math.ceil(timeout - outage))
    tellAway(texts, 'no connection')
    throw storageError(action, new Error(`Storage has been away for ${Math.round(outage)} ms.`))
  }
  const run = async <T>(action: Action, key: string, operation: (place: Place) => T | Promise<T>): Promise<T> =>
    attempt(action, key, () => whenThere(locate(), operation))
  /** Compare-and-set of the driver's storage, or else as two operations. */
  const compareAndSet = ({ texts, at }: Place, key: string, revision: string | undefined, text: string | undefined, ttl: number): boolean | Promise<boolean> => {
    const action = text === undefined ? 'removing' : 'writing'
    if (texts.compareAndSet)
      return attempt(action, key, () => texts.compareAndSet!(at + key, revision, text, ttl))
    const write = (): unknown => text === undefined ? texts.delete(at + key) : texts.set(at + key, text, ttl)
    return whenThere(attempt('reading', key, () => texts.get(at + key)), stored =>
      isAtRevision(stored, revision) && whenThere(attempt(action, key, write), () => true))
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

/** Loads the driver of a mount, and lets its client connect; resolves before that is done. What keeps it from working is told. */
export async function openMount(mounts: Mounts, base: string): Promise<void> {
  try {
    const texts = await whenThere(mounts.getMount(`${base}:`).driver, openTexts)
    await texts.check?.()
  }
  catch (error) {
    console.error('[unsession] The session storage cannot be opened:', error)
  }
}

/** Ends the attempts to reach storage that is away, which would keep the process alive. */
export function giveUpMount(mounts: Mounts, base: string): void {
  textsOf(mounts, `${base}:`)?.giveUp?.()
}

/** The texts of the driver that is mounted now, where it was opened. */
function textsOf(mounts: Mounts, prefix: string): TextStorage | undefined {
  const { driver } = mounts.getMount(prefix)
  const texts = isPromise(driver) ? undefined : opened.get(driver)
  return isPromise(texts) ? undefined : texts
}

/** Unless something is known that says more. */
function tellAway(texts: TextStorage | undefined, cause: string): void {
  if (texts && !texts.notice.isAway)
    texts.notice.away(cause)
}

const opened = new WeakMap<Driver, TextStorage | Promise<TextStorage>>()

/** The texts of a driver, whatever storage it is mounted in. */
function openTexts(driver: Driver): TextStorage | Promise<TextStorage> {
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
