import type { RecordPatch } from '../record/patch'
import type { Exchange } from '../ports'
import type { SessionRecord } from '../types'
import type { RequestContext } from './context'
import type { Cookies, OldCookies } from './ports'
import type { SessionEvents } from './events'
import type { Reach } from './guards'
import type { Ended, Present, State } from './state'
import { Content } from '../record/content'
import { isSessionError, type SessionError } from '../errors'
import { createId } from '../id'
import { toPromise } from '../maybe'
import { isPassive, NO_CHANGES } from '../record/patch'
import { createRecord, isExpired } from '../record/record'
import { Turns } from '../turns'
import { cookieOf } from './cookie-of'
import { cookieRefusalOf, endedError, reachOf, refusalOf, sharedError } from './guards'
import { Operations } from './operations'
import { begun, createDraft, ended, isPersisted, presentIn, UNREAD, unsavedOf } from './state'

/**
 * The state of one session during one request. The cookie follows it: what the response says of it
 * is said before a new state is adopted, so a cookie that cannot be sent leaves everything as it was.
 */
export class SessionMachine {
  readonly context: RequestContext
  readonly exchange: Exchange
  readonly cookie: Cookies
  readonly oldCookie: OldCookies | undefined
  readonly events: SessionEvents
  readonly operations: Operations
  /** What reads or writes storage takes turns. */
  readonly turns = new Turns()
  /** Calls of `regenerate`: those that wait go on in the order in which they were asked for. */
  readonly renewals = { asked: 0, done: 0 }
  #state: State = UNREAD
  /** The state that the cookie goes back to when a write fails: none may point to what is not stored. */
  #committed: State = UNREAD

  constructor(context: RequestContext, exchange: Exchange, events: SessionEvents) {
    this.context = context
    this.exchange = exchange
    this.events = events
    this.operations = new Operations(() => exchange.holdResponse())
    this.cookie = context.openCookies(exchange, (fault) => {
      // One that another package named as ours is no forgery.
      if (!this.oldCookie?.isNamedAsOurs)
        void toPromise(() => events.tellRejected(fault, context.options.cookie.name))
    })
    // A visitor who migrates gets a cookie of ours.
    if (!exchange.cookieObstacle)
      this.oldCookie = context.openOldCookies?.(exchange)
  }

  get state(): State {
    return this.#state
  }

  get now(): number {
    return this.context.now()
  }

  /** True where the size of records is limited; cookies are measured when they are made. */
  get areBytesCounted(): boolean {
    return !this.isCookieMode
  }

  get isCookieMode(): boolean {
    return this.context.isCookieMode
  }

  /** The session that the handle shows; a draft where there is none. */
  get session(): Present {
    const { slot } = this.#state
    if (slot.kind === 'over')
      return slot.shown
    if (slot.kind !== 'none')
      return slot
    const draft = this.createDraft(NO_CHANGES)
    // Nothing was written to it, so there is nothing to tell the browser.
    this.#state = begun(this.#state, draft)
    return draft
  }

  /** The record of it, as far as this request knows. */
  get record(): SessionRecord {
    return this.session.content.record(this.now, this.context.options)
  }

  /** True when there is a session: a stored one, or a draft that holds something. */
  get exists(): boolean {
    const session = presentIn(this.#state)
    return session !== undefined && (session.kind === 'live' || this.willBeCreated(session))
  }

  /** True for a draft that is going to be stored. */
  willBeCreated(draft: Present): boolean {
    return isPersisted(draft) && (this.cookie.isKnown(draft.id) || !this.reach.obstacle)
  }

  // --- State and cookie ---

  /**
   * Adopts a state, after its cookie was written.
   *
   * @throws SessionError `COOKIE_ERROR` when the cookie would be too big; nothing is changed then
   */
  become(next: State): void {
    this.say(next)
    // What changes after a failed write has its cookie when a later one has made that good.
    if (next.failure)
      this.say(this.#committed)
    this.#state = next
  }

  /** Adopts a state that says nothing else to the browser. */
  adopt(next: State): void {
    this.#state = next
  }

  /** Adopts a state that the cookie goes back to, whatever fails from now on. */
  commit(next: State): void {
    this.say(next)
    this.#committed = next
    this.#state = next
  }

  /** Says nothing, whatever fails from now on: the browser keeps the cookie that it has. */
  withdrawCookie(): void {
    this.#committed = { ...this.#state, slot: UNREAD.slot, hadSession: false, isDismissed: false }
    this.say(this.#committed)
  }

  /** Says that there is no session, whatever fails from now on. */
  expireCookie(): void {
    this.#committed = { ...this.#state, slot: UNREAD.slot, isDismissed: true }
    this.say(this.#committed)
  }

  /** Says what a state says of the cookie; nothing in a response that is shown to everybody. */
  say(state: State): void {
    if (this.exchange.isShared)
      return
    this.cookie.say(cookieOf(state), state, this.now, state.isOldCookieOver ? this.oldCookie?.removalBesideOurs : undefined)
  }

  /** A write failed: the cookie is that of what is stored. */
  failWith(error: unknown): never {
    if (isSessionError(error) && error.code === 'STORAGE_ERROR')
      this.#state = { ...this.#state, failure: error }
    this.say(this.#committed)
    throw error
  }

  /** A later write made good what failed. */
  clearFailure(): void {
    if (this.#state.failure)
      this.#state = { ...this.#state, failure: undefined }
  }

  throwFailure(): void {
    throwIfError(this.#state.failure)
  }

  /** Another request replaced the id since this one stored its changes: the browser keeps that one's cookie. */
  yieldToReplacement(): void {
    const session = presentIn(this.#state)
    if (session && this.context.records.wasReplaced(session.id))
      this.end('replaced')
  }

  /** Storage has the session no more; nothing that is pending can be stored. Returns the error for those who ask. */
  end(why: Ended): SessionError {
    const error = endedError()
    const session = presentIn(this.#state)
    const next = ended(this.#state, why, session?.content.changes ?? NO_CHANGES, createDraft(createId(), this.#createContent()))
    // Who is told of the error need not be who made the changes.
    this.commit(session && !isPassive(unsavedOf(session)) ? { ...next, failure: error } : next)
    return error
  }

  /** @param changes what it begins with; that was checked before */
  createDraft(changes: RecordPatch): Present {
    const empty = this.#createContent()
    if (changes === NO_CHANGES)
      return createDraft(createId(), empty)
    const content = empty.with(changes, this.areBytesCounted)
    this.assertFits(content, empty)
    return createDraft(createId(), content, { mayBeEmpty: this.context.options.saveUninitialized && this.canBegin })
  }

  #createContent(): Content {
    return new Content(createRecord(this.now, this.context.options))
  }

  // --- Guards ---

  get reach(): Reach {
    return reachOf(this.exchange, this.isCookieMode)
  }

  /** False after an end: only a change begins another session. */
  get canBegin(): boolean {
    const { obstacle, isShared } = this.reach
    return !obstacle && !isShared && this.#state.era === 0
  }

  /** @throws SessionError `CACHED_RESPONSE`, `EXPIRED_SESSION`, `COOKIE_ERROR` */
  assertChangeable(): void {
    const session = presentIn(this.#state)
    const { reach } = this
    // What is being written may prolong it.
    if (!reach.isShared && session?.kind === 'live' && !session.newer && isExpired(session.content.base, this.now))
      this.end('gone')
    // What storage keeps under an id that the browser has needs no other cookie.
    const needsCookie = this.isCookieMode || !session || !this.cookie.isKnown(session.id)
    throwIfError(refusalOf(this.#state, reach, needsCookie))
  }

  /** @param what the part of the session that is about to change; without it a new session begins */
  assertCookieCanFollow(what?: string): void {
    throwIfError(cookieRefusalOf(this.reach, what))
  }

  assertNotShared(): void {
    if (this.exchange.isShared)
      throw sharedError()
  }

  /** Nothing that was asked of a session begins another one after its end. */
  assertNotEndedSince(era: number): void {
    if (this.#state.era !== era)
      throw endedError()
  }

  /** @throws SessionError `INVALID_VALUE` */
  assertFits(content: Content, before: Content): void {
    if (this.areBytesCounted)
      content.assertFits(before, this.context.options.maxBytes, this.now, this.context.options)
  }
}

function throwIfError(error: SessionError | undefined): void {
  if (error)
    throw error
}
