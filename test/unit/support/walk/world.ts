import type { SessionManager } from '../../../../src/core/manager'
import type { RequestSession } from '../../../../src/core/request-session'
import type { RegenerateOptions, Session, SessionObserver, SessionRecord } from '../../../../src/core/types'
import type { Operation } from './request'
import { AsyncLocalStorage } from 'node:async_hooks'
import { isDeepStrictEqual } from 'node:util'
import { isSessionError } from '../../../../src/core/errors'
import { toStorageKey } from '../../../../src/core/id'
import { createSessionManager } from '../../../../src/core/manager'
import { isExpired } from '../../../../src/core/record'
import { resolveOptions } from '../../../../src/core/resolve-options'
import { Browser, NOON, SECRET } from '../app'
import { parseSetCookie } from '../exchange'
import { WalkExchange } from './exchange'
import { WalkRequest } from './request'
import { WalkStore } from './store'

/** What differs between walks. */
export interface Setting {
  mode: 'storage' | 'cookie'
  saveUninitialized: boolean
  idleTimeout: 0 | 60
  userKey: 'user' | undefined
  canCompare: boolean
  /** What hooks do with the session that they are told of, and whether they wait for it. */
  hooks: Partial<Record<string, { operation: Operation, isAwaited: boolean }>>
}

/** How often the hooks of one request act, at most. */
const MAX_ACTS = 4

const nobody = 0

/** After so many turns of the event loop everything has ended that ever does. */
const MAX_TURNS = 1000

/** The number of the request that runs. One for all walks: each more makes every promise slower. */
const running = new AsyncLocalStorage<number>()

/** A server, its storage and its visitors, on which a random walk goes; every rule is checked on the way. */
export class World {
  readonly clock = { now: NOON }
  readonly store: WalkStore
  readonly manager: SessionManager
  readonly browsers = [new Browser(), new Browser()] as const
  /** Two requests of the first browser, and one of the second. */
  readonly slots: (WalkRequest | undefined)[] = [undefined, undefined, undefined]
  readonly #setting: Setting
  readonly #ended: WalkRequest[] = []
  #requests = 0
  #values = 0
  #isFaulty = false
  #violation: string | undefined

  constructor(setting: Setting) {
    this.#setting = setting
    this.store = new WalkStore(() => running.getStore() ?? nobody, what => this.violate(what), (...write) => this.#forgetChanged(...write), setting.canCompare)
    const { mode, saveUninitialized, idleTimeout, userKey } = setting
    const options = resolveOptions({ secret: SECRET, cookie: { name: 'session' }, mode, saveUninitialized, idleTimeout, maxAge: 300, ...(userKey && { userKey }) }, { isProduction: true })
    this.manager = createSessionManager(options, { store: this.store, now: () => this.clock.now })
  }

  /** Remembers the first rule that was broken; the walk ends with it. */
  violate(what: string): void {
    this.#violation ??= what
  }

  /** Fails when a rule was broken. */
  check(): void {
    if (this.#violation)
      throw new Error(this.#violation)
  }

  /** Lets time pass. A session that ends by it may begin anew, without what was stored of it. */
  wait(seconds: number): void {
    this.clock.now += seconds * 1000
    for (const request of [...this.#ended, ...this.slots]) {
      if (request)
        this.#forgetExpired(request)
    }
  }

  #forgetExpired(request: WalkRequest): void {
    const { base, current } = request.request.exists ? request.request.state : {}
    if (base && current && (isExpired(base, this.clock.now) || isExpired(current, this.clock.now)))
      request.forget()
  }

  fail(...fault: Parameters<WalkStore['fail']>): void {
    this.#isFaulty = true
    this.store.fail(...fault)
  }

  // --- Requests ---

  open(slot: number, isSocket: boolean): void {
    const earlier = this.slots[slot]
    if (earlier)
      this.#ended.push(earlier)
    const browser = this.browsers[slot === 2 ? 1 : 0]
    const number = ++this.#requests
    const exchange = new WalkExchange(browser.cookieHeader, {
      save: () => running.run(number, async () => {
        await made.session.save()
        await made.request.settle()
      }),
      onUnsaved: error => this.#judge(made, 'saving late', error),
      waitUntil: saved => this.#follow(made, 'saving late', saved),
    }, isSocket)
    const request: RequestSession = running.run(number, () => this.manager.open(exchange, this.#createObserver(() => made)))
    const made: WalkRequest = new WalkRequest(number, browser, exchange, request, idOf(browser.token))
    this.slots[slot] = made
    this.#follow(made, 'loading', running.run(number, () => request.load()).then(() => void (made.isLoaded = true)))
  }

  /** Does something in the handler of a request. */
  act(request: WalkRequest, operation: Operation): Promise<unknown> | undefined {
    return running.run(request.number, () => this.#perform(request, operation))
  }

  /** Answers a request: as a host does it, what is said and what is stored is looked at when the response begins. */
  end(request: WalkRequest, isLost: boolean): void {
    request.status = 'ending'
    const ended: Promise<unknown> = running.run(request.number, () => settle(request, error => this.#answer(request, isLost, error))).then(() => request.pending.delete(ended))
    request.pending.add(ended)
  }

  /** Lets everything come to its end, and looks at what is left. */
  async finish(): Promise<void> {
    this.store.isSlow = false
    this.store.repair()
    for (const request of this.slots) {
      if (request?.status === 'open')
        this.end(request, false)
    }
    const all = [...this.#ended, ...this.slots.filter(request => request !== undefined)]
    await this.#quiet(all)
    for (const request of all)
      running.run(request.number, () => this.#checkStored(request))
    for (const browser of this.browsers)
      await running.run(nobody, () => this.#checkNext(browser))
    this.check()
  }

  async #quiet(all: readonly WalkRequest[]): Promise<void> {
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      this.store.release()
      // A write that lost a race waits for a timer.
      await new Promise(resolve => turn < MAX_TURNS / 2 ? setImmediate(resolve) : setTimeout(resolve))
      if (!this.store.isWaiting && all.every(({ pending }) => pending.size === 0))
        return
    }
    this.violate('something never ends')
  }

  /** What is begun is waited for in the end; its error must be one that can be expected. */
  #follow(request: WalkRequest, what: string, promise: Promise<unknown>): Promise<unknown> {
    const followed: Promise<unknown> = promise.then(() => {}, error => this.#judge(request, what, error)).then(() => request.pending.delete(followed))
    request.pending.add(followed)
    return followed
  }

  #judge(request: WalkRequest, what: string, error: unknown): void {
    const code = isSessionError(error) ? error.code : undefined
    if (code === 'STORAGE_ERROR')
      request.hasFailed = true
    // What was changed since the session ended, or was emptied, is lost with it.
    if (code === 'EXPIRED_SESSION' || code === 'COOKIE_ERROR')
      request.forget()
    const canSayCookie = request.status !== 'ended' && !request.exchange.cookieObstacle
    const isExpected = code === 'EXPIRED_SESSION'
      || (code === 'STORAGE_ERROR' && this.#isFaulty)
      || (code === 'COOKIE_ERROR' && !canSayCookie)
      || (code === 'INVALID_SESSION' && (what === 'reload' || !request.isLoaded))
    if (!isExpected)
      this.violate(`${what} failed: ${error instanceof Error ? error.stack : String(error)}`)
  }

  // --- Operations ---

  #perform(request: WalkRequest, operation: Operation): Promise<unknown> | undefined {
    try {
      const result = request.isLoaded ? this.#performLoaded(request, operation) : this.#performUnloaded(request, operation)
      this.#forgetExpired(request)
      return result && this.#follow(request, operation.name, result)
    }
    catch (error) {
      this.#judge(request, operation.name, error)
      return undefined
    }
  }

  /** As the utils do it: those that are not awaited need a session that is loaded. */
  #performUnloaded(request: WalkRequest, operation: Operation): Promise<unknown> | undefined {
    switch (operation.name) {
      case 'update':
      case 'updateByFunction':
      case 'updateNothing':
      case 'regenerate':
        return request.request.whenLoaded(async () => this.#performLoaded(request, operation))
      case 'destroy':
        return this.#performLoaded(request, operation)
      default:
        request.request.assertLoaded()
        return this.#performLoaded(request, operation)
    }
  }

  #performLoaded(request: WalkRequest, { name, key, options, hasPatch }: Operation): Promise<unknown> | undefined {
    const { session } = request
    const value = `v${++this.#values}`
    request.values.set(value, request.generation)
    switch (name) {
      case 'set':
        session.set(key, value)
        request.changes++
        request.note('data', key, value)
        return undefined
      case 'delete':
        // To delete what is not shown is no change.
        if (session.has(key))
          request.note('data', key, undefined)
        else
          request.data.delete(key)
        session.delete(key)
        request.changes++
        return undefined
      case 'clear':
        session.clear()
        request.changes++
        request.data.forEach((_, key) => request.note('data', key, undefined))
        request.flash.forEach((_, key) => request.note('flash', key, undefined))
        return undefined
      case 'flash':
        session.flash(key, value)
        request.note('flash', key, value)
        return undefined
      case 'readFlash':
        this.#readFlash(request, key)
        return undefined
      case 'update':
        return this.#update(request, key, value, () => session.update({ [key]: value }))
      case 'updateByFunction':
        return this.#update(request, key, value, () => session.update(() => ({ [key]: value })))
      case 'updateNothing':
        return this.#update(request, key, undefined, () => session.update({ [key]: undefined }))
      case 'regenerate':
        return this.#regenerate(request, key, options, hasPatch ? value : undefined)
      case 'destroy':
        return this.#destroy(request)
      case 'reload':
        return session.reload()
      case 'save':
        return session.save()
      case 'setLifetime':
        session.setLifetime({ maxAge: 200 })
        return undefined
      default:
        return void [session.id, session.data, session.get(key), session.has(key), session.isNew, session.createdAt, session.expiresAt]
    }
  }

  /** An update of a key, after which that holds the value or what others make of it. */
  async #update(request: WalkRequest, key: string, value: string | undefined, update: () => Promise<unknown>): Promise<void> {
    request.data.delete(key)
    request.updating.push(key)
    request.changes++
    const isAlone = !request.updating.slice(0, -1).includes(key)
    const count = request.changes
    try {
      await update()
      // Another one may have replaced the value before it was stored.
      if (isAlone && count === request.changes && value !== undefined && this.#setting.mode === 'storage' && !this.store.stored.has(value))
        this.violate('a change resolved that was not stored')
    }
    finally {
      request.updating.splice(request.updating.indexOf(key), 1)
    }
  }

  #regenerate(request: WalkRequest, key: string, options: RegenerateOptions, value: string | undefined): Promise<void> {
    // One with a patch begins afresh where another request was faster.
    const drops = options.keep !== true || this.#setting.userKey !== undefined || !request.request.exists || value !== undefined
    request.regenerations++
    if (drops) {
      request.forget()
      request.dropping++
    }
    // Shown at once, the patch may be changed by a hook before it is stored.
    return this.#update(request, key, this.#setting.hooks.created ? undefined : value, () => request.session.regenerate(value === undefined ? undefined : { [key]: value }, options))
      .finally(() => request.dropping -= Number(drops))
  }

  /** Only the message that was read goes, not one that another request has left in its place. */
  #readFlash(request: WalkRequest, key: string): void {
    const message = request.session.flash(key)
    const stored = this.store.live(toStorageKey(request.session.id))?.flash[key]
    if (message !== undefined && (stored === undefined || stored === message))
      request.note('flash', key, undefined)
    else
      request.flash.delete(key)
  }

  #destroy(request: WalkRequest): Promise<void> {
    const isThere = request.isLoaded ? request.request.exists : request.arrivedId !== undefined
    const id = request.isLoaded && isThere ? request.session.id : request.arrivedId
    if (this.#setting.mode === 'storage' || (request.status !== 'ended' && !request.exchange.cookieObstacle)) {
      request.generation++
      request.destructions++
      request.forget()
      request.isLoaded = true
    }
    return request.request.destroy().then(() => {
      if (this.#setting.mode === 'storage' && isThere && id !== undefined && this.store.live(toStorageKey(id)))
        this.violate('a session is there that was destroyed')
    })
  }

  #createObserver(request: () => WalkRequest): SessionObserver {
    return {
      rejected: () => {},
      session: (name, session) => this.#tell(request(), name, session),
    }
  }

  #tell(request: WalkRequest, name: string, session: Session): unknown {
    request.told.push({ name, id: session.id })
    this.#checkTold(request)
    const act = this.#setting.hooks[name]
    if (!act || session !== request.session || request.acts >= MAX_ACTS)
      return undefined
    request.acts++
    // The hook `loaded` is told before the loading has ended.
    request.isLoaded = true
    const done = this.act(request, act.operation)
    return act.isAwaited ? done : undefined
  }

  // --- Rules ---

  #answer(request: WalkRequest, isLost: boolean, error: unknown): void {
    if (error)
      this.#judge(request, 'settling', error)
    const { exchange, browser } = request
    // Of what the handler does from now on nothing is said.
    exchange.isSent = true
    request.status = 'ended'
    const header = [...exchange.cookies.values()].flat().at(-1)
    if (!isLost)
      browser.receive(header === undefined ? [] : [header])
    const cookie = header === undefined ? undefined : parseSetCookie(header)
    const saidId = cookie && cookie.attributes.get('max-age') !== '0' ? cookie.value : undefined
    if (this.#setting.mode === 'cookie')
      this.#checkCookie(request, saidId, error !== undefined)
    else
      this.#checkAnswer(request, saidId === undefined ? undefined : idOf(saidId), error !== undefined)
  }

  #checkAnswer(request: WalkRequest, saidId: string | undefined, isFailed: boolean): void {
    // Where an answer of storage was lost it is not known what there is.
    if (saidId !== undefined && !this.store.losers.has(request.number) && !this.#isThereOrEndedByOthers(request, saidId))
      this.violate('a cookie leads to nothing')
    if (isFailed)
      return
    const { exists } = request.request
    if (saidId !== undefined && (!exists || request.session.id !== saidId))
      this.violate('a cookie leads to another session than the one that is shown')
    if (exists && request.session.id !== (saidId ?? request.arrivedId))
      this.violate('a session has no cookie')
    this.#checkStored(request)
  }

  /** What is shown is what is stored, and nothing is left over. */
  #checkStored(request: WalkRequest): void {
    if (this.#setting.mode === 'cookie')
      return
    const { exists } = request.request
    const id = exists ? request.session.id : undefined
    const key = id === undefined ? undefined : toStorageKey(id)
    if (!request.hasFailed)
      this.#checkLeftOver(request, key)
    if (id === undefined || key === undefined) {
      // Who is just being told that the session ended knows.
      const isTold = request.hasFailed || request.updating.length > 0
      if ([...request.data.values(), ...request.flash.values()].some(value => value !== undefined) && !isTold && !this.#wasReplacedByOthers(request))
        this.violate('what was set is lost with its session')
      return
    }
    // Of an operation that failed it is not known what it did.
    if (request.hasFailed || this.store.writerOf(key, 'last') !== request.number)
      return
    const stored = this.store.live(key)
    if (!stored)
      return this.violate('a session is shown that is not stored')
    const { current } = request.request.state
    if (!isDeepStrictEqual({ ...stored.data }, { ...current.data }) || !isDeepStrictEqual({ ...stored.flash }, { ...current.flash }))
      this.violate(`what is shown is not what is stored: ${JSON.stringify(current)} ${JSON.stringify(stored)}`)
    this.#checkKept(request)
  }

  /** What was changed last under a key is what the session holds. */
  #checkKept(request: WalkRequest): void {
    const { data, flash } = request.request.state.current
    for (const [changed, holds] of [[request.data, data], [request.flash, flash]] as const) {
      for (const [key, value] of changed) {
        if (holds[key] !== value)
          this.violate(`a change is lost: ${key} is ${String(holds[key])}, not ${String(value)}`)
      }
    }
  }

  /** Records that the request made, and values of a session that it ended. */
  #checkLeftOver(request: WalkRequest, current: string | undefined): void {
    for (const key of this.store.liveKeys()) {
      const record = this.store.live(key)!
      if (this.store.writerOf(key, 'last') !== request.number || isExpired(record, this.clock.now))
        continue
      if (key !== current && this.store.writerOf(key, 'first') === request.number)
        this.violate('a record is left that no cookie names')
      const generations = [...Object.values(record.data), ...Object.values(record.flash)].map(value => request.values.get(value) ?? request.generation)
      if (key === current && generations.some(generation => generation < request.generation))
        this.violate('what was asked of an ended session is in a later one')
    }
  }

  #checkCookie(request: WalkRequest, token: string | undefined, isFailed: boolean): void {
    const { exists } = request.request
    if (isFailed)
      return
    if (token === undefined) {
      if (exists && request.arrivedId === undefined && !request.exchange.cookieObstacle)
        this.violate('a session has no cookie')
      return
    }
    if (!exists)
      return this.violate('a cookie holds a session that is not shown')
    const opened = this.manager.open(new WalkExchange(`session=${token}`, { save: async () => {}, onUnsaved: () => {} }, true))
    opened.assertLoaded()
    const { current } = request.request.state
    if (isExpired(current, this.clock.now))
      return
    if (opened.handle.id !== request.session.id || !isDeepStrictEqual(opened.state.base.data, current.data) || !isDeepStrictEqual(opened.state.base.flash, current.flash))
      this.violate('the cookie holds something else than what is shown')
    this.#checkKept(request)
    const values = [...Object.values(current.data), ...Object.values(current.flash)]
    if (values.some(value => (request.values.get(value) ?? request.generation) < request.generation))
      this.violate('what was asked of an ended session is in a later one')
  }

  #checkTold({ told, regenerations, destructions }: WalkRequest): void {
    const count = (name: string): number => told.filter(one => one.name === name).length
    const { name, id } = told.at(-1)!
    const before = told.slice(0, -1)
    if (name === 'loaded' && before.length > 0)
      this.violate('`loaded` is not told first')
    // Hooks are shown the session as it is by now, which may be the next one already.
    if (name === 'created' && before.some(one => one.id === id && ['created', 'loaded'].includes(one.name)))
      this.violate('`created` is told of a session that was there')
    if (before.some(one => one.name === 'destroyed' && one.id === id))
      this.violate(`\`${name}\` is told of a session that was destroyed`)
    if (name === 'saved' && !before.some(one => ['created', 'loaded'].includes(one.name)))
      this.violate(`\`saved\` is told of a session that neither began nor was loaded ${JSON.stringify(told)}`)
    if (count('regenerated') > regenerations || count('destroyed') > destructions || count('loaded') > 1)
      this.violate(`\`${name}\` is told too often`)
  }

  /** What others change under a key is no longer what a request left there. */
  #forgetChanged(key: string, by: number, before: SessionRecord | undefined, record: SessionRecord | undefined): void {
    for (const request of [...this.#ended, ...this.slots]) {
      if (!request || request.number === by || !request.request.exists || toStorageKey(request.session.id) !== key)
        continue
      for (const values of ['data', 'flash'] as const) {
        for (const name of request[values].keys()) {
          if (before?.[values][name] !== record?.[values][name])
            request[values].delete(name)
        }
      }
    }
  }

  #isThereOrEndedByOthers(request: WalkRequest, id: string): boolean {
    const key = toStorageKey(id)
    const writer = this.store.writerOf(key, 'last')
    return this.store.live(key) !== undefined || (writer !== undefined && writer !== request.number)
  }

  #wasReplacedByOthers(request: WalkRequest): boolean {
    return request.told.some(({ id }) => {
      const writer = this.store.writerOf(toStorageKey(id), 'last')
      return writer !== undefined && writer !== request.number
    })
  }

  /** The next request of a browser sees what storage holds. */
  async #checkNext(browser: Browser): Promise<void> {
    const request = this.manager.open(new WalkExchange(browser.cookieHeader, { save: async () => {}, onUnsaved: () => {} }, true))
    await request.load()
    if (this.#setting.mode === 'cookie')
      return
    const id = idOf(browser.token)
    const record = id === undefined ? undefined : this.store.live(toStorageKey(id))
    if (request.exists !== (record !== undefined && !isExpired(record, this.clock.now)))
      this.violate('the next request sees another session than storage holds')
    if (request.exists && !isDeepStrictEqual({ ...request.handle.data }, { ...record!.data }))
      this.violate('the next request sees other data than storage holds')
  }
}

/** Waits as a host does, as long as there is something to wait for, and then answers at once. */
async function settle({ request }: WalkRequest, answer: (error?: unknown) => void): Promise<void> {
  try {
    for (let round = 0; round < 20; round++) {
      const settling = request.settle()
      if (!settling)
        return answer()
      await settling
    }
    answer(new Error('A session is never settled.'))
  }
  catch (error) {
    answer(error)
  }
}

/** The id in a token of storage mode. */
function idOf(token: string): string | undefined {
  return token === '' ? undefined : token.slice(0, token.lastIndexOf('.'))
}
