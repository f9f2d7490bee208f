import type { SessionOptions } from '../../src/h3'
import type { Storage } from 'unstorage'
import type { Wrapping } from './support/wrappers'
import { setTimeout as wait } from 'node:timers/promises'
import { createStorage, prefixStorage } from 'unstorage'
import { createStorage as createStorage2, prefixStorage as prefixStorage2 } from 'unstorage-v2'
import memory from 'unstorage/drivers/memory'
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, onTestFinished, vi } from 'vitest'
import { clearSession, createUnstorageStore, destroySession, flash, fromExpressSession, getSession, regenerateSession, sessionMiddleware, signCookie, unsignCookie, updateSession, useSession } from '../../src/h3'
import { setCookiesOf, type Visitor } from '../support/browser'
import { createMemoryStore, createOldExpressApp } from '../support/other-packages'
import { SECRET } from './support/app'
import { ControlledDriver } from './support/driver'
import { caught } from './support/errors'
import { HOSTS, type Handler } from './support/h3-hosts'
import { temporaryFolder } from './support/folders'
import { OLD_APP_SECRET } from './support/old-sessions'
import { WRAPPERS } from './support/wrappers'

/** Answers by path. */
function route(routes: Record<string, Handler>): Handler {
  return event => routes[String(Reflect.get(event, 'path')).split('?')[0]!]?.(event)
}

/** What an action throws or rejects with; nothing when it succeeds. */
async function failureOf(action: () => unknown): Promise<{ code?: string, message?: string }> {
  return Promise.resolve().then(action).then(() => ({}), (error: Error & { code: string }) => ({ code: error.code, message: error.message }))
}

/** Its code, empty when there is none. */
async function codeOf(action: () => unknown): Promise<string> {
  return (await failureOf(action)).code ?? ''
}

/** A handler that counts, whatever its store. */
function counter(options: SessionOptions): Handler {
  return async (event) => {
    await useSession(event, options)
    return updateSession<{ visits: number }>(event, ({ visits = 0 }) => ({ visits: visits + 1 }))
  }
}

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation(() => {})
  vi.spyOn(console, 'warn').mockImplementation(() => {})
})
afterEach(() => void vi.restoreAllMocks())

const passing = (): Wrapping => ({ seen: () => {}, encode: value => value, decode: value => value })

/** What people give as `store`, with the storage below in which the records land, and what their keys begin with there. */
type Given = [what: string, make: () => { store: SessionOptions['store'], root: Pick<Storage, 'getKeys'>, prefix: string }]

const STORES = [
  { version: 'unstorage 1', create: () => createStorage({ driver: memory() }), prefix: prefixStorage },
  { version: 'unstorage 2', create: () => createStorage2() as unknown as Storage, prefix: prefixStorage2 as unknown as typeof prefixStorage },
].flatMap(({ version, create, prefix }): Given[] => [
  [`a storage of ${version}`, () => {
    const root = create()
    return { store: root, root, prefix: '' }
  }],
  [`a prefixed storage of ${version}`, () => {
    const root = create()
    return { store: prefix(root, 'x'), root, prefix: 'x:' }
  }],
  [`the promise of a prefixed storage of ${version}`, () => {
    const root = create()
    return { store: wait(20).then(() => prefix(root, 'x')), root, prefix: 'x:' }
  }],
  ...WRAPPERS.map(([how, wrap]): Given => [`${how}, for a storage of ${version}`, () => {
    const root = create()
    return { store: wrap(root as never, passing()), root, prefix: '' }
  }]),
])

describe.each(HOSTS)('what the predecessors document, $name', ({ start, isNode }) => {
  describe('`createUnstorageStore<T>({ type, options })` returns a promise of an unstorage `Storage<T>`', () => {
    it('that is awaited before it is given as `store`', async () => {
      const store = await createUnstorageStore<{ visits: number }>({ type: 'memory' })
      const visitor = await start(counter({ secret: SECRET, store }))
      await visitor.json('/')
      expect(await visitor.json('/')).toEqual({ visits: 2 })
      expect(await store.getKeys()).toEqual([expect.stringMatching(/^[\da-f]{64}$/)])
    })

    it('that is given as `store` without `await`', async () => {
      const store = createUnstorageStore({ type: 'memory' })
      const visitor = await start(counter({ secret: SECRET, store }))
      await visitor.json('/')
      expect(await visitor.json('/')).toEqual({ visits: 2 })
      expect(await (await store).getKeys()).toHaveLength(1)
    })

    it('that is given to `sessionMiddleware` without `await`', async () => {
      const store = createUnstorageStore({ type: 'fs', options: { base: await temporaryFolder() } })
      const visitor = await start(
        event => updateSession<{ visits: number }>(event, ({ visits = 0 }) => ({ visits: visits + 1 })),
        [sessionMiddleware({ secret: SECRET, store })],
      )
      await visitor.json('/')
      expect(await visitor.json('/')).toEqual({ visits: 2 })
    })

    it('whose failure is a CONFIG_ERROR, or a 503 where it is not known why', async () => {
      const failing = async (store: SessionOptions['store']): Promise<unknown[]> => {
        // One that nobody awaits ends the process, and so it stops the start.
        void Promise.resolve(store).catch(() => {})
        let code: string | undefined
        const visitor = await start(async (event) => {
          const session = await useSession(event, { secret: SECRET, store })
          await session.update({ a: 1 }).catch((error: { code: string }) => {
            ({ code } = error)
            throw error
          })
        })
        const { status } = await visitor.fetch('/')
        return [code, status]
      }
      expect(await failing(createUnstorageStore({ type: 'nothing' as 'memory' }))).toEqual(['CONFIG_ERROR', 500])
      expect(await failing(createUnstorageStore({ type: 'mongodb', options: { connectionString: '', databaseName: '' } }))).toEqual(['CONFIG_ERROR', 500])
      expect(await failing(Promise.resolve({}) as never)).toEqual(['CONFIG_ERROR', 500])
      expect(await failing(Promise.resolve() as never)).toEqual(['CONFIG_ERROR', 500])
      expect(await failing(Promise.reject(new Error('no connection')))).toEqual(['STORAGE_ERROR', 503])
    })

    it('that only has a `then` is asked once, however many requests wait for it', async () => {
      const storage = createStorage()
      let count = 0
      const then = (resolve: (made: Storage) => void): void => {
        count++
        setTimeout(resolve, 20, storage)
      }
      // oxlint-disable-next-line unicorn/no-thenable -- apps may give one
      const store = { then } as unknown as PromiseLike<Storage>
      const visitor = await start(counter({ secret: SECRET, store }), [sessionMiddleware({ secret: SECRET, store })])
      const answers = await Promise.all(Array.from({ length: 20 }, () => visitor.fetch('/')))
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
      expect([count, (await storage.getKeys()).length]).toEqual([1, 20])
    })

    it('that never comes is a 503 after `timeout`', async () => {
      const visitor = await start(event => updateSession(event, { a: 1 }), [sessionMiddleware({ secret: SECRET, timeout: 20, store: new Promise<never>(() => {}) })])
      expect((await visitor.fetch('/')).status).toBe(503)
    })
  })

  describe.each(STORES)('`store` is any `Storage<T>`: %s', (_, make) => {
    it('has the records in its place, and loses no update', async () => {
      const { store, root, prefix } = make()
      const visitor = await start(counter({ secret: SECRET, store }))
      await visitor.json('/')
      await Promise.all(Array.from({ length: 9 }, () => visitor.fetch('/')))
      expect(await visitor.json('/')).toEqual({ visits: 11 })
      expect(await root.getKeys()).toEqual([expect.stringMatching(`^${prefix}[\\da-f]{64}$`)])
    })
  })

  it.skipIf(isNode)('one lock and one clean-up for one place, whatever object names it', async () => {
    const promise = createUnstorageStore({ type: 'memory' })
    const storage = await promise
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const stores = [promise, storage, Promise.resolve(storage), Promise.resolve().then(() => storage), prefixStorage(storage, ''), Promise.resolve(prefixStorage(storage, ''))]
    let turn = 0
    const visitor = await start(async event => counter({ secret: SECRET, store: stores[turn++ % stores.length] })(event))
    await visitor.json('/')
    for (const _ of stores)
      await visitor.json('/')
    expect(vi.getTimerCount()).toBe(1)
    // Those that lose to others pause before they try again.
    vi.useRealTimers()
    await Promise.all(Array.from({ length: 24 }, () => visitor.fetch('/')))
    expect(await visitor.json('/')).toEqual({ visits: 2 + stores.length + 24 })
  })

  it.skipIf(isNode)('expired records are removed from a storage that was promised', async () => {
    const store = createUnstorageStore({ type: 'memory' })
    const storage = await store
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const visitor = await start(counter({ secret: SECRET, store, maxAge: 1 }))
    await visitor.json('/')
    expect(await storage.getKeys()).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(2 * 60 * 60 * 1000)
    expect(await storage.getKeys()).toEqual([])
  })

  describe('`name` (default `connect.sid`)', () => {
    it('is another spelling of `cookie.name`', async () => {
      const visitor = await start(counter({ secret: SECRET, mode: 'cookie', name: 'my-app-session' }))
      await visitor.json('/')
      expect([...visitor.cookies.keys()]).toEqual(['my-app-session'])
      expect(await visitor.json('/')).toEqual({ visits: 2 })
    })

    it('is the same session by either spelling, and by both', async () => {
      const store = createStorage()
      const base = { secret: SECRET, store }
      const all = [{ ...base, name: 'sid' }, { ...base, cookie: { name: 'sid' } }, { ...base, name: 'sid', cookie: { name: 'sid', httpOnly: true } }]
      let turn = 0
      const visitor = await start(async event => counter(all[turn++]!)(event))
      expect([await visitor.json('/'), await visitor.json('/'), await visitor.json('/')]).toEqual([{ visits: 1 }, { visits: 2 }, { visits: 3 }])
      expect([...visitor.cookies.keys()]).toEqual(['sid'])
    })

    it('names a second session behind the middleware', async () => {
      const visitor = await start(async (event) => {
        (await useSession(event, { name: 'cart' })).set('items', 1)
        return updateSession(event, { user: 'ada' })
      }, [sessionMiddleware({ secret: SECRET, mode: 'cookie', name: 'sid' })])
      await visitor.json('/')
      expect([...visitor.cookies.keys()].sort()).toEqual(['cart', 'sid'])
    })

    it.each<[what: string, options: object]>([
      ['another name', { name: 'a', cookie: { name: 'b' } }],
      ['a name that is none', { name: 'a b' }],
      ['a number', { name: 1 }],
    ])('is refused with %s', async (_, options) => {
      expect(() => sessionMiddleware({ secret: SECRET, mode: 'cookie', ...options })).toThrow(expect.objectContaining({ code: 'CONFIG_ERROR', message: expect.stringContaining('name: ') }))
    })

    it.each([undefined, ''])('that is %j is the default', async (name) => {
      const visitor = await start(counter({ secret: SECRET, mode: 'cookie', name }))
      await visitor.json('/')
      expect([...visitor.cookies.keys()]).toEqual(['session'])
    })
  })

  describe('`cookie.sameSite`: `boolean | \'lax\' | \'strict\' | \'none\'`', () => {
    it.each([
      [true, '; SameSite=Strict'],
      [false, ''],
      ['lax', '; SameSite=Lax'],
      ['strict', '; SameSite=Strict'],
      [undefined, '; SameSite=Lax'],
    ] as const)('%j sends "%s", also with a removal', async (sameSite, attribute) => {
      const options: SessionOptions = { secret: SECRET, store: createStorage(), cookie: { sameSite: sameSite!, secure: true } }
      const visitor = await start(route({
        '/set': async event => (await useSession(event, options)).set('a', 1),
        '/end': async (event) => {
          await useSession(event, options)
          await destroySession(event)
        },
      }))
      const attributesOf = async (path: string): Promise<string> => setCookiesOf(await visitor.fetch(path), '__Host-session')[0]!.replace(/^[^;]*; Max-Age=\d+/, '')
      expect(await attributesOf('/set')).toBe(`; Path=/; HttpOnly; Secure${attribute}`)
      expect(await attributesOf('/end')).toBe(`; Path=/; HttpOnly; Secure${attribute}`)
    })
  })

  it('`getSession(event)` is null when no session was initialised, synchronous', async () => {
    const visitor = await start(event => ({ data: getSession(event) }))
    expect(await visitor.json('/')).toEqual({ data: null })
    visitor.cookies.set('session', 'whatever')
    expect(await visitor.json('/')).toEqual({ data: null })
  })

  it('`getSession(event)` throws with the remedy where sessions are set up, and the request carries one that nobody loaded', async () => {
    const driver = memory()
    // One that answers at once has loaded the session before anybody asks.
    const getItem = async (key: string): Promise<unknown> => driver.getItem(key)
    const options: SessionOptions = { secret: SECRET, store: createStorage({ driver: { ...driver, getItem } }) }
    const visitor = await start(route({
      '/set': async event => (await useSession(event, options)).update({ a: 1 }),
      '/get': async (event) => {
        const loading = useSession(event, options)
        const error = await failureOf(async () => getSession(event))
        await loading
        return { error, data: getSession(event) }
      },
    }))
    expect(await visitor.json('/get')).toEqual({ error: {}, data: null })
    await visitor.fetch('/set')
    expect(await visitor.json('/get')).toEqual({ error: { code: 'INVALID_SESSION', message: expect.stringContaining('await useSession(event)') }, data: { a: 1 } })
  })

  it('`destroySession(event)` is safe when no session exists, and before `useSession`', async () => {
    const options: SessionOptions = { secret: SECRET, store: createStorage() }
    const visitor = await start(route({
      '/before': async event => String(await destroySession(event)) + String(await clearSession(event)),
      '/none': async (event) => {
        await useSession(event, options)
        return String(await destroySession(event))
      },
    }))
    expect(await (await visitor.fetch('/before')).text()).toBe('undefinedundefined')
    expect(await (await visitor.fetch('/none')).text()).toBe('undefined')
  })

  describe('`regenerateSession` throws `INVALID_SESSION` without a session', () => {
    const driver = new ControlledDriver()
    const options: SessionOptions = { secret: SECRET, store: createStorage({ driver: driver.driver }) }
    const handler = route({
      '/none': async (event) => {
        await useSession(event, options)
        return codeOf(() => regenerateSession(event))
      },
      '/options': async (event) => {
        await useSession(event, options)
        return codeOf(() => regenerateSession(event, undefined, { keep: false }))
      },
      '/before': event => codeOf(() => regenerateSession(event)),
      '/patch': async (event) => {
        await useSession(event, options)
        return codeOf(() => regenerateSession(event, { user: 'ada' }))
      },
      '/emptied': async (event) => {
        await useSession(event, options)
        return codeOf(() => regenerateSession(event, undefined, { keep: false }))
      },
      '/begun': async (event) => {
        (await useSession(event, options)).set('a', 1)
        return codeOf(() => regenerateSession(event))
      },
      '/message': async (event) => {
        await useSession(event, options)
        flash(event, 'info', 'hello')
        return codeOf(() => regenerateSession(event))
      },
      '/destroyed': async (event) => {
        await useSession(event, options)
        await destroySession(event)
        return codeOf(() => regenerateSession(event))
      },
    })
    const textOf = async (visitor: Visitor, path: string): Promise<string> => (await visitor.fetch(path)).text()

    it.each(['/none', '/options', '/before', '/destroyed'])('%s: nor a patch', async (path) => {
      const visitor = await start(handler)
      expect(await textOf(visitor, path)).toBe('INVALID_SESSION')
      expect(visitor.cookies.size).toBe(0)
    })

    it.each(['/patch', '/begun', '/message'])('%s: with something to begin one it works', async (path) => {
      const visitor = await start(handler)
      expect(await textOf(visitor, path)).toBe('')
      expect(visitor.cookies.size).toBe(1)
    })

    it('one that is there gets a new id, also when nothing of it stays', async () => {
      const visitor = await start(handler)
      await textOf(visitor, '/patch')
      const before = visitor.cookies.get('session')
      expect(await textOf(visitor, '/none')).toBe('')
      expect(visitor.cookies.get('session')).not.toBe(before)
      expect(await textOf(visitor, '/emptied')).toBe('')
      expect(visitor.cookies.size).toBe(0)
    })
  })

  it('`updateSession` takes a function or a partial, and merges shallowly', async () => {
    const options: SessionOptions = { secret: SECRET, store: createStorage() }
    const visitor = await start(async (event) => {
      await useSession(event, options)
      await updateSession(event, { a: { b: 1 }, c: 1 })
      await updateSession(event, () => ({ a: { d: 2 } }))
      return getSession(event)
    })
    expect(await visitor.json('/')).toEqual({ a: { d: 2 }, c: 1 })
  })

  it('`updateSession` throws `INVALID_SESSION` before `useSession`', async () => {
    const visitor = await start(event => codeOf(() => updateSession(event, () => ({ a: 1 }))))
    expect(await (await visitor.fetch('/')).text()).toBe('INVALID_SESSION')
  })

  it('a new visitor has a session at `useSession` with `generate`, or with `saveUninitialized`', async () => {
    const store = createStorage()
    const own: Record<string, SessionOptions> = { '/plain': {}, '/generate': { generate: () => ({ role: 'guest' }) }, '/empty': { saveUninitialized: true } }
    const handler: Handler = async (event) => {
      await useSession(event, { secret: SECRET, store, ...own[String(Reflect.get(event, 'path'))] })
      return { data: getSession(event) }
    }
    const seen = []
    for (const path of Object.keys(own)) {
      const visitor = await start(handler)
      seen.push([await visitor.json(path), visitor.cookies.size])
    }
    expect(seen).toEqual([[{ data: null }, 0], [{ data: { role: 'guest' } }, 1], [{ data: {} }, 1]])
  })

  it('the utils stay with the first session of a request; the second is what `useSession` gives', async () => {
    const [first, second] = ['a', 'b'].map((name): SessionOptions => ({ secret: SECRET, store: createStorage(), name })) as [SessionOptions, SessionOptions]
    const visitor = await start(async (event) => {
      await useSession(event, first)
      const other = await useSession(event, second)
      await updateSession(event, { of: 'first' })
      await other.update({ of: 'second' })
      return [getSession(event), other.data]
    })
    expect(await visitor.json('/')).toEqual([{ of: 'first' }, { of: 'second' }])
  })

  it('`fromExpressSession({ secret, store })` with the very storage, its promise, and a store of express-session', async () => {
    const cases: ((id: string, record: string) => Parameters<typeof fromExpressSession>[0]['store'])[] = [
      (id, record) => {
        const storage = createStorage()
        void storage.setItemRaw(id, record)
        return storage
      },
      async (id, record) => {
        const storage = await createUnstorageStore({ type: 'memory' })
        await storage.setItemRaw(id, record)
        return storage
      },
      async (id, record) => Object.assign(createMemoryStore(), { sessions: { [id]: record } }),
    ]
    for (const make of cases) {
      const old = createOldExpressApp()
      const { id, cookie } = await old.login({ user: 'ada' })
      const migrate = fromExpressSession({ secret: OLD_APP_SECRET, store: make(id, old.records[id]!) })
      const visitor = await start(event => ({ data: getSession(event) }), [sessionMiddleware({ secret: SECRET, store: createStorage(), migrate })])
      visitor.cookies.set(...cookie)
      expect(await visitor.json('/')).toEqual({ data: { user: 'ada' } })
      expect([...visitor.cookies.keys()]).toEqual(['session'])
    }
  })

  it('h3\'s own signatures are refused with the line to write, and store no password', async () => {
    const driver = new ControlledDriver()
    const store = createStorage({ driver: driver.driver })
    const config = { password: 'a password as h3 wants it, 32 characters', name: 'h3' }
    const calls: [line: string, call: (event: never) => unknown][] = [
      ['await useSession(event)', event => useSession(event, config as never)],
      ['getSession(event)', event => getSession(...[event, config] as never as [never])],
      ['await updateSession(event, patch)', event => updateSession(...[event, config, { a: 1 }] as never as [never, object])],
      ['await updateSession(event, patch)', event => updateSession(...[event, config, () => ({ a: 1 })] as never as [never, object])],
      ['await updateSession(event, patch)', event => updateSession(event, config)],
      ['await destroySession(event)', event => clearSession(...[event, config] as never as [never])],
    ]
    for (const middleware of [[], [sessionMiddleware({ secret: SECRET, store })]]) {
      for (const [line, call] of calls) {
        const visitor = await start(async (event) => {
          const { code, message } = await caught(async () => call(event as never))
          return [code, message]
        }, middleware)
        expect(await visitor.json('/')).toEqual(['CONFIG_ERROR', expect.stringContaining(`\`${line}\``)])
        expect(visitor.cookies.size).toBe(0)
      }
    }
    expect(driver.count('write')).toBe(0)
  })
})

it('the console says once what to write for a `regenerateSession` without a session', async () => {
  vi.resetModules()
  const { regenerateSession, useSession } = await import('../../src/h3')
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const visitor = await HOSTS[0]!.start(async (event) => {
    await useSession(event, { secret: SECRET, store: createStorage() })
    await regenerateSession(event)
  })
  expect([(await visitor.fetch('/')).status, (await visitor.fetch('/')).status]).toEqual([401, 401])
  expect(warn.mock.calls).toEqual([[expect.stringContaining('`await regenerateSession(event, { userId })`')]])
})

it('davaux: `sessionMiddleware({ secret, cookieName, httpOnly, secure, sameSite, maxAge, path })` is refused with the right names', async () => {
  const options = { mode: 'cookie', secret: SECRET, cookieName: 'sid', httpOnly: true, secure: true, sameSite: 'lax', maxAge: 60, path: '/' }
  const { code, message } = await caught(async () => sessionMiddleware(options as never))
  expect(code).toBe('CONFIG_ERROR')
  for (const [given, meant] of Object.entries({ cookieName: 'cookie.name', httpOnly: 'cookie.httpOnly', secure: 'cookie.secure', sameSite: 'cookie.sameSite', path: 'cookie.path' }))
    expect(message).toMatch(new RegExp(`- ${given}: There is no such option\\. (?:Use|Did you mean) \`${meant}\``))
})

it('h3: `sessionMiddleware({ password, name })` is refused with `secret`', async () => {
  const { code, message } = await caught(async () => sessionMiddleware({ password: SECRET, name: 'h3', mode: 'cookie' } as never))
  expect([code, message]).toEqual(['CONFIG_ERROR', expect.stringContaining('- password: There is no such option. Use `secret`.')])
  expect(message).not.toContain('- name: ')
})

it('a secret of 15 characters is refused, and the message says how to make one', async () => {
  const { code, message } = await caught(async () => sessionMiddleware({ secret: 'your-secret-key', mode: 'cookie' }))
  expect([code, message]).toEqual(['CONFIG_ERROR', expect.stringContaining('openssl rand -base64 32')])
})

it('`signCookie` and `unsignCookie` can be awaited', async () => {
  const signed = await signCookie('session-id-123', 'secret')
  expect([await unsignCookie(signed, ['current-secret', 'secret']), await unsignCookie(signed, ['other'])]).toEqual(['session-id-123', null])
})

describe('types', () => {
  interface AppSession {
    userId: string
    roles: string[]
    preferences: { theme: 'light' | 'dark', languages: string[] }
  }

  it('`store` takes every `Storage<T>`, its promise, and a prefixed one', () => {
    type Given = NonNullable<SessionOptions['store']>
    expectTypeOf<Storage>().toExtend<Given>()
    expectTypeOf<Storage<{ visits: number }>>().toExtend<Given>()
    expectTypeOf<Storage<AppSession>>().toExtend<Given>()
    expectTypeOf<Promise<Storage<AppSession>>>().toExtend<Given>()
    expectTypeOf(prefixStorage<AppSession>).returns.toExtend<Given>()
    expectTypeOf(createUnstorageStore<AppSession>).returns.toExtend<Given>()
    expectTypeOf(createUnstorageStore<AppSession>).returns.resolves.toEqualTypeOf<Storage<AppSession>>()
    expectTypeOf<Promise<string>>().not.toExtend<Given>()
  })

  it('`getSession<T>(event)` is `T | null`, frozen', () => {
    expectTypeOf(getSession<AppSession>).returns.extract<null>().toEqualTypeOf<null>()
    expectTypeOf(getSession<AppSession>).returns.exclude<null>().toHaveProperty('userId').toEqualTypeOf<string>()
    expectTypeOf(getSession<AppSession>).returns.exclude<null>().toHaveProperty('roles').toEqualTypeOf<readonly string[]>()
  })

  it('a mutable copy is one line', async () => {
    const options: SessionOptions<AppSession> = { secret: SECRET, store: createStorage(), generate: () => ({ userId: '1', roles: ['editor'], preferences: { theme: 'light', languages: ['en'] } }) }
    const host = await HOSTS[0]!.start(async (event) => {
      const session = await useSession<AppSession>(event, options)
      const copy = structuredClone(session.data) as AppSession
      copy.roles.push('admin')
      copy.preferences.languages.push('fr')
      const roles: string[] = [...session.data.roles]
      roles.push('guest')
      const other = structuredClone(getSession<AppSession>(event)!) as AppSession
      other.roles.length = 0
      return { data: session.data, copy }
    })
    const roles = ['editor']
    expect(await host.json('/')).toEqual({
      data: { userId: '1', roles, preferences: { theme: 'light', languages: ['en'] } },
      copy: { userId: '1', roles: ['editor', 'admin'], preferences: { theme: 'light', languages: ['en', 'fr'] } },
    })
  })
})
