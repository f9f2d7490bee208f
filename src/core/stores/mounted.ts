import type { Maybe } from '../maybe'
import type { MaybeStore, SessionStore } from '../types'
import type { Driver, TextStorage } from './driver'
import { lockWith } from '../lock'
import { isPromise, whenThere } from '../value'
import { type Action, Attempts, storageError } from './attempt'
import { createDriverStorage } from './driver'
import { createFileStorage } from './files'
import { promised } from './promised'
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
export function createMountedStore(mounts: Mounts, options: UnstorageStoreOptions): SessionStore {
  const store = promised(createMaybeStore(mounts, options))
  lockWith(store, () => {
    const { driver } = mounts.getMount(options.base ? `${options.base}:` : '')
    // Whoever loads a driver when it is first used has it alone.
    return isPromise(driver) ? mounts : driver
  })
  return store
}

/** The store of {@link createMountedStore}: what the driver answers at once, it answers at once. */
export function createMaybeStore(mounts: Mounts, { base, timeout }: UnstorageStoreOptions): MaybeStore {
  const prefix = base ? `${base}:` : ''
  const attempts = new Attempts(timeout, (isSilent) => {
    const texts = textsOf(mounts.getMount(prefix).driver)
    if (isSilent)
      tellAway(texts, `no answer within ${timeout} ms`)
    else if (!texts?.outage?.())
      texts?.notice.back()
  })
  const openings = new Attempts(timeout)
  /**
   * One operation, on what is mounted now: the app may mount anew. Storage may be back a moment
   * after it went away, so it is waited for, yet no longer than the timeout since then: who comes
   * later is answered at once.
   */
  const run = <T>(action: Action, key: string, operation: (texts: TextStorage, name: string) => Maybe<T>): Maybe<T> => {
    const { base, driver } = mounts.getMount(prefix)
    const known = textsOf(driver)
    const outage = known?.outage?.() ?? 0
    if (outage < timeout)
      return attempts.run(action, key, () => whenThere(whenThere(driver, openTexts), texts => operation(texts, prefix.slice(base.length) + key)), Math.ceil(timeout - outage))
    tellAway(known, 'no connection')
    throw storageError(action, new Error(`Storage has been away for ${Math.round(outage)} ms.`))
  }
  /** Compare-and-set where the driver's storage has none. */
  const setAfterReading = (action: Action, key: string, revision: string | undefined, text: string | undefined, ttl: number): Maybe<boolean> =>
    whenThere(run('reading', key, (texts, name) => texts.get(name)), stored => isAtRevision(stored, revision)
      && run(action, key, (texts, name) => whenThere(text === undefined ? texts.delete(name) : texts.set(name, text, ttl), () => true)))
  return {
    get: key => run('reading', key, (texts, name) => whenThere(texts.get(name), fromText)),
    set: (key, record, ttl) => run('writing', key, (texts, name) => whenThere(texts.set(name, toText(record), ttl), () => {})),
    delete: key => run('removing', key, (texts, name) => whenThere(texts.delete(name), () => {})),
    compareAndSet(key, revision, record, ttl) {
      const action = record ? 'writing' : 'removing'
      const text = record && toText(record)
      return whenThere(openings.run(action, key, () => openMounted(mounts, prefix)), texts => texts.compareAndSet
        ? run(action, key, (texts, name) => texts.compareAndSet!(name, revision, text, ttl))
        : setAfterReading(action, key, revision, text, ttl))
    },
    dropsExpired: () => whenThere(openMounted(mounts, prefix), texts => !texts.keys),
    async* keys(now) {
      try {
        const texts = await openMounted(mounts, prefix)
        const at = prefix.slice(mounts.getMount(prefix).base.length)
        for await (const lot of texts.keys?.(at, now) ?? [])
          yield lot.map(key => key.slice(at.length)).filter(key => OUR_KEY.test(key))
      }
      catch (cause) {
        throw storageError('listing', cause)
      }
    },
  }
}

/** Loads the driver of a mount, and lets its client connect; resolves before that is done. What keeps it from working is told. */
export async function openMount(mounts: Mounts, base: string): Promise<void> {
  try {
    const texts = await openMounted(mounts, `${base}:`)
    await texts.check?.()
  }
  catch (error) {
    console.error('[unsession] The session storage cannot be opened:', error)
  }
}

/** Ends the attempts to reach storage that is away, which would keep the process alive. */
export function giveUpMount(mounts: Mounts, base: string): void {
  textsOf(mounts.getMount(`${base}:`).driver)?.giveUp?.()
}

function openMounted(mounts: Mounts, prefix: string): Maybe<TextStorage> {
  return whenThere(mounts.getMount(prefix).driver, openTexts)
}

/** The texts of a driver that was opened. */
function textsOf(driver: Driver | Promise<Driver>): TextStorage | undefined {
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
function openTexts(driver: Driver): Maybe<TextStorage> {
  const texts = opened.get(driver)
  if (texts)
    return texts
  const opening = whenThere(createTextStorage(driver), (texts) => {
    opened.set(driver, texts)
    return texts
  })
  if (isPromise(opening)) {
    opened.set(driver, opening)
    // A client that could not be loaded may be there the next time.
    opening.catch(() => opened.delete(driver))
  }
  return opening
}

function createTextStorage(driver: Driver): Maybe<TextStorage> {
  return whenThere(createRedisStorage(driver), texts => texts ?? createFileStorage(driver) ?? createDriverStorage(driver))
}
