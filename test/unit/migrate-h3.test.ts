import type { CoreSessionOptions } from '../../src/core/options'
import type { CookiePair } from '../support/other-packages'
import { describe, expect, it } from 'vitest'
import { fromH3Session } from '../../src/core/index'
import { App, Browser, MODES, OLD_SECRET, SECRET } from './support/app'
import { Recorder } from './support/observer'
import { NewApp } from './support/old-sessions'
import { H3_VERSIONS, PASSWORD } from '../support/other-packages'

/** An app of ours that takes over sealed cookies, with the clock of the machine: seals tell their time. */
function createNewApp(migration: Parameters<typeof fromH3Session>[0] = { password: PASSWORD }, options: ConstructorParameters<typeof App>[0] = {}): NewApp {
  const app = new App(options)
  app.clock.now = Date.now()
  return new NewApp(fromH3Session(migration), options, app)
}

describe.each(H3_VERSIONS)('a cookie that $version sealed', ({ seal }) => {
  it.each(MODES)('becomes a session in $mode', async ({ options }) => {
    const app = createNewApp(undefined, options)
    const browser = new Browser(await seal({}, { user: { name: 'ada' } }))
    expect(await browser.read(app)).toEqual({ user: { name: 'ada' } })
    expect([...browser.jar.keys()]).toEqual(['session'])
    expect(await browser.read(app)).toEqual({ user: { name: 'ada' } })
  })

  it('can have the name that nuxt-auth-utils gives it', async () => {
    const app = createNewApp({ password: PASSWORD, cookie: { name: 'nuxt-session' } })
    const browser = new Browser(await seal({ name: 'nuxt-session', maxAge: 604800 }, { user: 1 }))
    expect(await browser.read(app)).toEqual({ user: 1 })
  })

  it.each(MODES)('is the session of its visitor only, although the app gave each the same id, in $mode', async ({ options }) => {
    const app = createNewApp(undefined, options)
    const config = { generateId: () => 'session' }
    const [ada, eve] = [new Browser(await seal(config, { user: 'ada' })), new Browser()]
    // An id is told apart by the time at which it was made.
    const before = Date.now()
    while (Date.now() === before)
      await new Promise(resolve => setTimeout(resolve, 1))
    for (const [name, value] of await seal(config, { user: 'eve' }))
      eve.jar.set(name, value)
    expect(await ada.read(app)).toEqual({ user: 'ada' })
    expect(await eve.read(app)).toEqual({ user: 'eve' })
    await ada.run(app, session => session.destroy())
    expect(await eve.read(app)).toEqual({ user: 'eve' })
  })

  it('is opened by any password of an array', async () => {
    const app = createNewApp({ password: ['the password of tomorrow, long enough too', PASSWORD] })
    expect(await new Browser(await seal({}, { user: 1 })).read(app)).toEqual({ user: 1 })
  })

  it('is a visitor where no password opens it', async () => {
    const app = createNewApp({ password: 'another password, which is as long as that' })
    const recorder = new Recorder()
    const visit = await new Browser(await seal({}, { user: 1 })).visit(app, recorder)
    expect([visit.request.exists, visit.setCookies, recorder.events, app.app.driver.calls]).toEqual([false, [], ['signature'], []])
  })

  it('is a visitor after a change to any of its parts', async () => {
    const app = createNewApp()
    const [[name, value]] = await seal({ maxAge: 60 }, { user: 1 }) as [CookiePair]
    for (const [index, part] of value.split('*').entries()) {
      const changed = value.split('*')
      changed[index] = part.endsWith('1') ? `${part.slice(0, -1)}2` : `${part.slice(0, -1)}1`
      expect([index, await new Browser([[name, changed.join('*')]]).hasSession(app)]).toEqual([index, false])
    }
    expect(await new Browser([[name, value]]).hasSession(app)).toBe(true)
  })

  it('is a visitor after the time that is in the seal', async () => {
    const app = createNewApp()
    const browser = new Browser(await seal({ maxAge: 60 }, { user: 1 }))
    app.app.wait(61)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('is a visitor after the `maxAge` of the other package', async () => {
    const app = createNewApp({ password: PASSWORD, maxAge: 60 })
    const cookies = await seal({}, { user: 1 })
    expect(await new Browser(cookies).hasSession(app)).toBe(true)
    const later = createNewApp({ password: PASSWORD, maxAge: 60 })
    later.app.wait(61)
    expect(await new Browser(cookies).hasSession(later)).toBe(false)
  })

  it('without data is expired, and leaves nothing in storage', async () => {
    const app = createNewApp()
    const browser = new Browser(await seal({}, {}))
    expect(await browser.hasSession(app)).toBe(false)
    expect([browser.jar.size, await app.app.keys()]).toEqual([0, []])
  })

  it('keeps keys that objects have by themselves as plain data', async () => {
    const app = createNewApp()
    const data = await new Browser(await seal({}, JSON.parse('{"constructor":1,"user":{"__proto__":{"admin":true}}}'))).read(app)
    expect(JSON.stringify(data)).toBe('{"constructor":1,"user":{"__proto__":{"admin":true}}}')
  })

  it('is read once in storage mode: also a logout does not bring a copy back', async () => {
    const app = createNewApp()
    const browser = new Browser(await seal({}, { user: 1 }))
    const copy = browser.clone()
    await browser.run(app, session => session.set('more', 2))
    app.app.wait(60)
    expect(await copy.hasSession(app)).toBe(false)
    await browser.run(app, session => session.destroy())
    expect(await copy.hasSession(app)).toBe(false)
  })

  it('is forgotten by storage once it has expired anyway', async () => {
    const app = createNewApp()
    const [[name, value]] = await seal({ maxAge: 3600 }, { user: 1 }) as [CookiePair]
    await new Browser([[name, value]]).run(app, session => session.destroy())
    expect(await app.app.records()).toMatchObject([{ data: {}, flash: {}, isReplaced: true, expiresAt: Number(value.split('*')[5]) }])
    app.app.wait(3660)
    expect(await app.manager.sweep()).toBe(1)
  })

  it('becomes one session for requests that arrive together', async () => {
    const app = createNewApp()
    const cookies = await seal({}, { user: 1 })
    const browsers = Array.from({ length: 5 }, () => new Browser(cookies))
    await Promise.all(browsers.map((browser, index) => browser.run(app, session => session.set(`page${index}`, true))))
    expect(await app.app.sessionKeys()).toHaveLength(1)
    expect(Object.keys(await browsers[0]!.read(app))).toHaveLength(6)
  })
})

describe.each(H3_VERSIONS)('a kept copy of a cookie that $version sealed', ({ seal }) => {
  const ROTATED = { secret: [SECRET, OLD_SECRET] }

  it.each<[change: string, before: CoreSessionOptions, ...after: CoreSessionOptions[]]>([
    ['our cookie is renamed', {}, { cookie: { name: 'sid' } }],
    ['our cookie is renamed twice', {}, { cookie: { name: 'sid' } }, {}],
    ['our cookie gets a prefix', {}, { cookie: { name: '__Host-session' } }],
    ['our cookie has the name of the old one', {}, { cookie: { name: 'h3' } }],
    ['our secret is rotated', { secret: OLD_SECRET }, ROTATED],
    ['our old secret is dropped', { secret: OLD_SECRET }, ROTATED, { secret: SECRET }],
    ['our secret is replaced', { secret: OLD_SECRET }, { secret: SECRET }],
    ['our secrets change places', ROTATED, { secret: [OLD_SECRET, SECRET] }],
    ['our cookie is renamed and our secret is rotated', { secret: OLD_SECRET }, { ...ROTATED, cookie: { name: 'sid' } }],
    ['our cookie gets a Domain', {}, { cookie: { domain: 'example.com' } }],
    ['our cookie loses its Domain', { cookie: { domain: 'example.com' } }, {}],
    ['our cookie gets a Path', {}, { cookie: { path: '/app' } }],
    ['our cookie is partitioned', {}, { cookie: { partitioned: true } }],
    ['sessions live shorter than the seal', {}, { maxAge: 30 }],
    ['the mode is storage mode again', {}, { mode: 'cookie', cookie: { name: 'sid' } }, { cookie: { name: 'sid' } }],
  ])('does not come in again after %s', async (_, before, ...deployments) => {
    const app = createNewApp(undefined, before)
    const copies = new Browser(await seal({ maxAge: 3600 }, { user: 1 }))
    await copies.clone().run(app, session => session.destroy())
    app.app.wait(60)
    const comesIn: boolean[] = []
    for (const options of deployments)
      comesIn.push(await copies.clone().hasSession(new NewApp(fromH3Session({ password: PASSWORD }), options, app.app.redeploy(options))))
    // In cookie mode nothing is kept that could tell.
    expect(comesIn).toEqual(deployments.map(({ mode }) => mode === 'cookie'))
  })

  it('does not come in again when the options say another Path or Domain for the old cookie', async () => {
    const app = createNewApp()
    const copies = new Browser(await seal({ maxAge: 3600 }, { user: 1 }))
    await copies.clone().read(app)
    app.app.wait(60)
    const others = [{ path: '/app' }, { domain: 'example.com' }].map(cookie => new NewApp(fromH3Session({ password: PASSWORD, cookie }), {}, app.app))
    expect(await Promise.all(others.map(other => copies.clone().hasSession(other)))).toEqual([false, false])
  })

  it('does not come in again after all sessions of ours that live shorter were swept', async () => {
    const app = createNewApp(undefined, { maxAge: 30 })
    const copies = new Browser(await seal({ maxAge: 3600 }, { user: 1 }))
    await copies.clone().read(app)
    app.app.wait(3000)
    await app.manager.sweep()
    expect(await copies.hasSession(app)).toBe(false)
  })
})

describe('a cookie that h3 v2 cut into pieces', () => {
  const { seal } = H3_VERSIONS[1]!
  const data = { text: 'x'.repeat(6000) }

  it('is put together and removed piece by piece', async () => {
    const app = createNewApp()
    const cookies = await seal({}, data)
    const browser = new Browser(cookies)
    const visit = await browser.visit(app)
    expect(visit.session.data).toEqual(data)
    await visit.end()
    expect(cookies.length).toBeGreaterThan(2)
    expect([...browser.jar.keys()]).toEqual(['session'])
  })

  it('is a visitor when a piece is missing, changed or tossed', async () => {
    const app = createNewApp()
    const cookies = await seal({}, data)
    const variants: CookiePair[][] = [
      cookies.filter(([name]) => name !== 'h3.2'),
      cookies.map(([name, value]) => [name, name === 'h3.2' ? `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}` : value]),
      cookies.map(([name, value]) => [name, name === 'h3' ? '__chunked__99' : value]),
      [['h3', '__chunked__100000000']],
    ]
    for (const variant of variants)
      expect(await new Browser(variant).hasSession(app)).toBe(false)
  })
})

describe('a cookie of the name that h3 uses', () => {
  it.each(['', 'Fe26.2', 'Fe26.2*******', 'Fe26.1**aa*aa*aa**aa*aa', `Fe26.2**${'a'.repeat(5000)}*aa*aa**aa*aa`, '%', 's:id.signature'])('is foreign, and no key is derived: %s', async (value) => {
    const app = createNewApp()
    const recorder = new Recorder()
    const visit = await new Browser([['h3', value]]).visit(app, recorder)
    expect([visit.request.isCarried, visit.exchange.holds, recorder.events]).toEqual([false, 0, []])
  })
})
