import type { RequestSession } from '../../../src/core/session/request-session'
import type { CoreSessionOptions } from '../../../src/core/options'
import type { SessionManager } from '../../../src/core/session-manager'
import type { SessionObserver } from '../../../src/core/ports'
import type { Session, SessionRecord, SessionStore } from '../../../src/core/types'
import { createStorage } from 'unstorage'
import { createSessionManager } from '../../../src/core/session-manager'
import { resolveOptions } from '../../../src/core/resolve-options'
import { createStorageStore } from '../../../src/core/stores/unstorage'
import { ControlledDriver } from './driver'
import { FakeExchange, parseSetCookie } from './exchange'

export const SECRET = 'the first secret, 32 characters or more'
export const OLD_SECRET = 'an older secret, also long enough to be used'
export const NOON = Date.UTC(2030, 0, 1, 12)

export const MODES = [
  { mode: 'storage mode', options: { mode: 'storage' } },
  { mode: 'cookie mode, encrypted', options: { mode: 'cookie', encrypt: true } },
  { mode: 'cookie mode, signed', options: { mode: 'cookie', encrypt: false } },
] as const satisfies { mode: string, options: CoreSessionOptions }[]

/** What answers requests. */
export interface Server {
  readonly manager: SessionManager
}

/** A server: one manager over one memory storage, with a clock that tests set. */
export class App implements Server {
  readonly driver: ControlledDriver
  readonly store: SessionStore
  readonly manager: SessionManager
  readonly clock: { now: number }

  constructor(options: CoreSessionOptions = {}, shared?: Pick<App, 'driver' | 'store' | 'clock'>) {
    const resolved = resolveOptions({ secret: SECRET, ...options, cookie: { name: 'session', ...options.cookie } }, { isProduction: true })
    this.driver = shared?.driver ?? new ControlledDriver()
    this.clock = shared?.clock ?? { now: NOON }
    this.store = shared?.store ?? createStorageStore(createStorage({ driver: this.driver.driver }), { base: 'session', timeout: resolved.timeout })
    this.manager = createSessionManager(resolved, { store: this.store, now: () => this.clock.now })
  }

  /** Another manager with other options over the same store and clock. */
  redeploy(options: CoreSessionOptions): App {
    return new App(options, this)
  }

  /** Lets seconds pass. */
  wait(seconds: number): void {
    this.clock.now += seconds * 1000
  }

  async keys(): Promise<string[]> {
    return this.driver.driver.getKeys('', {})
  }

  /** The keys of sessions, without what is left of replaced ids. */
  async sessionKeys(): Promise<string[]> {
    const data = (this.driver.driver.getInstance as () => Map<string, string>)()
    return [...data].filter(([, value]) => !(JSON.parse(value) as SessionRecord).isReplaced).map(([key]) => key)
  }

  /** Everything that storage holds, parsed. */
  async records(): Promise<SessionRecord[]> {
    const values = (this.driver.driver.getInstance as () => Map<string, string>)().values()
    return [...values].map(value => JSON.parse(value) as SessionRecord)
  }

  /** Puts a text under every key that is in use. */
  overwriteAll(text: string): void {
    const data = (this.driver.driver.getInstance as () => Map<string, string>)()
    for (const key of data.keys())
      data.set(key, text)
  }
}

/** One request on its way: opened, loaded, not answered yet. */
export class Visit {
  readonly exchange: FakeExchange
  readonly request: RequestSession
  readonly #browser: Browser

  constructor(browser: Browser, app: Server, observer?: SessionObserver) {
    this.#browser = browser
    this.exchange = new FakeExchange(browser.cookieHeader)
    this.request = app.manager.open(this.exchange, observer)
  }

  get session(): Session {
    return this.request.handle
  }

  /** Our `Set-Cookie` headers so far. */
  get setCookies(): string[] {
    return [...this.exchange.cookies.values()].flat()
  }

  /** Answers: waits for the writes, then hands the cookies to the browser, also with a 503. */
  async end(): Promise<void> {
    try {
      await this.request.commit()
    }
    finally {
      this.exchange.isSent = true
      this.#browser.receive(this.setCookies)
    }
  }
}

/** A cookie jar. It keeps what it is given until told otherwise, expired or not. */
export class Browser {
  readonly jar = new Map<string, string>()

  constructor(jar: Iterable<[string, string]> = []) {
    this.jar = new Map(jar)
  }

  get cookieHeader(): string | undefined {
    return this.jar.size > 0 ? [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ') : undefined
  }

  get token(): string {
    return this.jar.get('session') ?? ''
  }

  receive(headers: readonly string[]): void {
    for (const { name, value, attributes } of headers.map(parseSetCookie)) {
      if (attributes.get('max-age') === '0')
        this.jar.delete(name)
      else
        this.jar.set(name, value)
    }
  }

  /** Another browser with the same cookies. */
  clone(): Browser {
    return new Browser(this.jar)
  }

  /** Starts a request and loads its session. */
  async visit(app: Server, observer?: SessionObserver): Promise<Visit> {
    const visit = new Visit(this, app, observer)
    await visit.request.load()
    return visit
  }

  /** A whole request. */
  async run<T>(app: Server, handler: (session: Session, visit: Visit) => T | Promise<T>): Promise<T> {
    const visit = await this.visit(app)
    const result = await handler(visit.session, visit)
    await visit.end()
    return result
  }

  /** What a request now sees. */
  read(app: Server): Promise<Record<string, unknown>> {
    return this.run(app, session => ({ ...session.data }))
  }

  /** Whether a request now has a session. */
  hasSession(app: Server): Promise<boolean> {
    return this.run(app, (_, visit) => visit.request.exists)
  }
}

/** A browser that was here before and has this data. */
export async function returning(app: App, data: Record<string, unknown> = { user: 'ada' }): Promise<Browser> {
  const browser = new Browser()
  await browser.run(app, (session) => {
    for (const [key, value] of Object.entries(data))
      session.set(key, value)
  })
  app.driver.calls.length = 0
  return browser
}
