import { describe, expect, it } from 'vitest'
import { fromExpressSession, fromIronSession } from '../../src/core/index'
import { App, Browser, MODES, Visit } from './support/app'
import { codeOf } from './support/errors'
import { parseSetCookie } from './support/exchange'
import { JarBrowser } from './support/jar-browser'
import { Recorder } from './support/observer'
import { createOldExpressApp, PASSWORD, sealByIronSession } from '../support/other-packages'
import { movingIn, NewApp } from './support/old-sessions'

describe.each(MODES)('a session of another package in $mode', ({ mode, options }) => {
  it('goes on as one of ours', async () => {
    const { app, browser } = await movingIn(options)
    expect(await browser.read(app)).toEqual({ user: 'ada' })
    expect([...browser.jar.keys()]).toEqual(['session'])
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })

  it('is stored, and its old record removed, before the handler runs', async () => {
    const { app, old, browser } = await movingIn(options)
    const visit = await browser.visit(app)
    expect(await app.app.sessionKeys()).toHaveLength(mode === 'storage mode' ? 1 : 0)
    expect(old.ids).toEqual([])
    expect(visit.session.isNew).toBe(false)
  })

  it('gets an id that nobody knew', async () => {
    const { app, browser, cookie } = await movingIn(options)
    const id = await browser.run(app, session => session.id)
    expect(cookie[1]).not.toContain(id)
    expect(id).toMatch(/^[\w-]{43}$/)
  })

  it('expires its cookie in the answer that sets ours', async () => {
    const { app, browser } = await movingIn(options)
    const visit = await browser.visit(app)
    const cookies = visit.setCookies.map(parseSetCookie)
    expect(cookies.map(({ name, attributes }) => [name, attributes.get('max-age')])).toEqual([['session', '604800'], ['connect.sid', '0']])
    expect(cookies[1]!.attributes.get('path')).toBe('/')
  })

  it('can be changed by the same request', async () => {
    const { app, browser } = await movingIn(options)
    await browser.run(app, session => session.set('theme', 'dark'))
    expect(await browser.read(app)).toEqual({ user: 'ada', theme: 'dark' })
  })

  it('can be given another id by the same request', async () => {
    const { app, browser } = await movingIn(options)
    await browser.run(app, session => session.regenerate({ admin: true }))
    expect(await browser.read(app)).toEqual({ user: 'ada', admin: true })
    expect(await app.app.sessionKeys()).toHaveLength(mode === 'storage mode' ? 1 : 0)
  })

  it('can be ended by the same request, also before it was read', async () => {
    const { app, old, browser } = await movingIn(options)
    const visit = new Visit(browser, app)
    await visit.session.destroy()
    await visit.end()
    expect([browser.jar.size, old.ids, await app.app.sessionKeys()]).toEqual([0, [], []])
  })

  it('is told to the hooks as created and loaded', async () => {
    const { app, browser } = await movingIn(options)
    const recorder = new Recorder()
    await (await browser.visit(app, recorder)).end()
    await (await browser.visit(app, recorder)).end()
    expect(recorder.events).toEqual(['created', 'loaded', 'loaded'])
  })

  it('is not looked at where a session of ours is', async () => {
    const { app, old, browser, cookie } = await movingIn(options)
    const own = new Browser()
    await own.run(app, session => session.set('user', 'eve'))
    own.jar.set(...cookie)
    expect(await own.read(app)).toEqual({ user: 'eve' })
    expect(old.driver.calls).toEqual([])
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })

  it('does not come in after a logout of the session of ours that it was beside', async () => {
    const { app, old, cookie } = await movingIn(options)
    const own = new Browser()
    await own.run(app, session => session.set('user', 'eve'))
    own.jar.set(...cookie)
    await own.run(app, session => session.destroy())
    expect([own.jar.size, old.driver.calls]).toEqual([0, []])
    expect(await own.hasSession(app)).toBe(false)
  })

  it('keeps keys that objects have by themselves as plain data', async () => {
    const { app, old, browser } = await movingIn(options)
    old.put(old.ids[0]!, '{"cookie":{"originalMaxAge":null,"expires":null},"__proto__":{"admin":true},"constructor":1}')
    const data = await browser.read(app)
    expect(Object.entries(data)).toEqual([['__proto__', { admin: true }], ['constructor', 1]])
    expect((data as { admin?: boolean }).admin).toBeUndefined()
  })

  it('without data ends, and leaves no session', async () => {
    const { app, old, browser } = await movingIn(options, {}, createOldExpressApp({ saveUninitialized: true }))
    expect(old.ids).toHaveLength(1)
    expect(await browser.hasSession(app)).toBe(false)
    expect([browser.jar.size, old.ids, await app.app.keys()]).toEqual([0, [], []])
  })

  it('is read anew by nobody who kept its cookie', async () => {
    const { app, browser } = await movingIn(options)
    const copy = browser.clone()
    await browser.read(app)
    app.app.wait(60)
    const recorder = new Recorder()
    const visit = await copy.visit(app, recorder)
    expect([visit.request.exists, visit.setCookies, recorder.events]).toEqual([false, [], ['unknown']])
  })

  it('is not read at all once the response was sent', async () => {
    const { app, old, browser } = await movingIn(options)
    const visit = new Visit(browser, app)
    visit.exchange.isSent = true
    await visit.request.load()
    expect([visit.request.exists, old.ids.length, old.driver.calls]).toEqual([false, 1, []])
  })

  it('is not read by synchronous utils that would have to wait for it', async () => {
    const { app, browser } = await movingIn(options)
    const visit = new Visit(browser, app)
    expect(visit.request.isCarried).toBe(true)
    expect(await codeOf(() => visit.request.assertLoaded())).toBe('INVALID_SESSION')
  })

  it('makes the answer a personal one, unless there is none behind the cookie', async () => {
    const { app, old, browser } = await movingIn(options)
    const copy = browser.clone()
    expect((await browser.visit(app)).request.isCarried).toBe(true)
    app.app.wait(60)
    expect((await copy.visit(app)).request.isCarried).toBe(false)
    expect(old.ids).toEqual([])
  })

  it('stays where it is when its storage is in trouble, and comes in when that is over', async () => {
    const { app, old, browser } = await movingIn(options)
    old.driver.fail('read')
    const visit = new Visit(browser, app)
    expect(await codeOf(() => visit.request.load())).toBe('STORAGE_ERROR')
    expect(await codeOf(() => visit.request.assertLoaded())).toBe('STORAGE_ERROR')
    await visit.end()
    expect(visit.setCookies).toEqual([])
    old.driver.repair()
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })

  it('that cannot be removed there is an error, and comes in later, however late that is', async () => {
    const { app, old, browser } = await movingIn(options)
    old.driver.fail('remove')
    const visit = new Visit(browser, app)
    expect(await codeOf(() => visit.request.load())).toBe('STORAGE_ERROR')
    expect(visit.setCookies).toEqual([])
    old.driver.repair()
    app.app.wait(3600)
    expect(await browser.read(app)).toEqual({ user: 'ada' })
    expect([old.ids, [...browser.jar.keys()]]).toEqual([[], ['session']])
  })

  it('that a logout cannot read is an error, with its cookie expired', async () => {
    const { app, old, browser } = await movingIn(options)
    old.driver.fail('read')
    const visit = new Visit(browser, app)
    void visit.session.destroy().catch(() => {})
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(visit.setCookies.map(parseSetCookie).map(({ name, attributes }) => [name, attributes.get('max-age')])).toEqual([['connect.sid', '0']])
  })

  it('that was nested too deeply is refused and stays', async () => {
    const { app, old, browser } = await movingIn(options)
    const id = old.ids[0]!
    old.put(id, `{"cookie":{"originalMaxAge":null},"deep":${'['.repeat(300)}${']'.repeat(300)}}`)
    const recorder = new Recorder()
    const visit = await browser.visit(app, recorder)
    expect([visit.request.exists, visit.setCookies, recorder.events, old.ids]).toEqual([false, [], ['corrupt'], [id]])
  })
})

describe('the cookie of another package', () => {
  it('is not there for a request without it: nothing is read', async () => {
    const { app, old } = await movingIn()
    const visit = new Visit(new Browser([['other', 'x']]), app)
    expect(visit.request.isCarried).toBe(false)
    await visit.request.load()
    expect([old.driver.calls, app.app.driver.calls, visit.exchange.holds]).toEqual([[], [], 0])
  })

  it('is removed with the path and the domain that it has', async () => {
    const { old, cookie } = await movingIn()
    const app = new NewApp(fromExpressSession({ secret: 'keyboard cat', store: old.store, cookie: { path: '/app', domain: 'example.com' } }))
    const visit = await new Browser([cookie]).visit(app)
    expect(visit.setCookies[1]).toBe('connect.sid=; Max-Age=0; Domain=example.com; Path=/app; HttpOnly; Secure; SameSite=Lax')
  })

  it('can have the name of ours, which then takes its place', async () => {
    const { old, cookie } = await movingIn()
    const app = new NewApp(fromExpressSession({ secret: 'keyboard cat', store: old.store }), { cookie: { name: 'connect.sid' } })
    const browser = new Browser([cookie])
    const recorder = new Recorder()
    await (await browser.visit(app, recorder)).end()
    // No cookie of ours was refused.
    expect(recorder.events).toEqual(['created', 'loaded'])
    expect(await browser.read(app)).toEqual({ user: 'ada' })
    expect(browser.jar.size).toBe(1)
  })

  it('that has the name of ours is removed when nothing takes its place', async () => {
    const { old, cookie } = await movingIn({}, {}, createOldExpressApp({ saveUninitialized: true }))
    const app = new NewApp(fromExpressSession({ secret: 'keyboard cat', store: old.store }), { cookie: { name: 'connect.sid' } })
    const browser = new Browser([cookie])
    expect([await browser.hasSession(app), browser.jar.size]).toEqual([false, 0])
  })

  it('is no reason not to tell of a forged one of ours', async () => {
    const { app, browser } = await movingIn()
    browser.jar.set('session', 'forged')
    const recorder = new Recorder()
    await browser.visit(app, recorder)
    expect(recorder.events).toEqual(['malformed', 'created', 'loaded'])
  })

  it('that has the name of ours goes with a logout that cannot read it', async () => {
    const { old, cookie } = await movingIn()
    const app = new NewApp(fromExpressSession({ secret: 'keyboard cat', store: old.store }), { cookie: { name: 'connect.sid' } })
    old.driver.fail('read')
    const browser = new Browser([cookie])
    const visit = new Visit(browser, app)
    void visit.session.destroy().catch(() => {})
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(browser.jar.size).toBe(0)
  })

  it('that has the name of ours is told as forged when it is', async () => {
    const { old, cookie: [name, value] } = await movingIn()
    const app = new NewApp(fromExpressSession({ secret: 'keyboard cat', store: old.store }), { cookie: { name } })
    const recorder = new Recorder()
    await new Browser([[name, `${value}A`]]).visit(app, recorder)
    expect(recorder.events).toEqual(['malformed'])
  })

  it('that a subdomain tossed before the real one does not hide it', async () => {
    const { app, cookie } = await movingIn()
    const browser = new Browser([cookie])
    const visit = new Visit({ cookieHeader: `connect.sid=s%3Atossed.xyz; ${browser.cookieHeader}`, receive: () => {} } as never, app)
    await visit.request.load()
    expect(visit.session.data).toEqual({ user: 'ada' })
  })

  it('that does not verify leads to no storage', async () => {
    const { app, old, cookie } = await movingIn()
    const forged = [`${cookie[1]}A`, cookie[1].replace('s%3A', 's%3AA'), 's%3A.', '%', '%E0%A4%A', 'a'.repeat(5000), '', `s%3As${cookie[1]}`, `S${cookie[1].slice(1)}`]
    for (const value of forged) {
      const visit = await new Browser([['connect.sid', value]]).visit(app)
      expect([value, visit.request.exists, visit.setCookies]).toEqual([value, false, []])
    }
    expect([old.driver.calls, app.app.driver.calls]).toEqual([[], []])
  })

  it('is a second session for nobody: two requests at once become one session', async () => {
    const { app, old, browser } = await movingIn()
    const [first, second] = [browser.clone(), browser.clone()]
    const gate = old.driver.hold('remove')
    const slow = first.visit(app)
    await gate.reached
    const other = await second.visit(app)
    gate.release()
    const visits = [await slow, other]
    visits[0]!.session.set('a', 1)
    visits[1]!.session.set('b', 2)
    await Promise.all(visits.map(visit => visit.end()))
    expect(await app.app.sessionKeys()).toHaveLength(1)
    expect(await first.read(app)).toEqual({ user: 'ada', a: 1, b: 2 })
    expect(await second.read(app)).toEqual({ user: 'ada', a: 1, b: 2 })
  })

  it.each(MODES)('that arrives a moment after another request brought the session in finds it, in $mode', async ({ options }) => {
    const { app, browser } = await movingIn(options)
    const late = browser.clone()
    await browser.read(app)
    app.app.wait(5)
    const recorder = new Recorder()
    const visit = await late.visit(app, recorder)
    await visit.end()
    expect([visit.session.data, recorder.events]).toEqual([{ user: 'ada' }, ['loaded']])
    expect([...late.jar.keys()]).toEqual(['session'])
  })

  it('that arrives a moment after a login finds nothing, and sends no cookie', async () => {
    const { app, browser } = await movingIn()
    const late = browser.clone()
    await browser.run(app, session => session.regenerate({ admin: true }))
    const visit = await late.visit(app)
    expect([visit.request.exists, visit.setCookies]).toEqual([false, []])
  })

  it('that arrives a moment after a logout finds nothing', async () => {
    const { app, browser } = await movingIn()
    const late = browser.clone()
    await browser.run(app, session => session.destroy())
    expect(await late.hasSession(app)).toBe(false)
    expect(await app.app.sessionKeys()).toEqual([])
  })

  it.each(['old', 'new'] as const)('finds the session that another request moved and changed while it waited for the %s storage', async (which) => {
    const { app, old, browser } = await movingIn()
    const late = browser.clone()
    const gate = { old, new: app.app }[which].driver.hold('read', 'after')
    const slow = late.visit(app)
    await gate.reached
    await browser.run(app, session => session.set('theme', 'dark'))
    gate.release()
    expect((await slow).session.data).toEqual({ user: 'ada', theme: 'dark' })
  })

  it.each(['old', 'new'] as const)('does not bring back a session that moved in and ended while its request waited for the %s storage', async (which) => {
    const { app, old, browser } = await movingIn()
    const late = browser.clone()
    const gate = { old, new: app.app }[which].driver.hold('read', 'after')
    const slow = late.visit(app)
    await gate.reached
    await browser.run(app, session => session.destroy())
    gate.release()
    const visit = await slow
    await visit.end()
    expect([visit.request.exists, visit.setCookies, await app.app.sessionKeys()]).toEqual([false, [], []])
  })

  it('of which the data does not fit into a cookie of ours is refused and stays', async () => {
    const { app, old, browser } = await movingIn({ mode: 'cookie' }, { big: 'x'.repeat(5000) })
    const recorder = new Recorder()
    const visit = await browser.visit(app, recorder)
    expect([visit.request.exists, visit.setCookies, recorder.events, old.ids.length]).toEqual([false, [], ['corrupt'], 1])
  })

  it('is not let in where our own storage is in trouble, and stays', async () => {
    const { app, old, browser } = await movingIn()
    app.app.driver.fail('write')
    const visit = new Visit(browser, app)
    expect(await codeOf(() => visit.request.load())).toBe('STORAGE_ERROR')
    expect([visit.setCookies, old.ids.length]).toEqual([[], 1])
    app.app.driver.repair()
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })
})

describe('a change that fails after a session moved in', () => {
  it('leaves the cookie of what is stored', async () => {
    const { app, browser } = await movingIn()
    const visit = await browser.visit(app)
    app.app.driver.fail('write')
    visit.session.set('theme', 'dark')
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    app.app.driver.repair()
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })
})

describe.each(MODES)('the cookie of another package that has our name in another place, in $mode', ({ options }) => {
  const url = 'https://app.example.com/account/'
  const tossed = async (place: { path?: string, domain?: string }): Promise<{ app: NewApp, browser: JarBrowser }> => {
    const [name, value] = await sealByIronSession({ cookieName: 'session' }, { user: 'ada' })
    const app = new App(options)
    app.clock.now = Date.now()
    const browser = new JarBrowser()
    browser.receive(url, `${name}=${value}; Path=${place.path ?? '/'}${place.domain ? `; Domain=${place.domain}` : ''}`)
    return { browser, app: new NewApp(fromIronSession({ password: PASSWORD, cookie: { name, ...place } }), options, app) }
  }

  it.each([{ domain: 'example.com' }, { domain: '.example.com' }, { path: '/account' }, { path: '/account', domain: 'example.com' }])('is removed from there: %j', async (place) => {
    const { app, browser } = await tossed(place)
    expect((await browser.run(app, url, session => session.data)).result).toEqual({ user: 'ada' })
    const cookies = browser.jar.getCookiesSync(url)
    expect(cookies.map(({ key, domain, path }) => [key, domain, path])).toEqual([['session', 'app.example.com', '/']])
    expect((await browser.run(app, url, session => session.data)).result).toEqual({ user: 'ada' })
  })

  it.each([{ domain: 'example.com' }, { path: '/account' }])('is gone after a logout by its first request: %j', async (place) => {
    const { app, browser } = await tossed(place)
    await browser.run(app, url, session => session.destroy())
    expect(browser.headerFor(url)).toBe('')
  })

  it('stays there when it is refused', async () => {
    const { app, browser } = await tossed({ domain: 'example.com' })
    app.app.wait(30 * 86_400)
    await browser.run(app, url, session => session.set('theme', 'dark'))
    expect(browser.jar.getCookiesSync(url).map(({ domain }) => domain).sort()).toEqual(['app.example.com', 'example.com'])
  })

  it('is named once where both are in one place', async () => {
    const { app, browser } = await tossed({})
    const { setCookies } = await browser.run(app, url, session => session.set('theme', 'dark'))
    expect(setCookies.map(line => line.split('=')[0])).toEqual(['session'])
  })
})
