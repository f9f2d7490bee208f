import type { SessionOptions } from '../../src/h3'
import type { SessionMigration } from '../../src/core/index'
import type { Visitor } from '../support/browser'
import type { Handler } from './support/h3-hosts'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createStorage } from 'unstorage'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { destroySession, flash, getSession, regenerateSession, sessionMiddleware, updateSession, useSession } from '../../src/h3'
import { readDavauxCookie } from '../fixtures/moving/davaux/server/utils/davaux'
import { SECRET } from './support/app'
import { caught, codeOf } from './support/errors'
import { HOSTS } from './support/h3-hosts'

const page = readFileSync(join(import.meta.dirname, '../../docs/moving-from-davaux.md'), 'utf8')

/** Everything that the documentation of `@davaux/session` names. */
const DOCUMENTED = {
  options: ['secret', 'cookieName', 'httpOnly', 'secure', 'sameSite', 'maxAge', 'path'],
  calls: ['sessionMiddleware', 'ctx.state.session', 'session.get', 'session.set', 'session.delete', 'session.clear', 'session.destroy', 'ctx.flash(key, value)', 'ctx.flash(key)'],
}

/** The code in the first column of the tables that say what is where. */
const there = page.split('\n\n').filter(block => block.startsWith('| there |')).flatMap(table =>
  table.split('\n').slice(2).flatMap(row => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(match => match[1]!)))

describe('the page for people who move from davaux', () => {
  it.each(Object.entries(DOCUMENTED))('has all %s of the old documentation', (_, names) => {
    expect(names.filter(name => !there.some(code => code === name || code.startsWith(`${name}(`)))).toEqual([])
  })
})

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const OPTIONS: SessionOptions = { mode: 'cookie', secret: SECRET }
let timeout = 5000
const cookiesOf = (response: Response): string[] => response.headers.getSetCookie()

const pathOf = (event: object): string => String(Reflect.get(event, 'path'))

describe.each(HOSTS.filter(({ isNode }) => isNode))('what the page says, on $name', ({ start }) => {
  /** An app with the middleware, as there; of equal options there would be one app for all tests. */
  const serve = async (handler: Handler, options: Partial<SessionOptions> = {}): Promise<Visitor> =>
    start(handler, [sessionMiddleware({ ...OPTIONS, timeout: ++timeout, ...options })])

  it('the cookie cannot be read, unless `encrypt` is false', async () => {
    const valueOf = async (options: Partial<SessionOptions>): Promise<string> => {
      const visitor = await serve(event => updateSession(event, { user: 'ada' }), options)
      await visitor.fetch('/')
      const [value] = visitor.cookies.values()
      return value!.split('.').map(part => Buffer.from(part, 'base64url').toString()).join()
    }
    expect([(await valueOf({})).includes('ada'), (await valueOf({ encrypt: false })).includes('ada')]).toEqual([false, true])
  })

  it('a kept cookie ends with `maxAge`, whatever the browser does', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const visitor = await serve(event => pathOf(event) === '/login' ? updateSession(event, { user: 'ada' }) : { data: getSession(event) }, { maxAge: 3600 })
      await visitor.fetch('/login')
      vi.setSystemTime(Date.now() + 3_500_000)
      expect(await visitor.json('/')).toEqual({ data: { user: 'ada' } })
      vi.setSystemTime(Date.now() + 200_000)
      expect(await visitor.json('/')).toEqual({ data: null })
    }
    finally {
      vi.useRealTimers()
    }
  })

  it('what does not fit is `COOKIE_ERROR` at the change, which names the key', async () => {
    const visitor = await serve(async (event) => {
      const session = await useSession<{ essay: string }>(event)
      const { code, message } = await caught(() => session.set('essay', 'x'.repeat(5000)))
      return { code, message, data: session.data }
    })
    const response = await visitor.fetch('/')
    expect([await response.json(), cookiesOf(response)]).toEqual([{ code: 'COOKIE_ERROR', message: expect.stringContaining('essay'), data: {} }, []])
  })

  it('a first visitor has no cookie until something is written; `generate` and `saveUninitialized` give one', async () => {
    const read: Handler = async event => ({ data: getSession(event), theme: (await useSession(event)).get('theme') ?? null })
    const look = async (options: Partial<SessionOptions>): Promise<unknown[]> => {
      const response = await (await serve(read, options)).fetch('/')
      return [await response.json(), cookiesOf(response).length]
    }
    expect(await look({})).toEqual([{ data: null, theme: null }, 0])
    expect(await look({ generate: () => ({ theme: 'light' }) })).toEqual([{ data: { theme: 'light' }, theme: 'light' }, 1])
    expect((await look({ saveUninitialized: true }))[1]).toBe(1)
  })

  it('`clear` and the last `delete` take the cookie away', async () => {
    const visitor = await serve(async (event) => {
      const session = await useSession<{ user: string }>(event)
      if (pathOf(event) === '/set')
        session.set('user', 'ada')
      if (pathOf(event) === '/delete')
        session.delete('user')
      if (pathOf(event) === '/clear') {
        session.flash('success', 'unread')
        session.clear()
      }
      return {}
    })
    for (const path of ['/delete', '/clear']) {
      await visitor.fetch('/set')
      expect(visitor.cookies.size).toBe(1)
      await visitor.fetch(path)
      expect(visitor.cookies.size).toBe(0)
    }
  })

  it('what `get` returns is frozen; a copy by `structuredClone` is not', async () => {
    const visitor = await serve(async (event) => {
      const session = await useSession<{ cart: string[] }>(event)
      session.set('cart', ['apple'])
      const changed = await Promise.resolve().then(() => (session.get('cart') as string[]).push('pear')).then(() => true, () => false)
      const cart = structuredClone(session.data.cart) as string[]
      cart.push('pear')
      session.set('cart', cart)
      return { changed, cart: session.get('cart') }
    })
    expect(await visitor.json('/')).toEqual({ changed: false, cart: ['apple', 'pear'] })
  })

  it.each([['a Date', new Date(0)], ['a Map', new Map()], ['NaN', Number.NaN]])('%s is refused', async (_, value) => {
    const visitor = await serve(async event => ({ code: await codeOf(() => updateSession(event, { value })) }))
    expect(await visitor.json('/')).toEqual({ code: 'INVALID_VALUE' })
  })

  it('a message stays until it is read, over requests and a new id', async () => {
    const visitor = await serve(async (event) => {
      if (pathOf(event) === '/write')
        flash(event, 'success', 'Saved.')
      if (pathOf(event) === '/renew')
        await regenerateSession(event, { user: 'ada' })
      return pathOf(event) === '/read' ? { message: flash(event, 'success') ?? null } : {}
    })
    for (const path of ['/write', '/other', '/renew', '/other'])
      await visitor.fetch(path)
    expect([await visitor.json('/read'), await visitor.json('/read')]).toEqual([{ message: 'Saved.' }, { message: null }])
  })

  it('`flash` without the middleware is INVALID_SESSION', async () => {
    const visitor = await start(async event => ({ code: await codeOf(() => flash(event, 'success', 'Saved.')) }))
    expect(await visitor.json('/')).toEqual({ code: 'INVALID_SESSION' })
  })

  it('`regenerateSession` keeps the data, and nothing with `keep: false`', async () => {
    const visitor = await serve(async (event) => {
      if (pathOf(event) === '/cart')
        await updateSession(event, { cart: 1 })
      if (pathOf(event) === '/login')
        await regenerateSession(event, { user: 'ada' })
      if (pathOf(event) === '/again')
        await regenerateSession(event, { user: 'eve' }, { keep: false })
      return getSession(event)
    })
    await visitor.fetch('/cart')
    expect(await visitor.json('/login')).toEqual({ cart: 1, user: 'ada' })
    expect(await visitor.json('/again')).toEqual({ user: 'eve' })
  })

  it('a copy of the cookie is good after a logout, and in storage mode it is not', async () => {
    const look = async (options: Partial<SessionOptions>): Promise<unknown> => {
      const visitor = await serve(async (event) => {
        if (pathOf(event) === '/login')
          await updateSession(event, { user: 'ada' })
        if (pathOf(event) === '/logout')
          await destroySession(event)
        return { data: getSession(event) }
      }, options)
      await visitor.fetch('/login')
      const copy = [...visitor.cookies]
      await visitor.fetch('/logout')
      expect(visitor.cookies.size).toBe(0)
      for (const [name, value] of copy)
        visitor.cookies.set(name, value)
      return visitor.json('/')
    }
    expect(await look({})).toEqual({ data: { user: 'ada' } })
    expect(await look({ mode: 'storage', store: createStorage() })).toEqual({ data: null })
  })

  it('the name and the attributes in production', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const visitor = await serve(event => updateSession(event, { user: 'ada' }))
    expect(cookiesOf(await visitor.fetch('/'))[0]).toMatch(/^__Host-session=[^;]+; Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  })

  it('the options of davaux are refused, and the error names the ones to use', async () => {
    const { code, details } = await caught(() => sessionMiddleware({ mode: 'cookie', secret: SECRET, cookieName: 'shop', httpOnly: true, secure: false, sameSite: 'lax', path: '/' } as SessionOptions))
    const issues = details.issues as { path: string, remedy: string }[]
    expect(code).toBe('CONFIG_ERROR')
    expect(issues.map(({ path, remedy }) => [path, /`(cookie\.\w+)`/.exec(remedy)?.[1]])).toEqual([
      ['cookieName', 'cookie.name'],
      ['httpOnly', 'cookie.httpOnly'],
      ['secure', 'cookie.secure'],
      ['sameSite', 'cookie.sameSite'],
      ['path', 'cookie.path'],
    ])
  })

  describe('a SessionMigration of one\'s own', () => {
    const OLD_SECRET = 'the secret of the old app'
    const seal = (data: object): string => {
      const payload = Buffer.from(JSON.stringify(data)).toString('base64url')
      return `${payload}.${createHmac('sha256', OLD_SECRET).update(payload).digest('base64url')}`
    }
    const migration = (expiresAt?: number): SessionMigration => ({
      cookie: { name: 'shop' },
      recognize(value) {
        const data = readDavauxCookie(value, [OLD_SECRET])
        return data && { names: ['shop'], open: async () => ({ data, ...expiresAt !== undefined && { expiresAt } }) }
      },
    })
    const read: Handler = async (event) => {
      if (pathOf(event) === '/logout')
        await destroySession(event)
      return { data: getSession(event) }
    }

    it.each(['cookie', 'storage'] as const)('lets a visitor in, in %s mode, and removes the old cookie', async (mode) => {
      const visitor = await serve(read, { mode, store: createStorage(), migrate: migration() })
      visitor.cookies.set('shop', seal({ user: 'ada' }))
      const response = await visitor.fetch('/')
      expect(await response.json()).toMatchObject({ data: { user: 'ada' } })
      expect([...visitor.cookies.keys()]).toEqual(['session'])
      expect(await visitor.json('/')).toMatchObject({ data: { user: 'ada' } })
    })

    it.each(['cookie', 'storage'] as const)('keeps visitors with the same data apart, in %s mode', async (mode) => {
      const options = { mode, store: createStorage(), migrate: migration() }
      const handler: Handler = event => pathOf(event) === '/login' ? updateSession(event, { user: 'ada' }) : read(event)
      const [ada, bob] = [await serve(handler, options), await serve(handler, options)]
      for (const visitor of [ada, bob])
        visitor.cookies.set('shop', seal({ visits: 1 }))
      await ada.fetch('/login')
      expect(await bob.json('/')).toMatchObject({ data: { visits: 1 } })
      expect(await bob.json('/')).not.toMatchObject({ data: { user: 'ada' } })
      expect(await ada.json('/')).toMatchObject({ data: { visits: 1, user: 'ada' } })
    })

    it('a cookie that it throws at is nobody\'s', async () => {
      const visitor = await serve(read, { migrate: { cookie: { name: 'shop' }, recognize: value => void decodeURIComponent(value) } })
      visitor.cookies.set('shop', '%')
      expect(await visitor.json('/')).toEqual({ data: null })
    })

    it.each(['open', 'end'])('a failure of its `%s` is a 503', async (what) => {
      const fail = async (): Promise<never> => {
        throw new Error('the database of the old app is away')
      }
      const session = { data: { user: 'ada' }, end: what === 'end' ? fail : async () => {} }
      const visitor = await serve(read, { mode: 'storage', store: createStorage(), migrate: { cookie: { name: 'shop' }, recognize: () => ({ names: ['shop'], open: what === 'open' ? fail : async () => session }) } })
      visitor.cookies.set('shop', 'x')
      const response = await visitor.fetch('/')
      expect([response.status, response.headers.getSetCookie()]).toEqual([503, []])
      expect(visitor.cookies.get('shop')).toBe('x')
    })

    it('`expiresAt` ends it', async () => {
      const visitor = await serve(read, { migrate: migration(Date.now() - 1) })
      visitor.cookies.set('shop', seal({ user: 'ada' }))
      expect(await visitor.json('/')).toEqual({ data: null })
    })
  })
})
