import { describe, expect, it } from 'vitest'
import { App, Browser, MODES, returning } from './support/app'
import { codeOf } from './support/errors'
import { silentExchange } from './support/exchange'

describe.each(MODES)('a session in $mode', ({ options }) => {
  it('is not there for a visitor without a cookie', async () => {
    expect(await new Browser().hasSession(new App(options))).toBe(false)
  })

  it('gives back in the next request what was set', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, session => session.set('theme', 'dark'))
    expect(await browser.read(app)).toEqual({ theme: 'dark' })
  })

  it('shows a set value at once, before anything is stored', async () => {
    const { session } = await new Browser().visit(new App(options))
    session.set('theme', 'dark')
    expect([session.get('theme'), session.has('theme'), session.data]).toEqual(['dark', true, { theme: 'dark' }])
  })

  it('writes the cookie synchronously with the first change', async () => {
    const visit = await new Browser().visit(new App(options))
    visit.session.set('a', 1)
    expect(visit.setCookies).toHaveLength(1)
  })

  it('asks the host to wait at the first change and not before', async () => {
    const visit = await new Browser().visit(new App(options))
    expect(visit.exchange.holds).toBe(0)
    visit.session.set('a', 1)
    expect(visit.exchange.holds).toBeGreaterThan(0)
  })

  it('has nothing to wait for when it was only read', async () => {
    const app = new App(options)
    const visit = await (await returning(app)).visit(app)
    visit.session.get('user')
    expect(visit.request.commit()).toBeUndefined()
  })

  it('sends no cookie for a visitor who is only read', async () => {
    const visit = await new Browser().visit(new App(options))
    const { session } = visit
    void [session.id, session.data, session.get('a'), session.has('a'), session.flash('a'), session.expiresAt]
    await visit.end()
    expect(visit.setCookies).toEqual([])
  })

  it('sends no cookie for a returning visitor who is only read', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const setCookies = await browser.run(app, (session, visit) => [session.get('user'), visit.setCookies])
    expect(setCookies).toEqual(['ada', []])
  })

  it('sends one cookie however often it is changed', async () => {
    const visit = await new Browser().visit(new App(options))
    visit.session.set('a', 1)
    visit.session.set('b', 2)
    visit.session.flash('c', 3)
    await visit.session.save()
    await visit.session.update({ d: 4 })
    await visit.end()
    expect(visit.setCookies).toHaveLength(1)
  })

  it('does not take setting an equal value for a change', async () => {
    const app = new App(options)
    const browser = await returning(app, { list: [1, { a: null }], n: 0 })
    const visit = await browser.visit(app)
    visit.session.set('list', [1, { a: null }])
    visit.session.set('n', 0)
    await visit.session.update({ n: 0 })
    await visit.end()
    expect([visit.setCookies, app.driver.count('write')]).toEqual([[], 0])
  })

  it('does not take deleting a missing key for a change', async () => {
    const app = new App(options)
    const visit = await (await returning(app)).visit(app)
    visit.session.delete('nothing')
    visit.session.set('nothing', undefined)
    await visit.end()
    expect([visit.setCookies, app.driver.count('write')]).toEqual([[], 0])
  })

  it('removes a key with delete', async () => {
    const app = new App(options)
    const browser = await returning(app, { a: 1, b: 2 })
    await browser.run(app, session => session.delete('a'))
    expect(await browser.read(app)).toEqual({ b: 2 })
  })

  it('removes a key that is set to undefined', async () => {
    const app = new App(options)
    const browser = await returning(app, { a: 1, b: 2 })
    await browser.run(app, session => session.set('a', undefined))
    expect(await browser.read(app)).toEqual({ b: 2 })
  })

  it('merges a patch shallowly with update', async () => {
    const app = new App(options)
    const browser = await returning(app, { a: { x: 1 }, b: 2 })
    const data = await browser.run(app, session => session.update({ a: { y: 1 }, c: 3, b: undefined }))
    expect(data).toEqual({ a: { y: 1 }, c: 3 })
    expect(await browser.read(app)).toEqual({ a: { y: 1 }, c: 3 })
  })

  it('gives the newest data to an update function', async () => {
    const app = new App(options)
    const browser = await returning(app, { visits: 1 })
    await browser.run(app, async (session) => {
      session.set('visits', 5)
      await session.update(data => ({ visits: data.visits as number + 1 }))
    })
    expect(await browser.read(app)).toEqual({ visits: 6 })
  })

  it('starts a session with update', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, session => session.update({ a: 1 }))
    expect(await browser.read(app)).toEqual({ a: 1 })
  })

  it('refuses an update function that returns a promise', async () => {
    const { session } = await new Browser().visit(new App(options))
    const updater = (async () => ({ a: 1 })) as unknown as () => { a: number }
    expect(await codeOf(() => session.update(updater))).toBe('INVALID_VALUE')
  })

  it('gives the error of an update function to its caller and keeps the session', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      session.set('theme', 'dark')
      await expect(session.update(() => {
        throw new RangeError('mine')
      })).rejects.toThrow(RangeError)
    })
    expect(await browser.read(app)).toEqual({ user: 'ada', theme: 'dark' })
  })

  it('disappears when its last key is deleted: the cookie is expired', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, session => session.delete('user'))
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })

  it('disappears when it is cleared, flash messages too', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, session => session.flash('hello', 'you'))
    await browser.run(app, session => session.clear())
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })

  it('keeps what is set after a clear, under the same id', async () => {
    const app = new App(options)
    const browser = await returning(app, { a: 1, b: 2 })
    const before = await browser.run(app, session => session.id)
    await browser.run(app, (session) => {
      session.clear()
      session.set('b', 3)
    })
    expect(await browser.run(app, session => [session.id, session.data])).toEqual([before, { b: 3 }])
  })

  it('leaves nothing behind when it is filled and emptied in one request', async () => {
    const app = new App(options)
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    visit.session.delete('a')
    await visit.end()
    expect([visit.setCookies, await app.keys()]).toEqual([[], []])
  })

  it('does nothing when a visitor without a session is cleared', async () => {
    const app = new App(options)
    const visit = await new Browser().visit(app)
    visit.session.clear()
    await visit.end()
    expect([visit.setCookies, app.driver.calls]).toEqual([[], []])
  })

  it('is new until it was stored', async () => {
    const app = new App(options)
    const browser = new Browser()
    const visit = await browser.visit(app)
    visit.session.set('a', 1)
    expect(visit.session.isNew).toBe(true)
    await visit.session.save()
    expect(visit.session.isNew).toBe(false)
    await visit.end()
    expect(await browser.run(app, session => session.isNew)).toBe(false)
  })

  it('keeps its id and its creation date over requests', async () => {
    const app = new App(options)
    const browser = new Browser()
    const first = await browser.run(app, (session) => {
      session.set('a', 1)
      return [session.id, session.createdAt.getTime()]
    })
    app.wait(60)
    await browser.run(app, session => session.set('a', 2))
    expect(await browser.run(app, session => [session.id, session.createdAt.getTime()])).toEqual(first)
  })

  it('has an id of at least 128 bits that no other visitor gets', async () => {
    const app = new App(options)
    const ids = await Promise.all(Array.from({ length: 200 }, () => new Browser().run(app, session => session.id)))
    expect(new Set(ids).size).toBe(200)
    expect(ids.every(id => /^[\w-]{22,}$/.test(id))).toBe(true)
  })

  it('hands out data whose nested values cannot be changed', async () => {
    const app = new App(options)
    const browser = await returning(app, { cart: { items: [1] } })
    await browser.run(app, ({ data }) => {
      const cart = data.cart as { items: number[] }
      expect(() => cart.items.push(2)).toThrow(TypeError)
      expect(() => Object.assign(data, { other: 1 })).toThrow(TypeError)
    })
  })

  it('hands out get() values that cannot be changed, just set or loaded', async () => {
    const { session } = await new Browser().visit(new App(options))
    session.set('list', [{ a: 1 }])
    expect(() => Object.assign((session.get('list') as object[])[0] ?? {}, { a: 2 })).toThrow(TypeError)
  })

  it.each(['user', 'data', 'id', 'flash', 'update', 'save'])('loses nothing in silence that is assigned to `session.%s`', async (key) => {
    const { session } = await new Browser().visit(new App(options))
    expect(() => Object.assign(session, { [key]: { success: 'Saved.' } })).toThrow(TypeError)
  })

  it('finds none of the keys that every object inherits', async () => {
    const { session } = await new Browser().visit(new App(options))
    expect(['toString', 'constructor', '__proto__', 'hasOwnProperty'].flatMap(key => [session.get(key), session.has(key)])).toEqual(Array.from({ length: 4 }, () => [undefined, false]).flat())
  })

  it('still reads after the response was sent', async () => {
    const app = new App(options)
    const visit = await (await returning(app)).visit(app)
    visit.exchange.isSent = true
    expect(visit.session.get('user')).toBe('ada')
  })

  it('cannot reload what was never stored', async () => {
    const { session } = await new Browser().visit(new App(options))
    expect(await codeOf(() => session.reload())).toBe('INVALID_SESSION')
  })

  it('keeps its own changes on top of a reload', async () => {
    const app = new App(options)
    const browser = await returning(app, { a: 1, b: 1 })
    await browser.run(app, async (session) => {
      session.set('a', 2)
      await session.reload()
      expect(session.data).toEqual({ a: 2, b: 1 })
    })
    expect(await browser.read(app)).toEqual({ a: 2, b: 1 })
  })

  it('stays a second, independent session under another cookie name', async () => {
    const app = new App(options)
    const cart = app.redeploy({ ...options, cookie: { name: 'cart' } })
    const browser = await returning(app)
    await browser.run(cart, session => session.set('items', 3))
    expect([await browser.read(app), await browser.read(cart)]).toEqual([{ user: 'ada' }, { items: 3 }])
  })

  it('takes the first cookie of its name that verifies', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const visit = app.manager.open(silentExchange(`session=tossed; other=1; session=${browser.token}; session=`))
    await visit.load()
    expect(visit.handle.get('user')).toBe('ada')
  })

  it('ignores a bad cookie instead of expiring it', async () => {
    const visit = await new Browser([['session', 'rubbish']]).visit(new App(options))
    await visit.end()
    expect([visit.request.exists, visit.setCookies]).toEqual([false, []])
  })

  it('replaces a bad cookie when something is written', async () => {
    const app = new App(options)
    const browser = new Browser([['session', 'rubbish']])
    await browser.run(app, session => session.set('a', 1))
    expect(await browser.read(app)).toEqual({ a: 1 })
  })

  it('stores a visitor whom nothing was written to, where saveUninitialized asks for it', async () => {
    const app = new App({ ...options, saveUninitialized: true })
    const browser = new Browser()
    const id = await browser.run(app, session => session.id)
    app.driver.calls.length = 0
    const again = await browser.run(app, (session, visit) => [session.id, session.isNew, visit.setCookies])
    expect([again, app.driver.count('write')]).toEqual([[id, false, []], 0])
  })

  it('keeps what was set although the handler failed', async () => {
    const app = new App(options)
    const browser = new Browser()
    const visit = await browser.visit(app)
    const handler = async (): Promise<void> => {
      visit.session.set('a', 1)
      throw new Error('handler')
    }
    await handler().catch(() => {})
    await visit.end()
    expect(await browser.read(app)).toEqual({ a: 1 })
  })

  it('waits for an update that nobody awaited', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, (session) => {
      void session.update({ a: 1 })
    })
    expect(await browser.read(app)).toEqual({ a: 1 })
  })

  it('keeps both of two updates that run side by side', async () => {
    const app = new App(options)
    const browser = await returning(app, { n: 0 })
    await browser.run(app, session => Promise.all(Array.from({ length: 10 }, () => session.update(data => ({ n: data.n as number + 1 })))))
    expect(await browser.read(app)).toEqual({ n: 10 })
  })
})

describe('a session in cookie mode', () => {
  it.each([true, false])('is read synchronously without loading (encrypt: %s)', async (encrypt) => {
    const app = new App({ mode: 'cookie', encrypt })
    const browser = await returning(app)
    const request = app.manager.open(silentExchange(browser.cookieHeader))
    request.assertLoaded()
    expect(request.handle.get('user')).toBe('ada')
  })

  it.each([true, false])('never touches a store (encrypt: %s)', async (encrypt) => {
    const app = new App({ mode: 'cookie', encrypt })
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      await session.update({ a: 1 })
      await session.regenerate()
      await session.reload()
      await session.destroy()
    })
    expect(app.driver.calls).toEqual([])
  })
})
