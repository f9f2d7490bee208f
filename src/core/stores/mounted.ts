import type { Maybe } from '../maybe'
import type { SessionStore } from '../types'
import type { Driver, TextStorage } from './driver'
import { lockWith } from '../lock'
import { andThen, isPromise } from '../maybe'
import { CircuitBreaker } from './circuit-breaker'
import { type Action, storageError } from './storage-error'
import { createDriverStorage } from './driver'
import { createFileStorage } from './files'
import { causeOf } from './notice'
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
  const store = createStore(mounts, options)
  lockWith(store, () => {
    const { driver } = mounts.getMount(options.base ? `${options.base}:` : '')
    // Whoever loads a driver when it is first used has it alone.
    return isPromise(driver) ? mounts : driver
  })
  return store
}

/** What the driver answers at once, the store answers at once. */
function createStore(mounts: Mounts, options: UnstorageStoreOptions): SessionStore {
  const mounted = new MountedTexts(mounts, options)
  return {
    get: key => mounted.run('reading', key, (texts, name) => andThen(texts.get(name), fromText)),
    set: (key, record, ttl) => mounted.run('writing', key, (texts, name) => andThen(texts.set(name, toText(record), ttl), () => {})),
    delete: key => mounted.run('removing', key, (texts, name) => andThen(texts.delete(name), () => {})),
    compareAndSet: (key, revision, record, ttl) => mounted.compareAndSet(key, revision, record && toText(record), ttl),
    dropsExpired: () => andThen(mounted.open(), texts => !texts.keys),
    keys: now => mounted.keys(now),
  }
}

/** Texts in what is mounted at a place now, within the timeout. */
class MountedTexts {
  readonly #mounts: Mounts
  readonly #prefix: string
  readonly #timeout: number
  readonly #breaker: CircuitBreaker
  readonly #openings: CircuitBreaker

  constructor(mounts: Mounts, { base, timeout }: UnstorageStoreOptions) {
    this.#mounts = mounts
    this.#prefix = base ? `${base}:` : ''
    this.#timeout = timeout
    this.#breaker = new CircuitBreaker(timeout, {
      silent: isSilent => this.#tellSilence(isSilent),
      failed: (action, cause) => this.#tellFailure(action, cause),
    })
    this.#openings = new CircuitBreaker(timeout)
  }

  open(): Maybe<TextStorage> {
    return openMounted(this.#mounts, this.#prefix)
  }

  /**
   * One operation, on what is mounted now: the app may mount anew. Storage may be back a moment
   * after it went away, so it is waited for, yet no longer than the timeout since then: who comes
   * later is answered at once.
   */
  run<T>(action: Action, key: string, operation: (texts: TextStorage, name: string) => Maybe<T>): Maybe<T> {
    const { base, driver } = this.#mounts.getMount(this.#prefix)
    const known = textsOf(driver)
    const name = this.#prefix.slice(base.length) + key
    const outage = known?.outage?.() ?? 0
    if (outage >= this.#timeout) {
      tellAway(known, 'no connection')
      throw storageError(action, new Error(`Storage has been away for ${Math.round(outage)} ms.`))
    }
    const task = known ? () => operation(known, name) : () => andThen(andThen(driver, openTexts), texts => operation(texts, name))
    const answer = this.#breaker.run(action, key, task, Math.ceil(this.#timeout - outage))
    return known ? known.notice.watch(action, answer) : answer
  }

  /** @param text `undefined` removes */
  compareAndSet(key: string, revision: string | undefined, text: string | undefined, ttl: number): Maybe<boolean> {
    const action = text === undefined ? 'removing' : 'writing'
    const known = textsOf(this.#mounts.getMount(this.#prefix).driver)
    return andThen(known ?? this.#openings.run(action, key, () => this.open()), texts => texts.compareAndSet
      ? this.run(action, key, (texts, name) => texts.compareAndSet!(name, revision, text, ttl))
      : this.#setAfterReading(action, key, revision, text, ttl))
  }

  async* keys(now: number): AsyncIterable<readonly string[]> {
    try {
      const texts = await this.open()
      const at = this.#prefix.slice(this.#mounts.getMount(this.#prefix).base.length)
      for await (const batch of texts.keys?.(at, now) ?? [])
        yield batch.map(key => key.slice(at.length)).filter(key => OUR_KEY.test(key))
    }
    catch (cause) {
      throw storageError('listing', cause)
    }
  }

  /** Compare-and-set where the driver's storage has none. */
  #setAfterReading(action: Action, key: string, revision: string | undefined, text: string | undefined, ttl: number): Maybe<boolean> {
    return andThen(this.run('reading', key, (texts, name) => texts.get(name)), stored => isAtRevision(stored, revision)
      && this.run(action, key, (texts, name) => andThen(text === undefined ? texts.delete(name) : texts.set(name, text, ttl), () => true)))
  }

  #texts(): TextStorage | undefined {
    return textsOf(this.#mounts.getMount(this.#prefix).driver)
  }

  #tellFailure(action: Action, cause: unknown): void {
    const texts = this.#texts()
    if (texts?.isAnswer?.(cause) ?? true)
      texts?.notice.failed(action, causeOf(cause))
  }

  #tellSilence(isSilent: boolean): void {
    const texts = this.#texts()
    if (isSilent)
      tellAway(texts, `no answer within ${this.#timeout} ms`)
    else if (!texts?.outage?.())
      texts?.notice.back()
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
  return andThen(mounts.getMount(prefix).driver, openTexts)
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
  const opening = andThen(createTextStorage(driver), (texts) => {
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
  return andThen(createRedisStorage(driver), texts => texts ?? createFileStorage(driver) ?? createDriverStorage(driver))
}
