import type { Maybe } from '../maybe'
import type { ResolvedSessionOptions } from '../options'
import type { RecordPatch } from '../record/patch'
import type { TokenContent } from '../session/found-token'
import type { MakePatch, Missing, Records, Written } from '../session/ports'
import type { Ended, Present } from '../session/state'
import type { SessionRecord, SessionStore } from '../types'
import type { Change } from './batches'
import type { Plan } from './plan'
import { andThen, orElse } from '../maybe'
import { isExpired, parseStored, underLimits } from '../record/record'
import { keeps } from '../session/state'
import { Batches } from './batches'
import { ExpiredRecords } from './expired-records'
import { planWrite } from './plan'
import { putRecord } from './put-record'
import { RecordAccess } from './record-access'
import { replaceRecord } from './replace-record'
import { ReplacedIds } from './replaced-ids'
import { retry, untilWon } from './retry'

/**
 * The records of one store, read and written so that nothing is lost: a write goes through
 * only if storage still holds the record that it was made from, and is made anew otherwise.
 */
export class StoredRecords implements Records {
  readonly access: RecordAccess
  readonly expired: ExpiredRecords
  readonly #options: ResolvedSessionOptions
  readonly #now: () => number
  readonly #batches: Batches
  readonly #replaced: ReplacedIds

  constructor(store: SessionStore, options: ResolvedSessionOptions, now: () => number) {
    this.access = new RecordAccess(store, options, now)
    this.expired = new ExpiredRecords(store, this.access, now)
    this.#options = options
    this.#now = now
    this.#batches = new Batches(this.access, (key, change) => this.#change(key, change))
    this.#replaced = new ReplacedIds(this.access, this.expired, now)
  }

  load({ id }: Pick<TokenContent, 'id'>): Maybe<SessionRecord | Missing> {
    const { access } = this
    const key = access.keyOf(id)
    return andThen(access.get(key), (value) => {
      if (value === undefined || parseStored(value))
        return this.#loaded(key, value)
      // Drivers that rewrite in place can show a half-written record: look again when nobody writes.
      return andThen(access.withLock(key, () => access.get(key)), again => this.#loaded(key, again))
    })
  }

  #loaded(key: string, value: unknown): Maybe<SessionRecord | Missing> {
    const stored = parseStored(value)
    if (!stored)
      return value === undefined ? 'unknown' : 'corrupt'
    const record = underLimits(stored, this.#options)
    if (!isExpired(record, this.#now()))
      return record.isReplaced ? 'replaced' : record
    // Whether the removal succeeds does not matter to this visitor: the record is dead.
    const removal = orElse(() => this.expired.remove(key, this.#options), () => false)
    return andThen(removal, () => record.isReplaced ? 'unknown' : record)
  }

  write(session: Present, changes: RecordPatch, makePatch?: MakePatch): Maybe<Written | Ended> {
    const { access } = this
    const plan = planWrite(session, changes, makePatch, { options: this.#options, now: this.#now })
    if (session.kind === 'live')
      return this.#batches.write(access.keyOf(session.id), { session, plan, isMade: makePatch !== undefined })
    if (session.replaces)
      return access.withLock(access.keyOf(session.replaces.id), () => replaceRecord(access, this.#replaced, session, plan))
    return access.withLock(access.keyOf(session.id), () => this.#create(session, plan))
  }

  wasReplaced(id: string): boolean {
    return this.#replaced.has(id)
  }

  remove(id: string, loaded?: SessionRecord): Maybe<Ended> {
    const { access } = this
    const key = access.keyOf(id)
    return access.withLock(key, () => loaded
      ? andThen(access.swap(key, loaded, undefined), isDone => isDone ? 'gone' : this.#removeUnread(key, loaded))
      : this.#removeUnread(key, loaded))
  }

  async #removeUnread(key: string, loaded: SessionRecord | undefined): Promise<Ended> {
    const { access } = this
    const read = (): Maybe<unknown> => access.get(key)
    const ended = await retry<Ended | 'unclear'>(async () => {
      // What cannot be read can still be removed, and what was just written elsewhere may not show yet.
      const stored = parseStored(await (loaded ? read() : orElse(read, () => undefined)))
      if (!stored)
        return 'unclear'
      if (stored.isReplaced)
        return 'replaced'
      return await access.swap(key, stored, undefined) ? 'gone' : undefined
    })
    if (ended === 'gone' || ended === 'replaced')
      return ended
    await access.delete(key)
    return 'gone'
  }

  #create(session: Present, plan: Plan): Maybe<Written> {
    const written = plan(session.content.base)
    if (!keeps(session, written.record))
      return { ...written, isChanged: false }
    return andThen(untilWon(() => putRecord(this.access, session.id, written.record)), () => written)
  }

  #change(key: string, { session, plan, isMade }: Change): Maybe<Written | Ended> {
    const { access } = this
    // That the loaded record is the newest shows when it is replaced; often it is.
    const base = access.isOutdated(key, session.content.base) ? undefined : access.judge(session.content.base)
    // One that has ended since may live on in storage: others used it.
    if (typeof base !== 'object')
      return this.#changeNewest(key, session, plan)
    const written = attempt(plan, base, isMade)
    // A function that changes nothing, or fails, has to see the newest data.
    if (!written || (isMade && !written.isChanged))
      return this.#changeNewest(key, session, plan)
    return andThen(this.#writeOver(key, session, base, written), isDone => isDone
      ? written
      : this.#changeNewest(key, session, plan, keeps(session, written.record) ? undefined : written))
  }

  /** @param lost what a removal came to that lost to another write, or whose answer got lost */
  #changeNewest(key: string, session: Present, plan: Plan, lost?: Written): Maybe<Written | Ended> {
    const { access } = this
    let removal = lost
    return untilWon(() => andThen(access.newest(key), (newest): Maybe<Written | Ended | undefined> => {
      if (typeof newest === 'string')
        return newest === 'gone' && removal ? removal : newest
      const written = plan(newest)
      return andThen(this.#writeOver(key, session, newest, written), (isDone) => {
        if (isDone)
          return written
        removal = keeps(session, written.record) ? undefined : written
        return undefined
      })
    }))
  }

  #writeOver(key: string, session: Present, base: SessionRecord, { record, isChanged }: Written): Maybe<boolean> {
    return isChanged ? this.access.swap(key, base, keeps(session, record) ? record : undefined) : true
  }
}

/** What a plan makes of a record; `undefined` where it fails and is going to be called again. */
function attempt(plan: Plan, base: SessionRecord, isCalledAgain: boolean): Written | undefined {
  try {
    return plan(base)
  }
  catch (error) {
    if (!isCalledAgain)
      throw error
    return undefined
  }
}
