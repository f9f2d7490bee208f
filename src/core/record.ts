import type { SessionLifetime, SessionRecord } from './types'
import { isEqualValue } from './value'

/** Written into every record and bound into every key. */
export const RECORD_VERSION = 1

/** Cookies live at most 400 days: RFC 6265bis, section 5.6.2. */
export const MAX_LIFETIME_SECONDS = 400 * 24 * 60 * 60

/** How long a replaced id is remembered, so that requests still in flight with it are told apart from strangers. */
const REPLACED_SECONDS = 10

/** Lifetimes in seconds, as the options give them. */
export interface Limits {
  maxAge: number
  idleTimeout: number
}

/**
 * In a patch: the message under a key was read, and only that one goes; another that was
 * written meanwhile stays.
 */
export class ReadMessage {
  constructor(readonly message: unknown) {}
}

/** The changes of one session since it was last stored. A value of `undefined` removes its key, in `flash` also a {@link ReadMessage}. */
export interface RecordPatch {
  /** True removes everything that was there before `data` and `flash` are applied. */
  readonly isCleared: boolean
  readonly data: ReadonlyMap<string, unknown>
  readonly flash: ReadonlyMap<string, unknown>
  readonly lifetime?: SessionLifetime
  /** True when the session was used and its idle time starts again. */
  readonly isTouched: boolean
}

export const NO_CHANGES: RecordPatch = { isCleared: false, data: new Map(), flash: new Map(), isTouched: false }

/** Records are changed by making others, so they can share it. */
const EMPTY: Record<string, never> = Object.freeze({})

export function createRecord(now: number, limits: Limits, lifetime?: SessionLifetime): SessionRecord {
  const record: SessionRecord = { version: RECORD_VERSION, data: EMPTY, flash: EMPTY, createdAt: now, expiresAt: 0, lastSeenAt: now }
  if (lifetime)
    record.lifetime = lifetime
  record.expiresAt = expiryOf(record, limits)
  return record
}

/** The record after a patch. The given record stays as it is. */
export function applyPatch(record: SessionRecord, patch: RecordPatch, now: number, limits: Limits): SessionRecord {
  // Field by field, which is several times as fast as a spread.
  const patched: SessionRecord = {
    version: record.version,
    data: patchKeys(patch.isCleared ? EMPTY : record.data, patch.data),
    flash: patchKeys(patch.isCleared ? EMPTY : record.flash, patch.flash),
    createdAt: record.createdAt,
    expiresAt: 0,
    lastSeenAt: now,
  }
  const lifetime = patch.lifetime ? { ...record.lifetime, ...patch.lifetime } : record.lifetime
  if (lifetime)
    patched.lifetime = lifetime
  if (record.revision !== undefined)
    patched.revision = record.revision
  patched.expiresAt = expiryOf(patched, limits)
  return patched
}

/** One patch that does what two do one after the other. */
export function mergePatches(first: RecordPatch, second: RecordPatch): RecordPatch {
  if (first === NO_CHANGES)
    return second
  if (second === NO_CHANGES)
    return first
  const base = second.isCleared ? { ...NO_CHANGES, lifetime: first.lifetime } : first
  const lifetime = second.lifetime ? { ...base.lifetime, ...second.lifetime } : base.lifetime
  return {
    isCleared: first.isCleared || second.isCleared,
    data: new Map([...base.data, ...second.data]),
    flash: mergeFlash(base.flash, second.flash),
    isTouched: first.isTouched || second.isTouched,
    ...(lifetime && { lifetime }),
  }
}

/** True for changes that matter only while the session lives: reading a message, being seen. */
export function isPassive(patch: RecordPatch): boolean {
  return !patch.isCleared && patch.data.size === 0 && !patch.lifetime
    && [...patch.flash.values()].every(value => value === undefined || value instanceof ReadMessage)
}

/** True for a patch that does no more than keep a session alive that was read. */
export function isOnlyTouch(patch: RecordPatch): boolean {
  return patch.isTouched && isPassive(patch) && patch.flash.size === 0
}

/** True for a patch that changes nothing. */
export function isNothing(patch: RecordPatch): boolean {
  return isPassive(patch) && patch.flash.size === 0 && !patch.isTouched
}

/** A new record that goes on with the data of another: new times, the same content and limits. */
export function succeedRecord(record: SessionRecord, now: number, limits: Limits): SessionRecord {
  return { ...createRecord(now, limits, record.lifetime), data: record.data, flash: record.flash }
}

/** What stays under an id that was replaced. It holds nothing of the session, nor where it went. */
export function createReplacedRecord(now: number): SessionRecord {
  return { ...createRecord(now, { maxAge: REPLACED_SECONDS, idleTimeout: 0 }), isReplaced: true }
}

export function isExpired(record: SessionRecord, now: number): boolean {
  return now >= record.expiresAt
}

export function isEmpty(record: SessionRecord): boolean {
  return Object.keys(record.data).length === 0 && Object.keys(record.flash).length === 0
}

/** The remaining lifetime in whole seconds, at least one. */
export function remainingSeconds(record: SessionRecord, now: number): number {
  return Math.max(1, Math.ceil((record.expiresAt - now) / 1000))
}

/** True once half of the idle time has passed, so that a hundred reads are one write. */
export function isTouchDue(record: SessionRecord, now: number, limits: Limits): boolean {
  const { idleTimeout } = effectiveLimits(record, limits)
  return idleTimeout > 0 && now - record.lastSeenAt >= idleTimeout * 500
}

/** The record inside a stored value, or `undefined` for anything that this version did not write. */
export function parseRecord(value: unknown): SessionRecord | undefined {
  if (!isPlainObject(value))
    return undefined
  const { version, revision, data, flash, createdAt, expiresAt, lastSeenAt, lifetime } = value
  const isValid = version === RECORD_VERSION
    && (revision === undefined || typeof revision === 'string')
    && isPlainObject(data) && isPlainObject(flash)
    && Number.isFinite(createdAt) && Number.isFinite(expiresAt) && Number.isFinite(lastSeenAt)
    && (lifetime === undefined || isPlainObject(lifetime))
  return isValid ? value as unknown as SessionRecord : undefined
}

/** The record that a store holds; unlike one in a cookie it has a revision. */
export function parseStored(value: unknown): SessionRecord & { revision: string } | undefined {
  const record = parseRecord(value)
  return record && hasRevision(record) ? record : undefined
}

function hasRevision(record: SessionRecord): record is SessionRecord & { revision: string } {
  return record.revision !== undefined
}

function mergeFlash(first: RecordPatch['flash'], second: RecordPatch['flash']): RecordPatch['flash'] {
  const merged = new Map(first)
  for (const [key, value] of second) {
    // Written and read by the same request: whatever is stored under the key is replaced by nothing.
    const isOwn = first.has(key) && !(first.get(key) instanceof ReadMessage)
    merged.set(key, value instanceof ReadMessage && isOwn ? undefined : value)
  }
  return merged
}

function effectiveLimits(record: SessionRecord, limits: Limits): Limits {
  return {
    maxAge: record.lifetime?.maxAge ?? limits.maxAge,
    idleTimeout: record.lifetime?.idleTimeout ?? limits.idleTimeout,
  }
}

function expiryOf(record: SessionRecord, limits: Limits): number {
  const { maxAge, idleTimeout } = effectiveLimits(record, limits)
  const absolute = record.createdAt + maxAge * 1000
  return idleTimeout > 0 ? Math.min(absolute, record.lastSeenAt + idleTimeout * 1000) : absolute
}

function patchKeys(target: Record<string, unknown>, changes: ReadonlyMap<string, unknown>): Record<string, unknown> {
  if (changes.size === 0)
    return target
  const patched = { ...target }
  for (const [key, value] of changes) {
    const isRead = value instanceof ReadMessage
    if (value === undefined || (isRead && Object.hasOwn(patched, key) && isEqualValue(patched[key], value.message)))
      delete patched[key]
    else if (!isRead)
      setOwn(patched, key, value)
  }
  return patched
}

function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  // To an assignment this one is not a key like any other.
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else
    target[key] = value
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
