import type { SessionOptions } from '../../src/h3'
import type { Visitor } from '../support/browser'
import type { Handler } from './support/h3-hosts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createStorage } from 'unstorage'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { destroySession, fromExpressSession, getSession, isSessionError, regenerateSession, sessionMiddleware, signCookie, unsignCookie, updateSession, useSession } from '../../src/h3'
import { SECRET } from './support/app'
import { caught, codeOf } from './support/errors'
import { HOSTS } from './support/h3-hosts'

const page = readFileSync(join(import.meta.dirname, '../../docs/moving-from-analog-tools.md'), 'utf8')

/** Everything that the README of `@analog-tools/session` and its types name. */
const DOCUMENTED = {
  functions: ['useSession', 'getSession', 'refetchSession', 'updateSession', 'destroySession', 'regenerateSession', 'createUnstorageStore', 'signCookie', 'unsignCookie'],
  options: ['store', 'secret', 'name', 'maxAge', 'cookie', 'cookie.domain', 'cookie.path', 'cookie.secure', 'cookie.httpOnly', 'cookie.sameSite', 'generate'],
  drivers: ['redis', 'cloudflare-kv-binding', 'fs', 'memory', 'http'],
  errors: ['COOKIE_ERROR', 'INVALID_SESSION', 'CRYPTO_ERROR', 'STORAGE_ERROR', 'EXPIRED_SESSION', 'code', 'message', 'details'],
  types: ['SessionConfig', 'SessionData', 'CookieOptions', 'SessionError', 'Storage', 'AvailableDrivers', 'DriverOptions'],
}

/** The code in the first column of the tables that say what is where. */
const there = page.split('\n\n').filter(block => block.startsWith('| there |')).flatMap(table =>
  table.split('\n').slice(2).flatMap(row => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(match => match[1]!)))

/** True when a name stands there, alone or in a call. */
function isOnPage(name: string): boolean {
  const word = new RegExp(`(?<![\\w.-])${name.replaceAll('.', '\\.')}(?![\\w-])`)
  return there.some(code => word.test(code))
}

describe('the page for people who move from analog-tools', () => {
  it.each(Object.entries(DOCUMENTED))('has all %s of the old documentation', (_, names) => {
    expect(names.filter(name => !isOnPage(name))).toEqual([])
  })

  it('has no name by accident', () => {
    expect(['useSessions', 'domain', 'toString'].filter(isOnPage)).toEqual([])
  })
})

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

/** Options as they are written there, with a storage to look at. */
function createOptions(options: Partial<SessionOptions> = {}): { storage: ReturnType<typeof createStorage>, options: SessionOptions } {
  const storage = createStorage()
  return { storage, options: { store: storage, secret: SECRET, ...options } }
}

const cookiesOf = (response: Response): string[] => response.headers.getSetCookie()

const pathOf = (event: object): string => String(Reflect.get(event, 'path'))

describe.each(HOSTS.filter(({ isNode }) => isNode))('what the page says, on $name', ({ start }) => {
  /** An app whose only handler calls `useSession` first, as all examples there do. */
  const serve = async (options: SessionOptions, handler: Handler): Promise<Visitor> => start(async (event) => {
    await useSession(event, options)
    return handler(event)
  })

  it('a first visitor is null until something is written, and gets no cookie', async () => {
    const { storage, options } = createOptions()
    const visitor = await serve(options, event => ({ data: getSession(event) }))
    const response = await visitor.fetch('/')
    expect([await response.json(), cookiesOf(response), await storage.getKeys()]).toEqual([{ data: null }, [], []])
  })

  it('`generate` gives a first visitor data, a record and a cookie, as there', async () => {
    const { storage, options } = createOptions({ generate: () => ({ roles: [] }) })
    const visitor = await serve(options, event => ({ data: getSession(event) }))
    const response = await visitor.fetch('/')
    expect([await response.json(), cookiesOf(response).length, (await storage.getKeys()).length]).toEqual([{ data: { roles: [] } }, 1, 1])
  })

  it('`saveUninitialized` stores and sends a cookie for every visitor', async () => {
    const { storage, options } = createOptions({ saveUninitialized: true })
    const visitor = await serve(options, event => ({ data: getSession(event) }))
    const response = await visitor.fetch('/')
    expect([await response.json(), cookiesOf(response).length, (await storage.getKeys()).length]).toEqual([{ data: {} }, 1, 1])
  })

  it('`generate` without a key begins nothing', async () => {
    const visitor = await serve(createOptions({ generate: () => ({}) }).options, event => ({ data: getSession(event) }))
    const response = await visitor.fetch('/')
    expect([await response.json(), cookiesOf(response)]).toEqual([{ data: null }, []])
  })

  it('with `saveUninitialized` a first visitor can log in as there: a new id, then the data', async () => {
    const visitor = await serve(createOptions({ saveUninitialized: true }).options, async (event) => {
      await regenerateSession(event)
      await updateSession(event, () => ({ user: 'ada' }))
      return { data: getSession(event) }
    })
    expect(await visitor.json('/')).toEqual({ data: { user: 'ada' } })
  })

  it('a request that only reads sends no cookie again', async () => {
    const visitor = await serve(createOptions().options, event => pathOf(event) === '/write' ? updateSession(event, { user: 'ada' }) : { data: getSession(event) })
    expect(cookiesOf(await visitor.fetch('/write'))).toHaveLength(1)
    const response = await visitor.fetch('/')
    expect([await response.json(), cookiesOf(response)]).toEqual([{ data: { user: 'ada' } }, []])
  })

  it('`updateSession` resolves to the data, and parallel requests lose nothing', async () => {
    const visitor = await serve(createOptions().options, event => updateSession<{ visits: number }>(event, ({ visits = 0 }) => ({ visits: visits + 1 })))
    expect(await visitor.json('/')).toEqual({ visits: 1 })
    const counts = await Promise.all(Array.from({ length: 20 }, async () => (await visitor.json<{ visits: number }>('/')).visits))
    expect(counts.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 2))
  })

  it('`updateSession` of a key to undefined removes it, and an empty session has no record and no cookie', async () => {
    const { storage, options } = createOptions()
    const visitor = await serve(options, async (event) => {
      await updateSession(event, pathOf(event) === '/write' ? { user: 'ada' } : { user: undefined })
      return { data: getSession(event) }
    })
    await visitor.json('/write')
    expect([await visitor.json('/remove'), visitor.cookies.size, await storage.getKeys()]).toEqual([{ data: null }, 0, []])
  })

  it('data is frozen; a copy by `structuredClone` is not', async () => {
    const visitor = await serve(createOptions({ generate: () => ({ roles: ['reader'] }) }).options, (event) => {
      const data = getSession<{ roles: string[] }>(event)!
      const copy = structuredClone(data) as { roles: string[] }
      copy.roles.push('writer')
      try {
        (data.roles as string[]).push('writer')
        return { error: 'none' }
      }
      catch (error) {
        return { error: (error as Error).name, roles: data.roles, copy: copy.roles }
      }
    })
    expect(await visitor.json('/')).toEqual({ error: expect.stringMatching(/Error$/), roles: ['reader'], copy: ['reader', 'writer'] })
  })

  it('`useSession` with its options still works behind the middleware', async () => {
    const { options } = createOptions()
    const visitor = await start(async (event) => {
      const session = await useSession<{ a: number }>(event, { ...options })
      session.set('a', 1)
      await updateSession(event, { b: 2 })
      return getSession(event)
    }, [sessionMiddleware(options)])
    expect(await visitor.json('/')).toEqual({ a: 1, b: 2 })
  })

  it('`reload` reads what another request wrote, and is INVALID_SESSION without a session', async () => {
    const { options } = createOptions()
    const visitor = await serve(options, async (event) => {
      const session = await useSession<{ a: number }>(event)
      if (pathOf(event) === '/write')
        return session.update({ a: 1 })
      return { code: await session.reload().then(() => 'none', (error: { code: string }) => error.code), data: session.data }
    })
    expect(await visitor.json('/')).toEqual({ code: 'INVALID_SESSION', data: {} })
    await visitor.json('/write')
    expect(await visitor.json('/')).toEqual({ code: 'none', data: { a: 1 } })
  })

  it('a Date is refused; its number and its text are kept', async () => {
    const visitor = await serve(createOptions().options, async (event) => {
      const code = await codeOf(() => updateSession(event, { at: new Date(0) }))
      return { code, kept: await updateSession(event, { at: new Date(0).getTime(), text: new Date(0).toISOString() }) }
    })
    expect(await visitor.json('/')).toEqual({ code: 'INVALID_VALUE', kept: { at: 0, text: '1970-01-01T00:00:00.000Z' } })
  })

  it('`regenerateSession` keeps the data, takes a patch, and with `keep: false` keeps nothing else', async () => {
    const visitor = await serve(createOptions().options, async (event) => {
      if (pathOf(event) === '/cart')
        await updateSession(event, { cart: 1 })
      if (pathOf(event) === '/login')
        await regenerateSession(event, { user: 'ada' })
      if (pathOf(event) === '/again')
        await regenerateSession(event, { user: 'eve' }, { keep: false })
      return getSession(event)
    })
    await visitor.fetch('/cart')
    const ids = new Set(visitor.cookies.values())
    expect(await visitor.json('/login')).toEqual({ cart: 1, user: 'ada' })
    expect(ids).not.toContain([...visitor.cookies.values()][0])
    expect(await visitor.json('/again')).toEqual({ user: 'eve' })
  })

  it('`regenerateSession(event)` of a visitor without a session is INVALID_SESSION; a patch begins one', async () => {
    const visitor = await serve(createOptions().options, async (event) => {
      const code = await codeOf(() => regenerateSession(event))
      await regenerateSession(event, { user: 'ada' })
      return { code, data: getSession(event) }
    })
    expect(await visitor.json('/')).toEqual({ code: 'INVALID_SESSION', data: { user: 'ada' } })
  })

  it.each([[true, '; SameSite=Strict'], [false, '']] as const)('`cookie.sameSite: %s` is understood', async (sameSite, attribute) => {
    const visitor = await serve(createOptions({ name: 'sid', cookie: { sameSite } }).options, event => updateSession(event, { user: 'ada' }))
    expect(cookiesOf(await visitor.fetch('/'))[0]).toMatch(new RegExp(`^sid=[^;]+; Max-Age=604800; Path=/; HttpOnly${attribute}$`))
  })

  it('the old defaults by the old names', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const visitor = await serve(createOptions({ name: 'connect.sid', maxAge: 86400, cookie: { secure: false } }).options, event => updateSession(event, { user: 'ada' }))
    expect(cookiesOf(await visitor.fetch('/'))[0]).toMatch(/^connect\.sid=[^;]+; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/)
  })

  it('where nobody called `useSession` there is nothing to read and nothing to destroy', async () => {
    const visitor = await start(async event => ({ data: getSession(event), destroyed: await destroySession(event) ?? null, code: await codeOf(() => updateSession(event, {})) }))
    expect(await visitor.json('/')).toEqual({ data: null, destroyed: null, code: 'INVALID_SESSION' })
  })

  it('`destroySession` removes the cookie where it was set', async () => {
    const { options } = createOptions({ cookie: { name: 'sid', domain: 'example.com', path: '/shop', secure: true } })
    const visitor = await serve(options, async event => pathOf(event) === '/write' ? updateSession(event, { user: 'ada' }) : destroySession(event).then(() => 'bye'))
    await visitor.fetch('/write')
    expect(cookiesOf(await visitor.fetch('/destroy'))).toEqual(['sid=; Max-Age=0; Domain=example.com; Path=/shop; HttpOnly; Secure; SameSite=Lax'])
  })

  it('a signed id without a record is no session, and no new one begins', async () => {
    const { storage, options } = createOptions()
    const visitor = await serve(options, event => pathOf(event) === '/write' ? updateSession(event, { user: 'ada' }) : { data: getSession(event) })
    await visitor.fetch('/write')
    await storage.clear()
    const response = await visitor.fetch('/')
    expect([await response.json(), cookiesOf(response), await storage.getKeys()]).toEqual([{ data: null }, [], []])
  })

  it('storage holds no usable id, and a record around the data', async () => {
    const { storage, options } = createOptions()
    const visitor = await serve(options, async (event) => {
      const session = await useSession(event)
      await session.update({ user: 'ada' })
      return { id: session.id }
    })
    const { id } = await visitor.json<{ id: string }>('/')
    const [key] = await storage.getKeys()
    expect(key).toMatch(/[\da-f]{64}$/)
    expect([key!.includes(id), await storage.getItem(key!)]).toEqual([false, expect.objectContaining({ version: 1, data: { user: 'ada' } })])
  })

  it('a second `useSession` of a request leaves the utils with the first session', async () => {
    const [first, second] = [createOptions(), createOptions({ cookie: { name: 'other' } })]
    const visitor = await start(async (event) => {
      await useSession(event, first.options)
      const other = await useSession<{ a: number }>(event, second.options)
      other.set('a', 1)
      await updateSession(event, { b: 2 })
      return { utils: getSession(event), other: other.data }
    })
    expect(await visitor.json('/')).toEqual({ utils: { b: 2 }, other: { a: 1 } })
  })

  it('failures are a `SessionError` with the status that h3 answers with', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const broken = createStorage({ driver: { ...createStorage().getMount('').driver, getItem: () => Promise.reject(new Error('away')) } })
    const writer = await serve(createOptions().options, event => updateSession(event, { user: 'ada' }))
    await writer.fetch('/')
    const visitor = await serve(createOptions({ store: broken }).options, event => ({ data: getSession(event) }))
    for (const [name, value] of writer.cookies)
      visitor.cookies.set(name, value)
    expect((await visitor.fetch('/')).status).toBe(503)
  })

  it('the defaults are those of this package', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const visitor = await serve(createOptions().options, event => updateSession(event, { user: 'ada' }))
    expect(cookiesOf(await visitor.fetch('/'))[0]).toMatch(/^__Host-session=[^;]+; Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  })

  it('`idleTimeout` sends the cookie again, and lets a session of no use end sooner', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const visitor = await serve(createOptions({ maxAge: 86400, idleTimeout: 600 }).options, event => pathOf(event) === '/write' ? updateSession(event, { user: 'ada' }) : { data: getSession(event) })
      await visitor.fetch('/write')
      vi.setSystemTime(Date.now() + 500_000)
      expect(cookiesOf(await visitor.fetch('/'))).toHaveLength(1)
      vi.setSystemTime(Date.now() + 1_000_000)
      expect(await visitor.json('/')).toEqual({ data: null })
    }
    finally {
      vi.useRealTimers()
    }
  })

  it('`maxAge` counts from the beginning of the session, and storage keeps to it', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const visitor = await serve(createOptions({ maxAge: 3600 }).options, event => pathOf(event) === '/write' ? updateSession(event, { at: Date.now() }) : { data: getSession(event) })
      await visitor.fetch('/write')
      vi.setSystemTime(Date.now() + 3_000_000)
      const [cookie] = cookiesOf(await visitor.fetch('/write'))
      expect(cookie ?? 'no cookie').not.toContain('Max-Age=3600')
      vi.setSystemTime(Date.now() + 700_000)
      expect(await visitor.json('/')).toEqual({ data: null })
    }
    finally {
      vi.useRealTimers()
    }
  })

  it('a secret of 15 characters is refused', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const visitor = await start(async (event) => {
      const { code, message } = await caught(() => useSession(event, createOptions({ secret: 'your-secret-key' }).options))
      return { code, message }
    })
    expect(await visitor.json('/')).toEqual({ code: 'CONFIG_ERROR', message: expect.stringContaining('openssl rand -base64 32') })
  })
})

describe('visitors of analog-tools', () => {
  const ID = 'V1StGXR8_Z5jdHi6B-myT'
  const OLD_SECRET = 'your-secret-key'

  it('come in from the storage that the new sessions are in too, under the same name', async () => {
    const { storage, options } = createOptions({ name: 'connect.sid' })
    await storage.setItem(ID, { user: 'ada' })
    const migrate = fromExpressSession({ secret: OLD_SECRET, store: storage })
    const visitor = await HOSTS[0]!.start(async (event) => {
      await useSession(event, { ...options, migrate })
      return { data: getSession(event) }
    })
    visitor.cookies.set('connect.sid', encodeURIComponent(signCookie(ID, OLD_SECRET)))
    expect(await visitor.json('/')).toEqual({ data: { user: 'ada' } })
    expect(await visitor.json('/')).toEqual({ data: { user: 'ada' } })
    expect([visitor.cookies.size, await storage.hasItem(ID)]).toEqual([1, false])
  })
})

describe('what the page says of signed values', () => {
  it('they are made and read without a promise', () => {
    const signed = signCookie('session-id-123', 'secret')
    expect(signed).toMatch(/^s:session-id-123\.[\w+/]{43}$/)
    expect(unsignCookie(signed, ['current-secret', 'secret'])).toBe('session-id-123')
  })

  it('an empty secret throws', () => {
    expect(() => signCookie('session-id-123', '')).toThrow(TypeError)
  })

  it('the cookies of sessions have another format', async () => {
    const visitor = await HOSTS[0]!.start(async (event) => {
      const session = await useSession(event, createOptions({ cookie: { name: 'sid' } }).options)
      session.set('user', 'ada')
      return {}
    })
    await visitor.fetch('/')
    expect(unsignCookie(decodeURIComponent(visitor.cookies.get('sid')!), [SECRET])).toBeNull()
  })
})

it('errors can be told by `isSessionError`', async () => {
  const error = await caught(() => getSession(null as never))
  expect([isSessionError(error), error.details]).toEqual([true, expect.any(Object)])
})
