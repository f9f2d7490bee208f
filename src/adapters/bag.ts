import type { SessionManager } from '../core/manager'
import type { RequestSession } from '../core/request-session'
import type { Exchange, SessionObserver } from '../core/types'
import { SessionError } from '../core/errors'

/** What a host gives to the sessions of one event. */
export interface BagOptions {
  /** The event whose response carries the cookies; sub-requests only join. */
  owner: object
  exchange: Exchange
  observer: SessionObserver
  /** The sessions of the cookie that the options name. */
  manager(overrides?: object): SessionManager
}

/** All sessions of one event and of its sub-requests. */
export class SessionBag {
  readonly #options: BagOptions | undefined
  readonly #events = new WeakSet<object>()
  readonly #sessions = new Map<string, { manager: SessionManager, session: RequestSession }>()
  #hasFailed = false

  constructor(options?: BagOptions) {
    this.#options = options
    if (options)
      this.join(options.owner)
  }

  /** Lets another event use these sessions. */
  join(event: object): void {
    this.#events.add(event)
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
    if (!this.#options || !this.#events.has(event))
      throw cachedResponseError()
    const { exchange, observer } = this.#options
    const manager = this.#options.manager(overrides)
    const { name } = manager.options.cookie
    const opened = this.#sessions.get(name) ?? { manager, session: manager.open(exchange, observer) }
    if (opened.manager !== manager)
      throw new SessionError('CONFIG_ERROR', `The session of the cookie '${name}' was opened with other options in this request. Give the same options everywhere, best by a util of your own.`)
    this.#sessions.set(name, opened)
    return opened.session
  }

  /** True for the event whose response carries the cookies; internal requests only join. */
  isOwnedBy(event: object): boolean {
    return this.#options?.owner === event
  }

  /** What the response must wait for; `undefined` when there is nothing. Fails once at most. */
  settle(): Promise<void> | undefined {
    if (this.#hasFailed)
      return undefined
    const pending = [...this.#sessions.values()].flatMap(({ session }) => session.settle() ?? [])
    return pending.length > 0 ? this.#settle(pending) : undefined
  }

  async #settle(pending: Promise<void>[]): Promise<void> {
    const results = await Promise.allSettled(pending)
    const failed = results.find(result => result.status === 'rejected')
    if (failed) {
      this.#hasFailed = true
      this.#options?.exchange.close()
      throw failed.reason
    }
  }
}

/** What internal requests of cached handlers find: no event ever joins it. */
const CLOSED = new SessionBag()

function cachedResponseError(): SessionError {
  return new SessionError('CACHED_RESPONSE', 'A session was used inside a cached handler. What a cached handler returns is shown to every visitor, so one visitor\'s session would reach all others. Either do not cache this route (remove `cache`, `swr` or `isr` from its route rules, or use `defineEventHandler`), or keep the session out of it and fetch the personal part from a route that is not cached.')
}

const BAG = Symbol.for('unsession')

/** Puts a bag where its event, and the sub-requests of it, find it. */
export function setBag(event: { context: object }, bag: SessionBag): void {
  Object.defineProperty(event.context, BAG, { value: bag, enumerable: true, configurable: true, writable: true })
}

/** The bag in the context of an event. */
export function getBag(context: object | undefined): SessionBag | undefined {
  return (context as { [BAG]?: SessionBag } | undefined)?.[BAG]
}
