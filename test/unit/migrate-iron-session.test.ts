import type { IronSessionOptions } from '../../src/core/index'
import type { CookiePair } from '../support/other-packages'
import { sealData } from 'iron-session'
import { describe, expect, it } from 'vitest'
import { fromIronSession } from '../../src/core/index'
import { App, Browser, MODES } from './support/app'
import { FakeExchange } from './support/exchange'
import { Recorder } from './support/observer'
import { NewApp } from './support/old-sessions'
import { H3_VERSIONS, PASSWORD, sealByIronSession } from '../support/other-packages'

const NEXT_PASSWORD = 'the password of tomorrow, long enough too'
const STRANGE_PASSWORD = 'another password, which is as long as that'

type Options = ConstructorParameters<typeof App>[0]

function migration(options: Partial<IronSessionOptions> = {}): ReturnType<typeof fromIronSession> {
  return fromIronSession({ cookie: { name: 'app' }, password: PASSWORD, ...options })
}

/** An app of ours that takes over sealed cookies, with the clock of the machine: seals tell their time. */
function createNewApp(options: Options = {}, old: Partial<IronSessionOptions> = {}): NewApp {
  const app = new App(options)
  app.clock.now = Date.now()
  return new NewApp(migration(old), options, app)
}

const seal = (data: object = { user: 'ada' }, options: Parameters<typeof sealByIronSession>[0] = {}): Promise<CookiePair> => sealByIronSession(options, data)

/** A seal of any content, as it is without the mark of iron-session 6. */
async function unmarked(value: unknown): Promise<string> {
  return (await sealData(value, { password: PASSWORD })).slice(0, -2)
}

describe.each(MODES)('a cookie that iron-session sealed, in $mode', ({ mode, options }) => {
  it('becomes a session, with all its data', async () => {
    const app = createNewApp(options)
    const browser = new Browser([await seal({ user: { name: 'ada' }, visits: 3 })])
    expect(await browser.read(app)).toEqual({ user: { name: 'ada' }, visits: 3 })
    expect([...browser.jar.keys()]).toEqual(['session'])
    expect(await browser.read(app)).toEqual({ user: { name: 'ada' }, visits: 3 })
  })

  it('may have the name of ours, which then takes its place', async () => {
    const app = createNewApp(options, { cookie: { name: 'session' } })
    const browser = new Browser([await seal(undefined, { cookieName: 'session' })])
    const recorder = new Recorder()
    await (await browser.visit(app, recorder)).end()
    expect(recorder.events).toEqual(['created', 'loaded'])
    expect(await browser.read(app)).toEqual({ user: 'ada' })
    await browser.run(app, session => session.destroy())
    expect(browser.jar.size).toBe(0)
  })

  it('without data is expired, and leaves nothing in storage', async () => {
    const app = createNewApp(options, { cookie: { name: 'session' } })
    const browser = new Browser([await seal({}, { cookieName: 'session' })])
    expect(await browser.hasSession(app)).toBe(false)
    expect([browser.jar.size, await app.app.keys()]).toEqual([0, []])
  })

  it('is one session for requests that arrive together', async () => {
    const app = createNewApp(options)
    const cookie = await seal()
    const browsers = Array.from({ length: 5 }, () => new Browser([cookie]))
    const ids = await Promise.all(browsers.map((browser, index) => browser.run(app, (session) => {
      session.set(`page${index}`, true)
      return session.id
    })))
    expect(new Set(ids).size).toBe(1)
    expect(await app.app.sessionKeys()).toHaveLength(mode === 'storage mode' ? 1 : 0)
    // In cookie mode each browser has its own response only.
    expect(Object.keys(await browsers[0]!.read(app))).toHaveLength(mode === 'storage mode' ? 6 : 2)
  })

  it('is another session than that of a visitor with the same data', async () => {
    const app = createNewApp(options)
    const visitors = [new Browser([await seal()]), new Browser([await seal()])]
    await visitors[0]!.run(app, session => session.set('theme', 'dark'))
    expect(await visitors[1]!.read(app)).toEqual({ user: 'ada' })
  })

  it('may be ended by its first request', async () => {
    const app = createNewApp(options)
    const browser = new Browser([await seal()])
    await browser.run(app, session => session.destroy())
    expect([browser.jar.size, await app.app.sessionKeys()]).toEqual([0, []])
  })

  it('keeps keys that objects have by themselves as plain data', async () => {
    const app = createNewApp(options)
    const text = '{"__proto__":{"admin":true},"constructor":1,"user":{"__proto__":{"admin":true}}}'
    const browser = new Browser([['app', await sealData(JSON.parse(text), { password: PASSWORD })]])
    const data = await browser.run(app, session => session.data) as { admin?: boolean }
    expect([JSON.stringify(data), data.admin]).toEqual([text, undefined])
  })
})

describe('a kept copy of a cookie that iron-session sealed', () => {
  const seen = async (app: NewApp, copy: Browser): Promise<unknown[]> => {
    const recorder = new Recorder()
    const visit = await copy.clone().visit(app, recorder)
    return [visit.request.exists, visit.setCookies, recorder.events]
  }
  const WORTHLESS = [false, [], ['unknown']]

  it.each([[{}], [{ ttl: 0 }]])('is worthless 10 seconds later, also after a logout, with %j', async (options) => {
    const app = createNewApp()
    const browser = new Browser([await seal(undefined, options)])
    const copy = browser.clone()
    await browser.read(app)
    app.app.wait(9)
    expect(await copy.clone().read(app)).toEqual({ user: 'ada' })
    app.app.wait(2)
    expect(await seen(app, copy)).toEqual(WORTHLESS)
    await browser.run(app, session => session.destroy())
    expect(await seen(app, copy)).toEqual(WORTHLESS)
    app.app.wait(13 * 86_400)
    expect(await seen(app, copy)).toEqual(WORTHLESS)
  })

  it('does not come back by a logout of its first request', async () => {
    const app = createNewApp()
    const browser = new Browser([await seal()])
    const copy = browser.clone()
    await browser.run(app, session => session.destroy())
    expect(await copy.hasSession(app)).toBe(false)
  })

  it.each<[string, (value: string) => string]>([
    ['lost the mark', value => value.slice(0, -2)],
    ['is percent-encoded', value => value.replaceAll('*', '%2A').replaceAll('~', '%7E')],
  ])('that %s is a copy all the same', async (_, change) => {
    const app = createNewApp()
    const [name, value] = await seal({ persistent: { user: 'ada' }, flash: {} })
    await new Browser([[name, value]]).read(app)
    app.app.wait(60)
    expect(await seen(app, new Browser([[name, change(value)]]))).toEqual(WORTHLESS)
  })

  it('does not come in again where our options have changed', async () => {
    const before = createNewApp()
    const copy = new Browser([await seal()])
    await copy.clone().run(before, session => session.destroy())
    before.app.wait(60)
    const options: Options = { secret: 'a secret that nobody has used until now', cookie: { name: 'sid', path: '/app' } }
    expect(await copy.hasSession(new NewApp(migration(), options, before.app.redeploy(options)))).toBe(false)
  })

  it('is remembered in storage until it has expired by itself', async () => {
    const app = createNewApp()
    const [name, value] = await seal(undefined, { ttl: 3600 })
    await new Browser([[name, value]]).run(app, session => session.destroy())
    expect(await app.app.records()).toMatchObject([{ data: {}, isReplaced: true, expiresAt: Number(value.split('*')[5]) }])
    app.app.wait(3660)
    expect([await app.manager.sweep(), await new Browser([[name, value]]).hasSession(app)]).toEqual([1, false])
  })

  it('may come in again in cookie mode, where nobody remembers', async () => {
    const app = createNewApp({ mode: 'cookie' })
    const browser = new Browser([await seal()])
    const copy = browser.clone()
    await browser.run(app, session => session.destroy())
    app.app.wait(60)
    expect(await copy.read(app)).toEqual({ user: 'ada' })
  })
})

describe('an earlier cookie of the same visitor of iron-session', () => {
  it('is a session of its own, for iron-session makes another seal each time', async () => {
    const app = createNewApp()
    const [first, second] = [new Browser([await seal({ step: 1 })]), new Browser([await seal({ step: 2 })])]
    expect(await second.read(app)).toEqual({ step: 2 })
    expect(await first.read(app)).toEqual({ step: 1 })
  })
})

describe('the passwords of iron-session', () => {
  it.each<[string, IronSessionOptions['password'], Parameters<typeof sealByIronSession>[0], boolean]>([
    ['one, which has the id 1', PASSWORD, {}, true],
    ['one, which is in a map there', PASSWORD, { password: { 1: PASSWORD } }, true],
    ['a map, of which one was alone there', { 1: PASSWORD, 2: NEXT_PASSWORD }, {}, true],
    ['a map, of which the newest seals', { 1: NEXT_PASSWORD, 2: PASSWORD }, { password: { 1: NEXT_PASSWORD, 2: PASSWORD } }, true],
    ['a map with others beside the one', { 2: PASSWORD, 3: '' }, { password: { 2: PASSWORD } }, true],
    ['the right one by another id', { 2: PASSWORD }, {}, false],
    ['the right one, as the only one, by another id', PASSWORD, { password: { 2: PASSWORD } }, false],
    ['another one by the right id', { 1: STRANGE_PASSWORD, 2: PASSWORD }, {}, false],
    ['another one', STRANGE_PASSWORD, {}, false],
  ])('open as they do there: %s', async (_, password, options, isKnown) => {
    const cookie = await seal(undefined, options)
    expect(await new Browser([cookie]).hasSession(createNewApp({}, { password }))).toBe(isKnown)
  })

  it.each(['', 'constructor', '__proto__', '2', 'default'])('are not found by the id %j', async (id) => {
    const [name, value] = await seal()
    const app = createNewApp()
    const visit = await new Browser([[name, value.replace('*1*', `*${id}*`)]]).visit(app)
    expect([visit.request.isCarried, visit.exchange.holds]).toEqual([false, 0])
  })

  it('that no longer seal are told to the hook', async () => {
    const app = createNewApp({}, { password: STRANGE_PASSWORD })
    const recorder = new Recorder()
    const visit = await new Browser([await seal()]).visit(app, recorder)
    expect([visit.request.exists, visit.setCookies, recorder.events, app.app.driver.calls]).toEqual([false, [], ['signature'], []])
  })
})

describe('a cookie of iron-session 5', () => {
  it('has its data below `persistent`', async () => {
    const app = createNewApp()
    expect(await new Browser([['app', await unmarked({ persistent: { user: 'ada' }, flash: { info: 'hi' } })]]).read(app)).toEqual({ user: 'ada' })
  })

  it.each([
    ['a session of later versions that lost its mark', { user: 'ada' }],
    ['one that has data of that name', { user: 'ada', persistent: { user: 'root' }, flash: {} }],
    ['one that has only data of that name', { persistent: { user: 'root' } }],
    ['no object', [1]],
    ['nothing', null],
    ['other data', { persistent: 'root', flash: {} }],
    ['a list', { persistent: [1], flash: {} }],
  ])('is not %s', async (_, value) => {
    const app = createNewApp()
    const recorder = new Recorder()
    const visit = await new Browser([['app', await unmarked(value)]]).visit(app, recorder)
    expect([visit.request.exists, recorder.events, app.app.driver.calls]).toEqual([false, ['corrupt'], []])
  })
})

describe('what is no cookie of iron-session', () => {
  it('is a visitor after a change to any of its parts', async () => {
    const app = createNewApp()
    const [name, value] = await seal()
    for (const [index, part] of value.slice(0, -2).split('*').entries()) {
      const changed = value.slice(0, -2).split('*')
      changed[index] = part.endsWith('1') ? `${part.slice(0, -1)}2` : `${part.slice(0, -1)}1`
      expect([index, await new Browser([[name, `${changed.join('*')}~2`]]).hasSession(app)]).toEqual([index, false])
    }
    expect(await new Browser([[name, value]]).hasSession(app)).toBe(true)
  })

  it('is a visitor at whatever place it is cut', async () => {
    const app = createNewApp()
    const [name, value] = await seal()
    for (let length = 0; length < value.length; length += 7)
      expect([length, await new Browser([[name, value.slice(0, length)]]).hasSession(app)]).toEqual([length, false])
  })

  it.each<[string, (value: string) => string]>([
    ['another mark', value => `${value.slice(0, -1)}3`],
    ['two marks', value => `${value}~2`],
    ['half a mark', value => value.slice(0, -1)],
    ['a mark and more', value => `${value}~`],
    ['a seal and more', value => `${value}*A`],
    ['broken percent-encoding', value => `${value}%`],
    ['text before it', value => `x${value}`],
    ['nothing', () => ''],
  ])('is foreign, and no key is derived: %s', async (_, change) => {
    const [name, value] = await seal()
    const app = createNewApp()
    const recorder = new Recorder()
    const visit = await new Browser([[name, change(value)]]).visit(app, recorder)
    expect([visit.request.isCarried, visit.exchange.holds, recorder.events]).toEqual([false, 0, []])
  })

  it('is foreign, and no key is derived: one that no browser would keep', async () => {
    const app = createNewApp()
    const visit = await new Browser([['app', await sealData({ text: 'x'.repeat(3000) }, { password: PASSWORD })]]).visit(app)
    expect([visit.request.isCarried, visit.exchange.holds]).toEqual([false, 0])
  })

  it.each(H3_VERSIONS)('is foreign: the seal of $version, although the password is the same', async ({ seal: sealByH3 }) => {
    const [cookie] = await sealByH3({ name: 'app' }, { user: 1 })
    expect(await new Browser([cookie!]).hasSession(createNewApp())).toBe(false)
  })

  it.each(['expired', 'forged'])('does not hide the real one that it was planted before: %s', async (kind) => {
    const app = createNewApp()
    const [, real] = await seal()
    const [, planted] = kind === 'expired' ? await seal({ user: 'eve' }, { ttl: 1 }) : await seal({ user: 'eve' }, { password: STRANGE_PASSWORD })
    app.app.wait(5)
    const request = app.manager.open(new FakeExchange(`app=${planted}; app=${real}`))
    await request.load()
    expect(request.data).toEqual({ user: 'ada' })
  })

  it('is a visitor after the time that is in the seal', async () => {
    const app = createNewApp()
    const browser = new Browser([await seal(undefined, { ttl: 60 })])
    app.app.wait(61)
    expect(await browser.hasSession(app)).toBe(false)
  })
})

describe('fromIronSession', () => {
  const pathsOf = (options: unknown): string[] => {
    try {
      fromIronSession(options as never)
      return []
    }
    catch (error) {
      return (error as { details: { issues: { path: string }[] } }).details.issues.map(({ path }) => path)
    }
  }

  it.each<[unknown, string[]]>([
    [{}, ['cookie.name', 'password']],
    [{ cookie: { name: '' }, password: '' }, ['cookie.name', 'password']],
    [{ cookie: 'app', password: 5 }, ['cookie.name', 'password']],
    [{ cookie: { name: 'app' }, password: 'short' }, ['password']],
    [{ cookie: { name: 'app' }, password: [PASSWORD] }, ['password']],
    [{ cookie: { name: 'app' }, password: {} }, ['password']],
    [{ cookie: { name: 'app' }, password: { 1: '' } }, ['password']],
    [{ cookie: { name: 'app' }, password: { 1: PASSWORD, 2: 'short' } }, ['password']],
    [{ cookie: { name: 'app' }, password: { 1: 5 } }, ['password']],
    [{ cookie: { name: 'app' }, password: { new: PASSWORD } }, ['password']],
    [{ password: PASSWORD }, ['cookie.name']],
    [{ cookie: { name: 'app' }, password: { 1: PASSWORD, 2: NEXT_PASSWORD } }, []],
  ])('names all that is wrong at once: %j', (options, paths) => {
    expect(pathsOf(options)).toEqual(paths)
  })

  it('says what to pass, and shows no password', () => {
    expect(() => fromIronSession({ cookie: { name: '' }, password: 'my password' })).toThrow(expect.objectContaining({
      code: 'CONFIG_ERROR',
      message: [
        'unsession: the options of `fromIronSession` are not valid.',
        '  - cookie.name: It is missing. Pass the `cookieName` of iron-session.',
        '  - password: It has fewer than the 32 characters that iron-session demands. Pass the `password` of iron-session.',
      ].join('\n'),
    }))
  })
})
