import type { Manager } from '../core/manager'
import type { PageSession, SessionObserver } from '../core/ports'
import type { RequestSession } from '../core/session/request-session'
import type { HeaderList } from './headers'
import type { PageOptions } from './page-part'
import type { CookieLines, EventExchange, ResponseSessions } from './response-cookies'
import { SessionError } from '../core/errors'
import { forbidCaching, isForSharedCaches, varyByCookie } from './caching'
import { type FoundSessions, NO_SESSIONS, refuseCached } from './found-sessions'
import { hasJoined, join } from './membership'
import { openPage, tellChanges } from './page-part'

/** What a host gives to the sessions of one event. */
export interface EventHost {
  /** The event whose response carries the cookies; sub-requests only join. */
  readonly owner: object
  /** The raw `Cookie` header. */
  cookieHeader(): string | undefined
  /** Called when a session is asked for. */
  createExchange(sessions: ResponseSessions): EventExchange
  readonly observer?: SessionObserver | undefined
  /** The sessions of the cookie that the options name. */
  manager(overrides?: object): Manager
  /** True when the host caches the response, or will show it to everybody for another reason. */
  isCached?(): boolean
  /** Where the app has pages. */
  readonly page?: PageOptions | undefined
}

interface Opened {
  readonly manager: Manager
  readonly session: RequestSession
}

/** All sessions of one event and of its sub-requests. */
export class EventSessions implements FoundSessions, ResponseSessions {
  readonly #host: EventHost
  /** By the name of the cookie. Made when needed, as all below: most requests need none. */
  #opened: Map<string, Opened> | undefined
  /** Those that the response depends on. */
  #used: Set<RequestSession> | undefined
  #made: EventExchange | undefined
  #page: PageSession | undefined
  #hasFailed = false
  #hasRefused = false

  constructor(host: EventHost) {
    this.#host = host
  }

  has(event: object): boolean {
    return this.isOwnedBy(event) || hasJoined(event, this)
  }

  /** True for the event whose response carries the cookies; internal requests only join. */
  isOwnedBy(event: object): boolean {
    return this.#host.owner === event
  }

  forSubRequest(event: object, parent: object): FoundSessions {
    if ('cache' in parent)
      return NO_SESSIONS
    join(event, this)
    return this
  }

  open(event: object, overrides?: object): RequestSession {
    if (!this.has(event) || this.#host.isCached?.())
      refuseCached()
    const { observer } = this.#host
    const manager = this.#host.manager(overrides)
    const { name } = manager.options.cookie
    const opened = this.#opened?.get(name) ?? { manager, session: manager.open(this.#exchange, observer) }
    if (opened.manager !== manager)
      throw new SessionError('CONFIG_ERROR', `The session of the cookie '${name}' was opened with other options in this request. Give the same options everywhere.`)
    this.#opened ??= new Map()
    this.#opened.set(name, opened)
    return opened.session
  }

  use(event: object, overrides?: object): RequestSession {
    const session = this.open(event, overrides)
    this.#used ??= new Set()
    this.#used.add(session)
    this.#exchange.watch()
    if (this.#exchange.isForSharedCaches)
      this.#exchange.markPrivate(session.isCarried)
    return session
  }

  load(event: object, overrides?: object): Promise<void> | undefined {
    const { observer } = this.#host
    const manager = this.#host.manager(overrides)
    const hasListeners = observer !== undefined && observer.isListening !== false
    if (!manager.needsLoading && !hasListeners && !manager.isDue(this.#host.cookieHeader()))
      return undefined
    const session = this.open(event, overrides)
    const loading = session.isCarried || manager.options.saveUninitialized ? session.ensureLoaded() : undefined
    return loading instanceof Promise ? loading : undefined
  }

  page(event: object): PageSession | undefined {
    const page = this.#personalPage(event)
    return page && (this.#page ??= openPage(this.use(event), this.#exchange, this.manager.options, page.isShown()))
  }

  /**
   * Prepares for a page whose head leaves before its components are rendered. False where it has to
   * be rendered first: the request has a session, of which the head must tell.
   *
   * @param remedy how the app has it rendered first, for who begins a session too late
   */
  stream(event: object, remedy: string): boolean {
    const page = this.#personalPage(event)
    if (!page)
      return true
    this.open(event)
    if ([...this.#opened!.values()].some(({ session }) => session.isCarried || session.exists))
      return false
    this.use(event)
    page.lateRemedy = remedy
    return true
  }

  /** Undefined where the response is for everybody. */
  #personalPage(event: object): PageOptions | undefined {
    const { page } = this.#host
    return page?.isPersonal() && this.has(event) && !this.#host.isCached?.() ? page : undefined
  }

  get manager(): Manager {
    return this.#host.manager()
  }

  /** What the response says of each of our cookies. */
  get cookies(): CookieLines {
    return this.#exchange.cookies
  }

  /** True when the event was answered. */
  get isSent(): boolean {
    return this.#exchange.isSent
  }

  /** The visitor was refused. From a cache, others would get that answer in place of theirs. */
  refuse(): void {
    this.#hasRefused = true
    this.#exchange.markPrivate(true)
  }

  /** Has the last word on the headers of a response that is complete; by default those of the event. */
  finish(headers?: HeaderList): void {
    this.#made?.finish(headers)
  }

  protect(headers: HeaderList): void {
    if (this.isMisplaced(headers))
      this.#used?.forEach(({ isCarried }) => isCarried || this.#hasRefused ? forbidCaching(headers) : varyByCookie(headers))
  }

  /** True for the headers of a response that depends on sessions and is marked for caches that others share. */
  isMisplaced(headers: HeaderList): boolean {
    return this.#used !== undefined && isForSharedCaches(headers)
  }

  /** Writes now what would otherwise be written before the response. Fails with what failed, awaited or not. */
  async save(): Promise<void> {
    await Promise.all([...this.#opened?.values() ?? []].map(async ({ session }) => {
      await session.save()
      await session.commit()
    }))
  }

  /** What the response must wait for; `undefined` when there is nothing. Fails once at most. */
  flush(): Promise<void> | undefined {
    // Not every host tells of the complete headers of an error.
    if (this.#used && this.#exchange.isForSharedCaches)
      this.#used.forEach(({ isCarried }) => this.#exchange.markPrivate(isCarried))
    if (this.#hasFailed || !this.#opened)
      return undefined
    const pending: Promise<void>[] = []
    for (const { session } of this.#opened.values()) {
      const committed = session.commit()
      if (committed)
        pending.push(committed)
    }
    if (pending.length > 0)
      return this.#flush(pending)
    this.#tellPage()
    return undefined
  }

  async #flush(pending: readonly Promise<void>[]): Promise<void> {
    const results = await Promise.allSettled(pending)
    const failed = results.find(result => result.status === 'rejected')
    if (failed) {
      this.#hasFailed = true
      this.#made?.close()
      throw failed.reason
    }
    this.#tellPage()
  }

  /** What the headers have to tell of the page and of what changed. */
  #tellPage(): void {
    const { page } = this.#host
    if (!page)
      return
    const { options } = this.manager
    const session = this.#opened?.get(options.cookie.name)?.session
    if (!session)
      return
    if (this.#page) {
      this.#exchange.markPrivate(session.isCarried, page.isError)
      page.mendMark(session, this.#exchange, options)
    }
    tellChanges(session, this.#exchange, options.expose)
  }

  get #exchange(): EventExchange {
    return this.#made ??= this.#host.createExchange(this)
  }
}
