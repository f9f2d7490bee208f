import { describe, expect, it } from 'vitest'
import { fromExpressSession, signCookie } from '../../src/core/index'
import { Browser, returning } from './support/app'
import { Recorder } from './support/observer'
import { createOldExpressApp } from '../support/other-packages'
import { movingIn, NewApp, OLD_APP_SECRET, OldStorage } from './support/old-sessions'

/** A visitor of analog-tools: the same signature, an id of nanoid, a record of data only. */
function analogVisitor(text: string, secret = OLD_APP_SECRET): { browser: Browser, old: OldStorage, app: NewApp } {
  const id = 'V1StGXR8_Z5jdHi6B-myT'
  const old = new OldStorage()
  old.put(id, text)
  return {
    old,
    browser: new Browser([['connect.sid', encodeURIComponent(signCookie(id, secret))]]),
    app: new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: old.store })),
  }
}

describe('a session of express-session', () => {
  it('leaves behind what was kept of its cookie', async () => {
    const { app, browser } = await movingIn({}, { user: 'ada', passport: { user: 1 } })
    expect(await browser.read(app)).toEqual({ user: 'ada', passport: { user: 1 } })
  })

  it('can have an id of its own making', async () => {
    const { app, browser } = await movingIn({}, { user: 1 }, createOldExpressApp({ genid: () => crypto.randomUUID() }))
    expect(await browser.read(app)).toEqual({ user: 1 })
  })

  it('can have any cookie name', async () => {
    const { old, cookie } = await movingIn({}, { user: 1 }, createOldExpressApp({ name: 'sid' }))
    const app = new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: old.store, cookie: { name: 'sid' } }))
    expect(await new Browser([cookie]).read(app)).toEqual({ user: 1 })
  })

  it('is read by any secret of an array, as express-session signs by the first', async () => {
    const { old, cookie } = await movingIn({}, { user: 1 }, createOldExpressApp({ secret: ['old', 'older'] }))
    const app = new NewApp(fromExpressSession({ secret: ['new', 'old'], store: old.store }))
    expect(await new Browser([cookie]).read(app)).toEqual({ user: 1 })
  })

  it('is a visitor where no secret verifies it', async () => {
    const { old, cookie } = await movingIn()
    const app = new NewApp(fromExpressSession({ secret: 'another', store: old.store }))
    expect(await new Browser([cookie]).hasSession(app)).toBe(false)
    expect(old.driver.calls).toEqual([])
  })

  it('is a visitor after its own expiry, whatever the storage still holds', async () => {
    const { app, old, browser } = await movingIn({}, { user: 1 }, createOldExpressApp({ cookie: { maxAge: 60_000 } }))
    app.app.clock.now = Date.now() + 61_000
    const recorder = new Recorder()
    const visit = await browser.visit(app, recorder)
    expect([visit.request.exists, visit.setCookies, recorder.events, old.ids.length]).toEqual([false, [], ['unknown'], 1])
  })

  it('is good for as long as storage holds it that drops what has expired: its record may be older than its time', async () => {
    const { app, old, cookie } = await movingIn({}, { user: 1 }, createOldExpressApp({ cookie: { maxAge: 60_000 } }))
    app.app.clock.now = Date.now() + 61_000
    const dropping = new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: { ...old.store, dropsExpired: async () => true } }), {}, app.app)
    expect(await new Browser([cookie]).read(dropping)).toEqual({ user: 1 })
  })

  it('lives by the limits of ours from then on', async () => {
    const { app, browser } = await movingIn({ maxAge: 3600 }, { user: 1 }, createOldExpressApp({ cookie: { maxAge: 60_000 } }))
    app.app.clock.now = Date.now()
    await browser.read(app)
    app.app.wait(3500)
    expect(await browser.hasSession(app)).toBe(true)
    app.app.wait(200)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it.each(['null', '[]', '"text"', '1', 'not JSON', '', '{"cookie":{"originalMaxAge":1,"expires":"never"}}'])('is a visitor when its record is %s', async (text) => {
    const { app, old, browser } = await movingIn()
    old.put(old.ids[0]!, text)
    expect(await browser.hasSession(app)).toBe(false)
    expect(await app.app.keys()).toEqual([])
  })
})

describe('a session of analog-tools', () => {
  it('comes in as it is', async () => {
    const { app, old, browser } = analogVisitor('{"visits":3,"cookie":"chocolate"}')
    expect(await browser.read(app)).toEqual({ visits: 3, cookie: 'chocolate' })
    expect(old.ids).toEqual([])
  })

  it('is a visitor where another secret signed', async () => {
    const { app, old, browser } = analogVisitor('{"visits":3}', 'another')
    expect(await browser.hasSession(app)).toBe(false)
    expect(old.driver.calls).toEqual([])
  })
})

describe('a text that the old secret signed for another purpose', () => {
  it.each(['dark', '../../etc/passwd-and-more', 'user:1:with-a-longer-key', 'a b c d e f g h i j', 'x'.repeat(200)])('is no id: %s', async (value) => {
    const { app, old } = analogVisitor('{}')
    const visit = await new Browser([['connect.sid', encodeURIComponent(signCookie(value, OLD_APP_SECRET))]]).visit(app)
    expect([visit.request.isCarried, old.driver.calls]).toEqual([false, []])
  })

  it('leads to no session of ours that is in the same storage', async () => {
    const { app } = await movingIn()
    await (await returning(app.app, { user: 'ada' })).read(app)
    const [key] = await app.app.sessionKeys()
    const same = new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: app.app.store }), {}, app.app)
    const recorder = new Recorder()
    const visit = await new Browser([['connect.sid', encodeURIComponent(signCookie(key!.slice('session:'.length), OLD_APP_SECRET))]]).visit(same, recorder)
    expect([visit.request.exists, recorder.events]).toEqual([false, ['corrupt']])
    expect(await app.app.sessionKeys()).toEqual([key])
  })
})

describe('fromExpressSession', () => {
  it.each(['', ['a', '']])('refuses an empty secret: %j', (secret) => {
    expect(() => fromExpressSession({ secret, store: new OldStorage().store })).toThrow(TypeError)
  })
})
