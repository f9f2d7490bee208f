import type { ConnectStore } from '../../src/core/index'
import type { CookiePair } from '../support/other-packages'
import { createHmac } from 'node:crypto'
import { createStorage, prefixStorage } from 'unstorage'
import { describe, expect, it } from 'vitest'
import { fromExpressSession } from '../../src/core/index'
import { Browser, MODES } from './support/app'
import { Recorder } from './support/observer'
import { NewApp, OldStorage } from './support/old-sessions'
import { createOldFastifyApp, PASSWORD } from '../support/other-packages'

const COOKIE = { name: 'sessionId' }

type Old = ReturnType<typeof createOldFastifyApp>

/** An old app and a visitor of it who comes to ours. */
async function movingIn(options: ConstructorParameters<typeof NewApp>[1] = {}, old: Old = createOldFastifyApp(), data: Record<string, unknown> = { user: 'ada' }): Promise<{ app: NewApp, old: Old, browser: Browser, id: string, cookie: CookiePair }> {
  const { id, cookie } = await old.login(data)
  const app = new NewApp(fromExpressSession({ secret: PASSWORD, store: old.store, cookie: COOKIE }), options)
  app.app.clock.now = Date.now()
  return { app, old, id, cookie, browser: new Browser([cookie]) }
}

describe.each(MODES)('a session of @fastify/session in $mode', ({ mode, options }) => {
  it('goes on as one of ours, and ends there', async () => {
    const { app, old, browser, cookie } = await movingIn(options, undefined, { user: { name: 'ada' }, at: new Date(0) })
    expect(cookie[1]).toMatch(/^[\w-]{32}\./)
    expect(await browser.read(app)).toEqual({ user: { name: 'ada' }, at: '1970-01-01T00:00:00.000Z' })
    expect([...browser.jar.keys()]).toEqual(['session'])
    expect(await browser.read(app)).toEqual({ user: { name: 'ada' }, at: '1970-01-01T00:00:00.000Z' })
    expect([old.sessions.size, await old.read(cookie)]).toEqual([0, {}])
  })

  it('is read by no copy that was kept, also after a logout', async () => {
    const { app, browser } = await movingIn(options)
    const copies = [browser.clone(), browser.clone()]
    await browser.read(app)
    app.app.wait(60)
    expect(await copies[0]!.hasSession(app)).toBe(false)
    await browser.run(app, session => session.destroy())
    expect(await copies[1]!.hasSession(app)).toBe(false)
  })

  it('is one session for requests that arrive together', async () => {
    const { app, browser } = await movingIn(options)
    const browsers = Array.from({ length: 5 }, () => browser.clone())
    const ids = await Promise.all(browsers.map((each, index) => each.run(app, (session) => {
      session.set(`page${index}`, true)
      return session.id
    })))
    expect([new Set(ids).size, (await app.app.sessionKeys()).length]).toEqual([1, mode === 'storage mode' ? 1 : 0])
  })

  it('without data is expired, as @fastify/session begins one for everybody', async () => {
    const old = createOldFastifyApp({ saveUninitialized: true })
    const { app, browser } = await movingIn(options, old, {})
    expect(old.sessions.size).toBe(1)
    expect(await browser.hasSession(app)).toBe(false)
    expect([browser.jar.size, old.sessions.size, await app.app.keys()]).toEqual([0, 0, []])
  })
})

describe('a cookie of @fastify/session', () => {
  it('may have the prefix that express-session gives its own', async () => {
    const { app, browser, cookie } = await movingIn({}, createOldFastifyApp({ cookiePrefix: 's:' }))
    expect(cookie[1]).toMatch(/^s:/)
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })

  it('may have another name, and one that ours has too', async () => {
    const { old, cookie } = await movingIn({}, createOldFastifyApp({ cookieName: 'session' }))
    const app = new NewApp(fromExpressSession({ secret: PASSWORD, store: old.store, cookie: { name: 'session' } }))
    const browser = new Browser([cookie])
    const recorder = new Recorder()
    await (await browser.visit(app, recorder)).end()
    expect([await browser.read(app), browser.jar.size, recorder.events]).toEqual([{ user: 'ada' }, 1, ['created', 'loaded']])
  })

  it('is read by any secret of an array', async () => {
    const { old, cookie } = await movingIn({}, createOldFastifyApp({ secret: [PASSWORD, 'older'] }))
    const app = new NewApp(fromExpressSession({ secret: ['newer', PASSWORD], store: old.store, cookie: COOKIE }))
    expect(await new Browser([cookie]).read(app)).toEqual({ user: 'ada' })
  })

  it.each<[string, (value: string, id: string) => string]>([
    ['of another secret', (_, id) => `${id}.${createHmac('sha256', 'another').update(id).digest('base64').replace('=', '')}`],
    ['of another id', value => `A${value}`],
    ['that was cut', value => value.slice(0, -1)],
    ['with padding', value => `${value}=`],
    ['that is an id alone', (_, id) => id],
    ['of SHA-512', (_, id) => `${id}.${createHmac('sha512', PASSWORD).update(id).digest('base64').replaceAll('=', '')}`],
    ['of SHA-256 in base64url', (_, id) => `${id}.${createHmac('sha256', PASSWORD).update(id).digest('base64url')}_`],
    ['behind a prefix of its own', value => `sess:${value}`],
    ['of no id', () => `.${createHmac('sha256', PASSWORD).update('').digest('base64').replace('=', '')}`],
    ['of a path', () => `../../etc/passwd-and-more.${createHmac('sha256', PASSWORD).update('../../etc/passwd-and-more').digest('base64').replace('=', '')}`],
    ['of a key with a colon', () => `session:0123456789abcdef.${createHmac('sha256', PASSWORD).update('session:0123456789abcdef').digest('base64').replace('=', '')}`],
  ])('leads to no storage: one %s', async (_, change) => {
    const { id, cookie: [name, value] } = await movingIn()
    const old = new OldStorage()
    const app = new NewApp(fromExpressSession({ secret: PASSWORD, store: old.store, cookie: COOKIE }))
    const visit = await new Browser([[name, encodeURIComponent(change(decodeURIComponent(value), id))]]).visit(app)
    expect([visit.request.isCarried, visit.setCookies, old.driver.calls]).toEqual([false, [], []])
  })

  it('that was planted before the real one does not hide it', async () => {
    const { app, cookie: [name, value] } = await movingIn()
    const visit = await new Browser([[name, `A${value}; ${name}=${value}`]]).visit(app)
    expect(visit.session.data).toEqual({ user: 'ada' })
  })
})

describe('the time of a session of @fastify/session', () => {
  it('ends with its record in its MemoryStore, which hands out what has expired', async () => {
    const { app, old, browser } = await movingIn({}, createOldFastifyApp({}, { maxAge: 60_000 }))
    app.app.wait(59)
    expect(await browser.clone().hasSession(app)).toBe(true)
    const other = await movingIn({}, createOldFastifyApp({}, { maxAge: 60_000 }))
    other.app.app.wait(61)
    const recorder = new Recorder()
    const visit = await other.browser.visit(other.app, recorder)
    expect([visit.request.exists, visit.setCookies, recorder.events]).toEqual([false, [], ['unknown']])
    expect([old.sessions.size, other.old.sessions.size]).toEqual([0, 1])
  })

  it('has no end without a maxAge', async () => {
    const { app, browser } = await movingIn()
    app.app.wait(400 * 86_400)
    expect(await browser.hasSession(app)).toBe(true)
  })
})

describe('the records of @fastify/session', () => {
  it('are read in a storage as stores of texts write them', async () => {
    const { old, id, cookie } = await movingIn({}, createOldFastifyApp({}, { maxAge: 60_000 }))
    const root = createStorage()
    const text = JSON.stringify(old.sessions.get(id))
    expect(JSON.parse(text)).toMatchObject({ user: 'ada', cookie: { originalMaxAge: 60_000 } })
    const store = prefixStorage(root, 'sess')
    await store.setItem(id, text)
    const app = new NewApp(fromExpressSession({ secret: PASSWORD, store, cookie: COOKIE }))
    app.app.clock.now = Date.now()
    expect(await new Browser([cookie]).read(app)).toEqual({ user: 'ada' })
    expect(await root.getKeys()).toEqual([])
  })

  it('are none of ours, and not of its prototype', async () => {
    const { id, cookie } = await movingIn()
    const store: ConnectStore = { get: (_, done) => done(null, Object.create({ user: 'eve' })), destroy: (_, done) => done() }
    const app = new NewApp(fromExpressSession({ secret: PASSWORD, store, cookie: COOKIE }))
    expect([id.length, await new Browser([cookie]).hasSession(app)]).toEqual([32, false])
  })
})
