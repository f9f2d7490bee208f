import type { RecordPatch } from '../record/patch'
import type { Session, SessionLifetime, SessionRecord } from '../types'
import type { Present } from './state'
import { changedKeys } from '../record/changed-keys'
import { called, calledLater, ofUser } from '../calls/caller'
import { SessionError } from '../errors'
import { handOut } from '../calls/hand-out'
import { checkLifetime } from '../calls/lifetime'
import { assertKey, assertNoCallback, assertNoMore, assertPatch, misuse } from '../calls/misuse'
import { ReadMessage } from '../record/patch'
import { deepFreeze, toStorableValue } from '../record/value'

/** What the handle needs of the request it belongs to. */
export interface SessionOwner {
  /** The session that the handle shows. */
  readonly session: Present
  /** Its record, as far as the request knows. */
  readonly record: SessionRecord
  /** Applies changes now, with the cookie; throws and changes nothing where that cannot be. */
  change(patch: Partial<RecordPatch>): void
  /** @param patch a patch, or a pure function that makes one from the newest data */
  update(patch: unknown): Promise<unknown>
  regenerate(patch: unknown, options: unknown): Promise<void>
  destroy(): Promise<void>
  reload(): Promise<void>
  save(): Promise<void>
}

/** The object that users hold. It stays the same when the session behind it is replaced. */
export function createHandle(owner: SessionOwner): Session {
  return new SessionHandle(owner) as unknown as Session
}

/** Its methods are fields, so that they work when they are taken off the object. */
export class SessionHandle implements Record<keyof Session, unknown> {
  readonly #owner: SessionOwner

  constructor(owner: SessionOwner) {
    this.#owner = owner
    // What is assigned here and not given to `set`, `flash` or `update` would be lost in silence.
    Object.freeze(this)
  }

  get id(): string { return this.#owner.session.id }
  get isNew(): boolean { return this.#owner.session.kind === 'draft' }
  get createdAt(): Date { return new Date(this.#owner.record.createdAt) }
  get expiresAt(): Date { return new Date(this.#owner.record.expiresAt) }
  get data(): Record<string, unknown> { return handOut(this.#owner.session.content.data, 'session.data') }

  readonly get = (key: string): unknown => called(this.get, () => {
    assertKey('session.get(key)', key)
    return handOut(this.#owner.session.content.get(key), 'session.data', key)
  })

  readonly has = (key: string): boolean => called(this.has, () => {
    assertKey('session.has(key)', key)
    return this.#owner.session.content.get(key) !== undefined
  })

  readonly set = (...args: [key: string, value: unknown]): void => called(this.set, () => {
    assertKey('session.set(key, value)', args[0], 'await session.update({ key: value })')
    if (args.length < 2)
      throw misuse('session.set(key, value)', 'a value', undefined, 'session.set(key, value)` or `session.delete(key)')
    setKey(this.#owner, ...args)
  })

  readonly delete = (key: string): void => called(this.delete, () => {
    assertKey('session.delete(key)', key)
    setKey(this.#owner, key, undefined)
  })

  readonly clear = (): void => called(this.clear, () => this.#owner.change({ isCleared: true }))
  readonly flash = (...args: [key: string, value?: unknown]): unknown => called(this.flash, () => {
    assertKey(args.length > 1 ? 'session.flash(key, value)' : 'session.flash(key)', args[0])
    return args.length > 1 ? writeFlash(this.#owner, args[0], args[1]) : readFlash(this.#owner, args[0])
  })

  readonly setLifetime = (lifetime: SessionLifetime): void => called(this.setLifetime, () => setLifetime(this.#owner, checkLifetime(lifetime)))
  readonly update = (patch: unknown, ...others: unknown[]): Promise<unknown> => calledLater(this.update, () => {
    assertPatch('await session.update(patch)', patch, true)
    assertNoMore('await session.update(patch)', others)
    return this.#owner.update(ofUser(patch))
  })

  readonly regenerate = (patch?: unknown, options?: unknown): Promise<void> => calledLater(this.regenerate, () => {
    assertPatch('await session.regenerate(patch)', patch, false)
    return this.#owner.regenerate(patch, options)
  })

  readonly destroy = (...others: unknown[]): Promise<void> => calledLater(this.destroy, () => {
    assertNoCallback('await session.destroy()', others)
    return this.#owner.destroy()
  })

  readonly reload = (...others: unknown[]): Promise<void> => calledLater(this.reload, () => {
    assertNoCallback('await session.reload()', others)
    return this.#owner.reload()
  })

  readonly save = (...others: unknown[]): Promise<void> => calledLater(this.save, () => {
    assertNoCallback('await session.save()', others)
    return this.#owner.save()
  })
}

function setKey(owner: SessionOwner, key: string, value: unknown): void {
  owner.change({ data: changedKeys(key => owner.session.content.get(key), { [key]: value }) })
}

function writeFlash(owner: SessionOwner, key: string, value: unknown): void {
  if (value === undefined)
    throw new SessionError('INVALID_VALUE', `The flash message \`${key}\` is undefined. Any JSON value is a message; to read one, call flash with the key only.`, { details: { key } })
  owner.change({ flash: new Map([[key, toStorableValue(value, key)]]) })
}

function readFlash(owner: SessionOwner, key: string): unknown {
  const value = deepFreeze(owner.session.content.getMessage(key))
  if (value !== undefined)
    owner.change({ flash: new Map([[key, new ReadMessage(value)]]) })
  return value
}

/** Limits that the session has already are no change. */
function setLifetime(owner: SessionOwner, limits: SessionLifetime): void {
  const own: SessionLifetime = owner.record.lifetime ?? {}
  if (Object.entries(limits).some(([name, limit]) => own[name as keyof SessionLifetime] !== limit))
    owner.change({ lifetime: limits })
}
