import type { EventHost } from '../../src/http/event-sessions'
import type { PageOptions } from '../../src/http/page-part'
import type { SessionManager } from '../../src/core/session-manager'
import { describe, expect, it } from 'vitest'
import type { Session } from '../../src/core/types'
import { EventSessions } from '../../src/http/event-sessions'
import { sessionsIn, setSessions } from '../../src/http/find-sessions'
import { App, Browser } from './support/app'
import { caught, codeOf } from './support/errors'
import { FakeExchange } from './support/exchange'
import { Recorder } from './support/observer'

/** Stands for the options of another session: names the manager itself. */
interface Overrides { use: SessionManager }

interface Setup {
  app: App
  sessions: EventSessions
  event: { context: object }
  exchange: FakeExchange
}

function setUp({ cookie, ...options }: Partial<EventHost> & { cookie?: string } = {}): Setup {
  const [app, exchange, event] = [new App({ expose: ['name'] }), new FakeExchange(cookie), { context: {} }]
  const sessions = new EventSessions({ owner: event, cookieHeader: () => exchange.cookieHeader, createExchange: () => exchange, observer: new Recorder(), manager: overrides => (overrides as Overrides | undefined)?.use ?? app.manager, ...options })
  setSessions(event, sessions)
  return { app, sessions, event, exchange }
}

const PAGE = { isPersonal: () => true, isShown: () => true, isError: false, mendMark: () => {} }

describe('the sessions of an event', () => {
  it('are found in its context', () => {
    const { sessions, event } = setUp()
    expect([sessionsIn(event.context), sessionsIn({}), sessionsIn(undefined)]).toEqual([sessions, undefined, undefined])
  })

  it('are one for each cookie name', () => {
    const { app, sessions, event } = setUp()
    const first = sessions.open(event)
    expect(sessions.open(event)).toBe(first)
    expect(sessions.open(event, { use: app.redeploy({ cookie: { name: 'cart' } }).manager })).not.toBe(first)
  })

  it('cannot be opened with two different sets of options', async () => {
    const { app, sessions, event } = setUp()
    sessions.open(event)
    expect(await codeOf(() => sessions.open(event, { use: app.redeploy({ maxAge: 5 }).manager }))).toBe('CONFIG_ERROR')
  })

  it('are shared by an internal request', () => {
    const { sessions, event } = setUp()
    const inner = { context: {} }
    expect(sessions.forSubRequest(inner, event.context)).toBe(sessions)
    expect(sessions.open(inner)).toBe(sessions.open(event))
  })

  it('are closed to internal requests of a cached handler, and to theirs', async () => {
    const { sessions } = setUp()
    const inner = { context: {} }
    const closed = sessions.forSubRequest(inner, { cache: {} })
    expect(await codeOf(() => closed.open(inner))).toBe('CACHED_RESPONSE')
    const innermost = { context: {} }
    expect(await codeOf(() => closed.forSubRequest(innermost, inner.context).open(innermost))).toBe('CACHED_RESPONSE')
  })

  it('cannot be used by the inner event of a cached handler', async () => {
    const { sessions, event } = setUp()
    sessions.open(event)
    expect(await codeOf(() => sessions.open({ context: event.context }))).toBe('CACHED_RESPONSE')
  })

  it('have nothing to wait for when none was changed', () => {
    const { sessions, event } = setUp()
    sessions.open(event)
    expect(sessions.flush()).toBeUndefined()
  })

  it('are all stored by one flush', async () => {
    const { app, sessions, event, exchange } = setUp()
    const cart = app.redeploy({ cookie: { name: 'cart' } })
    sessions.open(event).handle.set('a', 1)
    sessions.open(event, { use: cart.manager }).handle.set('b', 2)
    await sessions.flush()
    const browser = new Browser()
    browser.receive([...exchange.cookies.values()].flat())
    expect([await browser.read(app), await browser.read(cart)]).toEqual([{ a: 1 }, { b: 2 }])
  })

  it('fail the response once, and then let the error pass', async () => {
    const { app, sessions, event } = setUp()
    sessions.open(event).handle.set('a', 1)
    app.driver.fail('write')
    expect(await codeOf(() => sessions.flush())).toBe('STORAGE_ERROR')
    expect(sessions.flush()).toBeUndefined()
  })

  it('are waited for until all are done, although one failed', async () => {
    const { app, sessions, event } = setUp()
    const other = new App({ cookie: { name: 'cart' } })
    sessions.open(event).handle.set('a', 1)
    sessions.open(event, { use: other.manager }).handle.set('b', 2)
    app.driver.fail('write')
    const slow = other.driver.hold('write')
    let isSettled = false
    const settled = codeOf(() => sessions.flush()).finally(() => isSettled = true)
    await slow.reached
    await new Promise(resolve => setImmediate(resolve))
    expect(isSettled).toBe(false)
    slow.release()
    expect(await settled).toBe('STORAGE_ERROR')
  })

  it('cannot be used where a host caches the response', async () => {
    const { sessions, event } = setUp({ isCached: () => true })
    expect(await codeOf(() => sessions.use(event))).toBe('CACHED_RESPONSE')
  })

  it('keep a response that is marked for shared caches out of them when it used a session', () => {
    const signedIn = new App({ expose: ['name'] })
    const browser = new Browser()
    browser.receive([signedCookieOf(signedIn)])
    for (const { cookie, isPrivate } of [{ cookie: undefined, isPrivate: false }, { cookie: browser.cookieHeader, isPrivate: true }]) {
      const { sessions, event, exchange } = setUp(cookie === undefined ? {} : { cookie })
      sessions.use(event)
      expect(exchange.marked).toEqual([])
      exchange.isForSharedCaches = true
      sessions.open(event)
      expect(exchange.marked).toEqual([])
      sessions.use(event)
      expect(exchange.marked).toEqual([isPrivate])
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
    const { sessions, event } = setUp({ page: PAGE })
    const page = sessions.page(event)!
    expect(page.data).toEqual({})
    sessions.open(event).handle.set('name', 'Ada')
    sessions.open(event).handle.set('secret', 'canary')
    expect(page.data).toEqual({ name: 'Ada' })
  })

  it('is a message once', () => {
    const { sessions, event } = setUp({ page: PAGE })
    sessions.open(event).handle.flash('success', 'Saved')
    const page = sessions.page(event)!
    expect(page.hasMessages).toBe(true)
    expect(page.readMessage('success')).toBe('Saved')
    page.takeMessage('success', 'Saved')
    expect([page.readMessage('success'), page.hasMessages]).toEqual([undefined, false])
  })

  it('keeps a message that took the place of the one that was shown', () => {
    const { sessions, event } = setUp({ page: PAGE })
    const page = sessions.page(event)!
    sessions.open(event).handle.flash('success', 'newer')
    page.takeMessage('success', 'older')
    expect(page.readMessage('success')).toBe('newer')
  })

  it.each([
    { visitor: 'with a session', isPrivate: true, cacheControl: 'no-store' },
    { visitor: 'without one', isPrivate: false, cacheControl: 'public' },
  ])('is sent to a visitor $visitor with Cache-Control $cacheControl, when the page is marked for shared caches later', ({ isPrivate, cacheControl }) => {
    const browser = new Browser()
    browser.receive(isPrivate ? [signedCookieOf(new App({ expose: ['name'] }))] : [])
    const { sessions, event } = setUp({ page: PAGE, ...(isPrivate && { cookie: browser.cookieHeader }) })
    sessions.page(event)
    const headers = new Headers({ 'cache-control': 'public' })
    sessions.protect(headers)
    expect([headers.get('cache-control'), headers.get('vary')]).toEqual([cacheControl, 'Cookie'])
  })

  it('is nothing without an app that has pages, on pages for everybody, and in cached handlers', () => {
    const nothing = [{}, { page: { ...PAGE, isPersonal: () => false } }, { page: PAGE, isCached: () => true }]
    for (const options of nothing) {
      const { sessions, event } = setUp(options)
      expect(sessions.page(event)).toBeUndefined()
    }
    const { sessions, event } = setUp({ page: PAGE })
    expect(sessions.page({ context: event.context })).toBeUndefined()
    expect(sessions.forSubRequest(event, { cache: {} }).page(event)).toBeUndefined()
  })

  it('does not break a page whose head has left: in cookie mode the message stays', () => {
    const app = new App({ mode: 'cookie' })
    const { sessions, event, exchange } = setUp({ page: PAGE, manager: () => app.manager })
    const { handle } = sessions.open(event)
    handle.flash('success', 'Saved')
    const page = sessions.page(event)!
    exchange.isSent = true
    page.takeMessage('success', page.readMessage('success'))
    expect(page.readMessage('success')).toBe('Saved')
  })

  it('makes the response differ by cookie', () => {
    const { sessions, event, exchange } = setUp({ page: PAGE })
    sessions.page(event)
    sessions.page(event)
    expect(exchange.marked).toEqual([false])
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
    const { sessions, event, exchange } = setUp({ page: PAGE })
    await change(sessions.open(event).handle)
    await sessions.flush()
    expect(exchange.changes).toEqual(announced)
  })

  it('is announced to have changed by a logout, also of a session that was never loaded', async () => {
    const cookie = signedCookieOf(new App({ expose: ['name'] })).split(';')[0]!
    const { sessions, event, exchange } = setUp({ page: PAGE, cookie })
    await sessions.open(event).handle.destroy()
    await sessions.flush()
    expect(exchange.changes).toEqual(['data'])
  })

  it('is not announced in an app without pages', async () => {
    const { sessions, event, exchange } = setUp()
    sessions.open(event).handle.set('name', 'Ada')
    await sessions.flush()
    expect(exchange.changes).toEqual([])
  })
})

describe('a page that would be streamed', () => {
  const REMEDY = 'or so'

  it('is streamed to a visitor without a session', () => {
    const page: PageOptions = { ...PAGE }
    const { sessions, event } = setUp({ page })
    expect([sessions.stream(event, REMEDY), page.lateRemedy]).toEqual([true, REMEDY])
  })

  it('is kept apart then where it is for shared caches, and left alone elsewhere', () => {
    const { sessions, event, exchange } = setUp({ page: { ...PAGE } })
    sessions.stream(event, REMEDY)
    expect(exchange.marked).toEqual([])
    const headers = new Headers({ 'cache-control': 'public' })
    sessions.protect(headers)
    expect([headers.get('cache-control'), headers.get('vary')]).toEqual(['public', 'Cookie'])
  })

  it.each<[who: string, begin: (setup: Setup) => void, cookie?: string]>([
    ['carries a session', () => {}, 'name'],
    ['began one in the same request', ({ sessions, event }) => sessions.open(event).handle.set('name', 'Ada')],
    ['was left a message in the same request', ({ sessions, event }) => sessions.open(event).handle.flash('success', 'Hello')],
    ['began one under another name', ({ app, sessions, event }) => sessions.open(event, { use: app.redeploy({ cookie: { name: 'cart' } }).manager }).handle.set('items', 1)],
  ])('is not for one who %s', (_, begin, carried) => {
    const browser = new Browser()
    browser.receive(carried ? [signedCookieOf(new App({ expose: ['name'] }))] : [])
    const setup = setUp({ page: { ...PAGE }, ...(carried && { cookie: browser.cookieHeader }) })
    begin(setup)
    expect(setup.sessions.stream(setup.event, REMEDY)).toBe(false)
  })

  it('is streamed to whoever asks where it is for everybody', () => {
    const nothing = [{}, { page: { ...PAGE, isPersonal: () => false } }, { page: { ...PAGE }, isCached: () => true }]
    for (const options of nothing) {
      const { sessions, event } = setUp(options)
      expect(sessions.stream(event, REMEDY)).toBe(true)
    }
  })

  it('names the remedy to who begins a session too late', async () => {
    const exchange = Object.assign(new FakeExchange(), { isSent: true, lateRemedy: REMEDY })
    for (const mode of ['storage', 'cookie'] as const) {
      const { handle } = new App({ mode }).manager.open(exchange)
      expect((await caught(() => handle.set('name', 'Ada'))).message).toContain('before sending or streaming, or so')
    }
  })
})
