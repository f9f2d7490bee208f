import type { Exchange } from '../../src/core/ports'
import type { CookiePair } from '../support/other-packages'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fromCookieSession, fromExpressSession, fromH3Session, fromIronSession, signCookie } from '../../src/core/index'
import { createMigrator } from '../../src/core/migration/old-cookie'
import { H3_VERSIONS, PASSWORD } from '../support/other-packages'
import { App, Browser, returning } from './support/app'
import { countCrypto } from './support/counting-crypto'
import { codeOf } from './support/errors'
import { FakeExchange } from './support/exchange'
import { CountingText, HOSTILE_HEADERS } from '../support/hostile-cookies'
import { Recorder } from './support/observer'
import { NewApp, OLD_APP_SECRET, OldStorage } from './support/old-sessions'
import { createSwitch } from './support/server'

/** As h3 v2 derives its keys; h3 v1 does it once. */
const COSTLY = 8192

/** More than can wait to be opened. */
const FLOOD = 300

let made = 0

/** A seal of the right shape, unlike all others. */
function forgedSeal(passwordId = ''): string {
  const salt = String(made++).padStart(64, '0')
  return `Fe26.2*${passwordId}*${salt}*${'A'.repeat(22)}*${'A'.repeat(86)}**${salt}*${'A'.repeat(43)}`
}

const forged = (): Browser => new Browser([['h3', forgedSeal()]])

function createNewApp(): NewApp {
  const app = new App()
  app.clock.now = Date.now()
  return new NewApp(fromH3Session({ password: PASSWORD }), {}, app)
}

interface Derivations {
  readonly calls: number
  /** The most that ran at the same time. */
  readonly most: number
}

/** Watches the derivation of keys, and holds those of so many iterations until `gate` resolves. */
function watchDerivations(held?: { iterations: number, gate: Promise<void> }): Derivations {
  const { deriveBits } = crypto.subtle
  let running = 0
  const seen = { calls: 0, most: 0 }
  vi.spyOn(crypto.subtle, 'deriveBits').mockImplementation(async (algorithm, ...rest) => {
    seen.calls++
    seen.most = Math.max(seen.most, ++running)
    try {
      if (held && (algorithm as Pbkdf2Params).iterations === held.iterations)
        await held.gate
      return await deriveBits.call(crypto.subtle, algorithm, ...rest)
    }
    finally {
      running--
    }
  })
  return seen
}

/** Derives no key: whatever is tried does not open. */
function deriveNothing(): { readonly calls: number } {
  const spy = vi.spyOn(crypto.subtle, 'deriveBits').mockImplementation(async () => new ArrayBuffer(32))
  return { get calls() { return spy.mock.calls.length } }
}

/** A request with these cookies, which may be several of one name. */
async function loaded(app: NewApp, pairs: readonly CookiePair[], recorder = new Recorder()): Promise<{ exists: boolean, events: string[], setCookies: string[] }> {
  const exchange = new FakeExchange(pairs.map(([name, value]) => `${name}=${value}`).join('; '))
  const request = app.manager.open(exchange, recorder)
  await request.load()
  return { exists: request.exists, events: recorder.events, setCookies: [...exchange.cookies.values()].flat() }
}

afterEach(() => void vi.restoreAllMocks())

describe('a flood of forged seals', () => {
  it('has at most two keys derived at a time', async () => {
    const derivations = watchDerivations()
    const app = createNewApp()
    const visits = await Promise.all(Array.from({ length: 30 }, () => forged().visit(app)))
    expect(visits.filter(({ request }) => request.exists)).toEqual([])
    expect(derivations.calls).toBe(60)
    expect(derivations.most).toBeLessThanOrEqual(2)
  })

  it('has at most two keys derived at a time, however many apps are in the process', async () => {
    const derivations = watchDerivations()
    await Promise.all(Array.from({ length: 20 }, () => forged().visit(createNewApp())))
    expect(derivations.most).toBeLessThanOrEqual(2)
  })

  it('does not keep out a visitor of h3 v1: the costly derivations of h3 v2 are not waited for', async () => {
    const cookies = await H3_VERSIONS[0]!.seal({}, { user: 1 })
    const { promise: gate, resolve } = createSwitch()
    watchDerivations({ iterations: COSTLY, gate })
    const app = createNewApp()
    const flood = Array.from({ length: FLOOD }, () => forged().visit(app))
    expect(await new Browser(cookies).read(app)).toEqual({ user: 1 })
    resolve()
    await Promise.all(flood)
  })

  it('keeps a bounded number of requests waiting; all others are strangers at once, and may come again', async () => {
    const cookies = await H3_VERSIONS[1]!.seal({}, { user: 1 })
    const { promise: gate, resolve } = createSwitch()
    const derivations = watchDerivations({ iterations: COSTLY, gate })
    const app = createNewApp()
    const flood = Array.from({ length: FLOOD }, () => forged().visit(app))
    // Strangers one and all, before a single one of the seals was refused.
    const turnedAway = await Promise.any(flood)
    expect(turnedAway.request.exists).toBe(false)
    const visitor = new Browser(cookies)
    const recorder = new Recorder()
    const visit = await visitor.visit(app, recorder)
    expect([visit.request.exists, visit.setCookies, recorder.events]).toEqual([false, [], []])
    expect(derivations.calls).toBe(FLOOD + 2)
    resolve()
    await Promise.all(flood)
    expect(await visitor.read(app)).toEqual({ user: 1 })
  })

  it('lets nobody stay logged in who logs out meanwhile, or logs in as another', async () => {
    const cookies = await H3_VERSIONS[1]!.seal({}, { user: 1 })
    const { promise: gate, resolve } = createSwitch()
    watchDerivations({ iterations: COSTLY, gate })
    const app = createNewApp()
    const flood = Array.from({ length: FLOOD }, () => forged().visit(app))
    await Promise.any(flood)
    const [leaving, other] = [new Browser(cookies), new Browser(cookies)]
    await leaving.run(app, session => session.destroy())
    await other.run(app, session => session.regenerate({ user: 2 }))
    resolve()
    await Promise.all(flood)
    expect([leaving.jar.size, await leaving.hasSession(app)]).toEqual([0, false])
    expect(await other.read(app)).toEqual({ user: 2 })
    await other.run(app, session => session.destroy())
    expect([other.jar.size, await other.hasSession(app)]).toEqual([0, false])
  })

  it('is a flood of strangers: no error, no cookie, no storage', async () => {
    deriveNothing()
    const app = createNewApp()
    const visits = await Promise.all(Array.from({ length: FLOOD }, () => forged().visit(app)))
    expect(visits.flatMap(({ setCookies }) => setCookies)).toEqual([])
    expect(app.app.driver.calls).toEqual([])
  })
})

describe('a flood of forged seals of iron-session', () => {
  const createIronApp = (): NewApp => new NewApp(fromIronSession({ cookie: { name: 'app' }, password: PASSWORD }))
  const forgedByIron = (): Browser => new Browser([['app', `${forgedSeal('1')}~2`]])

  it('has one key derived at a time, one for each, and never the costly ones of h3 v2', async () => {
    const derivations = watchDerivations({ iterations: COSTLY, gate: new Promise(() => {}) })
    const app = createIronApp()
    const visits = await Promise.all(Array.from({ length: FLOOD }, () => forgedByIron().visit(app)))
    expect(visits.filter(({ request, setCookies }) => request.exists || setCookies.length > 0)).toEqual([])
    expect([derivations.calls, derivations.most, app.app.driver.calls]).toEqual([FLOOD, 1, []])
  })

  it('costs nothing when they come again, with their mark or without', async () => {
    const derivations = deriveNothing()
    const app = createIronApp()
    const browser = forgedByIron()
    const unmarked = new Browser([['app', browser.jar.get('app')!.slice(0, -2)]])
    for (let visit = 0; visit < 5; visit++)
      await Promise.all([browser.visit(app), unmarked.visit(app)])
    expect(derivations.calls).toBe(1)
  })

  it('costs nothing where the password that they name does not exist', async () => {
    const derivations = deriveNothing()
    await new Browser([['app', `${forgedSeal('2')}~2`]]).visit(createIronApp())
    expect(derivations.calls).toBe(0)
  })

  it('has four of one request opened at most', async () => {
    const derivations = watchDerivations()
    const { events } = await loaded(createIronApp(), Array.from({ length: 50 }, (): CookiePair => ['app', `${forgedSeal('1')}~2`]))
    expect([derivations.calls, events]).toEqual([4, Array.from({ length: 4 }, () => 'signature')])
  })
})

describe('a seal that was refused', () => {
  it('is known again, and costs nothing', async () => {
    const derivations = deriveNothing()
    const app = createNewApp()
    const browser = forged()
    const recorder = new Recorder()
    for (let visit = 0; visit < 5; visit++)
      await browser.visit(app, recorder)
    expect([derivations.calls, recorder.events]).toEqual([2, ['signature']])
  })

  it('is opened once when it comes with many requests at the same time', async () => {
    const derivations = watchDerivations()
    const app = createNewApp()
    const browser = forged()
    await Promise.all(Array.from({ length: 50 }, () => browser.clone().visit(app)))
    expect(derivations.calls).toBe(2)
  })

  it('is forgotten after so many others that memory stays bounded', async () => {
    const derivations = deriveNothing()
    const app = createNewApp()
    const first = forged()
    await first.visit(app)
    for (let other = 0; other < 1000; other++)
      await forged().visit(app)
    const before = derivations.calls
    await first.visit(app)
    expect([before, derivations.calls - before]).toEqual([2002, 2])
  })

  it('is no reason to refuse one that differs from it in any part', async () => {
    const [[name, value]] = await H3_VERSIONS[0]!.seal({}, { user: 1 }) as [CookiePair]
    const app = createNewApp()
    for (const [index, part] of value.split('*').entries()) {
      const changed = value.split('*')
      changed[index] = part.endsWith('1') ? `${part.slice(0, -1)}2` : `${part.slice(0, -1)}1`
      await new Browser([[name, changed.join('*')]]).visit(app)
    }
    expect(await new Browser([[name, value]]).read(app)).toEqual({ user: 1 })
  })
})

describe('several cookies of the name that h3 uses', () => {
  it('cost what one costs', async () => {
    const derivations = watchDerivations()
    const { events } = await loaded(createNewApp(), Array.from({ length: 50 }, (): CookiePair => ['h3', forgedSeal()]))
    expect([derivations.calls, events]).toEqual([2, ['signature']])
  })

  it.each(H3_VERSIONS)('of which one was planted before that of $version: it is refused once, and then passed over', async ({ seal }) => {
    const [real] = await seal({}, { user: 1 })
    const app = createNewApp()
    const pairs: CookiePair[] = [['h3', forgedSeal()], real!]
    expect([(await loaded(app, pairs)).exists, (await loaded(app, pairs)).exists]).toEqual([false, true])
  })
})

/** So often each character of a header is looked at, at most: by the search for the cookie, and for all pieces together. */
const LOOKS = 8

const SIZE = 15_000

describe.each(Object.entries(HOSTILE_HEADERS))('a Cookie header of %s', (_, create) => {
  it.each([
    ['h3', 'h3', () => fromH3Session({ password: PASSWORD })],
    ['iron-session', 'app', () => fromIronSession({ cookie: { name: 'app' }, password: PASSWORD })],
    ['cookie-session', 'session', () => fromCookieSession({ keys: ['a key', 'another'] })],
    ['express-session', 'connect.sid', () => fromExpressSession({ secret: [OLD_APP_SECRET, 'another'], store: new OldStorage().store })],
  ] as const)('costs a migration from %s steps in proportion to its length, and a few signatures', (_, name, createMigration) => {
    const crypto = countCrypto()
    const migration = createMigration()
    const found = [SIZE, 10 * SIZE].map((size) => {
      const header = new CountingText(create(size, name))
      const exchange: Exchange = { ...new FakeExchange(), cookieHeader: header as unknown as string, address: new FakeExchange().address, setCookies() {}, close() {}, holdResponse() {} }
      const { isCarried } = createMigrator(migration).open(undefined as never)(exchange)
      expect(header.steps).toBeLessThanOrEqual(LOOKS * header.length)
      return isCarried
    })
    expect(crypto.calls).toBeLessThanOrEqual(2 * 2 * 4)
    expect(found.every(isCarried => !isCarried || create === HOSTILE_HEADERS['seals of h3'])).toBe(true)
  })
})

describe('a flood of ids of express-session that are signed and dead', () => {
  const signed = (index: number): Browser => new Browser([['connect.sid', encodeURIComponent(signCookie(String(index).padStart(32, '0'), OLD_APP_SECRET))]])

  it('ends at the old storage, and leaves our own sessions alone while that does not answer', async () => {
    const old = new OldStorage(5)
    const app = new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: old.store }))
    const visitor = await returning(app.app, { user: 'ada' })
    for (let index = 0; index < FLOOD; index++)
      old.driver.hold('read')
    const codes = await Promise.all(Array.from({ length: FLOOD }, (_, index) => codeOf(() => signed(index).visit(app))))
    expect(new Set(codes)).toEqual(new Set(['STORAGE_ERROR']))
    expect(await visitor.read(app)).toEqual({ user: 'ada' })
  })

  it('is asked of storage once each, and is nobody', async () => {
    const old = new OldStorage()
    const app = new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: old.store }))
    const visits = await Promise.all(Array.from({ length: FLOOD }, (_, index) => signed(index).visit(app)))
    expect(visits.filter(({ request, setCookies }) => request.exists || setCookies.length > 0)).toEqual([])
    expect(old.driver.calls).toHaveLength(FLOOD)
  })
})
