import type { KeyedLock } from './lock'
import type { ResolvedSessionOptions } from './options'
import type { RecordPatch } from './patch'
import type { Limits } from './record'
import type { Replacement, SessionState } from './session-state'
import type { SessionRecord, SessionStore } from './types'
import { isSessionError, SessionError } from './errors'
import { handOut } from './hand-out'
import { toStorageKey } from './id'
import { isNothing, isOnlyTouch, mergePatches, NO_CHANGES } from './patch'
import { applyPatch, createReplacedRecord, isExpired, isTouchDue, parseStored, remainingSeconds, underLimits } from './record'
import { Recent } from './recent'
import { retry } from './retry'
import { createRevision, followsOn } from './revision'
import { changedKeys } from './session'
import { setAfterReading } from './stores/set-after-reading'
import { assertRecordFits } from './size'
import { sweep } from './sweep'

/** Makes a patch from the newest data. */
export type MakePatch = (data: unknown) => unknown

/** What a write came to. */
export interface Written {
  record: SessionRecord
  /** False when storage held it already. */
  isChanged: boolean
}

/**
 * What a write makes of a record.
 *
 * @param before the record that a new one takes over from
 */
type Plan = (base: SessionRecord, before?: SessionRecord) => Written

/** Of so many records it is known what this process wrote last. */
const REMEMBERED = 500

/** Why there is no session under an id: its record was removed or has expired, or `regenerate` gave it another id. */
export type Ended = 'gone' | 'replaced'

/** Why no record was found under an id. */
export type Missing = 'unknown' | 'corrupt' | 'replaced'

/**
 * The records of one store, read and written so that nothing is lost: a write goes through
 * only if storage still holds the record that it was made from, and is made anew otherwise.
 */
export class RecordStorage {
  readonly #store: SessionStore
  readonly #compareAndSet: NonNullable<SessionStore['compareAndSet']>
  readonly #lock: KeyedLock
  readonly #options: ResolvedSessionOptions
  readonly #now: () => number
  /** The id whose key was asked for last. */
  #lastId = ''
  #lastKey = ''
  /** The last revision that this process gave a record; empty for one that it removed. */
  readonly #written = new Recent<string>(REMEMBERED)
  /** Ids that this process replaced a moment ago, and until when that matters. */
  readonly #replaced = new Map<string, number>()

  constructor(store: SessionStore, lock: KeyedLock, options: ResolvedSessionOptions, now: () => number) {
    this.#store = store
    this.#compareAndSet = (key, revision, record, ttl) => store.compareAndSet ? store.compareAndSet(key, revision, record, ttl) : setAfterReading(store, key, revision, record, ttl)
    this.#lock = lock
    this.#options = options
    this.#now = now
  }

  /** The record of an id, expired ones too; otherwise why there is none. */
  async fetch(id: string): Promise<SessionRecord | Missing> {
    const key = this.#keyOf(id)
    let value = await this.#store.get(key)
    // Drivers that rewrite in place can show a half-written record: look again when nobody writes.
    if (value !== undefined && !parseStored(value))
      value = await this.#lock.run(key, async () => this.#store.get(key))
    const stored = parseStored(value)
    const record = stored && underLimits(stored, this.#options)
    if (record && isExpired(record, this.#now())) {
      // Whether the removal succeeds does not matter to this visitor: the record is dead.
      await this.#removeExpired(key, this.#options).catch(() => {})
    }
    if (record?.isReplaced)
      return isExpired(record, this.#now()) ? 'unknown' : 'replaced'
    return record ?? (value === undefined ? 'unknown' : 'corrupt')
  }

  /** Runs a task while nobody else in this process writes the records of these ids. */
  exclusively<T>(ids: readonly string[], task: () => Promise<T>): Promise<T> {
    if (ids.length === 1)
      return this.#lock.run(this.#keyOf(ids[0]!), task)
    // One order for everybody, so that two tasks never wait for each other.
    const keys = [...new Set(ids)].map(id => this.#keyOf(id)).sort()
    return keys.reduceRight((inner, key) => () => this.#lock.run(key, inner), task)()
  }

  /**
   * Applies changes to the newest record and stores it, unless nothing changes. What is left
   * without data and messages is removed. The id that a new session takes over from ends with it.
   *
   * @throws SessionError `CONFLICT_ERROR` when others were faster too many times
   */
  write(state: SessionState, changes: RecordPatch, makePatch?: MakePatch): Promise<Written | Ended> {
    const plan: Plan = (base, before = base) => {
      const written = this.#plan(base, state, makePatch ? this.#withMade(base, changes, makePatch) : changes)
      // Changes of the record that the request knows were counted when they were made.
      if (written.isChanged && (makePatch || base !== state.base))
        assertRecordFits(written.record, this.#options.maxBytes, before)
      return written
    }
    if (state.replaces)
      return this.#replace(state, state.replaces, plan)
    return state.isNew ? this.#create(state, plan) : this.#change(state, plan, makePatch !== undefined)
  }

  /** Stores the first record of an id, or gives the one that another request stored before. */
  adopt(id: string, record: SessionRecord): Promise<{ record: SessionRecord, isFirst: boolean } | Ended> {
    const key = this.#keyOf(id)
    return this.#lock.run(key, async () => {
      const first = { ...record, revision: createRevision() }
      if (await this.#swap(key, undefined, first))
        return { record: first, isFirst: true }
      const newest = await this.#newest(key)
      return typeof newest === 'string' ? newest : { record: newest, isFirst: false }
    })
  }

  /** Remembers for a while under which name a record began. False when another record did before, or this one has changed since. */
  mark(name: string, { revision = '' }: SessionRecord, expiresAt: number): Promise<boolean> {
    const key = this.#keyOf(name)
    return this.#lock.run(key, async () => {
      const mark = { ...createReplacedRecord(this.#now()), expiresAt, revision: createRevision(revision) }
      if (await this.#swap(key, undefined, mark))
        return true
      const stored = parseStored(await this.#store.get(key))
      return stored !== undefined && followsOn(stored.revision, revision)
    })
  }

  async isMarked(name: string): Promise<boolean> {
    return await this.#newest(this.#keyOf(name)) === 'replaced'
  }

  /** True when this process replaced an id a moment ago. */
  wasReplaced(id: string): boolean {
    return (this.#replaced.get(id) ?? 0) > this.#now()
  }

  /**
   * Removes the record of an id, unless what is there tells that the id was replaced.
   *
   * @param id the id
   * @param loaded the record that was loaded; without one it may be removed unread
   */
  async remove(id: string, loaded?: SessionRecord): Promise<Ended> {
    const key = this.#keyOf(id)
    if (loaded && await this.#swap(key, loaded, undefined))
      return 'gone'
    const ended = await retry<Ended | 'unclear'>(async () => {
      // What cannot be read can still be removed, and what was just written elsewhere may not show yet.
      const stored = parseStored(await this.#store.get(key).catch(error => loaded ? Promise.reject(error) : undefined))
      if (!stored)
        return 'unclear'
      if (stored.isReplaced)
        return 'replaced'
      return await this.#swap(key, stored, undefined) ? 'gone' : undefined
    })
    if (ended === 'gone' || ended === 'replaced')
      return ended
    await this.#store.delete(key)
    return 'gone'
  }

  /**
   * Removes all records that have expired, where storage does not do it by itself. Resolves to their
   * number. Each is judged by itself: sessions with other options may share the store.
   */
  sweep(signal?: AbortSignal): Promise<number> {
    const remove = async (key: string): Promise<boolean> =>
      this.#isExpired(await this.#store.get(key)) && this.#removeExpired(key)
    return sweep(this.#store.keys?.(this.#now()) ?? [], remove, signal)
  }

  /** Asked for several times in a row by each request. */
  #keyOf(id: string): string {
    if (this.#lastId !== id) {
      this.#lastId = id
      this.#lastKey = toStorageKey(id)
    }
    return this.#lastKey
  }

  /**
   * Looks again first: somebody may have extended it since it was read.
   *
   * @param limits those in force for the record; without them it is judged by itself
   */
  #removeExpired(key: string, limits?: Limits): Promise<boolean> {
    return this.#lock.run(key, async () => {
      const stored = await this.#store.get(key)
      return this.#isExpired(stored, limits) && this.#swap(key, parseStored(stored), undefined)
    })
  }

  /** Remembers a replaced id, and ends with those of which it is time, so that they need not wait for a sweep. */
  #remember(id: string, { expiresAt }: SessionRecord): void {
    for (const [earlier, end] of this.#replaced) {
      if (end > this.#now())
        break
      this.#replaced.delete(earlier)
      if (this.#store.keys)
        this.#removeExpired(this.#keyOf(earlier)).catch(() => {})
    }
    this.#replaced.set(id, expiresAt)
  }

  #isExpired(stored: unknown, limits?: Limits): boolean {
    const record = parseStored(stored)
    return record !== undefined && isExpired(limits ? underLimits(record, limits) : record, this.#now())
  }

  /** @param isMade true when what is written depends on what is there */
  #change(state: SessionState, plan: Plan, isMade: boolean): Promise<Written | Ended> {
    const key = this.#keyOf(state.id)
    // That the loaded record is the newest shows when it is replaced; often it is.
    let base = this.#isOutdated(key, state.base) ? undefined : this.#judge(state.base)
    let planned = typeof base === 'object' ? attempt(() => plan(base as SessionRecord), isMade) : undefined
    // A function that changes nothing, or fails, has to see the newest data.
    if (isMade && !planned?.isChanged)
      base = planned = undefined
    let removal: Written | undefined
    return this.#untilWon(async () => {
      base ??= await this.#newest(key)
      if (typeof base === 'string')
        return base === 'gone' && removal ? removal : base
      const written = planned ?? plan(base)
      const isKept = state.keeps(written.record)
      if (!written.isChanged || await this.#swap(key, base, isKept ? written.record : undefined))
        return written
      base = planned = undefined
      removal = isKept ? undefined : written
      return undefined
    })
  }

  /** True for a record that this process itself has replaced since. */
  #isOutdated(key: string, { revision }: SessionRecord): boolean {
    const written = this.#written.get(key)
    return written !== undefined && written !== revision
  }

  async #create(state: SessionState, plan: Plan): Promise<Written> {
    const written = plan(state.base)
    if (state.keeps(written.record))
      await this.#untilWon(() => this.#put(state, written.record))
    return written
  }

  async #replace(state: SessionState, { id, succeed }: Replacement, plan: Plan): Promise<Written | Ended> {
    const key = this.#keyOf(id)
    let isPut = false
    const attempt = async (): Promise<Written | Ended | undefined> => {
      const old = await this.#newest(key)
      if (typeof old === 'string')
        return old
      const written = plan(succeed(old), old)
      const isKept = state.keeps(written.record)
      // First the new record, which nobody knows yet: a crash in between loses nothing.
      isPut ||= isKept
      if (isKept && !await this.#put(state, written.record))
        return undefined
      const left = { ...createReplacedRecord(this.#now()), revision: createRevision(old.revision) }
      if (!await this.#swap(key, old, isKept ? left : undefined))
        return undefined
      if (isKept)
        this.#remember(id, left)
      return written
    }
    const withdraw = (): Promise<void> | undefined => isPut ? this.#store.delete(this.#keyOf(state.id)) : undefined
    const result = await retry(attempt).catch(async (error) => {
      // Where storage failed, what it did last is not known.
      if (!isSessionError(error) || error.code !== 'STORAGE_ERROR')
        await withdraw()
      throw error
    })
    if (typeof result !== 'object' || !state.keeps(result.record))
      await withdraw()
    return result ?? conflict()
  }

  /** The record after a patch, with a revision of its own. */
  #plan(base: SessionRecord, { isNew }: SessionState, patch: RecordPatch): Written {
    const isIdle = isNothing(patch) || (isOnlyTouch(patch) && !isTouchDue(base, this.#now(), this.#options))
    if (!isNew && isIdle)
      return { record: base, isChanged: false }
    const record = applyPatch(base, patch, this.#now(), this.#options)
    record.revision = createRevision(base.revision)
    return { record, isChanged: true }
  }

  #withMade(base: SessionRecord, changes: RecordPatch, makePatch: MakePatch): RecordPatch {
    const { data } = isNothing(changes) ? base : applyPatch(base, changes, this.#now(), this.#options)
    return mergePatches(changes, { ...NO_CHANGES, data: changedKeys(key => Object.hasOwn(data, key) ? data[key] : undefined, makePatch(handOut(data, 'data'))) })
  }

  /** Stores the record of a new id, which must not exist. Resolves to `undefined` when it does. */
  async #put(state: SessionState, record: SessionRecord): Promise<true | undefined> {
    const key = this.#keyOf(state.id)
    if (await this.#swap(key, undefined, record))
      return true
    // An earlier attempt of this request may have stored it although its answer got lost.
    const stored = parseStored(await this.#store.get(key))
    return (stored?.createdAt === record.createdAt && await this.#swap(key, stored, record)) || undefined
  }

  /** Replaces or removes a record if storage still holds the expected one. */
  #swap(key: string, expected: SessionRecord | undefined, next: SessionRecord | undefined): Promise<boolean> {
    const ttl = next ? remainingSeconds(next, this.#now()) : 0
    return Promise.resolve(this.#compareAndSet(key, expected?.revision, next, ttl)).then((isDone) => {
      if (isDone && expected)
        this.#written.set(key, next?.revision ?? '')
      return isDone || this.#isThere(key, next)
    })
  }

  /** True when storage holds what this very write was to leave there, or what others made of it. */
  async #isThere(key: string, next: SessionRecord | undefined): Promise<boolean> {
    // A client that lost the answer may have asked twice, and lost to itself.
    const stored = next && parseStored(await this.#store.get(key))
    if (!next || !stored || !followsOn(stored.revision, next.revision!))
      return false
    if (stored.isReplaced && !next.isReplaced)
      throw new SessionError('STORAGE_ERROR', 'The session storage lost an answer, and the session got another id meanwhile.', { details: { action: 'writing' } })
    return true
  }

  async #newest(key: string): Promise<SessionRecord | Ended> {
    return this.#judge(parseStored(await this.#store.get(key)))
  }

  #judge(stored: SessionRecord | undefined): SessionRecord | Ended {
    const record = stored && underLimits(stored, this.#options)
    if (!record || isExpired(record, this.#now()))
      return 'gone'
    return record.isReplaced ? 'replaced' : record
  }

  #untilWon<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    return retry(attempt).then(result => result ?? conflict())
  }
}

/** What a function gives; `undefined` where it fails and is going to be called again. */
function attempt<T>(make: () => T, isCalledAgain: boolean): T | undefined {
  try {
    return make()
  }
  catch (error) {
    if (!isCalledAgain)
      throw error
    return undefined
  }
}

function conflict(): never {
  throw new SessionError('CONFLICT_ERROR', 'The session was changed by others again and again while this change was made. Try again.')
}
