import type { Session, SessionOptions } from '../../src/h3'
import { createApp, eventHandler, toWebHandler } from 'h3'
import { defineHandler, H3, toNodeHandler, toWebHandler as toWebHandlerV2 } from 'h3-v2'
import { routeRules } from 'h3-v2/rules'
import { cache } from 'h3-v2/rules/cache'
import { createStorage } from 'unstorage'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { clearSession, destroySession, flash, fromExpressSession, getSession, regenerateSession, sessionMiddleware, updateSession, useSession } from '../../src/h3'
import { createStorageStore } from '../../src/core/stores/unstorage'
import { plainAppOf } from '../../src/plain/app'
import { createVisitor, setCookiesOf } from '../support/browser'
import { createOldExpressApp, type CookiePair } from '../support/other-packages'
import { SECRET } from './support/app'
import { ControlledDriver } from './support/driver'
import { codeOf } from './support/errors'
import { HOSTS, type Handler } from './support/h3-hosts'
import { OLD_APP_SECRET } from './support/old-sessions'
import { createSwitch, serve } from './support/server'

/** Options of an app of its own, with a storage that tests can hold and break. */
function createOptions(options: Partial<SessionOptions> = {}): { driver: ControlledDriver, options: SessionOptions } {
  const driver = new ControlledDriver()
  return { driver, options: { secret: SECRET, store: createStorage({ driver: driver.driver }), ...options } }
}

const MODES = [
  { mode: 'storage mode', of: (): SessionOptions => createOptions().options },
  { mode: 'cookie mode', of: (): SessionOptions => ({ secret: SECRET, mode: 'cookie' }) },
]

/** A login at an app of express-session. */
async function oldSession(): Promise<{ id: string, cookie: CookiePair, record: string }> {
  const old = createOldExpressApp()
  const { id, cookie } = await old.login({ user: 'ada' })
  return { id, cookie, record: old.records[id]! }
}

/** Answers by path. */
function route(routes: Record<string, Handler>): Handler {
  return event => routes[String(Reflect.get(event, 'path')).split('?')[0]!]?.(event)
}

// What is logged of the failures that these tests make.
beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))
afterEach(() => void vi.restoreAllMocks())

describe.each(HOSTS)('$name', ({ start, major, isNode }) => {
  describe.each(MODES)('$mode', ({ of }) => {
    it('counts the visits of a visitor whose handler names the options', async () => {
      const options = of()
      const visitor = await start(async (event) => {
        const session = await useSession<{ visits: number }>(event, options)
        session.set('visits', (session.get('visits') ?? 0) + 1)
        return { visits: session.get('visits') }
      })
      expect(await visitor.json('/')).toEqual({ visits: 1 })
      expect(await visitor.json('/')).toEqual({ visits: 2 })
    })

    it('finds one session by options that are written anew for every request', async () => {
      const options = of()
      const visitor = await start(async (event) => {
        const session = await useSession<{ visits: number }>(event, { ...options })
        await updateSession<{ visits: number }>(event, ({ visits = 0 }) => ({ visits: visits + 1 }))
        return session.data
      })
      await visitor.json('/')
      expect(await visitor.json('/')).toEqual({ visits: 2 })
    })

    it('tells the sign-in story with the middleware in front', async () => {
      const visitor = await start(route({
        '/me': event => ({ user: getSession(event)?.user ?? null, message: flash(event, 'success') ?? null }),
        '/login': async (event) => {
          await regenerateSession(event, { user: 'Ada' })
          flash(event, 'success', 'Welcome')
          return 'ok'
        },
        '/logout': async (event) => {
          await destroySession(event)
          return 'ok'
        },
      }), [sessionMiddleware(of())])
      const nobody = { user: null, message: null }
      expect(await visitor.json('/me')).toEqual(nobody)
      expect(visitor.cookies.size).toBe(0)
      await visitor.post('/login')
      expect(await visitor.json('/me')).toEqual({ user: 'Ada', message: 'Welcome' })
      expect(await visitor.json('/me')).toEqual({ user: 'Ada', message: null })
      await visitor.post('/logout')
      expect(visitor.cookies.size).toBe(0)
      expect(await visitor.json('/me')).toEqual(nobody)
    })

    it('reading sends no cookie', async () => {
      const options = of()
      const visitor = await start(async event => ({ ...(await useSession(event, options)).data }))
      const response = await visitor.fetch('/')
      expect([response.status, response.headers.getSetCookie()]).toEqual([200, []])
    })

    it('keeps a second session under the name of another cookie', async () => {
      const visitor = await start(async (event) => {
        const session = await useSession<{ visits: number }>(event)
        const cart = await useSession<{ items: number }>(event, { cookie: { name: 'cart' } })
        session.set('visits', (session.get('visits') ?? 0) + 1)
        cart.set('items', (cart.get('items') ?? 0) + 10)
        return { ...session.data, ...cart.data }
      }, [sessionMiddleware(of())])
      await visitor.json('/')
      expect([...visitor.cookies.keys()].sort()).toEqual(['cart', 'session'])
      expect(await visitor.json('/')).toEqual({ visits: 2, items: 20 })
    })

    it('starts with the data of `generate`, once', async () => {
      const generate = vi.fn<() => { theme: string }>(() => ({ theme: 'light' }))
      const options = { ...of(), generate }
      const visitor = await start(async (event) => {
        await useSession<{ theme: string }>(event, options)
        return getSession<{ theme: string }>(event)
      })
      expect(await visitor.json('/')).toEqual({ theme: 'light' })
      expect(await visitor.json('/')).toEqual({ theme: 'light' })
      expect(generate).toHaveBeenCalledTimes(1)
    })

    it('`generate` does not bring back a session that ended in this request', async () => {
      const options = { ...of(), generate: () => ({ theme: 'light' }) }
      const visitor = await start(route({
        '/': async event => (await useSession(event, options)).data,
        '/logout': async (event) => {
          await useSession(event, options)
          await clearSession(event)
          return (await useSession(event, options)).data
        },
      }))
      await visitor.json('/')
      expect(await visitor.json('/logout')).toEqual({})
      expect(visitor.cookies.size).toBe(0)
    })

    it('marks a response with a session cookie as private, unless the app says how', async () => {
      const options = of()
      const visitor = await start(async (event) => {
        const session = await useSession(event, options)
        session.set('a', Math.random())
        const cacheControl = new URLSearchParams(String(Reflect.get(event, 'path')).split('?')[1]).get('cache-control')
        return new Response('ok', { headers: cacheControl ? { 'cache-control': cacheControl } : {} })
      }, [sessionMiddleware(options)])
      const cacheControlOf = async (given: string): Promise<string | null> => {
        const { headers } = await visitor.fetch(`/?cache-control=${encodeURIComponent(given)}`)
        expect(headers.get('vary')).toBe('Cookie')
        return headers.get('cache-control')
      }
      expect(await cacheControlOf('')).toBe('no-store')
      expect(await cacheControlOf('private, max-age=60')).toBe('private, max-age=60')
      expect(await cacheControlOf('max-age=60')).toBe('no-store')
    })
  })

  it('a request without our cookie does not reach storage, nor does one with a forged cookie', async () => {
    const { driver, options } = createOptions()
    const visitor = await start(event => ({ data: getSession(event) }), [sessionMiddleware(options)])
    visitor.cookies.set('session', `not-a-real-id-at-all-000.${'A'.repeat(43)}`)
    expect(await visitor.json('/')).toEqual({ data: null })
    expect(driver.calls).toEqual([])
  })

  it('a handler that never asks answers while storage is down, others get a 503', async () => {
    const { driver, options } = createOptions()
    const visitor = await start(route({
      '/set': async (event) => {
        await updateSession(event, { a: 1 })
        return 'ok'
      },
      '/none': () => 'ok',
      '/get': event => ({ data: getSession(event) }),
    }), [sessionMiddleware(options)])
    await visitor.fetch('/set')
    driver.fail('read')
    expect((await visitor.fetch('/none')).status).toBe(200)
    expect((await visitor.fetch('/get')).status).toBe(503)
    driver.repair()
    expect(await visitor.json('/get')).toEqual({ data: { a: 1 } })
  })

  it('the response waits for the write', async () => {
    const { driver, options } = createOptions()
    const visitor = await start(async (event) => {
      (await useSession(event)).set('a', 1)
      return 'ok'
    }, [sessionMiddleware(options)])
    const gate = driver.hold('write')
    let isAnswered = false
    const response = visitor.fetch('/').then((answer) => {
      isAnswered = true
      return answer
    })
    await gate.reached
    // Long enough for a response that does not wait.
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(isAnswered).toBe(false)
    gate.release()
    expect(setCookiesOf(await response, 'session')).toHaveLength(1)
  })

  it('a failed write is a 503 without a cookie', async () => {
    const { driver, options } = createOptions()
    driver.fail('write')
    const visitor = await start(async (event) => {
      (await useSession(event)).set('a', 1)
      return 'ok'
    }, [sessionMiddleware(options)])
    const response = await visitor.fetch('/')
    expect([response.status, response.headers.getSetCookie()]).toEqual([503, []])
  })

  it('without the middleware an awaited update that fails is a 503 without a cookie', async () => {
    const { driver, options } = createOptions()
    driver.fail('write')
    const visitor = await start(async (event) => {
      await useSession(event, options)
      await updateSession(event, { a: 1 })
      return 'ok'
    })
    const response = await visitor.fetch('/')
    expect([response.status, response.headers.getSetCookie()]).toEqual([503, []])
  })

  it('without the middleware a handler that only waits for what is there makes one write', async () => {
    const { driver, options } = createOptions()
    const visitor = await start(async (event) => {
      const session = await useSession(event, options)
      session.set('a', 1)
      await (await useSession(event, options)).regenerate({ b: 2 })
      return { data: session.data }
    })
    expect(await visitor.json('/')).toEqual({ data: { a: 1, b: 2 } })
    expect(driver.count('write')).toBe(1)
  })

  it('without the middleware a change is written all the same', async () => {
    const { driver, options } = createOptions()
    const visitor = await start(async (event) => {
      const session = await useSession<{ visits: number }>(event, options)
      session.set('visits', (session.get('visits') ?? 0) + 1)
      return session.data
    })
    await visitor.fetch('/')
    await expect.poll(() => driver.count('write')).toBe(1)
    expect(await visitor.json('/')).toEqual({ visits: 2 })
  })

  it('a thrown error keeps what was changed before', async () => {
    const visitor = await start(route({
      '/broken': async (event) => {
        (await useSession(event)).set('a', 1)
        throw Object.assign(new Error('no'), { statusCode: 418, status: 418 })
      },
      '/get': event => ({ data: getSession(event) }),
    }), [sessionMiddleware(createOptions().options)])
    const response = await visitor.fetch('/broken')
    expect([response.status, setCookiesOf(response, 'session').length]).toEqual([418, 1])
    expect(await visitor.json('/get')).toEqual({ data: { a: 1 } })
  })

  it('a failed write takes the place of an error that was thrown', async () => {
    const { driver, options } = createOptions()
    driver.fail('write')
    const visitor = await start(async (event) => {
      (await useSession(event)).set('a', 1)
      throw Object.assign(new Error('no'), { statusCode: 418, status: 418 })
    }, [sessionMiddleware(options)])
    const response = await visitor.fetch('/')
    expect([response.status, response.headers.getSetCookie()]).toEqual([503, []])
  })

  it('Response.redirect carries the cookie', async () => {
    const visitor = await start(route({
      '/go': async (event) => {
        (await useSession(event)).set('a', 1)
        return Response.redirect('http://127.0.0.1/get', 303)
      },
      '/get': event => ({ data: getSession(event) }),
    }), [sessionMiddleware(createOptions().options)])
    const response = await visitor.fetch('/go')
    expect([response.status, response.headers.get('location'), setCookiesOf(response, 'session').length]).toEqual([303, 'http://127.0.0.1/get', 1])
    expect(await visitor.json('/get')).toEqual({ data: { a: 1 } })
  })

  it('a change after the response was made throws COOKIE_ERROR', async () => {
    let session: Session | undefined
    const visitor = await start(async (event) => {
      session = await useSession(event)
      return 'ok'
    }, [sessionMiddleware(createOptions().options)])
    await (await visitor.fetch('/')).text()
    expect(await codeOf(async () => session?.set('a', 1))).toBe('COOKIE_ERROR')
  })

  it('a login that is sent again and again with the old cookie works each time', async () => {
    const visitor = await start(route({
      '/begin': async event => (await useSession(event)).set('cart', 1),
      '/login': async (event) => {
        await regenerateSession(event, { user: 'Ada' })
        flash(event, 'success', 'Welcome')
        return 'ok'
      },
      '/me': event => ({ ...getSession(event), message: flash(event, 'success') ?? null }),
    }), [sessionMiddleware(createOptions().options)])
    await visitor.fetch('/begin')
    const old = new Map(visitor.cookies)
    const again = async (): Promise<unknown> => {
      visitor.cookies.clear()
      old.forEach((value, name) => visitor.cookies.set(name, value))
      const response = await visitor.post('/login')
      expect([response.status, setCookiesOf(response, 'session').length]).toEqual([200, 1])
      return visitor.json('/me')
    }
    expect(await again()).toEqual({ cart: 1, user: 'Ada', message: 'Welcome' })
    for (let time = 0; time < 3; time++)
      expect(await again()).toEqual({ user: 'Ada', message: 'Welcome' })
  })

  it('a login that is sent twice at once works, whichever answer arrives last', async () => {
    const { driver, options } = createOptions()
    const visitor = await start(route({
      '/begin': async event => (await useSession(event)).set('cart', 1),
      '/login': async (event) => {
        await regenerateSession(event, { user: 'Ada' })
        return 'ok'
      },
      '/me': event => getSession(event),
    }), [sessionMiddleware(options)])
    await visitor.fetch('/begin')
    const gate = driver.hold('write')
    const first = visitor.post('/login')
    await gate.reached
    const others = [visitor.post('/login'), visitor.post('/login')]
    gate.release()
    const answers = await Promise.all([first, ...others])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    const cookies = answers.map(answer => setCookiesOf(answer, 'session')[0]!)
    const seen = []
    for (const cookie of cookies) {
      visitor.cookies.set('session', cookie.slice('session='.length, cookie.indexOf(';')))
      seen.push(await visitor.json('/me'))
    }
    expect(seen).toEqual([{ cart: 1, user: 'Ada' }, { user: 'Ada' }, { user: 'Ada' }])
  })

  it('lets a visitor of another package in', async () => {
    const { id, cookie, record } = await oldSession()
    const old = createStorage()
    await old.setItemRaw(id, record)
    const { options } = createOptions({ migrate: fromExpressSession({ secret: OLD_APP_SECRET, store: createStorageStore(old, { base: '', timeout: 1000 }) }) })
    const visitor = await start(event => ({ data: getSession(event) }), [sessionMiddleware(options)])
    visitor.cookies.set(...cookie)
    expect(await visitor.json('/')).toEqual({ data: { user: 'ada' } })
    expect([...visitor.cookies.keys()]).toEqual(['session'])
    expect(await visitor.json('/')).toEqual({ data: { user: 'ada' } })
  })

  it('utils that need sessions throw INVALID_SESSION where nobody configured them', async () => {
    const codes: unknown[] = []
    const visitor = await start(async (event) => {
      for (const use of [() => useSession(event), () => updateSession(event, {}), () => regenerateSession(event), () => flash(event, 'a'), () => flash(event, 'a', 1)]) {
        try {
          await use()
        }
        catch (error) {
          codes.push((error as { code: string }).code)
        }
      }
      return 'ok'
    })
    await visitor.fetch('/')
    expect(codes).toEqual(Array.from({ length: 5 }, () => 'INVALID_SESSION'))
  })

  it('the inner event of a cached handler has no session', async () => {
    const visitor = await start(async (event) => {
      Object.assign(event.context, { cache: { options: {} } })
      return useSession(event, createOptions().options).catch((error: { code: string }) => error.code)
    })
    expect(await (await visitor.fetch('/')).text()).toBe('CACHED_RESPONSE')
  })

  it('an app may keep a cache of its own in the context', async () => {
    const { options } = createOptions()
    const visitor = await start(async (event) => {
      Object.assign(event.context, { cache: new Map() })
      await useSession(event, options)
      return updateSession(event, { a: 1 })
    })
    expect(await visitor.json('/')).toEqual({ a: 1 })
  })

  it.runIf(isNode)('a direct write to the response of Node waits and carries the cookie', async () => {
    const visitor = await start(async (event) => {
      (await useSession(event)).set('a', 1)
      const { res } = (event as { node: { res: { end(text: string): void } } }).node
      res.end('the body')
      return major === 2 ? new Promise(() => {}) : undefined
    }, [sessionMiddleware(createOptions().options)])
    const response = await visitor.fetch('/')
    expect([await response.text(), setCookiesOf(response, 'session').length]).toEqual(['the body', 1])
  })
})

describe('a host that gives one context to all requests, as Bun.serve does to toWebHandler', () => {
  it.each([
    { major: 'h3 v1', serveWith: (options: SessionOptions, handler: Handler) => toWebHandler(createApp().use(sessionMiddleware(options)).use(eventHandler(event => handler(event) as object))) },
    { major: 'h3 v2', serveWith: (options: SessionOptions, handler: Handler) => toWebHandlerV2(new H3().use(sessionMiddleware(options)).all('/**', event => handler(event))) },
  ])('$major: visitors whose requests run at the same time see their own session only', async ({ serveWith }) => {
    const { driver, options } = createOptions()
    const fetch = serveWith(options, async (event) => {
      const session = await useSession<{ name: string }>(event)
      if (!session.get('name'))
        session.set('name', new URL(String(Reflect.get(event, 'path')), 'http://127.0.0.1').searchParams.get('name')!)
      // Others come and go meanwhile.
      await new Promise(resolve => setTimeout(resolve, 5))
      return { name: getSession<{ name: string }>(event)?.name }
    })
    const context = {}
    const visitors = ['alice', 'bob', 'carol'].map(name => ({ name, visitor: createVisitor('http://127.0.0.1', new Map(), (url, init) => fetch(new Request(url, init), context)) }))
    for (let round = 0; round < 3; round++)
      expect(await Promise.all(visitors.map(({ name, visitor }) => visitor.json(`/?name=${name}`)))).toEqual(visitors.map(({ name }) => ({ name })))
    expect(driver.count('write')).toBe(3)
  })
})

describe('a failed write', () => {
  it('is a 503 also when an internal request with the same context was answered meanwhile', async () => {
    const { driver, options } = createOptions()
    driver.fail('write')
    const app = new H3({ silent: true }).use('/outer', sessionMiddleware(options)).get('/inner', () => 'ok')
    app.get('/outer', async (event) => {
      (await useSession(event)).set('a', 1)
      return app.request('/inner', {}, event.context)
    })
    const response = await app.fetch(new Request('http://127.0.0.1/outer'))
    expect([response.status, response.headers.getSetCookie()]).toEqual([503, []])
  })
})

describe('h3 v2 where sessions do not have the last word', () => {
  it.each([
    { name: 'an app whose config is frozen', fetchOf: (options: SessionOptions, handler: Handler) => new H3(Object.freeze({ silent: true })).use(sessionMiddleware(options)).all('/**', event => handler(event)).fetch },
    { name: 'a handler without an app', fetchOf: (options: SessionOptions, handler: Handler) => defineHandler(async (event) => {
      await useSession(event, options)
      return handler(event)
    }).fetch },
  ])('$name: a response with a session cookie is for one visitor', async ({ fetchOf }) => {
    const fetch = fetchOf(createOptions().options, async (event) => {
      await updateSession(event, { a: 1 })
      return 'ok'
    })
    const { headers } = await fetch(new Request('http://127.0.0.1/'))
    expect([headers.getSetCookie().length, headers.get('cache-control'), headers.get('vary')]).toEqual([1, 'no-store', 'Cookie'])
  })
})

describe('the hook onResponse of an app of h3 v2', () => {
  it('sees a response whose headers cannot be changed, with a session that came to nothing', async () => {
    const statuses: number[] = []
    const app = new H3({ silent: true, onResponse: ({ status }) => void statuses.push(status) }).use(sessionMiddleware(createOptions().options))
    app.get('/', async (event) => {
      const session = await useSession(event)
      session.set('a', 1)
      session.delete('a')
      return Response.redirect('http://127.0.0.1/')
    })
    await app.fetch(new Request('http://127.0.0.1/'))
    expect(statuses).toEqual([302])
  })

  it('and a cache in front of the app see what the browser will see, also on Node', async () => {
    const seen: (string | null)[][] = []
    const see = (response: Response): void => void seen.push(['cache-control', 'vary'].map(name => response.headers.get(name)))
    const { options } = createOptions({ cookie: { secure: false } })
    const app = new H3({ silent: true, onResponse: see })
      .get('/login', async event => void (await useSession(event, options)).set('user', 'ada'))
      .get('/', async (event) => {
        const session = await useSession(event, options)
        event.res.headers.set('cache-control', 'public, max-age=60')
        return session.get('user')
      })
    const cached = async (request: Request): Promise<Response> => {
      const response = await app.fetch(request)
      see(response)
      return response
    }
    const visitor = createVisitor(`http://127.0.0.1:${(await serve(toNodeHandler({ fetch: cached } as unknown as H3) as never)).port}`)
    const sent = [await visitor.fetch('/login'), await visitor.fetch('/')]
    sent.forEach(response => see(response as never))
    expect(seen).toEqual(Array.from({ length: 6 }, () => ['no-store', 'Cookie']))
    expect(await sent[1]!.text()).toBe('ada')
  })
})

describe('the headers of a request of h3 v2', () => {
  it('can be copied, and have nothing of ours', async () => {
    const app = new H3({ debug: true }).use(sessionMiddleware(createOptions().options))
      .get('/', event => [...new Headers({ ...event.req.headers, a: 'b' })])
    expect(await (await app.fetch(new Request('http://127.0.0.1/'))).json()).toEqual([['a', 'b']])
  })
})

describe('an app of h3 v2 that another one hands its request to', () => {
  it.each([
    { name: 'with the middleware in both', inFront: [true, true] },
    { name: 'with the middleware of the outer one', inFront: [true, false] },
  ])('has the same session, $name', async ({ inFront }) => {
    const { driver, options } = createOptions()
    const [outer, inner] = inFront.map(isInFront => isInFront ? new H3({ silent: true }).use(sessionMiddleware(options)) : new H3({ silent: true }))
    inner!.get('/', async (event) => {
      await updateSession(event, { inner: true })
      return getSession(event)
    })
    outer!.use(async event => void (await useSession(event)).set('outer', true)).mount('/inner', inner!.fetch)
    const response = await outer!.fetch(new Request('http://127.0.0.1/inner'))
    expect([await response.json(), setCookiesOf(response, 'session').length]).toEqual([{ outer: true, inner: true }, 1])
    expect(new Set(driver.calls.map(({ key }) => key)).size).toBe(1)
  })

  it('has a session of its own when the request is made again', async () => {
    const app = new H3({ silent: true }).use(sessionMiddleware(createOptions().options)).get('/', event => updateSession(event, { a: 1 }))
    const request = new Request('http://127.0.0.1/')
    const statuses = [await app.fetch(request), await app.fetch(request)].map(({ status }) => status)
    expect(statuses).toEqual([200, 200])
  })
})

describe('handlers that name different options', () => {
  it.each(MODES)('keep a second session in the store that they name, beside one in $mode', async ({ of }) => {
    const { driver, options: { store } } = createOptions()
    const app = new H3({ silent: true }).use(sessionMiddleware(of())).all('/**', async (event) => {
      const cart = await useSession(event, { mode: 'storage', store, cookie: { name: 'cart' } })
      return cart.update({ items: 1 })
    })
    const response = await app.fetch(new Request('http://127.0.0.1/'))
    expect([response.status, setCookiesOf(response, 'cart').length, driver.count('write')]).toEqual([200, 1, 1])
  })

  it('lose no update of a session that they share', async () => {
    const { options } = createOptions()
    const app = new H3({ silent: true }).all('/**', async (event) => {
      const timeout = Number(event.url.searchParams.get('timeout'))
      await useSession(event, { ...options, timeout })
      return updateSession<{ visits: number }>(event, ({ visits = 0 }) => ({ visits: visits + 1 }))
    })
    const visitor = createVisitor('http://127.0.0.1', new Map(), async (url, init) => app.fetch(new Request(url, init)))
    await visitor.json('/?timeout=1000')
    await Promise.all(Array.from({ length: 20 }, (_, index) => visitor.fetch(`/?timeout=${index % 2 ? 1000 : 2000}`)))
    expect(await visitor.json('/?timeout=1000')).toEqual({ visits: 22 })
  })
})

describe('a cached handler of h3 v2', () => {
  it('cannot use the session of the visitor it answers first', async () => {
    const app = new H3({ silent: true }).use(sessionMiddleware(createOptions().options)).use(routeRules({ '/cached': { cache: { maxAge: 60 } } }, { handlers: { cache } }))
    app.get('/login', async event => updateSession(event, { name: event.url.searchParams.get('name') }))
    app.get('/cached', event => ({ name: getSession<{ name: string }>(event)?.name }))
    const [alice, bob] = ['alice', 'bob'].map(() => createVisitor('http://127.0.0.1', new Map(), async (url, init) => app.fetch(new Request(url, init))))
    await alice!.json('/login?name=alice')
    await bob!.json('/login?name=bob')
    expect((await alice!.fetch('/cached')).status).toBe(500)
    expect(await (await bob!.fetch('/cached')).text()).not.toContain('alice')
  })
})

describe('the options of a plain app', () => {
  const problemsOf = (options: object): string[] => {
    try {
      sessionMiddleware(options as SessionOptions)
      return []
    }
    catch (error) {
      return (error as { details: { issues: { path: string }[] } }).details.issues.map(({ path }) => path)
    }
  }

  it.each([
    { options: {}, paths: ['secret', 'store'] },
    { options: { secret: SECRET }, paths: ['store'] },
    { options: { secret: SECRET, mode: 'cookie' }, paths: [] },
    { options: { secret: 'short', mode: 'cookie', nom: 'x', cookie: { samesite: 'lax' }, generate: 1 }, paths: ['secret', 'cookie.samesite', 'generate', 'nom'] },
    { options: { secret: SECRET, mode: 'cookie', name: 'x', cookie: { name: 'y' } }, paths: ['name'] },
    { options: { secret: SECRET, store: null }, paths: ['store'] },
    { options: { secret: SECRET, store: 'redis' }, paths: ['store'] },
    { options: { secret: SECRET, store: {} }, paths: ['store'] },
    { options: { secret: SECRET, store: { get: true, set: true, delete: true } }, paths: ['store'] },
    { options: { secret: SECRET, store: { getItem() {}, setItem() {} } }, paths: ['store'] },
    { options: { secret: SECRET, mode: 'cookie', migrate: {} }, paths: ['migrate'] },
  ])('$options: a problem with $paths', ({ options, paths }) => {
    expect(problemsOf(options).sort()).toEqual(paths.toSorted())
  })

  it.each([
    ['production', '__Host-session', '__Secure-session'],
    [undefined, '__Host-session', '__Secure-session'],
    ['development', 'session', undefined],
    ['test', 'session', undefined],
  ])('names the cookie by its attributes where NODE_ENV is %s, of a second session too', async (environment, first, second) => {
    vi.stubEnv('NODE_ENV', environment)
    onTestFinished(() => void vi.unstubAllEnvs())
    const visitor = await HOSTS[4]!.start(async (event) => {
      (await useSession(event)).set('a', 1)
      if (second)
        (await useSession(event, { cookie: { path: '/app' } })).set('b', 1)
      return 'ok'
    }, [sessionMiddleware({ secret: SECRET, mode: 'cookie', timeout: 100 + String(environment).length })])
    await visitor.fetch('/')
    expect([...visitor.cookies.keys()]).toEqual(second ? [first, second] : [first])
  })

  it('is Secure unless the environment says development or test', async () => {
    const secureIn = async (environment: string | undefined): Promise<boolean> => {
      vi.stubEnv('NODE_ENV', environment)
      const visitor = await HOSTS[4]!.start(async (event) => {
        (await useSession(event, { secret: SECRET, mode: 'cookie', maxAge: environment === undefined ? 1 : environment.length })).set('a', 1)
        return 'ok'
      })
      const response = await visitor.fetch('/')
      vi.unstubAllEnvs()
      return response.headers.getSetCookie()[0]!.includes('; Secure')
    }
    expect(await secureIn('production')).toBe(true)
    expect(await secureIn(undefined)).toBe(true)
    expect(await secureIn('development')).toBe(false)
    expect(await secureIn('test')).toBe(false)
  })

  it('memory stays bounded where a request makes them up', () => {
    const { options } = createOptions()
    const appOf = (domain: string): unknown => plainAppOf({ ...options, cookie: { domain } })
    const [used, unused] = [appOf('used.example'), appOf('unused.example')]
    for (let index = 0; index < 600; index++) {
      appOf(`${index}.example`)
      expect(appOf('used.example')).toBe(used)
    }
    expect(appOf('unused.example')).not.toBe(unused)
  })

  it('every storage is cleaned up, by one timer each', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const [one, other] = [createOptions(), createOptions()]
    const listings = [one, other].map(({ driver }) => vi.spyOn(driver.driver, 'getInstance'))
    const app = new H3().use(sessionMiddleware(one.options)).use(sessionMiddleware({ ...other.options, cookie: { name: 'cart' } }))
    app.use(async event => void await useSession(event, { ...one.options, cookie: { name: 'third' } }))
    await app.fetch(new Request('http://127.0.0.1/'))
    expect(vi.getTimerCount()).toBe(2)
    listings.forEach(listing => listing.mockClear())
    await vi.advanceTimersByTimeAsync(70_000)
    expect(listings.map(({ mock }) => mock.calls.length > 0)).toEqual([true, true])
  })

  it('a storage that was promised gets no timer once its options are forgotten', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { options } = createOptions()
    const { promise, resolve } = createSwitch()
    const store = promise.then(() => createStorage())
    plainAppOf({ ...options, store }).startCleanup()
    for (let index = 0; index < 600; index++)
      plainAppOf({ ...options, cookie: { domain: `${index}.example` } })
    resolve()
    await store
    await vi.advanceTimersByTimeAsync(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('`generate` that is async by mistake is an INVALID_VALUE, and its failure ends no process', async () => {
    const unhandled = vi.fn<() => void>()
    process.on('unhandledRejection', unhandled)
    onTestFinished(() => void process.off('unhandledRejection', unhandled))
    const generate = async (): Promise<never> => {
      throw new Error('no')
    }
    const { options } = createOptions()
    const visitor = await HOSTS[4]!.start(event => useSession(event, { ...options, generate: generate as never }).then(() => 'ok', (error: { code: string }) => error.code))
    expect(await (await visitor.fetch('/')).text()).toBe('INVALID_VALUE')
    await new Promise(resolve => setTimeout(resolve, 0))
    expect(unhandled).not.toHaveBeenCalled()
  })

})
