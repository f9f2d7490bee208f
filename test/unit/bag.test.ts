import type { BagOptions } from '../../src/http/bag'
import type { SessionManager } from '../../src/core/manager'
import { describe, expect, it } from 'vitest'
import type { Session } from '../../src/core/types'
import { getBag, SessionBag, setBag } from '../../src/http/bag'
import { App, Browser } from './support/app'
import { codeOf } from './support/errors'
import { FakeExchange } from './support/exchange'
import { Recorder } from './support/observer'

/** Stands for the options of another session: names the manager itself. */
interface Overrides { use: SessionManager }

interface Setup {
  app: App
  bag: SessionBag
  event: { context: object }
  exchange: FakeExchange
}

function setUp({ cookie, ...options }: Partial<BagOptions> & { cookie?: string } = {}): Setup {
  const [app, exchange, event] = [new App({ expose: ['name'] }), new FakeExchange(cookie), { context: {} }]
  const bag = new SessionBag({ owner: event, cookieHeader: () => exchange.cookieHeader, createExchange: () => exchange, observer: new Recorder(), manager: overrides => (overrides as Overrides | undefined)?.use ?? app.manager, ...options })
  setBag(event, bag)
  return { app, bag, event, exchange }
}

const PAGE = { isPersonal: () => true, isShown: () => true }

describe('the sessions of an event', () => {
  it('are found in its context', () => {
    const { bag, event } = setUp()
    expect([getBag(event.context), getBag({}), getBag(undefined)]).toEqual([bag, undefined, undefined])
  })

  it('are one for each cookie name', () => {
    const { app, bag, event } = setUp()
    const first = bag.open(event)
    expect(bag.open(event)).toBe(first)
    expect(bag.open(event, { use: app.redeploy({ cookie: { name: 'cart' } }).manager })).not.toBe(first)
  })

  it('cannot be opened with two different sets of options', async () => {
    const { app, bag, event } = setUp()
    bag.open(event)
    expect(await codeOf(() => bag.open(event, { use: app.redeploy({ maxAge: 5 }).manager }))).toBe('CONFIG_ERROR')
  })

  it('are shared by an internal request', () => {
    const { bag, event } = setUp()
    const inner = { context: {} }
    expect(bag.forSubRequest(inner, event.context)).toBe(bag)
    expect(bag.open(inner)).toBe(bag.open(event))
  })

  it('are closed to internal requests of a cached handler, and to theirs', async () => {
    const { bag } = setUp()
    const inner = { context: {} }
    const closed = bag.forSubRequest(inner, { cache: {} })
    expect(await codeOf(() => closed.open(inner))).toBe('CACHED_RESPONSE')
    const innermost = { context: {} }
    expect(await codeOf(() => closed.forSubRequest(innermost, inner.context).open(innermost))).toBe('CACHED_RESPONSE')
  })

  it('cannot be used by the inner event of a cached handler', async () => {
    const { bag, event } = setUp()
    bag.open(event)
    expect(await codeOf(() => bag.open({ context: event.context }))).toBe('CACHED_RESPONSE')
  })

  it('have nothing to wait for when none was changed', () => {
    const { bag, event } = setUp()
    bag.open(event)
    expect(bag.settle()).toBeUndefined()
  })

  it('are all stored by one settle', async () => {
    const { app, bag, event, exchange } = setUp()
    const cart = app.redeploy({ cookie: { name: 'cart' } })
    bag.open(event).handle.set('a', 1)
    bag.open(event, { use: cart.manager }).handle.set('b', 2)
    await bag.settle()
    const browser = new Browser()
    browser.receive([...exchange.cookies.values()].flat())
    expect([await browser.read(app), await browser.read(cart)]).toEqual([{ a: 1 }, { b: 2 }])
  })

  it('fail the response once, and then let the error pass', async () => {
    const { app, bag, event } = setUp()
    bag.open(event).handle.set('a', 1)
    app.driver.fail('write')
    expect(await codeOf(() => bag.settle())).toBe('STORAGE_ERROR')
    expect(bag.settle()).toBeUndefined()
  })

  it('are waited for until all are done, although one failed', async () => {
    const { app, bag, event } = setUp()
    const other = new App({ cookie: { name: 'cart' } })
    bag.open(event).handle.set('a', 1)
    bag.open(event, { use: other.manager }).handle.set('b', 2)
    app.driver.fail('write')
    const slow = other.driver.hold('write')
    let isSettled = false
    const settled = codeOf(() => bag.settle()).finally(() => isSettled = true)
    await slow.reached
    await new Promise(resolve => setImmediate(resolve))
    expect(isSettled).toBe(false)
    slow.release()
    expect(await settled).toBe('STORAGE_ERROR')
  })

  it('cannot be used where a host caches the response', async () => {
    const { bag, event } = setUp({ isCached: () => true })
    expect(await codeOf(() => bag.use(event))).toBe('CACHED_RESPONSE')
  })

  it('keep a response that is marked for shared caches out of them when it used a session', () => {
    const signedIn = new App({ expose: ['name'] })
    const browser = new Browser()
    browser.receive([signedCookieOf(signedIn)])
    for (const { cookie, isPrivate } of [{ cookie: undefined, isPrivate: false }, { cookie: browser.cookieHeader, isPrivate: true }]) {
      const { bag, event, exchange } = setUp(cookie === undefined ? {} : { cookie })
      bag.use(event)
      expect(exchange.personalized).toEqual([])
      exchange.isForSharedCaches = true
      bag.open(event)
      expect(exchange.personalized).toEqual([])
      bag.use(event)
      expect(exchange.personalized).toEqual([isPrivate])
    }
  })
})

/** A cookie of a session that this app never stored; its signature holds. */
function signedCookieOf(app: App): string {
  const exchange = new FakeExchange()
  app.manager.open(exchange).handle.set('name', 'Ada')
  return exchange.cookies.get('session')![0]!
}

describe('what pages see of the sessions of an event', () => {
  it('is the exposed data', () => {
    const { bag, event } = setUp({ page: PAGE })
    const page = bag.page(event)!
    expect(page.data).toEqual({})
    bag.open(event).handle.set('name', 'Ada')
    bag.open(event).handle.set('secret', 'canary')
    expect(page.data).toEqual({ name: 'Ada' })
  })

  it('is a message once', () => {
    const { bag, event } = setUp({ page: PAGE })
    bag.open(event).handle.flash('success', 'Saved')
    const page = bag.page(event)!
    expect(page.hasMessages).toBe(true)
    expect(page.readMessage('success')).toBe('Saved')
    page.takeMessage('success', 'Saved')
    expect([page.readMessage('success'), page.hasMessages]).toEqual([undefined, false])
  })

  it('keeps a message that took the place of the one that was shown', () => {
    const { bag, event } = setUp({ page: PAGE })
    const page = bag.page(event)!
    bag.open(event).handle.flash('success', 'newer')
    page.takeMessage('success', 'older')
    expect(page.readMessage('success')).toBe('newer')
  })

  it.each([
    { visitor: 'with a session', isPrivate: true, cacheControl: 'no-store' },
    { visitor: 'without one', isPrivate: false, cacheControl: 'public' },
  ])('is sent to a visitor $visitor with Cache-Control $cacheControl, when the page is marked for shared caches later', ({ isPrivate, cacheControl }) => {
    const browser = new Browser()
    browser.receive(isPrivate ? [signedCookieOf(new App({ expose: ['name'] }))] : [])
    const { bag, event } = setUp({ page: PAGE, ...(isPrivate && { cookie: browser.cookieHeader }) })
    bag.page(event)
    const headers = new Headers({ 'cache-control': 'public' })
    bag.protect(headers)
    expect([headers.get('cache-control'), headers.get('vary')]).toEqual([cacheControl, 'Cookie'])
  })

  it('is nothing without an app that has pages, on pages for everybody, and in cached handlers', () => {
    const nothing = [{}, { page: { ...PAGE, isPersonal: () => false } }, { page: PAGE, isCached: () => true }]
    for (const options of nothing) {
      const { bag, event } = setUp(options)
      expect(bag.page(event)).toBeUndefined()
    }
    const { bag, event } = setUp({ page: PAGE })
    expect(bag.page({ context: event.context })).toBeUndefined()
    expect(bag.forSubRequest(event, { cache: {} }).page(event)).toBeUndefined()
  })

  it('makes the response differ by cookie', () => {
    const { bag, event, exchange } = setUp({ page: PAGE })
    bag.page(event)
    bag.page(event)
    expect(exchange.personalized).toEqual([false])
  })

  it.each<{ title: string, change: (session: Session) => unknown, announced: string[] }>([
    { title: 'nothing', change: session => session.get('name'), announced: [] },
    { title: 'data that is not exposed', change: session => session.set('secret', 1), announced: [] },
    { title: 'exposed data', change: session => session.set('name', 'Ada'), announced: ['data'] },
    { title: 'a message', change: session => session.flash('success', 'Saved'), announced: ['flash'] },
    { title: 'a message that was read at once', change: session => [session.flash('success', 'Saved'), session.flash('success')], announced: [] },
    { title: 'another id', change: async (session) => {
      session.set('secret', 1)
      await session.save()
      await session.regenerate()
    }, announced: ['data'] },
    { title: 'a login', change: session => session.regenerate({ name: 'Ada' }), announced: ['data'] },
    { title: 'both', change: session => [session.set('name', 'Ada'), session.flash('success', 'Saved')], announced: ['data, flash'] },
  ])('is announced after $title as it should be', async ({ change, announced }) => {
    const { bag, event, exchange } = setUp({ page: PAGE })
    await change(bag.open(event).handle)
    await bag.settle()
    expect(exchange.announced).toEqual(announced)
  })

  it('is announced to have changed by a logout, also of a session that was never loaded', async () => {
    const cookie = signedCookieOf(new App({ expose: ['name'] })).split(';')[0]!
    const { bag, event, exchange } = setUp({ page: PAGE, cookie })
    await bag.open(event).handle.destroy()
    await bag.settle()
    expect(exchange.announced).toEqual(['data'])
  })

  it('is not announced in an app without pages', async () => {
    const { bag, event, exchange } = setUp()
    bag.open(event).handle.set('name', 'Ada')
    await bag.settle()
    expect(exchange.announced).toEqual([])
  })
})
