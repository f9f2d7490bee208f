import type { SessionManager } from '../../../../src/core/session-manager'
import type { Session } from '../../../../src/core/types'
import type { Saving } from '../../../../src/http/save-soon'
import type { Browser } from '../app'
import type { Fault } from './store'
import { createPageSession } from '../../../../src/core/session/page'
import { createSaver } from '../../../../src/http/save-soon'
import { FakeExchange } from '../exchange'
import { type Content, type Effect, Expected, KEYS } from './expected'

/** A page has a response; a WebSocket can send no cookie; a prerendered response is shown to everybody. */
export type Kind = 'page' | 'socket' | 'shared'

/** A request and its response, which saves what changes after it has begun. */
export class WalkExchange extends FakeExchange {
  readonly isShared: boolean
  readonly cookieObstacle?: string
  readonly #saveSoon: () => void

  constructor(cookieHeader: string | undefined, kind: Kind, saving: Saving) {
    super(cookieHeader)
    this.#saveSoon = createSaver(saving)
    this.isShared = kind === 'shared'
    if (kind === 'socket')
      this.cookieObstacle = 'An open WebSocket cannot send a cookie.'
  }

  override setCookies(name: string, lines: readonly string[]): void {
    if (!this.cookieObstacle)
      super.setCookies(name, lines)
  }

  override holdResponse(): void {
    super.holdResponse()
    if (this.isSent || this.cookieObstacle)
      this.#saveSoon()
  }
}

/** What a request comes with. */
export interface Arrival {
  readonly number: number
  readonly kind: Kind
  readonly browser: Browser
  /** Its cookie; `''` for none. */
  readonly token: string
  /** The id that the cookie names. */
  readonly id: string | undefined
  /** When it came. */
  readonly time: number
  /** How many deployments there were before. */
  readonly deployment: number
}

/** A request of the walk: what it asked for, and what must come of it. */
export class WalkRequest {
  status: 'open' | 'ending' | 'answered' = 'open'
  isLoaded = false
  /** What has begun and has not ended. */
  readonly pending = new Set<Promise<void>>()
  readonly expected = new Expected()
  /** What it did to the session: others of the same visitor may see it, now or later. */
  readonly effects: Effect[] = []
  /** How often the request ended its session: what was asked of one must not be in the next. */
  generation = 0
  /** Calls so far. */
  calls = 0
  /** How many calls have not ended. */
  underWay = 0
  /** How many calls failed. */
  rejections = 0
  /** How many calls are on the stack: hooks call from within calls. */
  nesting = 0
  /** How often a hook acted: hooks may cause each other. */
  acts = 0
  renewals = 0
  /** Renewals and ends that must have been told. */
  readonly due = { regenerated: 0, destroyed: 0 }
  /** What hooks were told, with the id of the session. */
  readonly told: { name: string, id: string }[] = []
  readonly faults = new Set<Fault>()
  /** Keys of records that were stored first while no other request ran. */
  readonly begun = new Set<string>()
  /** False once another request of the same visitor ran at the same time. */
  isAlone = true
  /** False once anything was begun while something else was under way. */
  isOrderly = true
  /** True when time may have ended the session. */
  mayHaveExpired = false
  /** True once it set a lifetime, of a session that may not be there yet. */
  hasOwnLifetime = false
  /** True when the session was found replaced at the start. */
  wasReplaced = false
  hasFailed = false

  constructor(
    readonly arrival: Arrival,
    readonly exchange: WalkExchange,
    readonly opened: ReturnType<SessionManager['open']>,
  ) {}

  get session(): Session {
    return this.opened.handle
  }

  get isActive(): boolean {
    return this.status !== 'answered' || this.pending.size > 0
  }

  get canSendCookie(): boolean {
    return this.arrival.kind === 'page' && this.status !== 'answered'
  }

  /** What the session shows. To look at a message does not read it. */
  get shown(): Content {
    if (!this.opened.exists)
      return { data: {}, flash: {} }
    const page = createPageSession(this.opened, [], true, () => true)
    const flash: Record<string, unknown> = {}
    for (const [part, key] of KEYS) {
      const message = part === 'flash' ? page.readMessage(key) : undefined
      if (message !== undefined)
        flash[key] = message
    }
    return { data: this.session.data, flash }
  }

  /** The line that the response has for our cookie; the last of them counts. */
  get line(): string | undefined {
    return this.exchange.cookies.get('session')?.at(-1)
  }
}
