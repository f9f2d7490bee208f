import type { SessionCookieOptions } from '../../src/core/options'
import type { RequestSession } from '../../src/core/session/request-session'
import type { Session } from '../../src/core/types'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_CANDIDATES } from '../../src/core/cookie/header'
import { App, MODES, OLD_SECRET, returning, SECRET } from './support/app'
import { codeOf } from './support/errors'
import { FakeExchange } from './support/exchange'
import { Recorder } from './support/observer'
import { JarBrowser } from './support/jar-browser'

const URL_OF_APP = 'https://shop.eu.example.com/app/api/me'

const SCOPES: Record<string, SessionCookieOptions> = {
  'of this host': {},
  'of this host by name': { domain: 'shop.eu.example.com' },
  'of the domain above': { domain: 'eu.example.com' },
  'of the whole domain': { domain: '.Example.com' },
  'below a path': { path: '/app' },
  'below a path with a slash': { path: '/app/' },
  'below a deeper path': { path: '/app/api' },
  'of the domain, below a path': { domain: 'example.com', path: '/app/api/' },
}

/** What a visitor does in one request, and who they are afterwards. */
const STEPS = {
  read: { run: async () => {} },
  write: { run: async session => session.set('n', Math.random()) },
  loginAsAda: { run: session => session.regenerate({ user: 'ada' }), user: 'ada' },
  loginAsBob: { run: session => session.regenerate({ user: 'bob' }), user: 'bob' },
  logout: { run: session => session.destroy(), user: undefined },
} satisfies Record<string, { run: (session: Session) => Promise<void>, user?: string | undefined }>

describe.each(MODES)('changing the scope of the cookie in $mode', ({ options }) => {
  const deployments = (app: App): App[] => Object.values(SCOPES).map(cookie => app.redeploy({ ...options, cookie }))
  const userOf = async (browser: JarBrowser, app: App): Promise<unknown> => (await browser.run(app, URL_OF_APP, session => session.get('user'))).result

  const pairs = Object.entries(SCOPES).flatMap(([before, from]) => Object.entries(SCOPES).map(([after, to]) => ({ before, after, from, to })))

  it.each(pairs)('from $before to $after: a visitor stays, logs in as another and leaves', async ({ from, to }) => {
    const old = new App({ ...options, cookie: from })
    const app = old.redeploy({ ...options, cookie: to })
    const browser = new JarBrowser()
    await browser.run(old, URL_OF_APP, session => session.regenerate({ user: 'ada' }))
    old.wait(1)
    const seen = [await userOf(browser, app)]
    await browser.run(app, URL_OF_APP, session => session.regenerate({ user: 'bob' }))
    old.wait(1)
    seen.push(await userOf(browser, app))
    await browser.run(app, URL_OF_APP, session => session.destroy())
    seen.push(await userOf(browser, app), await userOf(browser, old), browser.headerFor(URL_OF_APP))
    expect(seen).toEqual(['ada', 'bob', undefined, undefined, options.mode === 'storage' ? expect.any(String) : ''])
    expect(await old.sessionKeys()).toEqual([])
  })

  it('any number of times, whatever the visitor does: each request sees what the last one did', async () => {
    const names = Object.keys(STEPS) as (keyof typeof STEPS)[]
    const step = fc.record({ deployment: fc.nat({ max: Object.keys(SCOPES).length - 1 }), name: fc.constantFrom(...names) })
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const first = new App(options)
      const apps = deployments(first)
      const browser = new JarBrowser()
      let user: string | undefined
      for (const { deployment, name } of steps) {
        const app = apps[deployment]!
        const taken = STEPS[name]
        await browser.run(app, URL_OF_APP, session => user === undefined && name === 'write' ? undefined : taken.run(session))
        first.wait(1)
        user = 'user' in taken ? taken.user : user
        expect(await userOf(browser, app)).toBe(user)
      }
    }), { numRuns: 150 })
  })

  it('at every login, in whatever order', async () => {
    const inAnyOrder = fc.shuffledSubarray(Object.keys(Object.values(SCOPES)), { minLength: 5 })
    await fc.assert(fc.asyncProperty(inAnyOrder, async (order) => {
      const first = new App(options)
      const apps = deployments(first)
      const browser = new JarBrowser()
      for (const index of order) {
        await browser.run(apps[Number(index)]!, URL_OF_APP, session => session.regenerate({ user: index }))
        first.wait(1)
        expect(await userOf(browser, apps[Number(index)]!)).toBe(index)
      }
    }), { numRuns: 300, examples: [[['2', '4', '5', '6', '0']]] })
  })
})

const header = (...tokens: string[]): string => tokens.map(token => `session=${token}`).join('; ')

/** A request with these cookies of our name. */
async function visitWith(app: App, ...tokens: string[]): Promise<{ request: RequestSession, exchange: FakeExchange, observer: Recorder }> {
  const [exchange, observer] = [new FakeExchange(header(...tokens), { host: 'app.example.com', path: '/account' }), new Recorder()]
  const request = app.manager.open(exchange, observer)
  await request.load()
  return { request, exchange, observer }
}

/** The token of a session that is over. */
async function deadToken(app: App): Promise<string> {
  const browser = await returning(app, { user: 'dead' })
  const { token } = browser
  await browser.run(app, session => session.destroy())
  app.driver.calls.length = 0
  return token
}

describe('several cookies of our name in storage mode', () => {
  it('leaves two parts of a site alone that have a session each', async () => {
    const site = new App({ cookie: { path: '/' } })
    const part = site.redeploy({ cookie: { path: '/app' } })
    const browser = new JarBrowser()
    const URL_OF_SITE = new URL('/', URL_OF_APP).href
    await browser.run(part, URL_OF_APP, session => session.regenerate({ user: 'ada' }))
    await browser.run(site, URL_OF_SITE, session => session.regenerate({ user: 'bob' }))
    site.wait(1)
    const { setCookies } = await browser.run(part, URL_OF_APP, session => session.regenerate({ user: 'eve' }))
    site.wait(1)
    const userAt = async (app: App, url: string): Promise<unknown> => (await browser.run(app, url, session => session.get('user'))).result
    expect([setCookies.length, await userAt(part, URL_OF_APP), await userAt(site, URL_OF_SITE)]).toEqual([1, 'eve', 'bob'])
  })

  it('are looked up until one has a session', async () => {
    const app = new App()
    const [dead, live, other] = [await deadToken(app), (await returning(app, { user: 'ada' })).token, (await returning(app, { user: 'bob' })).token]
    const { request, observer } = await visitWith(app, 'forged', dead, live, other)
    expect([request.data, app.driver.count('read'), observer.events]).toEqual([{ user: 'ada' }, 2, ['loaded']])
  })

  it('are four at most', async () => {
    const app = new App()
    const dead = await Promise.all([1, 2, 3, 4].map(() => deadToken(app)))
    const live = (await returning(app)).token
    app.driver.calls.length = 0
    const { request, observer } = await visitWith(app, ...dead, live)
    expect([request.exists, app.driver.count('read'), observer.events]).toEqual([false, 4, ['unknown']])
  })

  it('that are the same are one', async () => {
    const app = new App()
    const dead = await deadToken(app)
    const live = (await returning(app)).token
    app.driver.calls.length = 0
    const { request } = await visitWith(app, dead, `"${dead}"`, dead, encodeURIComponent(dead), dead, live)
    expect([request.data, app.driver.count('read')]).toEqual([{ user: 'ada' }, 2])
  })

  it.each(['before', 'behind'])('end together, where a subdomain put a live one %s ours', async (place) => {
    const app = new App()
    const [own, planted] = [await returning(app, { user: 'victim' }), await returning(app, { user: 'attacker' })]
    const tokens = place === 'before' ? [planted.token, own.token] : [own.token, planted.token]
    const { request, exchange, observer } = await visitWith(app, ...tokens)
    await request.handle.destroy()
    await request.commit()
    expect([await app.sessionKeys(), observer.events]).toEqual([[], ['loaded', 'destroyed']])
    expect(exchange.cookies.get('session')!.at(-1)).toMatch(/^session=; Max-Age=0; Path=\//)
  })

  it('end together also where nothing was loaded before', async () => {
    const app = new App()
    const tokens = [(await returning(app)).token, await deadToken(app), (await returning(app)).token]
    const request = app.manager.open(new FakeExchange(header(...tokens)))
    await request.handle.destroy()
    await request.commit()
    expect(await app.sessionKeys()).toEqual([])
  })

  it('let a visitor log in whose first one is dead', async () => {
    const app = new App()
    const dead = await deadToken(app)
    const { request, exchange } = await visitWith(app, dead)
    await request.handle.regenerate({ user: 'ada' })
    await request.commit()
    const token = exchange.cookies.get('session')!.at(-1)!.split(/[=;]/)[1]!
    expect((await visitWith(app, dead, token)).request.data).toEqual({ user: 'ada' })
  })

  it('leave a session alone that another one in front was replaced by', async () => {
    const app = new App()
    const browser = await returning(app)
    const before = browser.token
    await browser.run(app, session => session.regenerate())
    const { request } = await visitWith(app, before, browser.token)
    request.handle.set('n', 1)
    await request.commit()
    expect(await browser.read(app)).toEqual({ user: 'ada', n: 1 })
  })

  it('of which one was replaced and none is alive are that of a session that went on', async () => {
    const app = new App()
    const browser = await returning(app)
    const before = browser.token
    await browser.run(app, session => session.regenerate())
    const { request } = await visitWith(app, await deadToken(app), before)
    expect(await codeOf(() => request.handle.destroy())).toBe('EXPIRED_SESSION')
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })

  it('are removed from everywhere when storage fails', async () => {
    const app = new App()
    const tokens = [(await returning(app)).token, (await returning(app)).token]
    app.driver.fail('read')
    app.driver.fail('remove')
    const exchange = new FakeExchange(header(...tokens), { host: 'app.example.com', path: '/account' })
    const request = app.manager.open(exchange)
    expect(await codeOf(() => request.handle.destroy())).toBe('STORAGE_ERROR')
    expect(exchange.cookies.get('session')!.filter(line => line.startsWith('session=; Max-Age=0'))).toHaveLength(exchange.cookies.get('session')!.length)
  })
})

describe.each(MODES.filter(({ options }) => options.mode === 'cookie'))('several cookies of our name in $mode', ({ options }) => {
  it.each(['before', 'behind'])('are judged by their age: an older one %s the newest does not count', async (place) => {
    const app = new App(options)
    const older = await returning(app, { user: 'older' })
    app.wait(1)
    const newest = await returning(app, { user: 'newest' })
    const tokens = place === 'before' ? [older.token, newest.token] : [newest.token, older.token]
    expect((await visitWith(app, ...tokens)).request.data).toEqual({ user: 'newest' })
  })
})

describe.each(MODES)('the spelling of a cookie in $mode', ({ options }) => {
  const everyChar = (token: string): string => Array.from(token, char => `%${char.charCodeAt(0).toString(16)}`).join('')

  it.each<[what: string, spell: (token: string) => string]>([
    ['double quotes', token => `"${token}"`],
    ['percent-encoding', everyChar],
    ['percent-encoding in upper case', token => everyChar(token).toUpperCase()],
    ['percent-encoding of the dots only', token => token.replaceAll('.', '%2E')],
    ['percent-encoding of marks that are often encoded', token => token.replaceAll(/[.~_-]/g, char => `%${char.charCodeAt(0).toString(16)}`)],
    ['percent-encoding in quotes', token => `"${everyChar(token)}"`],
    ['percent-encoding of quotes as well', token => `%22${token}%22`],
    ['blanks around quotes', token => `  "${token}"\t`],
  ])('may have %s', async (_, spell) => {
    const app = new App(options)
    const { token } = await returning(app)
    expect((await visitWith(app, spell(token))).request.data).toEqual({ user: 'ada' })
  })

  it.each<[what: string, spell: (token: string) => string]>([
    ['one quote', token => `"${token}`],
    ['two pairs of quotes', token => `""${token}""`],
    ['single quotes', token => `'${token}'`],
    ['blanks inside the quotes', token => `" ${token} "`],
    ['encoded blanks', token => `%20${token}`],
    ['percent-encoding twice', token => everyChar(token).replaceAll('%', '%25')],
    ['a broken encoding', token => `${token}%`],
    ['another alphabet of base64', token => token.replaceAll('-', '+').replaceAll('_', '/').replace(/$/, '=')],
  ])('may not have %s', async (_, spell) => {
    const app = new App(options)
    const { token } = await returning(app)
    expect((await visitWith(app, spell(token))).request.exists).toBe(false)
  })

  it('does not matter to when it is renewed', async () => {
    const app = new App({ ...options, idleTimeout: 60 })
    const { token } = await returning(app)
    app.wait(40)
    const { request, exchange } = await visitWith(app, everyChar(token))
    await request.commit()
    expect(exchange.cookies.get('session')).toHaveLength(1)
  })
})

describe('the number of cookies that are verified', () => {
  it.each(MODES)('is bounded in $mode', async ({ options }) => {
    const app = new App({ ...options, secret: [SECRET, OLD_SECRET] })
    const tokens = await Promise.all(Array.from({ length: 20 }, async (_, n) => (await returning(app, { n })).token))
    const elsewhere = app.redeploy({ ...options, secret: [OLD_SECRET, SECRET] })
    const request = elsewhere.manager.open(new FakeExchange(header(...tokens)))
    await request.handle.destroy()
    await request.commit()
    expect(await app.sessionKeys()).toHaveLength(options.mode === 'storage' ? 20 - MAX_CANDIDATES : 0)
  })
})
