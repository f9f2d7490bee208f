import type { RecordPatch } from './patch'
import type { SessionState } from './session-state'
import type { Session, SessionLifetime } from './types'
import { SessionError } from './errors'
import { ReadMessage } from './patch'
import { MAX_LIFETIME_SECONDS } from './record'
import { deepFreeze, isEqualValue, toChanges, toStorableValue } from './value'

/** What the handle needs of the request it belongs to. */
export interface SessionOwner {
  readonly state: SessionState
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

  readonly get = (key: string): unknown => deepFreeze(this.#owner.state.get(key))
  readonly has = (key: string): boolean => this.#owner.state.get(key) !== undefined
  readonly set = (key: string, value: unknown): void => this.#owner.change({ data: changedKeys(key => this.#owner.state.get(key), { [key]: value }) })
  readonly delete = (key: string): void => this.set(key, undefined)
  readonly clear = (): void => this.#owner.change({ isCleared: true })
  readonly flash = (...args: [key: string, value?: unknown]): unknown => args.length > 1 ? writeFlash(this.#owner, args[0], args[1]) : readFlash(this.#owner, args[0])
  readonly setLifetime = (lifetime: SessionLifetime): void => this.#owner.change({ lifetime: checkLifetime(lifetime) })
  readonly update = (patch: unknown): Promise<unknown> => this.#owner.update(patch)
  readonly regenerate = (patch?: unknown, options?: unknown): Promise<void> => this.#owner.regenerate(patch, options)
  readonly destroy = (): Promise<void> => this.#owner.destroy()
  readonly reload = (): Promise<void> => this.#owner.reload()
  readonly save = (): Promise<void> => this.#owner.save()
}

/**
 * The changes of a patch that really differ from the data.
 *
 * @param get the value that a key has, or `undefined`
 */
export function changedKeys(get: (key: string) => unknown, patch: unknown): Map<string, unknown> {
  const changes = toChanges(patch)
  for (const [key, value] of changes) {
    if (isEqualValue(get(key), value))
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
  const value = deepFreeze(owner.state.getMessage(key))
  if (value !== undefined)
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
