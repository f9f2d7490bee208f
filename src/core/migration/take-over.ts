import type { Destination } from '../manager'
import type { TakenOver } from '../session/ports'
import type { RejectReason, SessionRecord } from '../types'
import type { OldSession } from './migration'
import { isSessionError } from '../errors'
import { createId } from '../id'
import { createRecord, isEmpty, isExpired, MAX_LIFETIME_SECONDS } from '../record/record'
import { recordBytes } from '../record/size'
import { createMigratedId } from '../cookie/token'
import { toChanges } from '../record/value'
import { adoptRecord, isMigrated, markMigrated } from './adoption'

/** For so long requests that were sent with the old cookie find the session that it became. */
export const JOIN_MS = 10_000

/** A session that a test made up. */
export interface TestSession extends OldSession {
  /** Messages that nobody has read. */
  flash?: Record<string, unknown>
}

export interface TakeOverContext extends Destination {
  /** For so many milliseconds the old cookie leads to the session that it became. */
  readonly joinMs: number
  /** What moved in a moment ago, by id, where no storage of ours tells. */
  readonly recent: Map<string, SessionRecord>
}

/**
 * Makes an old session one of ours, and stores it in storage mode. The id is derived from the old
 * one, so that requests which arrive together become one session, of which none loses anything.
 * Without an old one it is random.
 */
export async function takeOver(old: TestSession, context: TakeOverContext): Promise<TakenOver | RejectReason> {
  const { options, storage, now } = context
  if (old.expiresAt !== undefined && old.expiresAt <= now())
    return 'unknown'
  const data = old.data && toStorableData(old.data)
  if (data === null)
    return 'corrupt'
  const id = old.id === undefined ? createId() : createMigratedId(options.secrets, options.cookie.name, old.id)
  // By no option of ours: they may be others when the same session comes again.
  const mark = old.id === undefined ? undefined : `migrated:${old.id}`
  const end = old.end ?? (async () => {})
  if (!data || (mark && storage && await isMigrated(storage.access, mark)))
    return join(id, end, context)
  const record = { ...createRecord(now(), options), data, ...(old.flash && { flash: old.flash }) }
  if (storage && recordBytes(record) > options.maxBytes)
    return 'corrupt'
  if (!storage && mark)
    remember(id, record, context)
  if (!storage || isEmpty(record))
    return { id, record, isFirst: true, end }
  const adopted = await adoptRecord(storage.access, id, record)
  if (typeof adopted === 'string')
    return 'unknown'
  // What can be ended is soon gone; anything else must be known for as long as it is good.
  const until = old.end ? now() + context.joinMs : old.expiresAt ?? now() + MAX_LIFETIME_SECONDS * 1000
  if (!mark || await markMigrated(storage.access, mark, adopted.record, now(), until) || !adopted.isFirst)
    return { ...adopted, id, end }
  // It came in before and has ended since, while this request was on its way.
  await storage.remove(id, adopted.record)
  return 'unknown'
}

/** The session that an old one became a moment ago. Later, its cookie is a copy that was kept. */
async function join(id: string, end: TakenOver['end'], { storage, recent, joinMs, now }: TakeOverContext): Promise<TakenOver | RejectReason> {
  const record = storage ? await storage.load({ id }) : recent.get(id)
  return typeof record === 'object' && !isExpired(record, now()) && now() - record.createdAt < joinMs
    ? { id, record, isFirst: false, end }
    : 'unknown'
}

function remember(id: string, record: SessionRecord, { recent, joinMs, now }: TakeOverContext): void {
  for (const [earlier, { createdAt }] of recent) {
    if (now() - createdAt < joinMs)
      break
    recent.delete(earlier)
  }
  recent.set(id, record)
}

/** The data as we keep it, or null when it cannot be kept. */
function toStorableData(data: object): Record<string, unknown> | null {
  try {
    return Object.fromEntries(toChanges(data))
  }
  catch (error) {
    if (isSessionError(error) && error.code === 'INVALID_VALUE')
      return null
    throw error
  }
}
