import type { CoreSessionOptions } from '../../src/core/options'
import type { Session } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { createPageSession } from '../../src/core/session/page'
import { SocketSessions } from '../../src/http/sockets/connection'
import { App, type Browser, MODES, NOON, returning, Visit } from './support/app'
import { codeOf } from './support/errors'
import { parseSetCookie } from './support/exchange'
import { Recorder } from './support/observer'
import { movingIn, NewApp } from './support/old-sessions'

/** Options of today under which a session of before is over after 200 seconds, and not after 50. */
const STRICTER: [what: string, before: CoreSessionOptions, now: CoreSessionOptions][] = [
  ['a shorter maxAge', { maxAge: 1000 }, { maxAge: 100 }],
  ['an idleTimeout that is new', { maxAge: 1000 }, { maxAge: 1000, idleTimeout: 100 }],
  ['a shorter idleTimeout', { maxAge: 1000, idleTimeout: 900 }, { maxAge: 1000, idleTimeout: 100 }],
]

/** Ways to use a session, and whether there is one. */
const USES: [what: string, exists: (app: App, browser: Browser) => Promise<boolean>][] = [
  ['a request', (app, browser) => browser.hasSession(app)],
  ['a page', async (app, browser) => {
    const { request } = new Visit(browser, app)
    const page = createPageSession(request, ['user'], true, () => true)
    await page.load()
    return 'user' in page.data
  }],
  ['a WebSocket', async (app, browser) => {
    const socket = new SocketSessions({ cookieHeader: browser.cookieHeader, manager: () => app.manager, onFailure: () => {} })
    return (await socket.load()).exists
  }],
]

describe.each(MODES)('the options in force, in $mode', ({ mode, options }) => {
  describe.each(STRICTER)('with %s', (_, before, now) => {
    it.each(USES)('end a session that is too old for them: %s', async (_, exists) => {
      const app = new App({ ...options, ...before })
      const browser = await returning(app)
      app.wait(200)
      expect(await exists(app.redeploy({ ...options, ...now }), browser)).toBe(false)
    })

    it.each(USES)('leave one alone that is not: %s', async (_, exists) => {
      const app = new App({ ...options, ...before })
      const browser = await returning(app)
      app.wait(49)
      expect(await exists(app.redeploy({ ...options, ...now }), browser)).toBe(true)
    })

    it('say what they judge by: in expiresAt, in the cookie and to the driver', async () => {
      const app = new App({ ...options, ...before })
      const browser = await returning(app)
      app.wait(40)
      const stricter = app.redeploy({ ...options, ...now })
      const seen = await browser.run(stricter, session => session.expiresAt)
      const end = now.idleTimeout ? 150 : 100
      expect(seen).toEqual(new Date(NOON + end * 1000))
      const [header] = await browser.run(stricter, (session, visit) => {
        session.set('a', 1)
        return visit.setCookies
      })
      const rest = now.idleTimeout ? 150 : 60
      expect(parseSetCookie(header!).attributes.get('max-age')).toBe(String(rest))
      if (mode === 'storage mode')
        expect(app.driver.calls.filter(({ operation }) => operation === 'write').map(({ ttl }) => ttl)).toEqual([rest])
      app.wait(rest - 0.001)
      // Not to its end, which would prolong it.
      expect((await browser.visit(stricter)).request.exists).toBe(true)
      app.wait(0.001)
      expect(await browser.hasSession(stricter)).toBe(false)
    })

    it('leave limits that a session has of its own', async () => {
      const app = new App({ ...options, ...before })
      const browser = await returning(app)
      await browser.run(app, session => session.setLifetime({ maxAge: 1000, idleTimeout: 0 }))
      app.wait(999)
      expect(await browser.hasSession(app.redeploy({ ...options, ...now }))).toBe(true)
    })

    it('tell of the end as of any other, and let a new session begin', async () => {
      const app = new App({ ...options, ...before })
      const browser = await returning(app)
      app.wait(200)
      const stricter = app.redeploy({ ...options, ...now })
      const recorder = new Recorder()
      const visit = await browser.visit(stricter, recorder)
      visit.session.set('user', 'bob')
      await visit.end()
      expect(recorder.events).toEqual(['expired', 'created', 'saved'])
      expect(await browser.read(stricter)).toEqual({ user: 'bob' })
      expect((await app.keys()).length).toBeLessThan(2)
    })

    it('are not undone when they are taken back', async () => {
      const app = new App({ ...options, ...before })
      const browser = await returning(app)
      const stricter = app.redeploy({ ...options, ...now })
      app.wait(20)
      await browser.run(stricter, session => session.set('a', 1))
      app.wait(180)
      expect(await browser.hasSession(app)).toBe(false)
    })
  })

  it('bind a session that moved in', async () => {
    const { app, browser } = await movingIn({ ...options, maxAge: 1000 })
    await browser.read(app)
    app.app.wait(200)
    const stricter = app.app.redeploy({ ...options, maxAge: 100 })
    expect(await browser.hasSession(new NewApp({ cookie: { name: 'old' }, recognize: () => undefined }, {}, stricter))).toBe(false)
  })
})

describe('the options in force, in storage mode', () => {
  it.each<[what: string, act: (session: Session) => unknown]>([
    ['reload', session => session.reload()],
    ['update', session => session.update({ a: 1 })],
    ['regenerate', session => session.regenerate({ a: 1 })],
    ['save', (session) => {
      session.set('a', 1)
      return session.save()
    }],
  ])('are what a running request is judged by: %s', async (_, act) => {
    const app = new App({ maxAge: 1000 })
    const browser = await returning(app)
    const visit = await browser.visit(app.redeploy({ maxAge: 100 }))
    app.wait(100)
    expect(await codeOf(() => act(visit.session))).toBe('EXPIRED_SESSION')
    await visit.end()
    expect([visit.setCookies, await browser.hasSession(app.redeploy({ maxAge: 100 })), await app.keys()]).toEqual([[], false, []])
  })

  it('are not what the sweep judges by, for the store may hold other sessions', async () => {
    const app = new App({ maxAge: 1000 })
    await returning(app)
    app.wait(200)
    expect(await app.redeploy({ maxAge: 100, cookie: { name: 'cart' } }).manager.sweep()).toBe(0)
    expect(await app.keys()).toHaveLength(1)
  })

  it('do not bind the memory of a replaced id', async () => {
    const app = new App()
    const browser = await returning(app)
    const late = browser.clone()
    const hasty = app.redeploy({ maxAge: 1, idleTimeout: 1 })
    await browser.run(hasty, session => session.regenerate())
    app.wait(9)
    const visit = await late.visit(hasty)
    expect(await codeOf(() => visit.session.set('a', 1))).toBe('EXPIRED_SESSION')
  })
})
