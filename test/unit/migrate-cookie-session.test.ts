import type { CookieSessionOptions } from '../../src/core/index'
import type { CookiePair } from '../support/other-packages'
import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fromCookieSession } from '../../src/core/index'
import { type App, Browser, MODES } from './support/app'
import { FakeExchange } from './support/exchange'
import { Recorder } from './support/observer'
import { NewApp } from './support/old-sessions'
import { signByCookieSession } from '../support/other-packages'

const KEYS = ['a key', 'an older key']

type Options = ConstructorParameters<typeof App>[0]

/** Our cookie has another name than the old one, as in production. */
function createNewApp(options: Options = {}, old: CookieSessionOptions = {}): NewApp {
  return new NewApp(fromCookieSession({ keys: KEYS, ...old }), { ...options, cookie: { name: 'ours', ...options?.cookie } })
}

const sign = (data: object = { user: 'ada' }, options: Parameters<typeof signByCookieSession>[0] = {}): Promise<CookiePair[]> =>
  signByCookieSession({ keys: KEYS, ...options }, data)

/** A cookie with any value, signed as cookie-session would. */
function signedValue(value: string, algorithm = 'sha1'): [CookiePair, CookiePair] {
  return [['session', value], ['session.sig', createHmac(algorithm, KEYS[0]!).update(`session=${value}`).digest('base64url')]]
}

const signed = (text: string): [CookiePair, CookiePair] => signedValue(Buffer.from(text).toString('base64'))

async function load(app: NewApp, pairs: readonly CookiePair[], recorder = new Recorder()): Promise<{ data: unknown, isCarried: boolean, removed: string[], events: string[] }> {
  const exchange = new FakeExchange(pairs.map(([name, value]) => `${name}=${value}`).join('; '))
  const request = app.manager.open(exchange, recorder)
  await request.load()
  const removed = [...exchange.cookies].filter(([, lines]) => lines.at(-1)?.includes('Max-Age=0')).map(([name]) => name)
  return { data: request.exists ? request.data : null, isCarried: request.isCarried, removed, events: recorder.events }
}

describe.each(MODES)('a cookie of cookie-session in $mode', ({ mode, options }) => {
  it('becomes a session, and goes with its signature', async () => {
    const app = createNewApp(options)
    const browser = new Browser(await sign({ user: { name: 'ada' }, text: 'né ☃ 😀', visits: 3 }))
    expect([...browser.jar.keys()]).toEqual(['session', 'session.sig'])
    expect(await browser.read(app)).toEqual({ user: { name: 'ada' }, text: 'né ☃ 😀', visits: 3 })
    expect([...browser.jar.keys()]).toEqual(['ours'])
    expect(await browser.read(app)).toEqual({ user: { name: 'ada' }, text: 'né ☃ 😀', visits: 3 })
  })

  it('may have the name of ours, which takes its place; its signature goes', async () => {
    const app = createNewApp({ ...options, cookie: { name: 'session' } })
    const browser = new Browser(await sign())
    const recorder = new Recorder()
    await (await browser.visit(app, recorder)).end()
    expect([recorder.events, [...browser.jar.keys()]]).toEqual([['created', 'loaded'], ['session']])
    expect(await browser.read(app)).toEqual({ user: 'ada' })
    await browser.run(app, session => session.destroy())
    expect(browser.jar.size).toBe(0)
  })

  it('that has the name of ours can be logged out by its first request', async () => {
    const app = createNewApp({ ...options, cookie: { name: 'session' } })
    const browser = new Browser(await sign())
    await browser.run(app, session => session.destroy())
    expect([browser.jar.size, await app.app.sessionKeys()]).toEqual([0, []])
  })

  it('that has the name of ours can be given another id by its first request', async () => {
    const app = createNewApp({ ...options, cookie: { name: 'session' } })
    const browser = new Browser(await sign())
    await browser.run(app, session => session.regenerate({ admin: true }))
    expect([...browser.jar.keys()]).toEqual(['session'])
    expect(await browser.read(app)).toEqual({ user: 'ada', admin: true })
  })

  it.each(['ours', 'session'])('without data is expired where ours is named %s, and leaves nothing in storage', async (name) => {
    const app = createNewApp({ ...options, cookie: { name } })
    const browser = new Browser(signed('{}'))
    expect(await browser.hasSession(app)).toBe(false)
    expect([browser.jar.size, await app.app.keys()]).toEqual([0, []])
  })

  it('keeps keys that objects have by themselves as plain data', async () => {
    const app = createNewApp(options)
    const text = '{"__proto__":{"admin":true},"constructor":1,"isNew":false,"user":{"__proto__":{"admin":true}}}'
    const data = await new Browser(signed(text)).run(app, session => session.data) as { admin?: boolean }
    expect([JSON.stringify(data), data.admin]).toEqual([text, undefined])
  })

  it('is not the session of another visitor who has the same cookie, as everybody has with the same data', async () => {
    const app = createNewApp(options)
    const [first, second] = [new Browser(await sign({ visits: 1 })), new Browser(await sign({ visits: 1 }))]
    expect([...first.jar]).toEqual([...second.jar])
    const ids = await Promise.all([first, second].map((browser, index) => browser.run(app, (session) => {
      session.set('user', `user ${index}`)
      return session.id
    })))
    expect(new Set(ids).size).toBe(2)
    expect([await first.read(app), await second.read(app)]).toEqual([{ visits: 1, user: 'user 0' }, { visits: 1, user: 'user 1' }])
  })

  it('lets a visitor in on every device, however long after the first', async () => {
    const app = createNewApp(options)
    const cookies = await sign({ user: 'ada' })
    for (const days of [0, 1, 30]) {
      app.app.wait(days * 86_400)
      expect(await new Browser(cookies).read(app)).toEqual({ user: 'ada' })
    }
  })

  it('begins a session for each request that brings it: the browser keeps the last', async () => {
    const app = createNewApp(options)
    const browser = new Browser(await sign())
    const visits = await Promise.all([browser.visit(app), browser.visit(app)])
    visits.forEach(({ session }, index) => session.set(`page${index}`, true))
    await visits[0]!.end()
    await visits[1]!.end()
    expect(await browser.read(app)).toEqual({ user: 'ada', page1: true })
    expect(await app.app.sessionKeys()).toHaveLength(mode === 'storage mode' ? 2 : 0)
  })

  it('leaves nothing in storage but the session, and comes in again as a copy that was kept', async () => {
    const app = createNewApp(options)
    const browser = new Browser(await sign())
    const copy = browser.clone()
    await browser.run(app, session => session.destroy())
    expect(await app.app.keys()).toEqual([])
    app.app.wait(60)
    expect(await copy.read(app)).toEqual({ user: 'ada' })
  })

  it('is told to the hooks as created and loaded', async () => {
    const { events } = await load(createNewApp(options), await sign())
    expect(events).toEqual(['created', 'loaded'])
  })

  it('of which the data do not fit is refused and stays', async () => {
    const app = createNewApp({ ...options, maxBytes: 100 })
    const { data, removed, events } = await load(app, await sign({ big: 'x'.repeat(3040) }))
    expect([data, removed, events]).toEqual([null, [], ['corrupt']])
  })
})

describe('the keys of cookie-session', () => {
  it.each<[string, CookieSessionOptions, Parameters<typeof signByCookieSession>[0], boolean]>([
    ['the first, which signs', { keys: KEYS }, { keys: KEYS }, true],
    ['an older one', { keys: ['tomorrow', ...KEYS] }, { keys: KEYS }, true],
    ['one behind several that are not', { keys: ['x', 'y', 'z', 'secret'] }, { keys: ['secret'] }, true],
    ['the secret of both', { keys: undefined, secret: 'only one' }, { keys: undefined, secret: 'only one' }, true],
    ['keys that come before a secret, as there', { keys: ['a key'], secret: 'x' }, { keys: ['a key'], secret: 'y' }, true],
    ['a key beyond ASCII, as long as several blocks', { keys: ['ключ ☃'.repeat(40)] }, { keys: ['ключ ☃'.repeat(40)] }, true],
    ['another one', { keys: ['another'] }, { keys: KEYS }, false],
    ['the beginning of one', { keys: ['a ke'] }, { keys: KEYS }, false],
  ])('verify as they do there: %s', async (_, old, options, isKnown) => {
    const { data, isCarried } = await load(createNewApp({}, old), await sign(undefined, options))
    expect([data, isCarried]).toEqual(isKnown ? [{ user: 'ada' }, true] : [null, false])
  })

  it('sign the name too', async () => {
    const [[, value], [, signature]] = await sign() as [CookiePair, CookiePair]
    const app = createNewApp({}, { cookie: { name: 'other' } })
    expect(await load(app, [['other', value], ['other.sig', signature]])).toMatchObject({ data: null, isCarried: false })
    expect(await load(app, await sign(undefined, { name: 'other' }))).toMatchObject({ data: { user: 'ada' }, removed: ['other', 'other.sig'] })
  })
})

describe('what is no cookie of cookie-session', () => {
  it.each<[string, (pairs: [CookiePair, CookiePair]) => CookiePair[]]>([
    ['one without a signature', pairs => pairs.slice(0, 1)],
    ['a signature without a cookie', pairs => pairs.slice(1)],
    ['an empty signature', ([pair]) => [pair, ['session.sig', '']]],
    ['an empty cookie', ([, sig]) => [['session', ''], sig]],
    ['a signature of something else', ([pair]) => [pair, signed('{"user":"eve"}')[1]!]],
    ['a signature that was cut', ([pair, [name, sig]]) => [pair, [name, sig.slice(0, -1)]]],
    ['a signature and more', ([pair, [name, sig]]) => [pair, [name, `${sig}A`]]],
    ['a signature with padding', ([pair, [name, sig]]) => [pair, [name, `${sig}=`]]],
    ['a signature in upper case', ([pair, [name, sig]]) => [pair, [name, sig.toUpperCase()]]],
    ['a cookie that was cut', ([[name, value], sig]) => [[name, value.slice(0, -4)], sig]],
    ['a cookie without its padding', ([[name, value], sig]) => [[name, value.replace(/=+$/, '')], sig]],
    ['a cookie that is as long as a header', () => signed(`{"big":"${'x'.repeat(5000)}"}`)],
    ['one that is not in base64', () => signedValue('{"user":"ada"}')],
    ['one that SHA-256 signed', ([[, value]]) => signedValue(value, 'sha256')],
    ['broken percent-encoding', ([[name, value], sig]) => [[name, `${value}%`], sig]],
  ])('is a visitor, and nothing is read or told: %s', async (_, change) => {
    const app = createNewApp()
    expect(await load(app, change(await sign() as [CookiePair, CookiePair]))).toEqual({ data: null, isCarried: false, removed: [], events: [] })
    expect(app.app.driver.calls).toEqual([])
  })

  it('is a visitor after a change to any character of the signature', async () => {
    const app = createNewApp()
    const [pair, [name, signature]] = await sign() as [CookiePair, CookiePair]
    for (let at = 0; at < signature.length; at++) {
      const changed = signature.slice(0, at) + (signature[at] === 'A' ? 'B' : 'A') + signature.slice(at + 1)
      expect([at, (await load(app, [pair, [name, changed]])).data]).toEqual([at, null])
    }
  })

  it.each(['null', '1', '"text"', '[]', '[{"user":"ada"}]', '', 'not JSON', '{"user":', '\u{FFFD}'])('is refused although it is signed: %j', async (text) => {
    const app = createNewApp()
    const { data, removed, events } = await load(app, signed(text || ' '))
    expect([data, removed, events, app.app.driver.calls]).toEqual([null, [], ['corrupt'], []])
  })

  it.each([['bytes that are no UTF-8', '/w=='], ['base64 of no bytes', 'A'], ['padding where none belongs', 'e30=='], ['another alphabet', 'e30']])('is refused although it is signed: %s', async (_, value) => {
    const { data } = await load(createNewApp(), signedValue(value))
    expect(data).toBeNull()
  })

  it('does not hide the real one that it was planted before', async () => {
    const app = createNewApp()
    const real = await sign()
    const eve = Buffer.from('{"user":"eve"}').toString('base64')
    expect((await load(app, [['session', eve], ...real])).data).toEqual({ user: 'ada' })
    expect((await load(app, [['session', ''], ['session.x', ''], ...real, ['session', eve]])).data).toEqual({ user: 'ada' })
  })

  it('is one of which another signature was sent first, as there', async () => {
    expect((await load(createNewApp(), [['session.sig', 'A'.repeat(27)], ...await sign()])).data).toBeNull()
  })
})

describe('a cookie of cookie-session as some clients and hosts pass it on', () => {
  it.each<[string, (value: string) => string]>([
    ['in quotes', value => `"${value}"`],
    ['percent-encoded', value => encodeURIComponent(value)],
  ])('%s is read', async (_, change) => {
    const pairs = (await sign({ user: 'ada?>' })).map(([name, value]): CookiePair => [name, change(value)])
    expect((await load(createNewApp(), pairs)).data).toEqual({ user: 'ada?>' })
  })
})

describe('fromCookieSession', () => {
  it.each([
    [{}, 'It is missing.'],
    [{ keys: [] }, 'It is missing.'],
    [{ secret: '' }, 'It holds a key that is empty or not a string.'],
    [{ keys: ['a', ''] }, 'It holds a key that is empty or not a string.'],
    [{ keys: [Buffer.from('a')] }, 'It holds a key that is empty or not a string.'],
    [{ keys: 'a key' }, 'It is not an array.'],
    [{ keys: { 0: 'a key' } }, 'It is not an array.'],
  ])('refuses %j', (options, problem) => {
    expect(() => fromCookieSession(options as never)).toThrow(expect.objectContaining({
      code: 'CONFIG_ERROR',
      details: { issues: [{ path: 'keys', problem, remedy: 'Pass the `keys` of cookie-session, an array, or its `secret`.' }] },
    }))
  })
})
