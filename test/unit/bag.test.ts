import type { SessionManager } from '../../src/core/manager'
import { describe, expect, it } from 'vitest'
import { getBag, SessionBag, setBag } from '../../src/adapters/bag'
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

function setUp(): Setup {
  const [app, exchange, event] = [new App(), new FakeExchange(), { context: {} }]
  const bag = new SessionBag({ owner: event, exchange, observer: new Recorder(), manager: overrides => (overrides as Overrides | undefined)?.use ?? app.manager })
  setBag(event, bag)
  return { app, bag, event, exchange }
}

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
    browser.receive([...exchange.cookies.values()])
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
})
