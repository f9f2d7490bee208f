import type { Limits, RecordPatch } from './record'
import type { Session, SessionLifetime, SessionRecord } from './types'
import { SessionError } from './errors'
import { applyPatch, createRecord, isEmpty, MAX_LIFETIME_SECONDS, mergePatches, NO_CHANGES, ReadMessage } from './record'
import { deepFreeze, isEqualValue, toChanges, toStorableValue } from './value'

/** Where a session's state comes from. */
export interface StateOrigin {
  /** The record that storage holds under this id; without it the session is new. */
  stored?: SessionRecord | undefined
  /** What a new session starts from, when it does not start empty. */
  blank?: SessionRecord
  /** See {@link SessionState.replaces}. */
  replaces?: string | undefined
  changes?: RecordPatch
  /** See {@link SessionState.isAnnounced}. */
  isAnnounced?: boolean
  /** True for a session that is kept without data and messages. */
  mayBeEmpty?: boolean
}

/** A session in memory: what was loaded, and what changed since. Does no I/O. */
export class SessionState {
  readonly id: string
  /** True when the beginning of the session was told, or is nothing new. */
  isAnnounced: boolean
  readonly #mayBeEmpty: boolean
  readonly #replaces: string | undefined
  readonly #now: () => number
  readonly #limits: Limits
  #base: SessionRecord
  #isNew: boolean
  #changes: RecordPatch
  /** Changes that are being written right now. */
  #storing: RecordPatch = NO_CHANGES
  #isBeingStored = false
  #current: SessionRecord | undefined

  constructor(id: string, now: () => number, limits: Limits, { stored, blank, replaces, changes, isAnnounced = false, mayBeEmpty = false }: StateOrigin = {}) {
    this.id = id
    this.isAnnounced = isAnnounced || stored !== undefined || replaces !== undefined
    this.#mayBeEmpty = mayBeEmpty
    this.#replaces = replaces
    this.#now = now
    this.#limits = limits
    this.#base = stored ?? blank ?? createRecord(now(), limits)
    this.#isNew = !stored
    this.#changes = changes ?? NO_CHANGES
  }

  /** True until storage holds it. */
  get isNew(): boolean {
    return this.#isNew
  }

  /** The id that this session takes over from when it is stored. */
  get replaces(): string | undefined {
    return this.#isNew ? this.#replaces : undefined
  }

  /** The record as last stored, or what a new session starts from. */
  get base(): SessionRecord {
    return this.#base
  }

  /** What was changed since, also what is being written. */
  get changes(): RecordPatch {
    return this.#storing === NO_CHANGES ? this.#changes : mergePatches(this.#storing, this.#changes)
  }

  /** True when there is something to write. */
  get isChanged(): boolean {
    return this.#changes !== NO_CHANGES
  }

  /** What was changed since a write began, or `undefined`. */
  get newerChanges(): RecordPatch | undefined {
    return this.isChanged ? this.#changes : undefined
  }

  get isBeingStored(): boolean {
    return this.#isBeingStored
  }

  /** The record as it will be stored, as far as this request knows. */
  get current(): SessionRecord {
    const { changes } = this
    return this.#current ??= changes === NO_CHANGES ? this.#base : applyPatch(this.#base, changes, this.#now(), this.#limits)
  }

  /** False when there is nothing to keep. */
  get isKept(): boolean {
    return this.keeps(this.current)
  }

  /** False for a record that is not stored, or no longer. */
  keeps(record: SessionRecord): boolean {
    return this.#mayBeEmpty || !isEmpty(record)
  }

  /** Adds to the changes. Returns what undoes it. */
  change(patch: RecordPatch): () => void {
    const before = this.#changes
    this.#setChanges(mergePatches(before, patch))
    return () => this.#setChanges(before)
  }

  /** Hands over the changes to be stored. They stay visible until `rebase`, or go back by `returnChanges`. */
  takeChanges(): RecordPatch {
    this.#storing = this.#changes
    this.#isBeingStored = true
    this.#setChanges(NO_CHANGES)
    return this.#storing
  }

  /** Takes changes back that could not be stored, before those made since. */
  returnChanges(): void {
    const { changes } = this
    this.#storing = NO_CHANGES
    this.#isBeingStored = false
    this.#setChanges(changes)
  }

  /** Continues from what storage holds now; changes made since stay on top. */
  rebase(stored: SessionRecord): void {
    this.#base = stored
    this.#isNew = false
    this.#storing = NO_CHANGES
    this.#isBeingStored = false
    this.#current = undefined
  }

  #setChanges(changes: RecordPatch): void {
    this.#changes = changes
    this.#current = undefined
  }
}

/** What the handle needs of the request it belongs to. */
export interface SessionOwner {
  readonly state: SessionState
  /** Applies changes now, with the cookie; throws and changes nothing where that cannot be. */
  change(patch: Partial<RecordPatch>): void
  /** @param patch a patch, or a pure function that makes one from the newest data */
  update(patch: unknown): Promise<unknown>
  regenerate(patch: unknown): Promise<void>
  destroy(): Promise<void>
  reload(): Promise<void>
  save(): Promise<void>
}

/** The object that users hold. It stays the same when the session behind it is replaced. */
export function createHandle(owner: SessionOwner): Session {
  return new SessionHandle(owner) as unknown as Session
}

/** Its methods are fields, so that they work when they are taken off the object. */
class SessionHandle implements Record<keyof Session, unknown> {
  readonly #owner: SessionOwner

  constructor(owner: SessionOwner) {
    this.#owner = owner
  }

  get id(): string { return this.#owner.state.id }
  get isNew(): boolean { return this.#owner.state.isNew }
  get createdAt(): Date { return new Date(this.#owner.state.current.createdAt) }
  get expiresAt(): Date { return new Date(this.#owner.state.current.expiresAt) }
  get data(): Record<string, unknown> { return deepFreeze(this.#owner.state.current.data) }

  readonly get = (key: string): unknown => this.has(key) ? this.data[key] : undefined
  readonly has = (key: string): boolean => Object.hasOwn(this.data, key)
  readonly set = (key: string, value: unknown): void => this.#owner.change({ data: changedKeys(this.data, { [key]: value }) })
  readonly delete = (key: string): void => this.set(key, undefined)
  readonly clear = (): void => this.#owner.change({ isCleared: true })
  readonly flash = (...args: [key: string, value?: unknown]): unknown => args.length > 1 ? writeFlash(this.#owner, args[0], args[1]) : readFlash(this.#owner, args[0])
  readonly setLifetime = (lifetime: SessionLifetime): void => this.#owner.change({ lifetime: checkLifetime(lifetime) })
  readonly update = (patch: unknown): Promise<unknown> => this.#owner.update(patch)
  readonly regenerate = (patch?: unknown): Promise<void> => this.#owner.regenerate(patch)
  readonly destroy = (): Promise<void> => this.#owner.destroy()
  readonly reload = (): Promise<void> => this.#owner.reload()
  readonly save = (): Promise<void> => this.#owner.save()
}

/** The changes of a patch that really differ from the data. */
export function changedKeys(data: Record<string, unknown>, patch: unknown): Map<string, unknown> {
  const changes = toChanges(patch)
  for (const [key, value] of changes) {
    if (Object.hasOwn(data, key) ? isEqualValue(data[key], value) : value === undefined)
      changes.delete(key)
  }
  return changes
}

function writeFlash(owner: SessionOwner, key: string, value: unknown): void {
  if (value === undefined)
    throw new SessionError('INVALID_VALUE', `The flash message \`${key}\` is undefined. Any JSON value is a message; to read one, call flash with the key only.`, { details: { key } })
  owner.change({ flash: new Map([[key, toStorableValue(value, key)]]) })
}

function readFlash(owner: SessionOwner, key: string): unknown {
  const { flash } = owner.state.current
  if (!Object.hasOwn(flash, key))
    return undefined
  const value = deepFreeze(flash[key])
  owner.change({ flash: new Map([[key, new ReadMessage(value)]]) })
  return value
}

function checkLifetime(lifetime: SessionLifetime): SessionLifetime {
  const { maxAge, idleTimeout, persistent } = lifetime
  const isWhole = (value: number | undefined, least: number): boolean => value === undefined || (Number.isSafeInteger(value) && value >= least)
  if (!isWhole(maxAge, 1) || !isWhole(idleTimeout, 0) || !['boolean', 'undefined'].includes(typeof persistent))
    throw new SessionError('INVALID_VALUE', 'setLifetime takes whole seconds: maxAge of 1 or more, idleTimeout of 0 or more; and persistent as true or false.')
  return {
    ...(maxAge !== undefined && { maxAge: Math.min(maxAge, MAX_LIFETIME_SECONDS) }),
    ...(idleTimeout !== undefined && { idleTimeout }),
    ...(persistent !== undefined && { persistent }),
  }
}
