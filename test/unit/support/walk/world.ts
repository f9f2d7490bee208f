import type { SessionManager } from '../../../../src/core/session-manager'
import type { SessionRecord } from '../../../../src/core/types'
import type { Effect } from './expected'
import type { Operation } from './operations'
import type { Kind } from './request'
import type { Setting } from './setting'
import type { Fault } from './store'
import { createSessionManager } from '../../../../src/core/session-manager'
import { resolveOptions } from '../../../../src/core/resolve-options'
import { NOON, OLD_SECRET, SECRET } from '../app'
import { call } from './calls'
import { noteExpired } from './expiry'
import { settle } from './host'
import { WalkExchange, WalkRequest } from './request'
import { checkAnswer } from './rules/answer'
import { checkError } from './rules/errors'
import { checkLoaded } from './rules/load'
import { checkRest } from './rules/rest'
import { checkTold } from './rules/told'
import { checkWritten } from './rules/written'
import { optionsOf } from './setting'
import { WalkStore } from './store'
import { drain } from './turns'
import { idOf, Visitors } from './visitors'

/** How often the hooks of one request act, at most. */
const MAX_ACTS = 4

/** A server, its storage and its visitors, on which a random walk goes. */
export class World {
  readonly clock = { now: NOON }
  readonly store: WalkStore
  readonly visitors = new Visitors()
  /** Requests that run side by side, by number. */
  readonly slots: (WalkRequest | undefined)[]
  /** All requests since everything was at rest. */
  recent: WalkRequest[] = []
  /** Who gave a value, and how often that request had ended its session by then. */
  readonly givers = new Map<unknown, { request: WalkRequest, generation: number }>()
  /** Every value that was ever stored. */
  readonly stored = new Set<unknown>()
  /** Keys of records that a cookie was sent to, or that trouble with storage may have left. */
  readonly accounted = new Set<string>()
  /** True once a session was changed where the browser could not be told. */
  hasSilentChanges = false
  deployment = 0
  #manager: SessionManager
  #requests = 0
  #violation: string | undefined

  constructor(readonly setting: Setting) {
    this.slots = Array.from({ length: setting.requests })
    this.store = new WalkStore({
      written: (...write) => this.#written(...write),
      failed: fault => this.#failed(fault),
    }, setting.canCompare)
    this.#manager = this.#createManager(OLD_SECRET)
  }

  /** Remembers the first rule that was broken; the walk ends with it. */
  violate(what: string): void {
    this.#violation ??= what
  }

  /** To be called after each step. Fails when a rule was broken. */
  check(): void {
    if (this.recent.length > 0 && this.#active.length === 0) {
      checkRest(this)
      this.recent = []
    }
    if (this.#violation !== undefined)
      throw new Error(this.#violation)
  }

  // --- Around the requests ---

  /** The secret is replaced; cookies of the old one stay good. */
  deploy(): void {
    this.deployment++
    this.#manager = this.#createManager([SECRET, OLD_SECRET])
  }

  /** Lets time pass. */
  wait(seconds: number): void {
    this.clock.now += seconds * 1000
    for (const request of new Set([...this.recent, ...this.slots])) {
      if (request)
        noteExpired(this, request)
    }
  }

  // --- Requests ---

  /** @param age 0 for the cookie that the browser has, 1 for the one before, and so on */
  open(slot: number, browserNumber: 0 | 1, kind: Kind, age: number): Promise<void> {
    const browser = this.visitors.browsers[browserNumber]
    // What prerenders is nobody's browser.
    const token = this.visitors.tokenOf(browserNumber, age)
    const arrival = { number: ++this.#requests, kind, browser, token, id: idOf(token), time: this.clock.now, deployment: this.deployment }
    const exchange = new WalkExchange(token === '' ? undefined : `session=${token}`, kind, {
      save: async () => {
        await request.session.save()
        await request.opened.commit()
      },
      onUnsaved: error => checkError(this, request, { name: 'save late', generation: 0 }, error),
      waitUntil: saved => this.track(request, saved),
    })
    const request: WalkRequest = new WalkRequest(arrival, exchange, this.#manager.open(exchange, {
      rejected: () => {},
      session: (name, session) => this.#tell(request, name, session),
    }))
    this.slots[slot] = request
    this.#meet(request)
    return this.track(request, request.opened.load().then(() => this.noteLoaded(request), error => checkError(this, request, { name: 'load', generation: 0 }, error)))
  }

  /** Does something in the handler of a request. Resolves when it is done. */
  act(request: WalkRequest, operation: Operation): Promise<unknown> | undefined {
    if (request.status === 'answered' || request.arrival.kind === 'socket')
      this.hasSilentChanges = true
    if (!request.isActive)
      this.#meet(request)
    request.hasOwnLifetime ||= operation.name === 'setLifetime'
    const done = call(this, request, operation)
    // A lifetime may have been set that is over.
    if (request.isLoaded && (operation.name === 'setLifetime' || (request.opened.exists && request.session.expiresAt.getTime() <= this.clock.now)))
      noteExpired(this, request)
    return done
  }

  /** Answers a request. As a host does it, the response begins in the turn in which nothing is left to wait for. */
  end(request: WalkRequest, isLost: boolean): Promise<void> {
    request.status = 'ending'
    return this.track(request, settle(request, error => this.#answer(request, isLost, error)))
  }

  /** Keeps an eye on what was begun, until it has ended. */
  track(request: WalkRequest, promise: Promise<unknown>): Promise<void> {
    const tracked = promise.then(() => void request.pending.delete(tracked))
    request.pending.add(tracked)
    return tracked
  }

  noteLoaded(request: WalkRequest): void {
    if (request.isLoaded)
      return
    request.isLoaded = true
    request.expected.start(request.shown)
    checkLoaded(this, request)
  }

  /** The other requests that may have the same session. */
  othersOf({ arrival }: WalkRequest): WalkRequest[] {
    return this.recent.filter(other => other.arrival !== arrival && this.visitors.areOne(other.arrival.browser, arrival.browser))
  }

  /** What a request does may show in others; of those that had their end it is not known what they see. */
  tellOthers(request: WalkRequest, effects: readonly Effect[]): void {
    const { recent, visitors } = this
    for (const other of new Set([...recent, ...this.slots])) {
      if (!other || other === request || !visitors.areOne(other.arrival.browser, request.arrival.browser))
        continue
      if (!other.isActive)
        other.isAlone = false
      if (recent.includes(other))
        other.expected.mayBeChanged(effects)
      else
        other.expected.forget()
    }
  }

  /** Answers what is open, and looks at what every browser is shown in the end. */
  async finish(): Promise<void> {
    this.store.isSlow = false
    this.store.repair()
    for (const request of this.slots) {
      if (request?.status === 'open')
        void this.end(request, false)
    }
    await drain(this, () => this.#active.length === 0)
    this.check()
    for (const browser of [0, 1] as const) {
      await this.open(0, browser, 'page', 0)
      void this.end(this.slots[0]!, false)
      await drain(this, () => this.#active.length === 0)
      this.check()
    }
  }

  get #active(): WalkRequest[] {
    return this.recent.filter(({ isActive }) => isActive)
  }

  /** A request begins to run, or goes on after its end, beside others. */
  #meet(request: WalkRequest): void {
    for (const other of this.othersOf(request)) {
      request.expected.mayBeChanged(other.effects)
      other.expected.mayBeChanged(request.effects)
      if (!other.isActive)
        continue
      request.isAlone = other.isAlone = false
    }
    if (!this.recent.includes(request))
      this.recent.push(request)
  }

  #answer(request: WalkRequest, isLost: boolean, error: unknown): void {
    if (error !== undefined)
      checkError(this, request, { name: 'settle', generation: 0 }, error)
    if (request.opened.isLoaded)
      this.noteLoaded(request)
    request.hasFailed = error !== undefined
    request.exchange.isSent = true
    request.status = 'answered'
    this.visitors.receive(request, isLost)
    checkAnswer(this, request)
  }

  #tell(request: WalkRequest, name: string, session: WalkRequest['session']): unknown {
    request.told.push({ name, id: session.id })
    checkTold(this, request, session)
    const hook = this.setting.hooks[name]
    if (name === 'loaded')
      this.noteLoaded(request)
    if (!hook || request.acts >= MAX_ACTS)
      return undefined
    request.acts++
    request.isOrderly = false
    const done = this.act(request, hook.operation)
    return hook.isAwaited ? done : undefined
  }

  /** What should have been removed may stay. */
  #failed(fault: Fault): void {
    this.#active.forEach(({ faults }) => faults.add(fault))
    this.hasSilentChanges ||= fault === 'after'
    this.store.liveKeys().forEach(key => this.accounted.add(key))
  }

  #written(key: string, record: SessionRecord | undefined, before: SessionRecord | undefined): void {
    const active = this.#active
    if (record && !this.store.hasKnown(key) && active.length === 1)
      active[0]!.begun.add(key)
    if (active.some(({ faults }) => faults.size > 0))
      this.accounted.add(key)
    checkWritten(this, key, record, before)
  }

  #createManager(secret: string | string[]): SessionManager {
    const options = resolveOptions(optionsOf(this.setting, secret), { isProduction: true })
    return createSessionManager(options, { store: this.store, now: () => this.clock.now })
  }
}
