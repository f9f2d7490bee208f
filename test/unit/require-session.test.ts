import type { RequestSession } from '../../src/core/session/request-session'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import * as h3 from '../../src/h3'
import { EventSessions } from '../../src/http/event-sessions'
import { setSessions } from '../../src/http/find-sessions'
import * as server from '../../src/runtime/server/index'
import { App, Browser, MODES, returning, SECRET } from './support/app'
import { caught } from './support/errors'
import { FakeExchange } from './support/exchange'
import { HeldStore } from './support/held-store'
import { HOSTS } from './support/h3-hosts'

/** As code without types calls it. */
type Require = (...args: unknown[]) => Promise<Record<string, unknown>>

interface Request {
  event: { context: object }
  exchange: FakeExchange
  sessions: EventSessions
  session(): RequestSession
}

/** A request whose session is not loaded yet, as where autoload is off. */
function requestOf(app: App, browser = new Browser(), isCached = false): Request {
  const exchange = new FakeExchange(browser.cookieHeader)
  const event = { context: {}, node: { req: { headers: {} }, res: {} } }
  const sessions = new EventSessions({ owner: event, cookieHeader: () => browser.cookieHeader, isCached: () => isCached, createExchange: () => exchange, manager: () => app.manager })
  setSessions(event, sessions)
  return { event, exchange, sessions, session: () => sessions.open(event) }
}

/** A request of somebody who was here before. */
async function visitorWith(data: Record<string, unknown>, app = new App()): Promise<Request> {
  return requestOf(app, await returning(app, data))
}

/** What a guard says. */
async function outcomeOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return await call()
  }
  catch (error) {
    return (error as { code?: string }).code ?? error
  }
}

const ENTRIES = [
  { name: 'unsession/server', requireSession: server.requireSession as Require },
  { name: 'unsession/h3', requireSession: h3.requireSession as Require },
]

describe.each(ENTRIES)('requireSession of $name', ({ requireSession }) => {
  describe.each(MODES)('in $mode', ({ options }) => {
    it('gives the data of a session that has the key', async () => {
      const { event } = await visitorWith({ userId: 1, role: 'admin' }, new App(options))
      expect(await requireSession(event, 'userId')).toEqual({ userId: 1, role: 'admin' })
    })

    it('refuses whoever lacks it', async () => {
      const app = new App(options)
      expect(await outcomeOf(() => requireSession(requestOf(app).event, 'userId'))).toBe('INVALID_SESSION')
      const { event } = await visitorWith({ theme: 'dark' }, app)
      expect(await outcomeOf(() => requireSession(event, 'userId'))).toBe('INVALID_SESSION')
    })

    it('asks a function, which is 401 without a session and 403 when it says no', async () => {
      const app = new App(options)
      const isAdmin = vi.fn<(data: { role: string }) => boolean>(({ role }) => role === 'admin')
      expect(await outcomeOf(() => requireSession(requestOf(app).event, isAdmin))).toBe('INVALID_SESSION')
      expect(isAdmin).not.toHaveBeenCalled()
      const user = await visitorWith({ role: 'user' }, app)
      expect(await outcomeOf(() => requireSession(user.event, isAdmin))).toBe('FORBIDDEN')
      const admin = await visitorWith({ role: 'admin' }, app)
      expect(await requireSession(admin.event, isAdmin)).toEqual({ role: 'admin' })
    })

    it('asks for any session without more', async () => {
      const app = new App(options)
      expect(await outcomeOf(() => requireSession(requestOf(app).event))).toBe('INVALID_SESSION')
      const { event } = await visitorWith({ theme: 'dark' }, app)
      expect(await requireSession(event)).toEqual({ theme: 'dark' })
    })

    it('takes a forged cookie for no session', async () => {
      const app = new App(options)
      const browser = await returning(app, { userId: 1 })
      browser.jar.set('session', browser.token.replace(/.$/, last => last === 'A' ? 'B' : 'A'))
      expect(await outcomeOf(() => requireSession(requestOf(app, browser).event, 'userId'))).toBe('INVALID_SESSION')
      expect(app.driver.calls).toEqual([])
    })

    it('finds a session that has expired no more', async () => {
      const app = new App({ ...options, maxAge: 60 })
      const browser = await returning(app, { userId: 1 })
      app.wait(61)
      expect(await outcomeOf(() => requireSession(requestOf(app, browser).event, 'userId'))).toBe('INVALID_SESSION')
    })

    it('creates no session, sends no cookie and stores nothing, whatever it says', async () => {
      const app = new App(options)
      const stranger = requestOf(app)
      const user = await visitorWith({ userId: 1 }, app)
      const before = await app.records()
      for (const { event, exchange, sessions } of [stranger, user]) {
        for (const required of [[], ['userId'], ['role'], [() => true], [() => false]])
          await outcomeOf(() => requireSession(event, ...required))
        await sessions.flush()
        expect([...exchange.cookies.values()].flat()).toEqual([])
      }
      expect(await app.records()).toEqual(before)
    })

    it('goes by what the request itself has changed', async () => {
      const app = new App(options)
      const { event } = requestOf(app)
      await server.updateSession(event, { userId: 1 })
      expect(await requireSession(event, 'userId')).toEqual({ userId: 1 })
      await server.updateSession(event, { userId: undefined, theme: 'dark' })
      expect(await outcomeOf(() => requireSession(event, 'userId'))).toBe('INVALID_SESSION')
      await server.destroySession(event)
      expect(await outcomeOf(() => requireSession(event))).toBe('INVALID_SESSION')
    })

    it('takes a session that was only looked at for none', async () => {
      const { event, session } = requestOf(new App(options))
      await server.useSession(event)
      expect(session().handle.isNew).toBe(true)
      expect(await outcomeOf(() => requireSession(event))).toBe('INVALID_SESSION')
    })

    it('gives frozen data, as getSession does', async () => {
      const { event } = await visitorWith({ user: { name: 'Ada' } }, new App(options))
      const data = await requireSession(event, 'user') as { user: { name: string } }
      expect(data).toBe(server.getSession(event))
      expect(() => void (data.user.name = 'Eve')).toThrow(TypeError)
    })
  })

  it.each([0, '', false, [], {}, Number.MIN_VALUE])('a key with the value %j is there', async (value) => {
    const { event } = await visitorWith({ key: value })
    expect(await requireSession(event, 'key')).toEqual({ key: value })
  })

  it('a key with the value null is missing', async () => {
    const { event } = await visitorWith({ userId: null })
    expect(await outcomeOf(() => requireSession(event, 'userId'))).toBe('INVALID_SESSION')
  })

  it.each(['toString', 'constructor', 'hasOwnProperty', '__proto__', 'valueOf', ''])('no session has the key %j by itself', async (key) => {
    const { event } = await visitorWith({ userId: 1 })
    expect(await outcomeOf(() => requireSession(event, key))).toBe('INVALID_SESSION')
  })

  it('such a key can be set all the same', async () => {
    const { event } = await visitorWith(JSON.parse('{ "toString": 1, "__proto__": 2 }') as object as Record<string, unknown>)
    expect(Object.keys(await requireSession(event, 'toString'))).toContain('toString')
    expect(Object.keys(await requireSession(event, '__proto__'))).toContain('__proto__')
  })

  describe('a function', () => {
    it.each<[what: string, allows: () => unknown]>([
      ['false', () => false], ['undefined', () => undefined], ['null', () => null], ['0', () => 0], ['an empty text', () => ''],
      ['a promise of false', async () => false], ['a promise of nothing', async () => {}],
      // eslint-disable-next-line unicorn/no-thenable
      ['a promise of another library', () => ({ then: (resolve: (value: boolean) => void) => resolve(false) })],
    ])('that says %s says no', async (_, allows) => {
      const { event } = await visitorWith({ userId: 1 })
      expect(await outcomeOf(() => requireSession(event, allows))).toBe('FORBIDDEN')
    })

    it.each<[what: string, allows: () => unknown]>([
      ['true', () => true], ['a promise of true', async () => true],
    ])('that says %s says yes', async (_, allows) => {
      const { event } = await visitorWith({ userId: 1 })
      expect(await requireSession(event, allows)).toEqual({ userId: 1 })
    })

    it.each<[what: string, got: string, allows: unknown]>([
      ['an empty list, as `filter` makes', 'an array', () => []],
      ['-1, as `indexOf` does', 'a number', () => -1],
      ['a text', 'a string', () => 'no'],
      ['an object', 'an object', async () => ({ allowed: false })],
      ['a response', 'an instance of a class', () => new Response('no')],
      ['another function', 'a function', () => () => false],
      ['the steps of a generator', 'an instance of a class', function* () { yield false }],
      ['a symbol', 'a symbol', () => Symbol('no')],
    ])('that says %s lets nobody in', async (_, got, allows) => {
      const { event } = await visitorWith({ secret: 'hush' })
      const error = await caught(() => requireSession(event, allows))
      expect([error.code, error.message]).toEqual(['INVALID_VALUE', expect.stringContaining(`says true or false, and got ${got}. Write`)])
    })

    it('that throws lets nobody in, and its error is the one that is heard of', async () => {
      const { event } = await visitorWith({ userId: 1 })
      const error = new Error('of the app')
      for (const allows of [() => { throw error }, async () => { throw error }, () => Promise.reject(error)])
        await expect(requireSession(event, allows)).rejects.toBe(error)
      await expect(requireSession(event, URL)).rejects.toBeInstanceOf(TypeError)
    })

    it('cannot change what it is asked about', async () => {
      const { event } = await visitorWith({ role: 'user' })
      await expect(requireSession(event, (data: { role: string }) => Boolean(data.role = 'admin'))).rejects.toBeInstanceOf(TypeError)
      expect(server.getSession(event)).toEqual({ role: 'user' })
    })

    it('that ends the session lets nobody in', async () => {
      const { event } = await visitorWith({ userId: 1 })
      expect(await outcomeOf(() => requireSession(event, async () => {
        await server.destroySession(event)
        return true
      }))).toBe('INVALID_SESSION')
    })
  })

  it.each<[what: string, args: unknown[], line: string]>([
    ['undefined, because of a slip', [undefined], 'got undefined. Write `await requireSession(event, \'userId\')`'],
    ['null', [null], 'got null'],
    ['a list of keys', [['userId', 'role']], 'got an array'],
    ['an empty list', [[]], 'got an array'],
    ['an object', [{ userId: 1 }], 'got an object'],
    ['true', [true], 'got a boolean'],
    ['a number', [0], 'got a number'],
    ['a symbol', [Symbol('userId')], 'got a symbol'],
    ['a promise', [Promise.resolve('userId')], 'a promise, which must be awaited before'],
    ['two keys', ['userId', 'role'], 'one key or one function, and got a string'],
    ['a key and a function', ['userId', () => false], 'and got a function'],
    ['a key and undefined', ['userId', undefined], 'and got undefined'],
  ])('lets nobody in for %s', async (_, args, line) => {
    const app = new App()
    for (const { event } of [requestOf(app), await visitorWith({ userId: 1, role: 'admin' }, app)]) {
      const error = await caught(() => requireSession(event, ...args))
      expect([error.code, error.message]).toEqual(['INVALID_VALUE', expect.stringContaining(line)])
    }
  })

  it.each([undefined, null, 'userId', 1, [], {}, { context: 1 }, () => {}])('asks for the event in place of %s', async (event) => {
    for (const required of [[], ['userId'], [() => true]]) {
      const error = await caught(() => requireSession(event, ...required))
      expect([error.code, error.message]).toEqual(['INVALID_VALUE', expect.stringContaining('the event of the handler as its first argument')])
    }
  })

  it('rejects, and never throws', async () => {
    for (const args of [[], [undefined], [{}, undefined]]) {
      let promise: unknown
      expect(() => promise = requireSession(...args)).not.toThrow()
      await expect(promise).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    }
  })

  it('says what is missing where nobody configured sessions, and lets nobody in', async () => {
    expect(await caught(() => requireSession({ context: {} }, 'userId'))).toMatchObject({ code: 'INVALID_SESSION', message: expect.stringContaining('modules: [\'unsession\']') })
  })

  it('loads the session where nothing has', async () => {
    const { event, session } = await visitorWith({ userId: 1 })
    expect(session().isLoaded).toBe(false)
    expect(await requireSession(event, 'userId')).toEqual({ userId: 1 })
    expect(session().isLoaded).toBe(true)
  })

  it('is STORAGE_ERROR when storage cannot be read, and asks no storage about a stranger', async () => {
    const base = new App()
    const store = new HeldStore(base.store)
    const app = new App({}, { driver: base.driver, clock: base.clock, store })
    const browser = await returning(app, { userId: 1 })
    store.fail('get')
    for (const required of [[], ['userId'], [() => true]])
      expect(await caught(() => requireSession(requestOf(app, browser).event, ...required))).toMatchObject({ code: 'STORAGE_ERROR', statusCode: 503 })
    expect(await outcomeOf(() => requireSession(requestOf(app).event, 'userId'))).toBe('INVALID_SESSION')
  })

  it('is CACHED_RESPONSE inside a cached handler, for strangers too', async () => {
    const app = new App()
    expect(await outcomeOf(() => requireSession(requestOf(app, new Browser(), true).event, 'userId'))).toBe('CACHED_RESPONSE')
  })

  it('finds a session that another request has ended no more', async () => {
    const app = new App()
    const browser = await returning(app, { userId: 1 })
    await browser.clone().run(app, session => session.regenerate({ userId: 2 }))
    expect(await outcomeOf(() => requireSession(requestOf(app, browser).event, 'userId'))).toBe('INVALID_SESSION')
  })

  it('says what to do, and nothing of what the session holds', async () => {
    const { event } = await visitorWith({ userId: 'the-user', role: 'the-role', list: ['the-list'] })
    const errors = await Promise.all([['missing'], [() => false], [({ list }: { list: unknown }) => list]].map(required => caught(() => requireSession(event, ...required))))
    expect(errors.map(({ statusCode, statusMessage }) => [statusCode, statusMessage])).toEqual([[401, 'Unauthorized'], [403, 'Forbidden'], [500, 'Internal Server Error']])
    for (const { message, stack, details } of errors) {
      expect(message).toMatch(/sign in|Write/)
      expect([message, stack, JSON.stringify(details)].join(' ')).not.toMatch(/the-/)
    }
    expect(errors[0]!.details).toEqual({ key: 'missing' })
  })
})

describe.each(HOSTS)('requireSession in an app of $name', ({ major, start }) => {
  it('answers 401 and 403 without a cookie, and lets in who may', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => logged.mockRestore())
    const options = { secret: SECRET, mode: 'cookie' } as const
    const visitor = await start(async (event) => {
      await h3.useSession(event, options)
      const [path] = String(Reflect.get(event, 'path')).split('?')
      if (path === '/login')
        return h3.regenerateSession(event, { userId: 1 }).then(() => 'ok')
      return path === '/admin' ? h3.requireSession(event, ({ role }) => role === 'admin') : h3.requireSession(event, 'userId')
    })
    const asked = async (path: string): Promise<unknown[]> => {
      const { status, headers } = await visitor.fetch(path)
      return [status, headers.get('set-cookie')]
    }
    expect([await asked('/'), await asked('/admin')]).toEqual([[401, null], [401, null]])
    await visitor.fetch('/login')
    expect([await asked('/'), await asked('/admin')]).toEqual([[200, null], [403, null]])
    expect(await visitor.json('/')).toEqual({ userId: 1 })
    expect(logged).not.toHaveBeenCalled()
  })

  it('keeps what a stranger is refused with out of caches, which would answer users with it', async () => {
    const options = { secret: SECRET, mode: 'cookie' } as const
    const visitor = await start(async (event) => {
      const { res } = (major === 1 ? Reflect.get(event, 'node') : event) as { res: { setHeader(name: string, value: string): void, headers: Headers, errHeaders?: Headers } }
      const mark = (name: string, value: string): void => major === 1 ? res.setHeader(name, value) : [res.headers, res.errHeaders].forEach(headers => headers?.set(name, value))
      mark('cache-control', 's-maxage=60')
      mark('cdn-cache-control', 'max-age=60')
      await h3.useSession(event, options)
      return h3.requireSession(event, 'userId')
    })
    const { status, headers } = await visitor.fetch('/')
    expect([status, headers.get('cache-control'), headers.get('cdn-cache-control')]).toEqual([401, 'no-store', null])
  })
})
