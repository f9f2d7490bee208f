import type { CoreSessionOptions } from '../../src/core/options'
import type { SessionObserver } from '../../src/core/ports'
import type { Session } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { EventSessions } from '../../src/http/event-sessions'
import { App, Browser, returning } from './support/app'
import { FakeExchange } from './support/exchange'
import { HeldStore } from './support/held-store'

interface Setup {
  app: App
  browser: Browser
  /** What was asked of storage since the visitor came back. */
  calls(): string[]
}

async function setUp(): Promise<Setup> {
  const base = new App()
  const store = new HeldStore(base.store)
  const app = new App({}, { driver: base.driver, clock: base.clock, store })
  const browser = await returning(app, { user: 'ada', n: 1 })
  const before = store.calls.length
  return { app, browser, calls: () => store.calls.slice(before).map(({ operation }) => operation) }
}

describe('storage is asked', () => {
  it.each<[what: string, act: (session: Session) => unknown, calls: string[]]>([
    ['once by a request that reads', session => session.get('user'), ['get']],
    ['twice by one that sets', session => session.set('n', 2), ['get', 'compareAndSet']],
    ['twice by one that sets several keys', session => [session.set('n', 2), session.set('m', 3), session.delete('user')], ['get', 'compareAndSet']],
    ['twice by an update', session => session.update({ n: 2 }), ['get', 'compareAndSet']],
    ['twice by an update by a function', session => session.update(({ n }) => ({ n: Number(n) + 1 })), ['get', 'compareAndSet']],
    ['once by one that sets what is there', session => session.set('n', 1), ['get']],
    ['for the newest by a function that changes nothing', session => session.update(() => ({ n: 1 })), ['get', 'get']],
  ])('%s', async (_, act, calls) => {
    const setup = await setUp()
    await setup.browser.run(setup.app, act)
    expect(setup.calls()).toEqual(calls)
  })

  it('once by a request that begins a session', async () => {
    const { app, calls } = await setUp()
    await new Browser().run(app, session => session.set('user', 'bob'))
    expect(calls()).toEqual(['compareAndSet'])
  })

  it('for the newest at once where this process changed the session since', async () => {
    const { app, browser, calls } = await setUp()
    const slow = await browser.clone().visit(app)
    await browser.run(app, session => session.set('n', 2))
    const before = calls().length
    slow.session.set('m', 1)
    await slow.end()
    expect(calls().slice(before)).toEqual(['get', 'compareAndSet'])
  })
})

describe('a session in a cookie', () => {
  it.each<[what: string, act: (session: Session) => void]>([
    ['that was read', session => void session.get('user')],
    ['that was changed', session => session.set('n', 2)],
    ['that was ended', session => session.clear()],
  ])('%s leaves the response nothing to wait for', async (_, act) => {
    const app = new App({ mode: 'cookie' })
    const { request } = await (await returning(app, { user: 'ada' })).visit(app)
    act(request.handle)
    expect(request.commit()).toBeUndefined()
  })

  it('makes the response wait for who is told of a change', async () => {
    const app = new App({ mode: 'cookie' })
    const browser = await returning(app, { user: 'ada' })
    const told: string[] = []
    const observer: SessionObserver = {
      rejected: () => {},
      async session(name) {
        await Promise.resolve()
        told.push(name)
      },
    }
    const request = app.manager.open(new FakeExchange(browser.cookieHeader), observer)
    request.assertLoaded()
    request.handle.set('n', 2)
    await request.commit()
    expect(told).toEqual(['saved'])
  })
})

describe('a session that nobody uses', () => {
  const load = (options: CoreSessionOptions, observer?: SessionObserver): Promise<void> | undefined => {
    const event = {}
    const { manager } = new App(options)
    return new EventSessions({ owner: event, cookieHeader: () => 'session=x', createExchange: () => new FakeExchange('session=x'), manager: () => manager, ...(observer && { observer }) }).load(event)
  }
  const isOpened = (options: CoreSessionOptions, observer?: SessionObserver): boolean => {
    const event = {}
    const { manager } = new App(options)
    let opened = 0
    const open: typeof manager.open = (...args) => {
      opened++
      return manager.open(...args)
    }
    void new EventSessions({ owner: event, cookieHeader: () => undefined, createExchange: () => new FakeExchange(), manager: () => ({ ...manager, open }), ...(observer && { observer }) }).load(event)
    return opened > 0
  }

  it('is left alone in its cookie', () => {
    expect(load({ mode: 'cookie' })).toBeUndefined()
  })

  it('is not even looked for where the request carries none', () => {
    expect(isOpened({ mode: 'cookie' })).toBe(false)
  })

  it.each<[why: string, options: CoreSessionOptions, observer?: SessionObserver]>([
    ['is in storage', {}],
    ['may be idle for too long', { mode: 'cookie', idleTimeout: 60 }],
    ['is to begin', { mode: 'cookie', saveUninitialized: true }],
    ['is waited for by a hook', { mode: 'cookie' }, { isListening: true, session: () => {}, rejected: () => {} }],
  ])('is opened all the same when it %s', (_, options, observer) => {
    expect(isOpened(options, observer)).toBe(true)
  })
})
