import type { KeyedLock } from './lock'
import type { ResolvedSessionOptions } from './options'
import type { RecordPatch } from './record'
import type { SessionOwner, StateOrigin } from './session'
import type { OpenedToken, TokenCodec } from './token'
import type { Exchange, Session, SessionEventName, SessionObserver, SessionRecord, SessionStore } from './types'
import { assertCookieFits, buildRemoval, buildSetCookie, MAX_COOKIE_BYTES, readCookies } from './cookie'
import { isSessionError, SessionError } from './errors'
import { createId, toStorageKey } from './id'
import { applyPatch, isEmpty, isExpired, isNothing, isPassive, isTouchDue, mergePatches, NO_CHANGES, parseRecord, remainingSeconds, succeedRecord } from './record'
import { changedKeys, createHandle, SessionState, toChanges } from './session'
import { deepFreeze } from './value'

/** What every request of one manager shares. */
export interface RequestContext {
  options: ResolvedSessionOptions
  /** Missing in cookie mode: there the cookie is the store. */
  store: SessionStore | undefined
  codec: TokenCodec
  lock: KeyedLock
  now: () => number
}

/** Hooks may change the session they are told about; this often it is stored again. */
const MAX_SETTLE_ROUNDS = 5

/**
 * The session of one cookie during one request: loaded once, changed in memory with the
 * cookie following at once, stored when the host calls {@link RequestSession.settle}.
 */
export class RequestSession implements SessionOwner {
  /** The one object that users get, whatever happens to the session behind it. */
  readonly handle: Session
  readonly #context: RequestContext
  readonly #exchange: Exchange
  readonly #observer: SessionObserver | undefined
  /** `undefined` until the cookies were looked at, `null` when none is ours. */
  #token: OpenedToken | null | undefined
  #loading: Promise<void> | undefined
  #isLoaded = false
  #loadFailure: unknown
  #state: SessionState | undefined
  #isAnnounced = false
  /** True once the session was found gone while this request ran. */
  #hasEnded = false
  /** Ids whose records are to be removed. */
  readonly #doomed = new Set<string>()
  #hasRemovalFailed = false
  /** The last write that failed and that no later one made good. */
  #failure: SessionError | undefined
  /** True when storage or the cookie held a session that this request loaded. */
  #wasLoaded = false
  readonly #operations = new Set<Promise<unknown>>()
  #queue: Promise<unknown> = Promise.resolve()

  constructor(context: RequestContext, exchange: Exchange, observer?: SessionObserver) {
    this.#context = context
    this.#exchange = exchange
    this.#observer = observer
    this.handle = createHandle(this)
  }

  get state(): SessionState {
    return this.#state ??= this.#createState(createId())
  }

  /** True when the request carries a cookie that our secrets verify. */
  get isCarried(): boolean {
    return this.#openCookie() !== null
  }

  /** True when there is a session: a loaded one, or a new one that holds something. */
  get exists(): boolean {
    return this.#state !== undefined && (!this.#state.isNew || !this.#state.isEmpty || this.#isUninitializedSaved)
  }

  // --- Loading ---

  /** Loads the session unless that was done. Rejects with `STORAGE_ERROR`, again at every call. */
  async load(): Promise<void> {
    // Not the promise below once the data is there: a `session:loaded` hook may ask again.
    if (this.#isLoaded)
      return
    this.#loading ??= this.#load().catch((error) => {
      this.#loadFailure = error
      throw error
    })
    await this.#loading
  }

  /**
   * Makes sure that the session is loaded, without I/O.
   *
   * @throws SessionError `INVALID_SESSION` when only storage knows; what loading threw
   */
  assertLoaded(): void {
    if (this.#isLoaded)
      return
    if (this.#loadFailure)
      throw this.#loadFailure
    const token = this.#openCookie()
    if (token && this.#context.store)
      throw new SessionError('INVALID_SESSION', 'The session was not loaded for this request. Call `await useSession(event)` first, or turn autoload on for this route.')
    this.#settleLoad(token, token?.content.record)
  }

  async #load(): Promise<void> {
    const token = this.#openCookie()
    const record = token && this.#context.store ? await this.#fetch(token.content.id) : token?.content.record
    if (!this.#isLoaded)
      this.#settleLoad(token, record)
    if (this.#state && !this.#state.isNew)
      await this.#notify('loaded')
  }

  async #fetch(id: string): Promise<SessionRecord | undefined> {
    const { store, lock, now } = this.#context
    const key = toStorageKey(id)
    let value = await store!.get(key)
    // Drivers that rewrite in place can show a half-written record: look again when nobody writes.
    if (value !== undefined && !parseRecord(value))
      value = await lock.run(key, () => store!.get(key))
    const record = parseRecord(value)
    if (!record)
      await this.#observer?.rejected(value === undefined ? 'unknown' : 'corrupt')
    if (record && isExpired(record, now())) {
      // Whether the removal succeeds does not matter to this visitor: the record is dead.
      await lock.run(key, () => store!.delete(key)).catch(() => {})
    }
    return record
  }

  #settleLoad(token: OpenedToken | null, record: SessionRecord | undefined): void {
    const { now, options } = this.#context
    this.#isLoaded = true
    if (token && record && !isExpired(record, now())) {
      this.#wasLoaded = true
      this.#state = this.#createState(token.content.id, { stored: record })
      this.#refresh(token, record)
    }
    else if (token && record) {
      void this.#observer?.session('expired', createHandle(this.#detached(this.#createState(token.content.id, { stored: record }))))
    }
    if (!this.#state && options.saveUninitialized && !this.#exchange.isSent) {
      this.#state = this.#createState(createId())
      this.#writeCookie()
      this.#exchange.hold()
    }
  }

  /** Keeps a session that is only read alive: a cookie of an old secret, an idle time half over. */
  #refresh(token: OpenedToken, record: SessionRecord): void {
    if (this.#exchange.isSent)
      return
    const isTouched = isTouchDue(record, this.#context.now(), this.#context.options)
    if (isTouched) {
      this.state.change({ ...NO_CHANGES, isTouched })
      this.#exchange.hold()
    }
    if (isTouched || token.isOutdated)
      this.#writeCookie()
  }

  /** The first cookie of our name that verifies. */
  #openCookie(): OpenedToken | null {
    if (this.#token !== undefined)
      return this.#token
    const { codec, options } = this.#context
    const candidates = readCookies(this.#exchange.cookieHeader, options.cookie.name)
    let fault: 'malformed' | 'signature' | undefined
    for (const candidate of candidates) {
      const token = candidate.length > MAX_COOKIE_BYTES ? 'malformed' : codec.read(candidate)
      if (typeof token === 'object')
        return this.#token = token
      fault = token === 'signature' ? token : fault ?? token
    }
    if (fault)
      void this.#observer?.rejected(fault)
    return this.#token = null
  }

  // --- Changing ---

  change(patch: Partial<RecordPatch>): void {
    const changes = { ...NO_CHANGES, ...patch }
    if (isNothing(changes))
      return
    this.#assertChangeable()
    const undo = this.state.change(changes)
    this.#writeCookieOr(undo)
    this.#exchange.hold()
  }

  update(makePatch: (data: unknown) => unknown): Promise<unknown> {
    return this.run(() => this.#update(makePatch))
  }

  regenerate(patch: unknown): Promise<void> {
    return this.run(() => this.#regenerate(toChanges(patch ?? {})))
  }

  destroy(): Promise<void> {
    return this.run(() => this.#destroy())
  }

  save(): Promise<void> {
    return this.run(() => this.#save())
  }

  /**
   * Runs an operation that the response waits for, also when the handler does not. Its
   * failure cannot end the process when nobody awaits it: a failed write becomes the response.
   */
  run<T>(operation: () => Promise<T>): Promise<T> {
    this.#exchange.hold()
    const result = operation()
    const end = result.then(() => {}, () => {}).then(() => {
      this.#operations.delete(end)
    })
    this.#operations.add(end)
    return result
  }

  async #update(makePatch: (data: unknown) => unknown): Promise<unknown> {
    this.#assertChangeable()
    if (!this.#context.store) {
      this.change({ data: changedKeys(this.state.current.data, makePatch(deepFreeze(this.state.current.data))) })
      return this.handle.data
    }
    await this.#announce()
    await this.#enqueue(() => this.#store(makePatch))
    await this.#notify('saved')
    return this.handle.data
  }

  async #regenerate(changes: RecordPatch['data']): Promise<void> {
    this.#assertChangeable()
    const before = this.#state
    const old = this.state
    const replaces = old.isNew ? old.replaces : old.id
    this.#state = this.#createState(createId(), {
      blank: succeedRecord(old.base, this.#context.now(), this.#context.options),
      changes: changes.size > 0 ? mergePatches(old.changes, { ...NO_CHANGES, data: changes }) : old.changes,
      ...(replaces && { replaces }),
    })
    this.#writeCookieOr(() => this.#state = before)
    if (replaces)
      this.#doomed.add(replaces)
    await this.#save()
    await this.#notify('regenerated')
  }

  async #destroy(): Promise<void> {
    const { content } = this.#openCookie() ?? {}
    const old = this.#state ?? (content && !this.#isLoaded ? this.#createState(content.id, { stored: content.record }) : undefined)
    if (!this.#context.store)
      this.#assertNotSent()
    const isBeingStored = this.#operations.size > 0
    if (old && (!old.isNew || !this.#isLoaded || isBeingStored))
      this.#doomed.add(old.id)
    if (old?.replaces)
      this.#doomed.add(old.replaces)
    this.#state = undefined
    this.#isLoaded = true
    this.#removeCookie()
    if (!old)
      return
    await this.#enqueue(() => this.#store())
    await this.#observer?.session('destroyed', createHandle(this.#detached(old)))
  }

  async reload(): Promise<void> {
    const { state } = this
    if (state.isNew)
      throw new SessionError('INVALID_SESSION', 'There is no stored session to reload.')
    if (!this.#context.store)
      return
    const record = await this.#fetch(state.id)
    if (!record || isExpired(record, this.#context.now()))
      throw this.#end()
    state.rebase(record)
  }

  // --- Storing ---

  async #save(): Promise<void> {
    await this.#announce()
    const isSaved = this.#mustStore
    await this.#enqueue(() => this.#store())
    if (isSaved)
      await this.#notify('saved')
  }

  /**
   * What the host awaits before the response's first byte: `undefined` when there is nothing
   * to wait for. A rejection must become the response.
   */
  settle(): Promise<void> | undefined {
    return this.#isPending ? this.#settle() : undefined
  }

  async #settle(): Promise<void> {
    while (this.#operations.size > 0)
      await Promise.all(this.#operations)
    if (this.#failure)
      throw this.#failure
    for (let round = 0; round < MAX_SETTLE_ROUNDS && this.#mustWrite; round++)
      await this.#save()
  }

  get #isPending(): boolean {
    return this.#mustWrite || this.#operations.size > 0 || this.#failure !== undefined
  }

  get #mustWrite(): boolean {
    return this.#mustStore || this.#doomed.size > 0
  }

  get #mustStore(): boolean {
    const state = this.#state
    return state !== undefined && (state.isChanged || (state.isNew && (state.replaces !== undefined || this.#isUninitializedSaved)))
  }

  get #isUninitializedSaved(): boolean {
    return this.#context.options.saveUninitialized
  }

  /** Writes of one request run one after the other; their failures are remembered for the response. */
  #enqueue(task: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(task).catch((error) => {
      this.#withdrawCookie()
      if (isSessionError(error) && error.code === 'STORAGE_ERROR')
        this.#failure = error
      throw error
    })
    this.#queue = result.catch(() => {})
    return result
  }

  async #store(makePatch?: (data: unknown) => unknown): Promise<void> {
    if (!makePatch && !this.#mustWrite)
      return
    const { store } = this.#context
    if (!store) {
      this.#doomed.clear()
      this.#keep(this.state.takeChanges())
      return
    }
    const ids = new Set(this.#doomed)
    if (makePatch || this.#mustStore)
      ids.add(this.state.replaces ?? this.state.id)
    await this.#locked([...ids].map(toStorageKey).sort(), async () => {
      if (makePatch || this.#mustStore)
        await this.#write(store, makePatch)
      await this.#removeDoomed(store)
    })
    this.#failure = undefined
  }

  /** Cookie mode: the cookie that was written with the change is the stored session. */
  #keep(changes: RecordPatch): void {
    const { now, options } = this.#context
    const record = applyPatch(this.state.base, changes, now(), options)
    if (isEmpty(record) && !this.#isUninitializedSaved)
      this.#state = undefined
    else
      this.state.rebase(record)
  }

  async #write(store: SessionStore, makePatch?: (data: unknown) => unknown): Promise<void> {
    const { now, options } = this.#context
    const { state } = this
    const changes = state.takeChanges()
    try {
      const base = await this.#readBase(store, state)
      if (!base) {
        if (!isPassive(changes) || makePatch)
          throw this.#end()
        this.#end()
        return
      }
      let record = applyPatch(base, changes, now(), options)
      if (makePatch)
        record = applyPatch(record, { ...NO_CHANGES, data: changedKeys(record.data, makePatch(deepFreeze(record.data))) }, now(), options)
      await this.#put(store, state, record)
    }
    catch (error) {
      state.returnChanges(changes)
      throw error
    }
    if (this.#state === state || this.#state === undefined)
      this.#writeCookie()
  }

  /** The newest record to apply changes to; `undefined` when the session is gone. */
  async #readBase(store: SessionStore, state: SessionState): Promise<SessionRecord | undefined> {
    const { now, options } = this.#context
    const id = state.isNew ? state.replaces : state.id
    if (!id)
      return state.base
    const record = parseRecord(await store.get(toStorageKey(id)))
    if (!record || isExpired(record, now()))
      return undefined
    return state.isNew ? succeedRecord(record, state.base.createdAt, options) : record
  }

  async #put(store: SessionStore, state: SessionState, record: SessionRecord): Promise<void> {
    const { now } = this.#context
    if (!isEmpty(record) || this.#isUninitializedSaved) {
      await store.set(toStorageKey(state.id), record, remainingSeconds(record, now()))
      state.rebase(record)
      return
    }
    if (!state.isNew)
      await store.delete(toStorageKey(state.id))
    if (this.#state === state)
      this.#state = undefined
  }

  async #removeDoomed(store: SessionStore): Promise<void> {
    for (const id of this.#doomed) {
      try {
        await store.delete(toStorageKey(id))
      }
      catch (error) {
        this.#hasRemovalFailed = true
        throw error
      }
      this.#doomed.delete(id)
    }
  }

  #locked(keys: readonly string[], task: () => Promise<void>): Promise<void> {
    return keys.reduceRight((inner, key) => () => this.#context.lock.run(key, inner), task)()
  }

  // --- Cookie ---

  #writeCookie(): void {
    const { codec, options, now } = this.#context
    const { state } = this
    if (state.isEmpty && !this.#isUninitializedSaved) {
      if (this.#wasLoaded)
        this.#removeCookie()
      else
        this.#takeBackCookie()
      return
    }
    const record = state.current
    const maxAge = record.lifetime?.persistent === false ? undefined : remainingSeconds(record, now())
    const header = buildSetCookie(options.cookie, codec.write({ id: state.id, record }), maxAge)
    assertCookieFits(header, record.data)
    this.#exchange.setCookie(options.cookie.name, header)
  }

  #writeCookieOr(undo: () => void): void {
    try {
      this.#writeCookie()
    }
    catch (error) {
      undo()
      throw error
    }
  }

  /** Expires the browser's cookie; where it has none of ours, there is nothing to say. */
  #removeCookie(): void {
    const { cookie } = this.#context.options
    this.#exchange.setCookie(cookie.name, this.isCarried ? buildRemoval(cookie) : undefined)
  }

  #takeBackCookie(): void {
    this.#exchange.setCookie(this.#context.options.cookie.name, undefined)
  }

  /** After a failed write no cookie may point to what was not stored. */
  #withdrawCookie(): void {
    if (this.#hasRemovalFailed)
      this.#removeCookie()
    else
      this.#takeBackCookie()
  }

  // --- Small things ---

  #createState(id: string, origin?: StateOrigin): SessionState {
    return new SessionState(id, this.#context.now, this.#context.options, origin)
  }

  #assertNotSent(): void {
    if (this.#exchange.isSent)
      throw new SessionError('COOKIE_ERROR', 'The session was changed after the response was sent, so its cookie cannot follow. Change it before sending or streaming.')
  }

  #assertChangeable(): void {
    this.#assertNotSent()
    if (this.#hasEnded)
      throw endedError()
  }

  /** The session is gone from storage; nothing that is pending can be stored any more. */
  #end(): SessionError {
    this.#hasEnded = true
    this.#state = undefined
    this.#takeBackCookie()
    return endedError()
  }

  async #announce(): Promise<void> {
    if (this.#isAnnounced || !this.#state?.isNew || this.#state.replaces || !this.exists)
      return
    this.#isAnnounced = true
    await this.#notify('created')
  }

  async #notify(name: SessionEventName): Promise<void> {
    await this.#observer?.session(name, this.handle)
  }

  /** An owner for a handle that only shows what was. */
  #detached(state: SessionState): SessionOwner {
    const refuse = (): never => {
      throw endedError()
    }
    return { state, change: refuse, update: refuse, regenerate: refuse, destroy: refuse, reload: refuse, save: refuse }
  }
}

function endedError(): SessionError {
  return new SessionError('EXPIRED_SESSION', 'The session ended while this request ran: it was destroyed, replaced or it expired.')
}
