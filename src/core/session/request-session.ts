import type { Maybe } from '../maybe'
import type { RecordPatch } from '../record/patch'
import type { Exchange, SessionObserver } from '../ports'
import type { Session, SessionRecord } from '../types'
import type { SessionOwner } from './handle'
import type { RequestContext } from './context'
import type { Operations } from './operations'
import type { MakePatch } from './ports'
import type { Present } from './state'
import { changedKeys } from '../record/changed-keys'
import { handOut } from '../calls/hand-out'
import { andThen, orElse, toPromise } from '../maybe'
import { isNothing, patchOf } from '../record/patch'
import { deepFreeze } from '../record/value'
import { commit, hasPending } from './committing'
import { destroy } from './destroying'
import { endedError } from './guards'
import { createHandle } from './handle'
import { SessionEvents } from './events'
import { SessionLoader } from './loading'
import { SessionMachine } from './machine'
import { type Migrate, oldCookieToLoad } from './old-cookie'
import { regenerate } from './regenerating'
import { reload } from './reloading'
import { changed, presentIn } from './state'

/** Hooks may change the session they are told about; this often it is stored again. */
const MAX_COMMITS = 5

/**
 * The session of one cookie during one request: loaded once, changed in memory with the
 * cookie following at once, stored when the host calls {@link RequestSession.commit}.
 */
export class RequestSession implements SessionOwner {
  readonly #machine: SessionMachine
  readonly #operations: Operations
  readonly #loader: SessionLoader
  #handle: Session | undefined

  /** @param migrate missing where no session comes from another package */
  constructor(context: RequestContext, exchange: Exchange, observer?: SessionObserver, migrate?: Migrate) {
    this.#machine = new SessionMachine(context, exchange, new SessionEvents(context, observer, () => this.handle))
    this.#operations = this.#machine.operations
    this.#loader = new SessionLoader(this.#machine, migrate)
  }

  /** The one object that users get, whatever happens to the session behind it. */
  get handle(): Session {
    return this.#handle ??= createHandle(this)
  }

  /** The session that the handle shows. */
  get session(): Present {
    return this.#machine.session
  }

  /** Its record, as far as this request knows. */
  get record(): SessionRecord {
    return this.#machine.record
  }

  /** The data as they are now, frozen. */
  get data(): Readonly<Record<string, unknown>> {
    return deepFreeze(this.session.content.data)
  }

  /** True when the request carries a cookie that our secrets verify, or one that becomes ours. */
  get isCarried(): boolean {
    const { cookie, state } = this.#machine
    return cookie.tokens.length > 0 || (state.isLoaded ? state.isMigrated : oldCookieToLoad(this.#machine) !== undefined)
  }

  get isLoaded(): boolean {
    return this.#machine.state.isLoaded
  }

  /** True when there is a session: a stored one, or a new one that holds something. */
  get exists(): boolean {
    return this.#machine.exists
  }

  /** The record as it was loaded; missing also when a session was ended that was never loaded. */
  get original(): SessionRecord | undefined {
    return this.#machine.state.arrived
  }

  /** True when the request ended a session, or found it ended. */
  get isOver(): boolean {
    return this.#machine.state.hadSession && !this.exists
  }

  /** True when the request gave the session another id. */
  get hasNewId(): boolean {
    return this.#machine.state.renewed.length > 0
  }

  // --- Loading ---

  /** Loads the session unless that was done. Rejects with `STORAGE_ERROR`, again at every call. */
  load(): Promise<void> {
    return toPromise(() => this.#loader.load())
  }

  /** {@link RequestSession.load} without a promise for what is there at once. */
  ensureLoaded(): Maybe<void> {
    return this.#loader.load()
  }

  /** Loads what nobody has to wait for. True when the session is loaded. */
  loadAtOnce(): boolean {
    return this.#loader.loadAtOnce()
  }

  /**
   * Makes sure that the session is loaded, without I/O.
   *
   * @throws SessionError `INVALID_SESSION` when only storage knows; what loading threw
   */
  assertLoaded(): void {
    this.#loader.assertLoaded()
  }

  /** Runs an operation on the loaded session. One that the request ended while it loaded is not begun again. */
  whenLoaded<T>(operation: () => Maybe<T>): Promise<T> {
    return this.#operations.run(() => andThen(this.#loader.load(), () => {
      if (this.#machine.state.isDismissed)
        throw endedError()
      return operation()
    }))
  }

  /** Gives a new session its first data; one that ended in this request gets none. */
  begin(makeData: () => object): void {
    const { canBegin, state } = this.#machine
    const session = presentIn(state)
    const isBlank = session === undefined || (session.kind === 'draft' && session.content.isEmpty)
    if (canBegin && isBlank && !state.hadSession)
      this.change({ data: changedKeys(() => undefined, makeData()) })
  }

  // --- Changing ---

  change(part: Partial<RecordPatch>): void {
    const machine = this.#machine
    const patch = patchOf(part)
    if (isNothing(patch))
      return
    machine.assertChangeable()
    if (patch.lifetime)
      machine.assertCookieCanFollow('its lifetime')
    const { session } = machine
    const content = session.content.with(patch, machine.areBytesCounted)
    machine.assertFits(content, session.content)
    machine.become(changed(machine.state, session, patch, content))
    machine.exchange.holdResponse()
  }

  update(patch: unknown): Promise<Readonly<Record<string, unknown>>> {
    const makePatch = typeof patch === 'function' ? patch as MakePatch : (): unknown => patch
    return this.#operations.run(() => {
      const machine = this.#machine
      machine.assertChangeable()
      const { era } = machine.state
      if (machine.isCookieMode) {
        const made = makePatch(handOut(this.data, 'data'))
        // The function may itself have ended the session.
        machine.assertNotEndedSince(era)
        this.change({ data: changedKeys(key => this.session.content.get(key), made) })
        return handOut(this.data, 'session.data')
      }
      return andThen(commit(machine, makePatch), written =>
        handOut(machine.state.era === era || !written ? this.data : written.record.data, 'session.data'))
    })
  }

  regenerate(patch: unknown, options: unknown): Promise<void> {
    return this.#operations.run(() => regenerate(this.#machine, patch, options))
  }

  destroy(): Promise<void> {
    return this.#operations.run(() => destroy(this.#machine, () => this.#loader.load()))
  }

  reload(): Promise<void> {
    return this.#operations.run(() => reload(this.#machine))
  }

  save(): Promise<void> {
    return this.#operations.run(() => andThen(commit(this.#machine), () => {}))
  }

  // --- Storing ---

  /**
   * What the host awaits before the response's first byte: `undefined` when there is nothing
   * to wait for. A rejection must become the response.
   */
  commit(): Promise<void> | undefined {
    // The response goes out at once: none of what was begun since is stored yet.
    const committed = orElse(() => this.#commit(), error => toPromise<void>(() => this.#machine.failWith(error)))
    return committed instanceof Promise ? committed : undefined
  }

  #commit(): Maybe<void> {
    if (!this.#operations.areDone)
      return this.#operations.whenDone().then(() => this.#commit())
    const machine = this.#machine
    machine.throwFailure()
    return andThen(this.#commitAll(MAX_COMMITS), () => {
      machine.throwFailure()
      machine.yieldToReplacement()
    })
  }

  #commitAll(times: number): Maybe<void> {
    return times > 0 && hasPending(this.#machine) ? andThen(commit(this.#machine), () => this.#commitAll(times - 1)) : undefined
  }
}
