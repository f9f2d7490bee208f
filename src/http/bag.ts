import type { SessionManager } from '../core/manager'
import type { RequestSession } from '../core/request-session'
import type { PageSession, SessionObserver } from '../core/ports'
import type { EventExchange } from './exchange'
import type { HeaderList } from './headers'
import { cachedResponseError, SessionError } from '../core/errors'
import { changesOf, createPageSession } from '../core/page-session'
import { forbidCaching, isForSharedCaches, varyByCookie } from './caching'

/** What a host gives to the sessions of one event. */
export interface BagOptions {
  /** The event whose response carries the cookies; sub-requests only join. */
  owner: object
  /** The raw `Cookie` header. */
  cookieHeader(): string | undefined
  /** Called when a session is asked for. */
  createExchange(bag: SessionBag): EventExchange
  readonly observer?: SessionObserver | undefined
  /** The sessions of the cookie that the options name. */
  manager(overrides?: object): SessionManager
  /** True when the host caches the response, or will show it to everybody for another reason. */
  isCached?(): boolean
  /** Where the app has pages. */
  readonly page?: PageOptions | undefined
}

export interface PageOptions {
  /** False for a response that is rendered for everybody. */
  isPersonal(): boolean
  /** True when the response is a page that its visitor is going to see. */
  isShown(): boolean
}

/** All sessions of one event and of its sub-requests. */
export class SessionBag {
  readonly #options: BagOptions | undefined
  /** Other events that use these sessions. Made when needed, as all below: most requests need none. */
  #joined: WeakSet<object> | undefined
  #sessions: Map<string, { manager: SessionManager, session: RequestSession }> | undefined
  /** Those that the response depends on. */
  #used: Set<RequestSession> | undefined
  #made: EventExchange | undefined
  #page: PageSession | undefined
  #hasFailed = false

  constructor(options?: BagOptions) {
    this.#options = options
  }

  /** Lets another event use these sessions. */
  join(event: object): void {
    this.#joined ??= new WeakSet()
    this.#joined.add(event)
  }

  /** True for an event that uses these sessions. */
  has(event: object): boolean {
    return this.#options?.owner === event || this.#joined?.has(event) === true
  }

  /**
   * The bag of an internal request: it shares these sessions, unless it is made for a cached
   * response, whose context Nitro marks. Then it has a bag that nobody may open.
   */
  forSubRequest(event: object, parent: object): SessionBag {
    if (this === CLOSED || 'cache' in parent)
      return CLOSED
    this.join(event)
    return this
  }

  /**
   * The session of the configured cookie, or of the one that overrides name; opened once.
   *
   * @throws SessionError `CACHED_RESPONSE` for an event that never joined: the inner event of
   * a cached handler, which has the outer one's context but not its cookies
   */
  open(event: object, overrides?: object): RequestSession {
    if (!this.#options || !this.has(event) || this.#options.isCached?.())
      throw cachedResponseError('A session was used inside a cached handler.')
    const { observer } = this.#options
    const manager = this.#options.manager(overrides)
    const { name } = manager.options.cookie
    const opened = this.#sessions?.get(name) ?? { manager, session: manager.open(this.#exchange, observer) }
    if (opened.manager !== manager)
      throw new SessionError('CONFIG_ERROR', `The session of the cookie '${name}' was opened with other options in this request. Give the same options everywhere.`)
    this.#sessions ??= new Map()
    this.#sessions.set(name, opened)
    return opened.session
  }

  /** Loads the session before anybody uses it; `undefined` where there is nothing to wait for. */
  load(event: object, overrides?: object): Promise<void> | undefined {
    if (!this.#options)
      return undefined
    const { observer, cookieHeader } = this.#options
    const manager = this.#options.manager(overrides)
    const isHeard = observer !== undefined && observer.isListening !== false
    if (!manager.needsLoading && !isHeard && !manager.isDue(cookieHeader()))
      return undefined
    const session = this.open(event, overrides)
    return session.isCarried || manager.options.saveUninitialized ? session.load() : undefined
  }

  /** As {@link SessionBag.open}, for a handler whose response will depend on it. */
  use(event: object, overrides?: object): RequestSession {
    const session = this.open(event, overrides)
    this.#used ??= new Set()
    this.#used.add(session)
    this.#exchange.watch()
    if (this.#exchange.isForSharedCaches)
      this.#exchange.personalize(session.isCarried)
    return session
  }

  /**
   * What the page that is rendered for an event may see of its visitor's session, or
   * `undefined` where what is rendered is shown to everybody.
   */
  page(event: object): PageSession | undefined {
    const { page } = this.#options ?? {}
    if (!page?.isPersonal() || !this.has(event) || this.#options?.isCached?.())
      return undefined
    return this.#page ??= this.#openPage(event, page.isShown())
  }

  get #exchange(): EventExchange {
    return this.#made ??= this.#options!.createExchange(this)
  }

  /** What the sessions of the configured cookie share; missing inside a cached handler. */
  get manager(): SessionManager | undefined {
    return this.#options?.manager()
  }

  /** What the response says of each of our cookies. */
  get cookies(): EventExchange['cookies'] {
    return this.#options ? this.#exchange.cookies : new Map()
  }

  /** True for the event whose response carries the cookies; internal requests only join. */
  isOwnedBy(event: object): boolean {
    return this.#options?.owner === event
  }

  /** True when the event was answered. */
  get isSent(): boolean {
    return this.#options !== undefined && this.#exchange.isSent
  }

  /** Has the last word on the headers of a response that is complete; by default those of the event. */
  finish(event: object, headers?: HeaderList): void {
    if (this.isOwnedBy(event))
      this.#made?.finish(headers)
  }

  /** Keeps a response that depends on sessions from caches that others share, whoever marked it and when. */
  protect(headers: HeaderList): void {
    if (this.isMisplaced(headers))
      this.#used?.forEach(({ isCarried }) => isCarried ? forbidCaching(headers) : varyByCookie(headers))
  }

  /** True for the headers of a response that depends on sessions and is marked for caches that others share. */
  isMisplaced(headers: HeaderList): boolean {
    return this.#used !== undefined && isForSharedCaches(headers)
  }

  /** Writes now what would otherwise be written before the response. Fails with what failed, awaited or not. */
  async save(): Promise<void> {
    await Promise.all([...this.#sessions?.values() ?? []].map(async ({ session }) => {
      await session.save()
      await session.settle()
    }))
  }

  /** What the response must wait for; `undefined` when there is nothing. Fails once at most. */
  settle(): Promise<void> | undefined {
    // Not every host tells of the complete headers of an error.
    if (this.#used && this.#exchange.isForSharedCaches)
      this.#used.forEach(({ isCarried }) => this.#exchange.personalize(isCarried))
    if (this.#hasFailed || !this.#sessions)
      return undefined
    const pending = [...this.#sessions.values()].flatMap(({ session }) => session.settle() ?? [])
    if (pending.length > 0)
      return this.#settle(pending)
    this.#prepare()
    return undefined
  }

  async #settle(pending: Promise<void>[]): Promise<void> {
    const results = await Promise.allSettled(pending)
    const failed = results.find(result => result.status === 'rejected')
    if (failed) {
      this.#hasFailed = true
      this.#made?.close()
      throw failed.reason
    }
    this.#prepare()
  }

  #openPage(event: object, isShown: boolean): PageSession {
    const session = this.use(event)
    // Without a cookie there is nothing to load.
    if (!session.isCarried)
      session.assertLoaded()
    this.#exchange.personalize(session.isCarried)
    return createPageSession(session, this.#options!.manager().options.expose, isShown)
  }

  /** What the headers have to tell of the page and of what changed. */
  #prepare(): void {
    if (!this.#options?.page || !this.#sessions)
      return
    const { manager } = this.#options
    const { cookie, expose } = manager().options
    const session = this.#sessions.get(cookie.name)?.session
    if (!session)
      return
    if (this.#page)
      this.#exchange.personalize(session.isCarried)
    // Lets the page that made the request know what it has to fetch anew.
    const changes = changesOf(session, expose)
    if (changes.length > 0)
      this.#exchange.announce(changes.join(', '))
  }
}

/** What internal requests of cached handlers find: no event ever joins it. */
const CLOSED = new SessionBag()

const BAG = Symbol.for('unsession')

/** What has a bag: an event, the context of one. */
interface Holder {
  [BAG]?: SessionBag
}

/** The bags of objects that are not ours to write on. */
const ownBags = new WeakMap<object, SessionBag>()

/** Puts a bag where its event, and the sub-requests of it, find it. */
export function setBag(event: { context: object }, bag: SessionBag): void {
  // Some hosts give one context to all requests, so the event has it too.
  const holder = event as Holder
  holder[BAG] = bag
  const headers = headersOf(event)
  if (headers)
    ownBags.set(headers, bag)
  const context: Holder = event.context
  context[BAG] = bag
}

/** Puts a bag where its owner finds it, and nobody else. */
export function setOwnBag(owner: object, bag: SessionBag): void {
  ownBags.set(owner, bag)
}

/** The bag that was given to an event itself. */
export function ownBagOf(event: object): SessionBag | undefined {
  const bag = (event as Holder)[BAG]
  // A copy of an event has what the event had, and is another.
  return bag === CLOSED || bag?.has(event) ? bag : ownBags.get(event)
}

/** The bag of an event, or that of the one whose context it has. */
export function bagOf(event: { readonly context?: object | undefined }): SessionBag | undefined {
  return ownBagOf(event) ?? joinRequest(event) ?? getBag(event.context)
}

/** An app of h3 v2 that is mounted by its `fetch` makes another event of the same request. */
function joinRequest(event: object): SessionBag | undefined {
  const headers = headersOf(event)
  const bag = headers && ownBags.get(headers)
  // A request may be made again when it was answered.
  if (!bag || bag.isSent)
    return undefined
  bag.join(event)
  return bag
}

/** What stays the same when h3 gives the request another URL. */
function headersOf(event: object): object | undefined {
  const { headers } = Object((event as { req?: unknown }).req) as { headers?: unknown }
  return headers instanceof Headers ? headers : undefined
}

/** The bag in the context of an event. */
export function getBag(context: object | undefined): SessionBag | undefined {
  return (context as Holder | undefined)?.[BAG]
}
