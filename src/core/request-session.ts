import type { OldCookie, OldCookieOpener } from './migration/old-cookie'
import type { TakenOver } from './migration/take-over'
import type { ResolvedSessionOptions } from './options'
import type { RecordPatch } from './patch'
import type { Ended, MakePatch, Missing, RecordStorage, Written } from './record-storage'
import type { SessionOwner } from './session'
import type { StateOrigin } from './session-state'
import type { Succession } from './succession'
import type { FoundToken } from './found-cookies'
import type { TokenCodec, TokenFault } from './token'
import type { Exchange, Session, SessionEventName, SessionObserver, SessionRecord } from './types'
import { cachedResponseError, isSessionError, SessionError } from './errors'
import { handOut } from './hand-out'
import { createId } from './id'
import { isNothing, isOnlyTouch, isPassive, mergePatches, NO_CHANGES } from './patch'
import { isEmpty, isExpired, isTouchDue, underLimits } from './record'
import { changedKeys, createHandle } from './session'
import { SessionState } from './session-state'
import { SessionCookie } from './session-cookie'
import { assertRecordFits } from './size'
import { hasData, succeed, toSuccession } from './succession'
import { deepFreeze, isPromise } from './value'

/** What every request of one manager shares. */
export interface RequestContext {
  options: ResolvedSessionOptions
  /** Missing in cookie mode: there the cookie is the storage. */
  storage: RecordStorage | undefined
  codec: TokenCodec
  /** Where sessions of another package become ours. */
  openOldCookie: OldCookieOpener | undefined
  /** Those that moved in a moment ago. */
  recent: Map<string, SessionRecord>
  now: () => number
}

const NOTHING: ReadonlyMap<string, SessionRecord | undefined> = new Map()

/** Of several cookies that verify, so many are looked up in storage. */
const MAX_LOOKUPS = 4

/** Hooks may change the session they are told about; this often it is stored again. */
const MAX_SETTLE_ROUNDS = 5

/**
 * The session of one cookie during one request: loaded once, changed in memory with the
 * cookie following at once, stored when the host calls {@link RequestSession.settle}.
 */
export class RequestSession implements SessionOwner {
  readonly #context: RequestContext
  readonly #exchange: Exchange
  readonly #observer: SessionObserver | undefined
  readonly #cookie: SessionCookie
  readonly #oldCookie: OldCookie | undefined
  #handle: Session | undefined
  #state: SessionState | undefined
  #loading: Promise<void> | undefined
  #loadFailure: unknown
  #isLoaded = false
  /** True when there was a session to load. */
  #wasFound = false
  #original: SessionRecord | undefined
  #mayHaveChanged = false
  /** Why the session was found ended while this request ran: then no change begins another. */
  #over: Ended | undefined
  /** True when another request gave the session a new id, and its cookie to the browser. */
  #isReplaced = false
  /** Grows with every end, ours or found: what was asked of an earlier session never touches a later one. */
  #era = 0
  /** True when the request asked for the end of the session. */
  #isDismissed = false
  /** True when the session was that of another package until now. */
  #isMigrated = false
  #isTellingSaved = false
  /** Ids that this request itself replaced. */
  #replacedHere: Set<string> | undefined
  /** Ids whose records are to be removed, with the record that was loaded. */
  #doomed: ReadonlyMap<string, SessionRecord | undefined> = NOTHING
  /** The last write that failed and that no later one made good. */
  #failure: SessionError | undefined
  /** What was begun and has not ended; the response waits for it. */
  readonly #operations = new Set<Promise<unknown>>()
  /** Writes run one after the other; the last one of them, until it has ended. */
  #queue: Promise<unknown> | undefined
  /** Calls of `regenerate`: those that wait go on in the order in which they were asked for. */
  readonly #renewals = { asked: 0, done: 0 }

  constructor(context: RequestContext, exchange: Exchange, observer?: SessionObserver) {
    this.#context = context
    this.#exchange = exchange
    this.#observer = observer
    this.#cookie = new SessionCookie(context.options, context.codec, exchange, reason => this.#reject(reason))
    // Who moves in gets a cookie of ours.
    if (context.openOldCookie && !exchange.cookieObstacle)
      this.#oldCookie = context.openOldCookie(context, exchange)
  }

  /** The one object that users get, whatever happens to the session behind it. */
  get handle(): Session {
    return this.#handle ??= createHandle(this)
  }

  /** The data as they are now, frozen. */
  get data(): Record<string, unknown> {
    return deepFreeze(this.state.current.data)
  }

  get state(): SessionState {
    return this.#state ??= this.#createState(createId())
  }

  /** True when the request carries a cookie that our secrets verify, or one that becomes ours. */
  get isCarried(): boolean {
    return this.#cookie.token !== null || (this.#isLoaded ? this.#isMigrated : this.#oldToLoad !== undefined)
  }

  get isLoaded(): boolean {
    return this.#isLoaded
  }

  /** True when there is a session: a loaded one, or a new one that holds something. */
  get exists(): boolean {
    return this.#state !== undefined && (!this.#state.isNew || this.#isBeginning(this.#state))
  }

  /** The record as it was loaded; missing also when a session was ended that was never loaded. */
  get original(): SessionRecord | undefined {
    return this.#original
  }

  /** True when the request ended a session, or found it ended. */
  get isOver(): boolean {
    return this.#wasFound && !this.exists
  }

  /** True when the request gave the session another id. */
  get hasNewId(): boolean {
    return this.#replacedHere !== undefined
  }

  /** False for a request that only read. */
  get mayHaveChanged(): boolean {
    return this.#mayHaveChanged
  }

  // --- Loading ---

  /** Loads the session unless that was done. Rejects with `STORAGE_ERROR`, again at every call. */
  load(): Promise<void> {
    // Not the promise of the loading once the data is there: a `session:loaded` hook may ask again.
    return this.#isLoaded ? Promise.resolve() : this.#loading ??= this.#load()
  }

  /** Runs an operation on the loaded session. One that the request ended while it loaded is not begun again. */
  whenLoaded<T>(operation: () => Promise<T>): Promise<T> {
    return this.run(async () => {
      await this.load()
      if (this.#isDismissed)
        throw endedError()
      return operation()
    })
  }

  /** Loads what nobody has to wait for. True when the session is loaded. */
  loadAtOnce(): boolean {
    if (this.#isLoaded || this.#loading)
      return this.#isLoaded
    const mustWait = this.#cookie.token ? this.#context.storage !== undefined || (this.#observer && this.#observer.isListening !== false) : this.#oldToLoad
    if (!mustWait)
      this.assertLoaded()
    return this.#isLoaded
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
    const { token } = this.#cookie
    if (token ? this.#context.storage : this.#oldToLoad)
      throw new SessionError('INVALID_SESSION', 'The session was not loaded for this request. Call `await useSession(event)` first (in a Vue page `await useClientSession()`), or turn autoload on for this route.')
    this.#start(token, token?.content.record)
  }

  async #load(): Promise<void> {
    const era = this.#era
    try {
      const { token } = this.#cookie
      const { storage } = this.#context
      const old = this.#oldToLoad
      if (old)
        await this.run(() => this.#migrate(old))
      const record = token && storage ? await this.#find(storage) : token?.content.record
      if (!this.#isLoaded)
        this.#start(this.#cookie.token, record)
    }
    catch (error) {
      this.#loadFailure = error
      throw error
    }
    const told = this.#wasFound && this.#era === era ? this.#notify('loaded') : undefined
    if (told)
      await told
  }

  /** The record of the first cookie that has a session, or else one that has expired. */
  async #find(storage: RecordStorage): Promise<SessionRecord | undefined> {
    const era = this.#era
    let expired: SessionRecord | undefined
    let missing: Missing | undefined
    for (const token of this.#cookie.tokens.slice(0, MAX_LOOKUPS)) {
      const found = await storage.fetch(token.content.id)
      // This request itself ended it meanwhile.
      if (this.#era !== era)
        return undefined
      if (typeof found === 'object' && !isExpired(underLimits(found, this.#context.options), this.#context.now())) {
        this.#cookie.choose(token)
        return found
      }
      this.#cookie.markDead(token)
      if (typeof found === 'string') {
        missing = missing === 'replaced' ? missing : found
      }
      else if (!expired) {
        this.#cookie.choose(token)
        expired = found
      }
    }
    if (expired && missing !== 'replaced')
      return expired
    if (missing)
      await this.#miss(missing)
    return undefined
  }

  async #fetch(storage: RecordStorage, id: string): Promise<SessionRecord | undefined> {
    const era = this.#era
    const found = await storage.fetch(id)
    if (typeof found === 'object')
      return found
    // This request itself ended it meanwhile.
    if (this.#era === era)
      await this.#miss(found)
    return undefined
  }

  async #miss(missing: Missing): Promise<void> {
    if (missing === 'replaced')
      this.#endAs(missing)
    await this.#observer?.rejected(missing === 'replaced' ? 'unknown' : missing)
  }

  /** Removes the cookie of another package, where none of ours takes its place. */
  #expire(old: OldCookie): void {
    old.expire()
    this.#cookie.removeBeside(old.removalBesideOurs)
    if (old.isNamedAsOurs)
      this.#removeCookie()
  }

  /** Tells of a cookie of our name that is not ours. */
  #reject(fault: TokenFault): void {
    if (!this.#oldCookie?.isNamedAsOurs)
      void this.#observer?.rejected(fault, this.#context.options.cookie.name)
  }

  /** The cookie of another package, where the request carries none of ours. */
  get #oldToLoad(): OldCookie | undefined {
    return !this.#isLoaded && this.#cookie.token === null && this.#oldCookie?.isCarried ? this.#oldCookie : undefined
  }

  /** Takes over the session of another package. Its cookie goes only when ours goes out, to what is stored. */
  async #migrate(old: OldCookie): Promise<void> {
    if (this.#exchange.isSent || this.#exchange.isShared)
      return
    const taken = await old.take(this.#observer)
    if (!taken)
      return
    this.#cookie.removeBeside(old.removalBesideOurs)
    if (!await this.#writeMigrated(taken))
      return
    const { id, record, isFirst } = taken
    await taken.end().catch((error) => {
      this.#cookie.takeBack()
      throw error
    })
    this.#cookie.settle()
    if (isEmpty(record)) {
      this.#expire(old)
      return
    }
    old.expire()
    this.#start({ content: { id }, isOutdated: false }, record)
    this.#isMigrated = true
    // The page knows nothing of it.
    this.#original = undefined
    if (isFirst)
      await this.#notify('created')
  }

  /** False when a session of another package does not fit into a cookie of ours. */
  async #writeMigrated({ id, record }: TakenOver): Promise<boolean> {
    try {
      if (!isEmpty(record))
        this.#cookie.write(id, record, this.#context.now())
      return true
    }
    catch (error) {
      if (!isSessionError(error) || error.code !== 'COOKIE_ERROR')
        throw error
      await this.#observer?.rejected('corrupt')
      return false
    }
  }

  #start(token: Pick<FoundToken, 'content' | 'isOutdated'> | null, loaded: SessionRecord | undefined): void {
    const record = loaded && underLimits(loaded, this.#context.options)
    this.#isLoaded = true
    if (token && record && isExpired(record, this.#context.now())) {
      void this.#observer?.session('expired', this.#show(this.#createState(token.content.id, { stored: record })))
    }
    else if (token && record) {
      this.#wasFound = true
      this.#original = record
      this.#state = this.#createState(token.content.id, { stored: record })
      this.#refresh(token, record)
    }
    if (!this.#state && this.#context.options.saveUninitialized && this.#canBegin) {
      this.#state = this.#createState(createId())
      this.#writeCookie()
      this.#hold()
    }
  }

  /** Keeps a session that is only read alive: a cookie of an old secret, an idle time half over. */
  #refresh(token: Pick<FoundToken, 'isOutdated'>, record: SessionRecord): void {
    if (this.#obstacle && !this.#context.storage)
      return
    const isTouched = isTouchDue(record, this.#context.now(), this.#context.options)
    if (isTouched) {
      this.state.change({ ...NO_CHANGES, isTouched })
      this.#hold()
    }
    if (isTouched || token.isOutdated)
      this.#writeCookie()
  }

  /** Gives a new session its first data; one that ended in this request gets none. */
  begin(makeData: () => object): void {
    if (this.#canBegin && !this.exists && !this.#wasFound)
      this.change({ data: changedKeys(() => undefined, makeData()) })
  }

  /** False after an end: only a change begins another session. */
  get #canBegin(): boolean {
    return !this.#obstacle && !this.#exchange.isShared && this.#era === 0
  }

  // --- Changing ---

  change(patch: Partial<RecordPatch>): void {
    const changes = { ...NO_CHANGES, ...patch }
    if (isNothing(changes))
      return
    this.#assertChangeable()
    if (changes.lifetime)
      this.#assertCookieCanFollow('its lifetime')
    const undo = this.state.change(changes)
    this.#writeCookieOr(undo)
    this.#hold()
  }

  update(patch: unknown): Promise<Record<string, unknown>> {
    const makePatch = typeof patch === 'function' ? patch as MakePatch : (): unknown => patch
    return this.run(async () => {
      this.#assertChangeable()
      const era = this.#era
      if (!this.#context.storage) {
        this.change({ data: changedKeys(key => this.state.get(key), makePatch(handOut(this.data, 'data'))) })
        return handOut(this.data, 'session.data')
      }
      const written = await this.#store(makePatch)
      return handOut(this.#era === era || !written ? this.data : written.record.data, 'session.data')
    })
  }

  regenerate(patch: unknown, options: unknown): Promise<void> {
    return this.run(async () => {
      const succession = toSuccession(patch, options)
      const era = this.#era
      const turn = this.#renewals.asked++
      // Only when a write has ended is it known what is there to be replaced.
      while (turn > this.#renewals.done || (this.#queue && this.#state?.isBeingStored))
        await this.#queue
      this.#renewals.done++
      this.#assertNotEndedSince(era)
      const state = await (this.#over === 'replaced' && hasData(succession) ? this.#beginAfresh(succession) : this.#renew(succession))
      // Nothing is told of one that was left with nothing.
      if (!state.isNew)
        await this.#notify('regenerated')
    })
  }

  destroy(): Promise<void> {
    return this.run(async () => {
      if (!this.#context.storage) {
        this.#assertNotShared()
        this.#assertCookieCanFollow()
      }
      const old = this.#oldToLoad
      if (old)
        await this.#loadToEnd(old)
      // Of several cookies only storage knows which one has the session.
      else if (this.#cookie.tokens.length > 1)
        await this.load().catch(() => {})
      this.#assertNotReplaced()
      const ended = this.#abandon()
      // Expired in any case, whatever happens to the record.
      this.#isDismissed = true
      // Also one of another package that was not read, or it would log the visitor in again.
      if (this.#oldCookie)
        this.#expire(this.#oldCookie)
      this.#removeCookie()
      // Also what an earlier attempt could not remove.
      if (this.#doomed.size > 0)
        await this.#store()
      this.#assertNotReplaced()
      if (ended)
        await this.#observer?.session('destroyed', this.#show(ended))
    })
  }

  /** What is to end must be ours first. The old cookie is expired in any case. */
  async #loadToEnd(old: OldCookie): Promise<void> {
    await this.load().catch((error) => {
      this.#expire(old)
      if (isSessionError(error))
        this.#failure = error
      throw error
    })
  }

  reload(): Promise<void> {
    const era = this.#era
    // Not beside a write, or it would show what that replaces.
    return this.run(() => this.#inTurn(async () => {
      this.#assertNotEndedSince(era)
      if (this.#over)
        throw endedError()
      const state = this.#state
      const { storage, now } = this.#context
      if (!state || state.isNew)
        throw new SessionError('INVALID_SESSION', 'There is no stored session to reload.')
      if (!storage)
        return
      const record = await this.#fetch(storage, state.id)
      this.#assertNotEndedSince(era)
      if (!record || isExpired(record, now()))
        throw this.#endAs('gone')
      state.rebase(record)
    }))
  }

  save(): Promise<void> {
    return this.run(async () => void await this.#store())
  }

  /**
   * Runs an operation that the response waits for, also when the handler does not. Its
   * failure cannot end the process when nobody awaits it: a failed write becomes the response.
   */
  run<T>(operation: () => Promise<T>): Promise<T> {
    this.#hold()
    const result = operation()
    const forget = (): void => {
      this.#operations.delete(end)
    }
    const end = result.then(forget, forget)
    this.#operations.add(end)
    return result
  }

  /** Gives the session another id. One that another request was faster to renew begins afresh. */
  async #renew(succession: Succession): Promise<SessionState> {
    this.#assertChangeable()
    this.#assertCookieCanFollow('its id')
    const era = this.#era
    const before = this.#state
    const state = this.#replaceState(succession)
    try {
      await this.#store()
    }
    catch (error) {
      if (this.#over === 'replaced' && this.#era === era + 1 && hasData(succession))
        return this.#beginAfresh(succession, state.changes)
      // Nothing was stored, nor could it be: the session stays what it was.
      if (this.#state === state && isSessionError(error) && error.code !== 'STORAGE_ERROR') {
        this.#state = before
        if (state.isChanged)
          this.state.takeOver(state.changes)
      }
      throw error
    }
    this.#assertNotEndedSince(era)
    return state
  }

  /**
   * Begins a session that holds the patch and nothing else, where another request replaced the id:
   * a login that was sent twice, or again because its answer was lost.
   *
   * @param later what was changed since the patch was given
   */
  async #beginAfresh({ data }: Succession, later = NO_CHANGES): Promise<SessionState> {
    this.#assertNotShared()
    this.#assertCookieCanFollow('its id')
    const era = this.#era
    const state = this.#state = this.#createState(createId(), { changes: mergePatches({ ...NO_CHANGES, data }, later) })
    this.#over = undefined
    this.#writeCookieOr(() => this.#endAs('replaced'))
    await this.#store()
    this.#assertNotEndedSince(era)
    return state
  }

  /** Puts a new session in the place of the present one, which goes on in it. */
  #replaceState(succession: Succession): SessionState {
    const { options, storage } = this.#context
    const before = this.#state
    const old = this.state
    const { changes } = old
    const now = this.#context.now()
    const successorOf = (record: SessionRecord): SessionRecord => succeed(record, changes, succession, now, options)
    const earlier = old.replaces
    const state = this.#createState(createId(), {
      blank: successorOf(old.base),
      replaces: earlier
        ? { id: earlier.id, succeed: record => successorOf(earlier.succeed(record)) }
        : old.isNew ? undefined : { id: old.id, succeed: successorOf },
      isAnnounced: old.isAnnounced,
    })
    if (storage)
      assertRecordFits(state.current, options.maxBytes, old.current)
    this.#state = state
    this.#writeCookieOr(() => this.#state = before)
    return state
  }

  /** Gives up the present session and dooms its record, and those of other cookies. Returns it, if there was one. */
  #abandon(): SessionState | undefined {
    this.#cookie.otherIds.forEach(id => this.#doom(id))
    const { token } = this.#cookie
    const isUnread = !this.#isLoaded && token !== null
    const state = isUnread ? this.#createState(token.content.id, { stored: token.content.record }) : this.#state
    const wasThere = isUnread || this.exists || state?.replaces !== undefined || state?.isBeingStored
    this.#wasFound ||= isUnread
    this.#state = undefined
    this.#isLoaded = true
    // Also where there is nothing yet: an update may be about to begin it.
    this.#era++
    if (state && (isUnread || state.mayBeStored))
      this.#doom(state.id, state.isNew || isUnread ? undefined : state.base)
    if (state?.replaces)
      this.#doom(state.replaces.id)
    return wasThere ? state : undefined
  }

  // --- Storing ---

  /**
   * What the host awaits before the response's first byte: `undefined` when there is nothing
   * to wait for. A rejection must become the response.
   */
  settle(): Promise<void> | undefined {
    try {
      if (this.#mustStore && this.#operations.size === 0 && !this.#failure)
        this.#storeAtOnce()
    }
    catch (error) {
      return Promise.reject(error)
    }
    if (this.#mustStore || this.#operations.size > 0 || this.#failure)
      return this.#settle()
    this.#giveWay()
    return undefined
  }

  /** In cookie mode there is nothing to wait for, unless somebody who is told has something to do. */
  #storeAtOnce(): void {
    if (this.#context.storage)
      return
    const told = this.#announce(this.exists) ?? (this.#keepInCookie() ? this.#tellSaved() : undefined)
    if (told)
      void this.run(() => told)
  }

  async #settle(): Promise<void> {
    while (this.#operations.size > 0)
      await Promise.all(this.#operations)
    this.#throwFailure()
    for (let round = 0; round < MAX_SETTLE_ROUNDS && this.#mustStore; round++)
      await this.#store()
    this.#throwFailure()
    this.#giveWay()
  }

  #throwFailure(): void {
    if (!this.#failure)
      return
    this.#cookie.rollBack()
    throw this.#failure
  }

  /** Another request replaced the id since this one stored its changes: the browser keeps that one's cookie. */
  #giveWay(): void {
    if (this.#state && this.#context.storage?.wasReplaced(this.#state.id))
      this.#endAs('replaced')
  }

  get #mustStore(): boolean {
    return this.#mustWrite || this.#doomed.size > 0
  }

  get #mustWrite(): boolean {
    const state = this.#state
    if (!state?.isNew)
      return state?.isChanged === true
    return state.replaces !== undefined || this.#isBeginning(state)
  }

  /**
   * Stores what is pending, with its hooks; hooks run outside of the queue, so they may store too.
   * Resolves to what was written, or would have been if storage did not hold it already.
   */
  async #store(makePatch?: MakePatch): Promise<Written | undefined> {
    const era = this.#era
    const announced = this.#announce(makePatch !== undefined || this.exists)
    if (announced)
      await announced
    const written = await this.#inTurn(() => {
      if (makePatch)
        this.#assertNotEndedSince(era)
      return this.#flush(makePatch)
    }).catch(error => this.#failAs(error))
    // One may have begun in the place of the other.
    const begun = this.#announce(this.exists)
    if (begun)
      await begun
    const told = written?.isChanged && !this.#isTellingSaved ? this.#tellSaved() : undefined
    if (told)
      await told
    return written
  }

  /** Runs what reads or writes storage behind what came before. */
  async #inTurn<T>(task: () => T | Promise<T>): Promise<T> {
    let end = (): void => {}
    const before = this.#queue
    // Before it begins: the function of an update may itself ask for a write.
    const ended = this.#queue = new Promise<void>(resolve => end = resolve)
    try {
      if (before)
        await before
      return await task()
    }
    finally {
      if (this.#queue === ended)
        this.#queue = undefined
      end()
    }
  }

  #failAs(error: unknown): never {
    this.#cookie.rollBack()
    if (isSessionError(error) && error.code === 'STORAGE_ERROR')
      this.#failure = error
    throw error
  }

  /** What a hook of `session:saved` stores itself is not told again, or it might never end. */
  #tellSaved(): Promise<void> | undefined {
    this.#isTellingSaved = true
    const told = this.#notify('saved')?.finally(() => this.#isTellingSaved = false)
    if (!told)
      this.#isTellingSaved = false
    return told
  }

  #flush(makePatch?: MakePatch): Written | undefined | Promise<Written | undefined> {
    const { storage } = this.#context
    this.#assertCookieKnown(makePatch !== undefined)
    if (!makePatch && !this.#mustStore)
      return undefined
    if (!storage)
      return this.#keepInCookie()
    const state = makePatch || this.#mustWrite ? this.state : undefined
    // Taken now, not when its turn has come: who ends the session meanwhile must know of the write.
    const changes = state?.takeChanges() ?? NO_CHANGES
    const doomed = this.#doomed
    const ids = [...doomed.keys(), ...(state ? [state.replaces?.id ?? state.id] : [])]
    return storage.exclusively(ids, async () => {
      if (doomed.size > 0)
        await this.#removeDoomed(storage, doomed, state)
      if (!state)
        this.#failure = undefined
      return state && this.#write(storage, state, changes, makePatch)
    })
  }

  /** Since a session was begun the response may have begun as well, without its cookie. */
  #assertCookieKnown(isUpdate: boolean): void {
    const state = this.#state
    const isBegun = state === undefined || state.isNew
    const isMeant = isUpdate || state?.isKept || state?.replaces
    if (isBegun && isMeant && !(state && this.#cookie.isKnown(state.id)))
      this.#assertCookieCanFollow()
  }

  /** The cookie that was written with the change is the stored session. */
  #keepInCookie(): Written | undefined {
    const state = this.#mustWrite ? this.#state : undefined
    this.#doomed = NOTHING
    this.#cookie.settle()
    if (!state)
      return undefined
    const record = state.current
    state.takeChanges()
    this.#continueFrom(state, record, false)
    return { record, isChanged: true }
  }

  async #write(storage: RecordStorage, state: SessionState, changes: RecordPatch, makePatch?: MakePatch): Promise<Written | undefined> {
    const { replaces } = state
    let written
    try {
      written = await storage.write(state, changes, makePatch)
      this.#failure = undefined
    }
    catch (error) {
      if (makePatch || state.isNew || !isOnlyTouch(changes)) {
        state.returnChanges()
        if (this.#state === state && !state.isKept && (!state.isNew || replaces))
          this.#removeCookie()
        throw error
      }
      // That the visitor was seen is not worth an error: the session stays as it was.
      this.#cookie.rollBack()
      written = { record: state.base, isChanged: false }
    }
    if (written === 'gone' && this.#canBeginAnew(state, changes, makePatch)) {
      this.#cookie.takeBack()
      this.#cookie.settle()
      this.#state = this.#createState(createId(), { changes: { ...state.changes, isCleared: false } })
      return this.#write(storage, this.#state, this.#state.takeChanges(), makePatch)
    }
    if (typeof written === 'string') {
      // Only that session ends, not one that took its place in this request.
      const ended = this.#state === undefined || this.#state === state ? this.#endAs(written) : endedError()
      if (makePatch || replaces || !isPassive(changes))
        throw ended
      return undefined
    }
    if (replaces)
      (this.#replacedHere ??= new Set()).add(replaces.id)
    const { record, isChanged } = written
    this.#continueFrom(state, record, isChanged)
    return written
  }

  /**
   * True for a session that held messages only, the last of which another request has read:
   * nothing comes back with what this request changed, under an id of its own.
   */
  #canBeginAnew(state: SessionState, changes: RecordPatch, makePatch?: MakePatch): boolean {
    return (makePatch !== undefined || !isPassive(changes))
      && this.#state === state && !state.isNew && Object.keys(state.base.data).length === 0
      && !this.#obstacle
  }

  /** From now on a session is what was written of it, and its cookie the one to go back to. */
  #continueFrom(state: SessionState, record: SessionRecord, isChanged: boolean): void {
    const isCurrent = this.#state === state
    if (state.keeps(record)) {
      state.rebase(record)
      if (isCurrent && isChanged)
        this.#writeCookie()
      if (isCurrent)
        this.#cookie.settle()
    }
    else if (state.isNew && !state.replaces) {
      // Nothing was stored: a lifetime that was set waits for the first data.
      state.returnChanges()
    }
    else if (isCurrent) {
      this.#endEmptied(state.newerChanges)
    }
  }

  /** The session is over; what was changed meanwhile begins a new one. */
  #endEmptied(changes: RecordPatch | undefined): void {
    this.#state = undefined
    this.#writeCookie()
    this.#cookie.settle()
    if (!changes)
      return
    this.#assertCookieCanFollow()
    this.#state = this.#createState(createId(), { changes })
    this.#writeCookie()
  }

  /** @param loaded the record, where it was loaded */
  #doom(id: string, loaded?: SessionRecord): void {
    this.#doomed = new Map(this.#doomed).set(id, loaded)
  }

  /** @param begun a session that is about to be written */
  async #removeDoomed(storage: RecordStorage, doomed: ReadonlyMap<string, SessionRecord | undefined>, begun: SessionState | undefined): Promise<void> {
    for (const [id, loaded] of doomed) {
      const ended = await storage.remove(id, loaded).catch((error) => {
        begun?.returnChanges()
        // The record may still be there: the browser at least shall not come back with it.
        this.#removeCookie()
        throw error
      })
      this.#doomed = new Map([...this.#doomed].filter(([other]) => other !== id))
      if (ended !== 'replaced' || this.#replacedHere?.has(id) || this.#cookie.otherIds.includes(id))
        continue
      const hasBegun = begun !== undefined || this.#state !== undefined
      const error = this.#endAs(ended)
      // A session that was begun since cannot have a cookie beside that of the new id.
      if (hasBegun) {
        this.#failure = error
        throw error
      }
    }
  }

  // --- Cookie ---

  #writeCookie(): void {
    const state = this.#state
    // What changes after a failed write has its cookie when a later one has made that good.
    if (this.#failure)
      return
    if (state?.isKept)
      this.#cookie.write(state.id, this.#context.codec.holdsRecord ? state.current : state.outline, this.#context.now())
    else if (!this.#isReplaced && (this.#wasFound || this.#isDismissed))
      this.#cookie.remove()
    else
      this.#cookie.takeBack()
  }

  /** Whatever fails from now on, the browser's cookie is expired, unless it is that of another id by now. */
  #removeCookie(): void {
    if (this.#isReplaced)
      this.#cookie.takeBack()
    else
      this.#cookie.remove()
    this.#cookie.settle()
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

  // --- Small things ---

  #hold(): void {
    this.#mayHaveChanged = true
    this.#exchange.hold()
  }

  /** True for a new session that is going to be stored. */
  #isBeginning(state: SessionState): boolean {
    return state.isKept && (!this.#obstacle || this.#cookie.isKnown(state.id))
  }

  #createState(id: string, origin: StateOrigin = {}): SessionState {
    const { now, options, storage } = this.#context
    const mayBeEmpty = options.saveUninitialized && (origin.stored !== undefined || this.#canBegin)
    return new SessionState(id, now, options, { ...origin, mayBeEmpty, ...(storage && { maxBytes: options.maxBytes }) })
  }

  /** Why no cookie can be sent, or none any more, as a sentence. */
  get #obstacle(): string | undefined {
    return this.#exchange.cookieObstacle ?? (this.#exchange.isSent ? 'The response has begun, so no cookie can follow.' : undefined)
  }

  #assertNotShared(): void {
    if (this.#exchange.isShared)
      throw cachedResponseError('A session was changed while prerendering.')
  }

  /** The session goes on under an id that only its own cookie can end; who asked for its end must know. */
  #assertNotReplaced(): void {
    if (this.#over === 'replaced')
      throw endedError()
  }

  /** Nothing that was asked of a session begins another one after its end. */
  #assertNotEndedSince(era: number): void {
    if (this.#era !== era)
      throw endedError()
  }

  #assertChangeable(): void {
    this.#assertNotShared()
    const state = this.#state
    // What is being written may prolong it.
    if (state && !state.isNew && !state.isBeingStored && isExpired(state.base, this.#context.now()))
      this.#endAs('gone')
    if (this.#over)
      throw endedError()
    // What storage keeps under an id that the browser has needs no other cookie.
    if (!this.#context.storage || !state || !this.#cookie.isKnown(state.id))
      this.#assertCookieCanFollow()
  }

  /** @param what the part of the session that is about to change; without it a new session begins */
  #assertCookieCanFollow(what?: string): void {
    const obstacle = this.#obstacle
    if (!obstacle)
      return
    const where = this.#exchange.cookieObstacle ? 'in a request over HTTP' : 'before sending or streaming'
    throw new SessionError('COOKIE_ERROR', this.#context.storage
      ? `${obstacle} ${what ? `Change ${what}` : 'Begin the session'} ${where}.`
      : `${obstacle} In cookie mode the cookie is the session: change it ${where}, or use \`mode: 'storage'\`.`)
  }

  /** The session is gone from storage; nothing that is pending can be stored any more. */
  #endAs(ended: Ended): SessionError {
    const error = endedError()
    const unsaved = this.#state?.newerChanges
    // Who is told of the error need not be who made them.
    if (unsaved && !isPassive(unsaved))
      this.#failure = error
    this.#era++
    this.#over = ended
    this.#isReplaced ||= ended === 'replaced'
    this.#state = undefined
    this.#cookie.takeBack()
    this.#cookie.settle()
    return error
  }

  /**
   * Tells of a session that begins.
   *
   * @param isBeginning true for one that is about to get its first data
   */
  #announce(isBeginning: boolean): Promise<void> | undefined {
    if (!isBeginning || this.state.isAnnounced)
      return undefined
    this.state.isAnnounced = true
    return this.#notify('created')
  }

  /** Resolves when everybody who was told is done; `undefined` when that was at once. */
  #notify(name: SessionEventName): Promise<void> | undefined {
    const told = this.#observer?.session(name, this.handle)
    return isPromise(told) ? Promise.resolve(told).then(() => {}) : undefined
  }

  /** A handle that only shows what was. */
  #show(state: SessionState): Session {
    const refuse = (): never => {
      throw endedError()
    }
    return createHandle({ state, change: refuse, update: refuse, regenerate: refuse, destroy: refuse, reload: refuse, save: refuse })
  }
}

function endedError(): SessionError {
  return new SessionError('EXPIRED_SESSION', 'The session ended while this request ran: it was destroyed, replaced or it expired.')
}
