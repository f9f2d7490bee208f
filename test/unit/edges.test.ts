import type { SessionObserver } from '../../src/core/ports'
import { createStorage } from 'unstorage'
import { describe, expect, it } from 'vitest'
import { createSessionManager } from '../../src/core/session-manager'
import { resolveOptions } from '../../src/core/resolve-options'
import { createStorageStore } from '../../src/core/stores/unstorage'
import { App, Browser, OLD_SECRET, returning, SECRET } from './support/app'
import { FakeExchange } from './support/exchange'

describe('storage that answers at once', () => {
  it('is never waited for', () => {
    const options = resolveOptions({ secret: SECRET, cookie: { name: 'session' } }, { isProduction: true })
    const manager = createSessionManager(options, { store: createStorageStore(createStorage(), { base: 'session', timeout: 5000 }) })
    const first = new FakeExchange()
    const begun = manager.open(first)
    expect(begun.ensureLoaded()).toBeUndefined()
    begun.handle.set('n', 1)
    expect(begun.commit()).toBeUndefined()
    const cookie = first.cookies.get('session')![0]!.split(';')[0]
    const next = manager.open(new FakeExchange(cookie))
    expect([next.ensureLoaded(), next.handle.get('n')]).toEqual([undefined, 1])
    next.handle.set('n', 2)
    expect(next.commit()).toBeUndefined()
    const last = manager.open(new FakeExchange(cookie))
    expect([last.loadAtOnce(), last.ensureLoaded(), last.handle.get('n')]).toEqual([false, undefined, 2])
  })
})

describe('a slow request of a visitor who logs in meanwhile', () => {
  it('does not remove the cookie of the login, whose session held messages only before', async () => {
    const app = new App()
    const browser = new Browser()
    await browser.run(app, session => session.flash('m', 1))
    const slow = await browser.visit(app)
    await browser.run(app, session => session.flash('m'))
    await browser.run(app, session => session.regenerate({ user: 'ada' }))
    slow.session.clear()
    await slow.end()
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })
})

describe('who is told that a cookie was rejected', () => {
  it('may use the session', async () => {
    const app = new App()
    const browser = await returning(app, { user: 'ada' })
    await (await browser.clone().visit(app)).session.destroy()
    const observer: SessionObserver = {
      session: () => {},
      async rejected() {
        await visit.request.load()
        visit.session.flash('m', 'Your session has ended.')
        await visit.session.save()
      },
    }
    const exchange = new FakeExchange(browser.cookieHeader)
    const request = app.manager.open(exchange, observer)
    const visit = { request, session: request.handle }
    await request.load()
    await request.commit()
    browser.receive([...exchange.cookies.values()].flat())
    expect(await browser.run(app, session => session.flash('m'))).toBe('Your session has ended.')
  })
})

describe('a cookie of an old secret that would be too big with longer attributes', () => {
  it('can be read all the same', async () => {
    const old = new App({ mode: 'cookie', secret: OLD_SECRET })
    const browser = new Browser()
    await browser.run(old, session => session.set('text', 'x'.repeat(2900)))
    const visits = new App({ mode: 'cookie', secret: [SECRET, OLD_SECRET], cookie: { path: `/${'p'.repeat(900)}` } }, old)
    const visit = await browser.visit(visits)
    expect([String(visit.session.get('text')).length, visit.setCookies]).toEqual([2900, []])
  })
})
