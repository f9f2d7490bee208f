import type { H3Event } from 'h3'
import type { ConnectStore } from '../../src/core/index'
import type { Session, SessionOptions } from '../../src/h3'
import type { ExpressRequest, Guest } from './support/side-by-side'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import { createApp, eventHandler, fromNodeMiddleware, toNodeListener } from 'h3'
import Redis from 'ioredis'
import { createStorage } from 'unstorage'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { destroySession, flash, fromExpressSession, getSession, regenerateSession, sessionMiddleware, signCookie, updateSession, useSession } from '../../src/h3'
import { fromConnectStore } from '../fixtures/moving/express-session/connect-storage'
import { setCookiesOf } from '../support/browser'
import { hasRedis, startRedis } from '../support/redis'
import { SECRET } from './support/app'
import { ControlledDriver } from './support/driver'
import { codeOf } from './support/errors'
import { allOf, callsThere, missingIn, readPage, readReadme, sectionOf } from './support/pages'
import { createSwitch, serve } from './support/server'
import { visitExpress, visitFastify, visitOurs } from './support/side-by-side'

const page = readPage('moving-from-express-session')

describe('the page', () => {
  const readme = readReadme('express-session')
  const calls = callsThere(sectionOf(page, '## Every call').split('\n### @fastify/session\n')[0]!)

  it.each<[what: string, names: string[], least: number]>([
    ['option', allOf(readme, /^##### (\S+)$/gm), 19],
    ['method of a session', allOf(readme, /^#### Session\.(\w+)/gm).map(name => `req.session.${name}`), 5],
    ['property of its cookie', [...allOf(readme, /^#### Cookie\.(\w+)/gm), ...allOf(readme, /`?req\.session\.cookie\.(\w+)/g)].map(name => `req.session.cookie.${name}`), 3],
    ['property of a request', allOf(readme, /^### (req\.\S+)$/gm), 4],
    ['method of a store', allOf(readme, /^### (store\.\w+)/gm), 7],
    ['export', Object.keys(session).map(name => `session.${name}`), 4],
    ['option in the code', allOf(readme, /^ {2}(\w+): /gm), 4],
    ['store', allOf(readme, /^\[!\[★\]\[[^\]]+\] ([^\]]+)\]\[/gm), 60],
  ])('has a line for every %s of express-session', (_, names, least) => {
    expect(names.length).toBeGreaterThanOrEqual(least)
    expect(missingIn(calls, names)).toEqual([])
  })

  it('has a line for everything of @fastify/session', () => {
    const readme = readReadme('@fastify/session')
    const names = [
      ...allOf(readme, /^##### (\w+)/gm),
      ...allOf(readme, /^\* `(\w+)`/gm).map(name => `cookie.${name}`),
      ...allOf(readme, /^#### Session#(\w+)/gm).map(name => `request.session.${name}`),
      ...allOf(readme, /^#### (request\.\w+)/gm),
      ...allOf(readme, /^### (fastify\.\w+)/gm),
      ...allOf(readme, /\b(request\.session\.sessionId)\b/g),
    ]
    expect(names.length).toBeGreaterThanOrEqual(29)
    expect(missingIn(callsThere(sectionOf(page, '### @fastify/session')), names)).toEqual([])
  })
})

/** A visitor of express-session as its documentation advises to use it. */
function visitThere(handler: (req: ExpressRequest) => unknown, options: Partial<session.SessionOptions> = {}): Promise<Guest> {
  return visitExpress(session({ secret: 'keyboard cat', resave: false, saveUninitialized: false, ...options }), handler)
}

/** What a call with a callback ended with. */
function ended(call: (done: (error?: unknown) => void) => unknown): Promise<void> {
  return new Promise((resolve, reject) => call(error => error ? reject(error) : resolve()))
}

describe('what behaves differently', () => {
  describe('`regenerate`', () => {
    it('empties the session there', async () => {
      const visitor = await visitThere(async (req) => {
        if (req.url === '/cart')
          req.session.cart = ['tea']
        else
          await ended(done => req.session.regenerate(done))
        return req.session.cart
      })
      expect([await visitor.json('/cart'), await visitor.json('/login')]).toEqual([['tea'], null])
    })

    it.each([
      ['keeps the data and the messages here', undefined, { cart: ['tea'], theme: 'dark', user: 1 }, 'Added.'],
      ['empties the session here with `keep: false`', { keep: false }, { user: 1 }, undefined],
      ['keeps some keys with `keep`', { keep: ['theme'] }, { theme: 'dark', user: 1 }, 'Added.'],
    ])('%s', async (_, options, data, message) => {
      const visitor = await visitOurs(async (event) => {
        if (event.path === '/cart') {
          flash(event, 'message', 'Added.')
          return updateSession(event, { cart: ['tea'], theme: 'dark' })
        }
        await regenerateSession(event, { user: 1 }, options)
        return [getSession(event), flash(event, 'message') ?? null]
      })
      await visitor.json('/cart')
      expect(await visitor.json('/login')).toEqual([data, message ?? null])
    })
  })

  it('`regenerate` with `keep: false` and no patch leaves no session at all', async () => {
    const here = await visitOurs(async (event) => {
      if (event.path === '/cart')
        return updateSession(event, { cart: ['tea'] })
      await regenerateSession(event, {}, { keep: false })
      return [getSession(event)]
    })
    await here.fetch('/cart')
    expect([await here.json('/'), here.cookies.size]).toEqual([[null], 0])
  })

  describe('data', () => {
    it('changes by assignment there, on every level', async () => {
      const visitor = await visitThere((req) => {
        const cart = (req.session.cart ??= []) as string[]
        cart.push('tea')
        return cart
      })
      expect([await visitor.json('/'), await visitor.json('/')]).toEqual([['tea'], ['tea', 'tea']])
    })

    it('is frozen here, and a copy of it is not', async () => {
      interface Cart { items: string[] }
      const visitor = await visitOurs(async (event) => {
        const session = await useSession<{ cart?: Cart }>(event)
        const cart = session.data.cart ? structuredClone(session.data.cart) as Cart : { items: [] }
        cart.items.push('tea')
        session.set('cart', cart)
        expect(() => (session.data.cart as Cart).items.push('milk')).toThrow(/read-only/)
        expect(() => Object.assign(session.data, { theme: 'dark' })).toThrow(/read-only/)
        expect(() => Object.assign(session, { theme: 'dark' })).toThrow(/cannot be assigned/)
        return session.data.cart
      })
      expect([await visitor.json('/'), await visitor.json('/')]).toEqual([{ items: ['tea'] }, { items: ['tea', 'tea'] }])
    })

    const values: [what: string, value: unknown, stored: unknown][] = [
      ['a Date', new Date(0), '1970-01-01T00:00:00.000Z'],
      ['a Map', new Map([['a', 1]]), {}],
      ['NaN', Number.NaN, null],
      ['a function', () => {}, undefined],
    ]
    it.each(values)('%s is stored as something else there, and throws INVALID_VALUE here', async (_, value, stored) => {
      const there = await visitThere((req) => {
        if (req.url === '/set')
          req.session.value = value
        return [req.session.value]
      })
      await there.fetch('/set')
      expect(await there.json('/')).toEqual([stored ?? null])
      const here = await visitOurs(async event => codeOf(async () => updateSession(event, { value })))
      expect(await (await here.fetch('/')).text()).toBe('INVALID_VALUE')
    })

    it('has no reserved keys here', async () => {
      const there = await visitThere(req => Reflect.set(req.session, 'id', 1))
      expect(await there.json('/')).toBe(false)
      const here = await visitOurs(event => updateSession(event, { id: 1, cookie: 'chocolate', touch: 'screen' }))
      await here.json('/')
      expect(await here.json('/')).toEqual({ id: 1, cookie: 'chocolate', touch: 'screen' })
    })
  })

  describe('a new visitor', () => {
    it('has a session object there, and by default a cookie and a record', async () => {
      const store = new session.MemoryStore()
      const visitor = await visitExpress(session({ secret: 'keyboard cat', store, resave: true, saveUninitialized: true }), req => typeof req.session)
      expect(await visitor.json('/')).toBe('object')
      expect([visitor.cookies.size, Object.keys((store as unknown as { sessions: object }).sessions).length]).toEqual([1, 1])
    })

    it.each([
      ['has neither here', {}, 0, [null, {}]],
      ['has both with `saveUninitialized`', { saveUninitialized: true }, 1, [{}, {}]],
      ['has first data with `generate`', { generate: () => ({ theme: 'light' }) }, 1, [{ theme: 'light' }, { theme: 'light' }]],
    ] satisfies [string, Partial<SessionOptions>, number, unknown[]][])('%s', async (_, options, count, seen) => {
      const store = createStorage()
      const visitor = await visitOurs(async (event) => {
        const before = getSession(event)
        return [before, (await useSession(event)).data]
      }, { ...options, store })
      expect(await visitor.json('/')).toEqual(seen)
      expect([visitor.cookies.size, (await store.getKeys()).length]).toEqual([count, count])
    })
  })

  it('an emptied session stays there, and is removed here with its cookie', async () => {
    const [old, ours] = [new session.MemoryStore(), createStorage()]
    const there = await visitThere((req) => {
      req.session.user = 1
      if (req.url === '/empty')
        delete req.session.user
    }, { store: old })
    const here = await visitOurs(event => updateSession(event, { user: event.path === '/empty' ? undefined : 1 }), { store: ours })
    for (const visitor of [there, here]) {
      await visitor.fetch('/')
      await visitor.fetch('/empty')
    }
    expect([there.cookies.size, Object.keys(Reflect.get(old, 'sessions')).length]).toEqual([1, 1])
    expect([here.cookies.size, await ours.getKeys()]).toEqual([0, []])
  })

  describe('the lifetime', () => {
    const lineOf = async (visitor: { fetch(path: string): Promise<Response> }, name: string): Promise<string | undefined> => setCookiesOf(await visitor.fetch('/'), name)[0]

    it('is that of the browser there unless `cookie.maxAge` is set, and 7 days here', async () => {
      const count = (req: ExpressRequest): unknown => req.session.visits = Number(req.session.visits ?? 0) + 1
      expect(await lineOf(await visitThere(count), 'connect.sid')).not.toMatch(/expires|max-age/i)
      expect(await lineOf(await visitThere(count, { cookie: { maxAge: 60_000 } }), 'connect.sid')).toMatch(/Expires=/)
      const here = await visitOurs(event => updateSession(event, { visits: 1 }))
      expect(await lineOf(here, 'session')).toMatch(/Max-Age=604800;/)
    })

    it('begins anew with every change there, and here goes on from creation', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2030, 0, 1) })
      onTestFinished(() => void vi.useRealTimers())
      const count = (visits: unknown): number => Number(visits ?? 0) + 1
      const there = await visitThere(req => req.session.visits = count(req.session.visits), { cookie: { maxAge: 60_000 } })
      const here = await visitOurs(event => updateSession(event, ({ visits }) => ({ visits: count(visits) })), { maxAge: 60 })
      const idle = await visitOurs(event => updateSession(event, ({ visits }) => ({ visits: count(visits) })), { idleTimeout: 60 })
      const seen = []
      for (let visit = 0; visit < 3; visit++) {
        seen.push([await there.json('/'), await here.json<{ visits: number }>('/'), await idle.json<{ visits: number }>('/')])
        vi.setSystemTime(Date.now() + 40_000)
      }
      expect(seen).toEqual([1, 2, 3].map(visit => [visit, { visits: visit < 3 ? visit : 1 }, { visits: visit }]))
    })

    it('in milliseconds would be cut to 400 days here', async () => {
      const here = await visitOurs(event => updateSession(event, { visits: 1 }), { maxAge: 7 * 24 * 60 * 60 * 1000 })
      expect(await lineOf(here, 'session')).toContain(`Max-Age=${400 * 24 * 60 * 60};`)
    })

    it('of one visitor is that of the browser with `persistent: false`', async () => {
      const here = await visitOurs(async (event) => {
        const session = await useSession(event)
        session.setLifetime({ persistent: false })
        session.set('user', 1)
      })
      expect(await lineOf(here, 'session')).not.toMatch(/expires|max-age/i)
    })

    it('is not sent again with every response here, as `rolling` does, but once in half an idle time', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2030, 0, 1) })
      onTestFinished(() => void vi.useRealTimers())
      const read = (req: ExpressRequest): unknown => req.session.user ??= 1
      const there = await visitThere(read, { rolling: true, cookie: { maxAge: 60_000 } })
      const here = await visitOurs(async event => (await useSession(event)).get('user') ?? updateSession(event, { user: 1 }), { idleTimeout: 60 })
      const lines = []
      for (let visit = 0; visit < 5; visit++) {
        lines.push([await lineOf(there, 'connect.sid') !== undefined, await lineOf(here, 'session') !== undefined])
        vi.setSystemTime(Date.now() + 20_000)
      }
      expect(lines).toEqual([[true, true], [true, false], [true, true], [true, false], [true, true]])
    })
  })

  describe('of two requests at the same time', () => {
    /** Both have read the session before either changes it. */
    const meeting = (): () => Promise<void> => {
      const both = createSwitch()
      let count = 0
      return () => {
        if (++count === 2)
          both.resolve()
        return both.promise
      }
    }

    it('one loses its change there, and none does here', async () => {
      const meet = meeting()
      const there = await visitThere(async (req) => {
        if (req.url !== '/' && req.url !== '/login') {
          await meet()
          req.session[req.url.slice(1)] = true
        }
        if (req.url === '/login')
          req.session.user = 1
        return [req.session.a ?? null, req.session.b ?? null]
      })
      await there.fetch('/login')
      await Promise.all([there.fetch('/a'), there.fetch('/b')])
      expect(await there.json<unknown[]>('/')).toContain(null)

      const meetHere = meeting()
      const here = await visitOurs(async (event) => {
        const session = await useSession(event)
        if (event.path === '/login')
          session.set('user', 1)
        else if (event.path !== '/') {
          await meetHere()
          session.set(event.path.slice(1), true)
        }
        return [session.get('a') ?? null, session.get('b') ?? null]
      })
      await here.fetch('/login')
      await Promise.all([here.fetch('/a'), here.fetch('/b')])
      expect(await here.json('/')).toEqual([true, true])
    })

    it('the slower brings a session back that the other ended there, and throws EXPIRED_SESSION here', async () => {
      const [arrived, left] = [createSwitch(), createSwitch()]
      const there = await visitThere(async (req) => {
        if (req.url === '/login')
          req.session.user = 1
        if (req.url === '/slow') {
          arrived.resolve()
          await left.promise
          req.session.page = 2
        }
        if (req.url === '/logout')
          await ended(done => req.session.destroy(done))
        return req.session?.user
      })
      await there.fetch('/login')
      const copy = there.twin()
      const slow = there.fetch('/slow')
      await arrived.promise
      await copy.fetch('/logout')
      left.resolve()
      await slow
      expect(await copy.json('/')).toBe(1)

      const [arrivedHere, leftHere] = [createSwitch(), createSwitch()]
      const here = await visitOurs(async (event) => {
        const session = await useSession(event)
        if (event.path === '/login')
          session.set('user', 1)
        if (event.path === '/slow') {
          arrivedHere.resolve()
          await leftHere.promise
          return codeOf(() => session.update({ page: 2 }))
        }
        if (event.path === '/logout')
          await session.destroy()
        return getSession(event)
      })
      await here.fetch('/login')
      const copyHere = here.twin()
      const slowHere = here.fetch('/slow')
      await arrivedHere.promise
      await here.twin().fetch('/logout')
      leftHere.resolve()
      expect(await (await slowHere).text()).toBe('EXPIRED_SESSION')
      expect((await copyHere.fetch('/')).status).toBe(204)
    })
  })

  describe('`destroy`', () => {
    it('leaves the cookie with the browser there, and takes `req.session` away', async () => {
      const there = await visitThere(async (req) => {
        req.session.user = 1
        if (req.url === '/logout')
          await ended(done => req.session.destroy(done))
        return typeof req.session
      })
      await there.fetch('/')
      expect([await there.json('/logout'), there.cookies.size]).toEqual(['undefined', 1])
    })

    it('removes the cookie here, and a later change begins another session', async () => {
      const here = await visitOurs(async (event) => {
        const session = await useSession(event)
        session.set('user', 1)
        if (event.path !== '/')
          await session.destroy()
        if (event.path === '/again')
          session.set('user', 2)
        return session.get('user') ?? 0
      })
      await here.fetch('/')
      expect([await here.json('/logout'), here.cookies.size]).toEqual([0, 0])
      expect([await here.json('/again'), here.cookies.size]).toEqual([2, 1])
    })

    it('is safe without a session here', async () => {
      const here = await visitOurs(async (event) => {
        await destroySession(event)
        return 'ok'
      })
      expect((await here.fetch('/')).status).toBe(200)
    })
  })

  describe('a callback', () => {
    it.each<[method: string, call: (session: Session, done: () => void) => unknown]>([
      ['destroy', (session, done) => Reflect.apply(session.destroy, undefined, [done])],
      ['save', (session, done) => Reflect.apply(session.save, undefined, [done])],
      ['reload', (session, done) => Reflect.apply(session.reload, undefined, [done])],
      ['regenerate', (session, done) => Reflect.apply(session.regenerate, undefined, [done])],
      ['regenerate with a patch', (session, done) => Reflect.apply(session.regenerate, undefined, [{ user: 2 }, done])],
    ])('of `%s` is refused here, not left waiting', async (_, call) => {
      const here = await visitOurs(async (event) => {
        const session = await useSession(event)
        session.set('user', 1)
        return codeOf(() => call(session, () => {}))
      })
      expect(await (await here.fetch('/')).text()).toBe('INVALID_VALUE')
    })

    it('of `destroySession` or `regenerateSession` is refused as well', async () => {
      const here = await visitOurs(async event => [
        await codeOf(() => Reflect.apply(destroySession, undefined, [event, () => {}])),
        await codeOf(() => Reflect.apply(regenerateSession, undefined, [event, () => {}])),
        await codeOf(() => Reflect.apply(regenerateSession, undefined, [event, {}, () => {}])),
      ])
      expect(await here.json('/')).toEqual(['INVALID_VALUE', 'INVALID_VALUE', 'INVALID_VALUE'])
    })

    it('is not what a `then` hands on', async () => {
      const here = await visitOurs(async (event) => {
        const session = await useSession(event)
        session.set('user', 1)
        await Promise.resolve('done').then(session.save)
        return session.isNew
      })
      expect(await here.json('/')).toBe(false)
    })
  })

  describe('a write that fails', () => {
    it('is a success there, and a 503 without a cookie here', async () => {
      const store = new session.MemoryStore()
      store.set = (_id, _session, done) => done?.(new Error('the disk is full'))
      vi.spyOn(console, 'error').mockImplementation(() => {})
      onTestFinished(() => void vi.restoreAllMocks())
      const there = await visitThere(req => req.session.user = 1, { store })
      const lost = await there.fetch('/')
      expect([lost.status, there.cookies.size]).toEqual([200, 1])

      const driver = new ControlledDriver()
      driver.fail('write')
      const here = await visitOurs(async (event) => {
        (await useSession(event)).set('user', 1)
        return 'ok'
      }, { store: createStorage({ driver: driver.driver }) })
      expect([(await here.fetch('/')).status, here.cookies.size]).toEqual([503, 0])
    })
  })

  it('a removal that fails is a 503 here', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => void vi.restoreAllMocks())
    const driver = new ControlledDriver()
    const here = await visitOurs(async event => event.path === '/' ? updateSession(event, { user: 1 }) : destroySession(event), { store: createStorage({ driver: driver.driver }) })
    await here.fetch('/')
    driver.fail('remove')
    expect((await here.fetch('/logout')).status).toBe(503)
  })

  describe('a store that is away', () => {
    it('is an error for all routes there, and here for those that use the session', async () => {
      const store = new session.MemoryStore()
      const there = await visitThere(req => req.session.user = 1, { store })
      await there.fetch('/')
      store.get = (_id, done) => done(new Error('no connection'))
      expect((await there.fetch('/health')).status).toBe(500)

      vi.spyOn(console, 'error').mockImplementation(() => {})
      onTestFinished(() => void vi.restoreAllMocks())
      const driver = new ControlledDriver()
      const here = await visitOurs(async event => event.path === '/health' ? 'ok' : updateSession(event, { user: 1 }), { store: createStorage({ driver: driver.driver }) })
      await here.fetch('/')
      driver.fail('read')
      expect([(await here.fetch('/health')).status, (await here.fetch('/')).status]).toEqual([200, 503])
    })

    it('that said `disconnect` leaves requests without `req.session` there', async () => {
      const store = new session.MemoryStore()
      const there = await visitThere(req => typeof req.session, { store })
      store.emit('disconnect')
      expect(await there.json('/')).toBe('undefined')
    })
  })

  describe('a path outside of `cookie.path`', () => {
    it('has no `req.session` there, and here a session that the browser keeps for its path', async () => {
      const there = await visitThere(req => typeof req.session, { cookie: { path: '/admin' } })
      expect([await there.json('/'), await there.json('/admin')]).toEqual(['undefined', 'object'])
      const here = await visitOurs(async (event) => {
        const before = getSession(event)
        await updateSession(event, { user: 1 })
        return [before]
      }, { cookie: { path: '/admin' } })
      const response = await here.fetch('/')
      expect([await response.json(), setCookiesOf(response, 'session')[0]]).toEqual([[null], expect.stringContaining('Path=/admin')])
    })
  })

  describe('the cookie', () => {
    it('is named `connect.sid` there and carries no SameSite, and here `__Host-session`, Secure and Lax', async () => {
      vi.stubEnv('NODE_ENV', 'production')
      onTestFinished(() => void vi.unstubAllEnvs())
      const there = await visitThere(req => req.session.user = 1)
      expect((await there.fetch('/')).headers.getSetCookie()).toEqual([expect.stringMatching(/^connect\.sid=s%3A[^;]+; Path=\/; HttpOnly$/)])
      const here = await visitOurs(event => updateSession(event, { user: 1 }))
      expect((await here.fetch('/')).headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-session=[^;%]+; Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Lax$/)])
    })

    it('is not sent over plain HTTP there when it is secure, and here the browser decides', async () => {
      const there = await visitThere(req => req.session.user = 1, { cookie: { secure: true } })
      const here = await visitOurs(event => updateSession(event, { user: 1 }), { cookie: { secure: true } })
      expect([(await there.fetch('/')).headers.getSetCookie().length, (await here.fetch('/')).headers.getSetCookie().length]).toEqual([0, 1])
    })
  })

  it('middleware under a path is for that path alone', async () => {
    const app = createApp()
    app.use('/admin', sessionMiddleware({ secret: SECRET, store: createStorage(), cookie: { path: '/admin' } }))
    app.use(eventHandler(event => codeOf(() => updateSession(event, { user: 1 })).catch(() => 'stored')))
    const { fetch, port } = await serve(toNodeListener(app))
    expect((await fetch()).text).toBe('INVALID_SESSION')
    expect(await (await globalThis.fetch(`http://127.0.0.1:${port}/admin`)).text()).toBe('stored')
  })

  it('one session can be told `secure` by the request', async () => {
    const options = { secret: SECRET, store: createStorage(), cookie: { name: 'session' } }
    const here = await visitOurs(async (event) => {
      const isHttps = event.path === '/https'
      const session = await useSession<{ visits: number }>(event, { ...options, cookie: { ...options.cookie, secure: isHttps } })
      return { visits: (await session.update(({ visits = 0 }) => ({ visits: visits + 1 }))).visits }
    }, { cookie: { name: 'unused' } })
    const [plain, secure] = [await here.fetch('/http'), await here.fetch('/https')]
    expect([await plain.json(), await secure.json()]).toEqual([{ visits: 1 }, { visits: 2 }])
    expect([setCookiesOf(plain, 'session')[0]!.includes('Secure'), setCookiesOf(secure, 'session')[0]!.includes('Secure')]).toEqual([false, true])
  })

  it('`reload` drops what was not saved there, and keeps it here', async () => {
    const there = await visitThere(async (req) => {
      if (req.url === '/login')
        return req.session.user = 1
      req.session.page = 2
      await ended(done => req.session.reload(done))
      return [req.session.user, req.session.page ?? null]
    })
    const here = await visitOurs(async (event) => {
      const session = await useSession(event)
      if (event.path === '/login')
        return session.set('user', 1)
      session.set('page', 2)
      await session.reload()
      return [session.get('user'), session.get('page') ?? null]
    })
    await Promise.all([there.fetch('/login'), here.fetch('/login')])
    expect([await there.json('/'), await here.json('/')]).toEqual([[1, null], [1, 2]])
  })

  it('`reload` of a session that has ended is an error there, and EXPIRED_SESSION here; INVALID_SESSION before it was stored', async () => {
    const store = new session.MemoryStore()
    const there = await visitThere(async (req) => {
      if (req.url === '/login')
        return req.session.user = 1
      await ended(done => store.destroy(req.sessionID, done))
      await ended(done => req.session.reload(done))
    }, { store })
    await there.fetch('/login')
    expect(await there.json('/')).toEqual({ message: 'Error: failed to load session' })
    const records = createStorage()
    const here = await visitOurs(async (event) => {
      const session = await useSession(event)
      if (event.path === '/login') {
        session.set('user', 1)
        return codeOf(() => session.reload())
      }
      await records.clear()
      return codeOf(() => session.reload())
    }, { store: records })
    expect([await (await here.fetch('/login')).text(), await (await here.fetch('/')).text()]).toEqual(['INVALID_SESSION', 'EXPIRED_SESSION'])
  })

  it('a record that cannot be read is a 500 there, and a visitor without a session here', async () => {
    const store = new session.MemoryStore()
    const there = await visitThere(req => req.session.user ??= 1, { store })
    await there.fetch('/')
    const records: Record<string, string> = Reflect.get(store, 'sessions')
    records[Object.keys(records)[0]!] = '{"user":1}'
    expect((await there.fetch('/')).status).toBe(500)
    const ours = createStorage()
    const here = await visitOurs(async event => event.path === '/login' ? updateSession(event, { user: 1 }) : [getSession(event)], { store: ours })
    await here.fetch('/login')
    await ours.setItem((await ours.getKeys())[0]!, { user: 1 })
    expect(await here.json('/')).toEqual([null])
  })

  it('the cookie comes after those of the response there, and before them here', async () => {
    const namesOf = async (visitor: Guest): Promise<string[]> => (await visitor.fetch('/')).headers.getSetCookie().map(line => line.split('=')[0]!)
    const there = await visitThere((req) => {
      req.session.user = 1
      req.res!.appendHeader('set-cookie', 'theme=dark')
    })
    const here = await visitOurs(async (event) => {
      await updateSession(event, { user: 1 })
      event.node.res.appendHeader('set-cookie', 'theme=dark')
    })
    expect([await namesOf(there), await namesOf(here)]).toEqual([['theme', 'connect.sid'], ['session', 'theme']])
  })

  it('a response in Express behind the middleware waits for the write, and a failed one is a 503', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => void vi.restoreAllMocks())
    const driver = new ControlledDriver()
    const routes = express()
    routes.get('/', async (req, res) => {
      (await useSession(Reflect.get(req, 'event') as H3Event)).set('user', 1)
      res.redirect('/account')
    })
    const app = createApp()
    app.use(sessionMiddleware({ secret: SECRET, store: createStorage({ driver: driver.driver }) }))
    app.use(eventHandler((event) => {
      Reflect.set(event.node.req, 'event', event)
    }))
    app.use(fromNodeMiddleware(routes))
    const { fetch } = await serve(toNodeListener(app))
    const stored = await fetch()
    expect([stored.status, stored.setCookies.length, driver.count('write')]).toEqual([302, 1, 1])
    driver.fail('write')
    const failed = await fetch()
    expect([failed.status, failed.setCookies]).toEqual([503, []])
  })

  it('the lifetime of one session can begin now', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2030, 0, 1) })
    onTestFinished(() => void vi.useRealTimers())
    const here = await visitOurs(async (event) => {
      const session = await useSession(event)
      if (event.path === '/hour')
        session.setLifetime({ maxAge: Math.round((Date.now() - session.createdAt.getTime()) / 1000) + 3600 })
      session.set('path', event.path)
      return session.expiresAt.getTime() - Date.now()
    }, { maxAge: 7200 })
    await here.fetch('/')
    vi.setSystemTime(Date.now() + 7_000_000)
    expect([await here.json('/'), await here.json('/hour')]).toEqual([200_000, 3_600_000])
  })

  it('the cookie can go on under the name `connect.sid`', async () => {
    const store = new session.MemoryStore()
    const there = await visitThere(req => req.session.user = 1, { store })
    await there.fetch('/')
    const options = { cookie: { name: 'connect.sid' }, migrate: fromExpressSession({ secret: 'keyboard cat', store: store as unknown as ConnectStore }) }
    const here = await visitOurs(event => getSession(event), options)
    for (const [name, value] of there.cookies)
      here.cookies.set(name, value)
    expect([await here.json('/'), await here.json('/'), here.cookies.size]).toEqual([{ user: 1 }, { user: 1 }, 1])
  })

  it('`signCookie` makes the values of express-session', async () => {
    const there = await visitThere(req => req.session.user = req.sessionID)
    const id = await there.json<string>('/')
    expect(decodeURIComponent(there.cookies.get('connect.sid')!)).toBe(signCookie(id, 'keyboard cat'))
  })

  it.each([
    ['secret', { secret: 'keyboard cat' }],
    ['resave', { resave: false }],
    ['rolling', { rolling: true }],
    ['proxy', { proxy: true }],
    ['unset', { unset: 'destroy' }],
    ['genid', { genid: () => 'x' }],
    ['cookie.maxAge', { cookie: { maxAge: 1000 } }],
    ['cookie.expires', { cookie: { expires: new Date() } }],
    ['cookie.sameSite', { cookie: { sameSite: 'auto' } }],
  ])('the option `%s` of express-session is refused with what to write', (path, options) => {
    const error = (() => {
      try {
        sessionMiddleware({ secret: SECRET, store: createStorage(), ...options } as SessionOptions)
        return undefined
      }
      catch (error) {
        return error
      }
    })()
    expect(error).toMatchObject({ code: 'CONFIG_ERROR', details: { issues: [{ path, remedy: expect.stringMatching(/./) }] } })
  })
})

describe('what @fastify/session does', () => {
  it('stores a session for every visitor, under the cookie `sessionId`, and not over plain HTTP unless told so', async () => {
    const visitors = [await visitFastify(() => 'ok'), await visitFastify(() => 'ok', { saveUninitialized: false }), await visitFastify(() => 'ok', { cookie: { secure: true } })]
    for (const visitor of visitors)
      await visitor.fetch('/')
    expect(visitors.map(({ cookies }) => [...cookies.keys()])).toEqual([['sessionId'], [], []])
  })

  it('keeps the fields that `regenerate` names, as `keep` does here', async () => {
    const there = await visitFastify(async (req) => {
      Object.assign(req.session!, { cart: ['tea'], theme: 'dark' })
      await req.session!.regenerate(req.url === '/cart' ? ['cart'] : undefined)
      return [req.session!.cart ?? null, req.session!.theme ?? null]
    })
    expect([await there.json('/cart'), await there.json('/')]).toEqual([[['tea'], null], [null, null]])
  })

  it('has a session of null after `destroy`, and one that is not stored outside of `cookie.path`', async () => {
    const there = await visitFastify(async (req) => {
      if (req.url === '/admin')
        await req.session!.destroy()
      else
        req.session!.user = 1
      return [req.session]
    }, { cookie: { path: '/admin' } })
    expect([await there.json('/admin'), await there.json('/')]).toEqual([[null], [{ user: 1 }]])
    expect(there.cookies.size).toBe(0)
  })

  it('stores the session with every request, and so undoes what another changed meanwhile', async () => {
    const [arrived, left] = [createSwitch(), createSwitch()]
    const wait = async (url: string): Promise<void> => {
      if (url !== '/read')
        return
      arrived.resolve()
      await left.promise
    }
    const there = await visitFastify(async (req) => {
      if (req.url !== '/' && req.url !== '/read')
        req.session!.page = req.url
      await wait(req.url)
      return req.session!.page
    })
    await there.fetch('/first')
    const read = there.fetch('/read')
    await arrived.promise
    await there.fetch('/second')
    left.resolve()
    await read
    expect(await there.json('/')).toBe('/first')
  })
})

describe('visitors of @fastify/session', () => {
  it('come in by the name of their cookie, and are gone there', async () => {
    const store = new session.MemoryStore()
    const there = await visitFastify(req => (req.session!.user ??= 'ada'), { store })
    await there.fetch('/')
    const here = await visitOurs(event => getSession(event) ?? {}, { migrate: fromExpressSession({ secret: SECRET, store: store as unknown as ConnectStore, cookie: { name: 'sessionId' } }) })
    for (const [name, value] of there.cookies)
      here.cookies.set(name, value)
    expect([await here.json('/'), await here.json('/'), [...here.cookies.keys()]]).toEqual([{ user: 'ada' }, { user: 'ada' }, ['session']])
    expect(Object.keys(Reflect.get(store, 'sessions'))).toEqual([])
  })
})

describe('a store of express-session', () => {
  it.each<[name: string, open: () => Promise<session.Store>]>([
    ['MemoryStore', async () => new session.MemoryStore()],
    ...(hasRedis() ? [['connect-redis', openRedisStore] as [string, typeof openRedisStore]] : []),
  ])('goes on being used: %s', async (_, open) => {
    const store = await open()
    const here = await visitOurs(async (event) => {
      if (event.path === '/logout')
        return destroySession(event)
      return updateSession<{ visits: number }>(event, ({ visits = 0 }) => ({ visits: visits + 1 }))
    }, { store: fromConnectStore(store) })
    expect([await here.json('/'), await here.json('/')]).toEqual([{ visits: 1 }, { visits: 2 }])
    const stranger = here.twin()
    await here.fetch('/logout')
    expect(await stranger.json('/')).toEqual({ visits: 1 })
  })

  it('that fails is a 503', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => void vi.restoreAllMocks())
    const store = new session.MemoryStore()
    store.set = (_id, _session, done) => done?.(new Error('the disk is full'))
    const here = await visitOurs(event => updateSession(event, { user: 1 }), { store: fromConnectStore(store) })
    expect((await here.fetch('/')).status).toBe(503)
  })

  async function openRedisStore(): Promise<session.Store> {
    const redis = await startRedis()
    const client = new Redis(redis.url)
    onTestFinished(async () => {
      client.disconnect()
      await redis.stop()
    })
    return new RedisStore({ client })
  }
})

describe('the storage', () => {
  it('tells how many sessions there are, and `clear` logs everybody out', async () => {
    const store = createStorage()
    const here = await visitOurs(async (event) => {
      if (event.path === '/login')
        await updateSession(event, { user: 1 })
      return getSession(event) ?? {}
    }, { store })
    await here.fetch('/login')
    expect(await store.getKeys()).toEqual([expect.stringMatching(/^[\da-f]{64}$/)])
    expect(await here.json('/')).toEqual({ user: 1 })
    await store.clear()
    expect(await here.json('/')).toEqual({})
  })
})
