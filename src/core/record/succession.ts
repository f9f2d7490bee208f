import type { RecordPatch } from './patch'
import type { Limits } from './record'
import type { SessionLifetime, SessionRecord } from '../types'
import { checkLifetime } from '../calls/lifetime'
import { SessionError } from '../errors'
import { patchOf } from './patch'
import { applyPatch, createRecord } from './record'
import { isEqualValue, isPlainObject, toChanges } from './value'

/** What `regenerate` was asked for: how a session goes on under another id. */
export interface Succession {
  /** The changes of its patch. */
  readonly data: ReadonlyMap<string, unknown>
  /** True for everything, false for nothing, or the data keys that stay, with all messages. */
  readonly keep: boolean | readonly string[]
  /** A new one, that of before, or a new one with limits of this session only in place of those that it had. */
  readonly lifetime: 'new' | 'same' | SessionLifetime
}

/** How a successor is made of a record. */
export interface SuccessionRules extends Limits {
  /** The data key that holds the user id. */
  userKey?: string | undefined
}

/**
 * Checks what `regenerate` was given.
 *
 * @throws SessionError `INVALID_VALUE`
 */
export function toSuccession(patch: unknown, options: unknown = {}): Succession {
  if (typeof options !== 'object' || options === null || !isPlainObject(options))
    throw refuse('options', 'an object')
  const { keep = true, lifetime = 'new', ...others } = options as { keep?: unknown, lifetime?: unknown }
  if (Object.keys(others).length > 0)
    throw refuse('options', '`keep` and `lifetime`')
  if (typeof keep !== 'boolean' && !(Array.isArray(keep) && keep.every(key => typeof key === 'string')))
    throw refuse('`keep`', 'true, false or an array of data keys')
  const checked = typeof lifetime === 'object' ? checkLifetime(lifetime, '`lifetime` of `regenerate`') : lifetime
  if (typeof checked !== 'object' && checked !== 'new' && checked !== 'same')
    throw refuse('`lifetime`', '\'new\', \'same\' or limits such as `{ maxAge: 3600 }`')
  return { data: toChanges(patch ?? {}), keep: keep as Succession['keep'], lifetime: checked }
}

function refuse(what: string, allowed: string): SessionError {
  return new SessionError('INVALID_VALUE', `The ${what} of \`regenerate\` can be ${allowed}. Write for example \`regenerate(patch, { keep: ['cart'], lifetime: 'same' })\`.`)
}

/** True when there is something to hold for a session that begins with the patch alone. */
export function hasData({ data }: Succession): boolean {
  return [...data.values()].some(value => value !== undefined)
}

/** The limits that were asked for. */
export function limitsOf({ lifetime }: Pick<Succession, 'lifetime'>): SessionLifetime | undefined {
  return typeof lifetime === 'object' ? lifetime : undefined
}

/**
 * The record that follows on another. Of a former user's data and messages it has none.
 *
 * @param record the newest one under the old id
 * @param changes what the request changed of it before
 * @param now when the successor begins
 */
export function succeed(record: SessionRecord, changes: RecordPatch, { data, keep, lifetime }: Succession, now: number, rules: SuccessionRules): SessionRecord {
  const { userKey } = rules
  const before = applyPatch(record, changes, now, rules)
  const user = userKey !== undefined && data.has(userKey) ? data.get(userKey) : userOf(before, userKey)
  const isOf = (other: SessionRecord): boolean => userOf(other, userKey) === undefined || isEqualValue(userOf(other, userKey), user)
  // Where the request itself changed the user, what it changed is the new one's.
  const own = isOf(record) ? before : applyPatch(createRecord(now, rules), changes, now, rules)
  const kept = isOf(record) || lifetime === 'same' ? before.lifetime : changes.lifetime
  const successor = { ...createRecord(now, rules, limitsOf({ lifetime }) ?? kept), ...(isOf(before) ? keepOf(own, keep) : NOTHING) }
  if (lifetime === 'same')
    successor.createdAt = record.createdAt
  return applyPatch(successor, patchOf({ data }), now, rules)
}

type Content = Pick<SessionRecord, 'data' | 'flash'>

const NOTHING: Partial<Content> = {}

function keepOf({ data, flash }: Content, keep: Succession['keep']): Partial<Content> {
  if (typeof keep === 'boolean')
    return keep ? { data, flash } : NOTHING
  return { data: Object.fromEntries(keep.filter(key => Object.hasOwn(data, key)).map(key => [key, data[key]])), flash }
}

/** The user of a record; `undefined` for nobody. */
function userOf({ data }: Content, userKey: string | undefined): unknown {
  return userKey !== undefined && Object.hasOwn(data, userKey) ? data[userKey] ?? undefined : undefined
}
