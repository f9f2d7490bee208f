import type { SessionOptions } from '../../src/h3'
import type { Visitor } from '../support/browser'
import type { Handler } from './support/h3-hosts'
import * as h3 from 'h3'
import * as h3V2 from 'h3-v2'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createStorage } from 'unstorage'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { destroySession, flash, fromH3Session, getSession, regenerateSession, sessionMiddleware, updateSession, useSession } from '../../src/h3'
import { setCookiesOf } from '../support/browser'
import { H3_VERSIONS, PASSWORD } from '../support/other-packages'
import { SECRET } from './support/app'
import { caught, codeOf } from './support/errors'
import { HOSTS } from './support/h3-hosts'
import { allOf, callsThere, missingIn, readPage, sectionOf } from './support/pages'
import { createSwitch } from './support/server'

/** The utils of h3, as far as both majors agree. */
interface Utils {
  useSession(event: never, config: object): Promise<{ id: string, data: Record<string, unknown>, update(update: unknown): Promise<unknown>, clear(): Promise<unknown> }>
  getSession(event: never, config: object): Promise<{ id: string, createdAt: number, data: Record<string, unknown> }>
}

const [hostV1] = HOSTS
const hostV2 = HOSTS.find(({ major }) => major === 2)!

const VERSIONS = [
  { version: 'h3 v1', major: 1, start: hostV1!.start, utils: h3 as unknown as Utils },
  { version: 'h3 v2', major: 2, start: hostV2.start, utils: h3V2 as unknown as Utils },
]

type HandlerThere = (session: Awaited<ReturnType<Utils['useSession']>>, path: string) => unknown

/** A visitor of an app that uses h3's session in every request. */
function visitThere({ start, utils }: typeof VERSIONS[number], handler: HandlerThere, config: object = {}): Promise<Visitor> {
  return start(async event => await handler(await utils.useSession(event as never, { password: PASSWORD, ...config }), pathOf(event)) ?? null)
}

/** A visitor of an app of ours. */
function visitHere(handler: Handler, options: Partial<SessionOptions> = {}): Promise<Visitor> {
  return hostV1!.start(async event => await handler(event) ?? null, [sessionMiddleware({ secret: SECRET, store: createStorage(), ...options })])
}

const pathOf = (event: object): string => 'path' in event ? event.path as string : (event as { url: URL }).url.pathname

describe('the page', () => {
  const calls = callsThere(sectionOf(readPage('moving-from-h3'), '## Every call'))
  const typesOf = (file: string): string => readFileSync(join(import.meta.dirname, '../../node_modules', file), 'utf8')
  const membersOf = (types: string, name: string): string[] => {
    const body = new RegExp(`interface ${name}\\b[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(types)![1]!
    return allOf(body.replaceAll(/\/\*[\s\S]*?\*\//g, ''), /^\s+(?:readonly )?(\w+)\??:/gm)
  }

  it.each([['h3 v1', 'h3/dist/index.d.ts'], ['h3 v2', 'h3-v2/dist/h3.d.mts']])('has a line for everything of %s', (_, file) => {
    const types = typesOf(file)
    const options = membersOf(types, 'SessionConfig').map(name => name === 'chunkMaxLength' ? `cookie.${name}` : name)
    const utils = allOf(types, /declare function (\w*Session)\b/g)
    expect(options.length).toBeGreaterThanOrEqual(8)
    expect(utils.length).toBeGreaterThanOrEqual(6)
    expect(missingIn(calls, [...options, ...utils])).toEqual([])
    expect(missingIn(calls, ['SessionManager', 'Session'].flatMap(name => membersOf(types, name)).map(name => `session.${name}`))).toEqual([])
  })

  it('has a line for every attribute of the cookie', () => {
    const attributes = membersOf(typesOf('cookie-es/dist/index.d.ts'), 'CookieSerializeOptions')
    expect(attributes.length).toBeGreaterThanOrEqual(9)
    expect(missingIn(calls, attributes.map(name => `cookie.${name}`))).toEqual([])
  })
})

it.each(H3_VERSIONS)('a visitor of $version comes in where our cookie has the name that it had there', async ({ seal }) => {
  const visitor = await visitHere(event => [getSession(event)], { cookie: { name: 'h3' }, migrate: fromH3Session({ password: PASSWORD }) })
  for (const [name, value] of await seal({}, { user: 'ada' }))
    visitor.cookies.set(name, value)
  expect(await visitor.json('/')).toEqual([{ user: 'ada' }])
  expect(await visitor.json('/')).toEqual([{ user: 'ada' }])
  expect([...visitor.cookies.keys()]).toEqual(['h3'])
})

describe('a visitor who was idle for longer than h3 v2 allows', () => {
  it.each([
    ['comes in with a kept cookie until `maxAge`', { maxAge: 3600, idleTimeout: 60 }, {}, [{ user: 'ada' }]],
    ['is a stranger with `idleTimeout`', { maxAge: 3600, idleTimeout: 60 }, { idleTimeout: 60 }, [null]],
    ['comes in where `idleTimeout` is longer', { maxAge: 3600, idleTimeout: 60 }, { idleTimeout: 301 }, [{ user: 'ada' }]],
    ['is a stranger with the time since it began, in a session of h3 without an idle time', { maxAge: 3600 }, { idleTimeout: 60 }, [null]],
    ['is a stranger where there was no `maxAge`', { idleTimeout: 60 }, {}, [null]],
  ])('%s', async (_, config, limits, seen) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2030, 0, 1) })
    onTestFinished(() => void vi.useRealTimers())
    const cookies = await H3_VERSIONS[1]!.seal(config, { user: 'ada' })
    vi.setSystemTime(Date.now() + 300_000)
    const visitor = await visitHere(event => [getSession(event)], { migrate: fromH3Session({ password: PASSWORD, ...limits }) })
    cookies.forEach(([name, value]) => visitor.cookies.set(name, value))
    expect(await visitor.json('/')).toEqual(seen)
  })
})

describe('what behaves differently', () => {
  describe('a new visitor', () => {
    it('has an object of data there, and null here', async () => {
      const there = await VERSIONS[1]!.start(async event => [(await VERSIONS[1]!.utils.getSession(event as never, { password: PASSWORD })).data])
      expect(await there.json('/')).toEqual([{}])
      expect(await (await visitHere(event => [getSession(event)])).json('/')).toEqual([null])
    })

    it('has first data here by `generate`', async () => {
      const here = await visitHere(event => [getSession(event)], { generate: () => ({ theme: 'light' }) })
      expect(await here.json('/')).toEqual([{ theme: 'light' }])
    })

    it.each(VERSIONS)('gets a cookie by `useSession` of $version', async (there) => {
      const visitor = await visitThere(there, () => {})
      await visitor.fetch('/')
      expect(visitor.cookies.size).toBe(1)
    })

    it.each(VERSIONS.map(there => ({ ...there, count: there.major === 1 ? 1 : 0 })))('gets $count cookies by `getSession` of $version', async ({ start, utils, count }) => {
      const visitor = await start(async event => (await utils.getSession(event as never, { password: PASSWORD })).data)
      expect(await visitor.json('/')).toEqual({})
      expect(visitor.cookies.size).toBe(count)
    })

    it.each([['gets none here', {}, 0], ['gets one with `saveUninitialized`', { saveUninitialized: true }, 1]])('%s', async (_, options, count) => {
      const visitor = await visitHere(async event => [getSession(event), (await useSession(event)).data], options)
      expect((await visitor.json<unknown[]>('/'))[1]).toEqual({})
      expect(visitor.cookies.size).toBe(count)
    })
  })

  describe('data', () => {
    it.each(VERSIONS)('can be assigned to in $version, which the next `update` keeps', async (there) => {
      const visitor = await visitThere(there, async ({ data, update }, path) => {
        if (path === '/set') {
          data.user = 'ada'
          await update({})
        }
        return data
      })
      await visitor.fetch('/set')
      expect(await visitor.json('/')).toEqual({ user: 'ada' })
    })

    it('is frozen here, and a copy of it is not', async () => {
      interface Cart { items: string[] }
      const visitor = await visitHere(async (event) => {
        const session = await useSession<{ cart?: Cart }>(event)
        const cart = structuredClone(session.data.cart ?? { items: [] }) as Cart
        cart.items.push('tea')
        session.set('cart', cart)
        expect(() => (session.data.cart as Cart).items.push('milk')).toThrow(/read-only/)
        expect(() => Object.assign(session.data, { theme: 'dark' })).toThrow(/read-only/)
        return session.data.cart
      })
      expect([await visitor.json('/'), await visitor.json('/')]).toEqual([{ items: ['tea'] }, { items: ['tea', 'tea'] }])
    })

    const values: [what: string, value: unknown, stored: unknown][] = [
      ['a Date', new Date(0), '1970-01-01T00:00:00.000Z'],
      ['a Map', new Map([['a', 1]]), {}],
      ['NaN', Number.NaN, null],
    ]
    it.each(values)('%s comes back as something else there, and throws INVALID_VALUE here', async (_, value, stored) => {
      const there = await visitThere(VERSIONS[0]!, async ({ data, update }, path) => path === '/set' ? void await update({ value }) : data)
      await there.fetch('/set')
      expect(await there.json('/')).toEqual({ value: stored })
      const here = await visitHere(event => codeOf(() => updateSession(event, { value })))
      expect(await (await here.fetch('/')).text()).toBe('INVALID_VALUE')
    })

    it.each(VERSIONS)('of a function that gives nothing back is kept in $version, and refused here', async (there) => {
      const change = (data: Record<string, unknown>): void => void (data.visits = 1)
      const visitor = await visitThere(there, async ({ data, update }, path) => path === '/set' ? void await update(change) : data)
      await visitor.fetch('/set')
      expect(await visitor.json('/')).toEqual({ visits: 1 })
      const here = await visitHere(event => updateSession(event, change as never).then(() => 'kept', () => 'refused'))
      expect(await (await here.fetch('/')).text()).toBe('refused')
    })
  })

  it.each(VERSIONS)('`update` resolves with the session in $version, and with the data here', async (there) => {
    const visitor = await visitThere(there, async session => await session.update({ a: 1 }) === session)
    expect(await visitor.json('/')).toBe(true)
    const here = await visitHere(async event => (await useSession(event)).update({ a: 1 }))
    expect(await here.json('/')).toEqual({ a: 1 })
  })

  describe('`clear`', () => {
    it.each(VERSIONS)('and then `update` brings the old data and id back in $version', async (there) => {
      const visitor = await visitThere(there, async (session, path) => {
        const { id } = session
        if (path === '/login')
          await session.clear()
        await session.update({ [path.slice(1)]: true })
        return [session.id === id, session.data]
      })
      await visitor.fetch('/cart')
      expect(await visitor.json('/login')).toEqual([true, { cart: true, login: true }])
    })

    it('empties the session here, which `destroy` ends: then another one begins', async () => {
      const visitor = await visitHere(async (event) => {
        const session = await useSession(event)
        const { id } = session
        if (pathOf(event) === '/clear')
          session.clear()
        if (pathOf(event) === '/destroy')
          await session.destroy()
        session.set('path', pathOf(event))
        return [session.id === id, session.data]
      })
      await visitor.json('/first')
      expect(await visitor.json('/clear')).toEqual([true, { path: '/clear' }])
      expect(await visitor.json('/destroy')).toEqual([false, { path: '/destroy' }])
    })
  })

  describe('a copy of the cookie', () => {
    it.each(VERSIONS)('outlives the logout in $version', async (there) => {
      const visitor = await visitThere(there, async ({ data, update, clear }, path) => {
        if (path === '/login')
          await update({ user: 'ada' })
        if (path === '/logout')
          await clear()
        return data
      })
      await visitor.fetch('/login')
      const copy = new Map(visitor.cookies)
      await visitor.fetch('/logout')
      expect(await visitor.json('/')).toEqual({})
      copy.forEach((value, name) => visitor.cookies.set(name, value))
      expect(await visitor.json('/')).toEqual({ user: 'ada' })
    })

    it.each([['ends with it in storage mode here', {}, null], ['outlives it in cookie mode', { mode: 'cookie' as const }, { user: 'ada' }]])('%s', async (_, options, seen) => {
      const visitor = await visitHere(async (event) => {
        if (pathOf(event) === '/login')
          await regenerateSession(event, { user: 'ada' })
        if (pathOf(event) === '/logout')
          await destroySession(event)
        return [getSession(event)]
      }, options)
      await visitor.fetch('/login')
      const copy = new Map(visitor.cookies)
      await visitor.fetch('/logout')
      copy.forEach((value, name) => visitor.cookies.set(name, value))
      expect(await visitor.json('/')).toEqual([seen])
    })
  })

  it('a login keeps data and messages with `regenerate`, and neither with `keep: false`', async () => {
    const visitor = await visitHere(async (event) => {
      if (pathOf(event) === '/cart') {
        flash(event, 'message', 'Added.')
        return updateSession(event, { cart: ['tea'] })
      }
      const { id } = await useSession(event)
      await regenerateSession(event, { user: 1 }, pathOf(event) === '/bare' ? { keep: false } : undefined)
      return [(await useSession(event)).id === id, getSession(event), flash(event, 'message') ?? null]
    })
    await visitor.json('/cart')
    expect(await visitor.json('/login')).toEqual([false, { cart: ['tea'], user: 1 }, 'Added.'])
    await visitor.json('/cart')
    expect(await visitor.json('/bare')).toEqual([false, { user: 1 }, null])
  })

  describe('the lifetime', () => {
    const lineOf = async (visitor: Visitor): Promise<string> => (await visitor.fetch('/')).headers.getSetCookie()[0]!

    it.each(VERSIONS)('is that of the browser in $version unless `maxAge` is set', async (there) => {
      const change: HandlerThere = ({ update }) => update({ a: 1 }).then(() => {})
      expect(await lineOf(await visitThere(there, change))).not.toMatch(/expires|max-age/i)
      expect(await lineOf(await visitThere(there, change, { maxAge: 60 }))).toMatch(/Expires=/)
    })

    it.each([['is 7 days here', false, /Max-Age=604800;/], ['of one visitor is that of the browser with `persistent: false`', true, /^(?!.*(?:Expires|Max-Age))/]])('%s', async (_, isShort, line) => {
      const here = await visitHere(async (event) => {
        const session = await useSession(event)
        if (isShort)
          session.setLifetime({ persistent: false })
        session.set('a', 1)
      })
      expect(await lineOf(here)).toMatch(line)
    })

    it('after the last request is half an `idleTimeout` to a whole one in h3 v2, and a whole one to one and a half here', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2030, 0, 1) })
      onTestFinished(() => void vi.useRealTimers())
      const config = { idleTimeout: 60 }
      const isThere = async (seconds: number): Promise<boolean[]> => {
        const there = await visitThere(VERSIONS[1]!, ({ data, update }, path) => path === '/login' ? update({ user: 1 }).then(() => {}) : data.user === 1, config)
        const here = await visitHere(event => pathOf(event) === '/login' ? updateSession(event, { user: 1 }) : getSession(event)?.user === 1, config)
        await Promise.all([there.fetch('/login'), here.fetch('/login')])
        vi.setSystemTime(Date.now() + 29_000)
        await Promise.all([there.fetch('/'), here.fetch('/')])
        vi.setSystemTime(Date.now() + seconds * 1000)
        return [await there.json('/'), await here.json('/')]
      }
      expect([await isThere(25), await isThere(40), await isThere(59), await isThere(61)]).toEqual([[true, true], [false, true], [false, true], [false, false]])
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

    it('one is lost there', async () => {
      const meet = meeting()
      const visitor = await visitThere(VERSIONS[0]!, async ({ data, update }, path) => {
        if (path !== '/')
          await meet().then(() => update({ [path.slice(1)]: true }))
        return data
      })
      await visitor.fetch('/')
      await Promise.all([visitor.fetch('/a'), visitor.fetch('/b')])
      expect(Object.keys(await visitor.json<object>('/'))).toHaveLength(1)
    })

    it('both are kept here', async () => {
      const meet = meeting()
      const visitor = await visitHere(async (event) => {
        const path = pathOf(event)
        if (path === '/a' || path === '/b')
          await meet()
        return path === '/' ? getSession(event) : updateSession(event, { [path.slice(1)]: true })
      })
      await visitor.fetch('/first')
      await Promise.all([visitor.fetch('/a'), visitor.fetch('/b')])
      expect(await visitor.json('/')).toEqual({ first: true, a: true, b: true })
    })
  })

  describe('more than a cookie holds', () => {
    const text = 'x'.repeat(6000)
    const sizesOf = async (visitor: Visitor): Promise<number[]> => (await visitor.fetch('/')).headers.getSetCookie().map(line => line.split(';')[0]!.length)

    it('is sent in h3 v1, and browsers refuse it', async () => {
      const [size] = await sizesOf(await visitThere(VERSIONS[0]!, ({ update }) => update({ text }).then(() => {})))
      expect(size).toBeGreaterThan(4096)
    })

    it('is cut into several cookies in h3 v2', async () => {
      const sizes = await sizesOf(await visitThere(VERSIONS[1]!, ({ update }) => update({ text }).then(() => {})))
      expect(sizes.length).toBeGreaterThan(2)
      expect(Math.max(...sizes)).toBeLessThanOrEqual(4096)
    })

    it('is stored here, and in cookie mode throws COOKIE_ERROR', async () => {
      const visitor = await visitHere(event => updateSession(event, { text }))
      expect(await sizesOf(visitor)).toEqual([expect.any(Number)])
      expect(await visitor.json('/')).toEqual({ text })
      const cookies = await visitHere(event => codeOf(() => updateSession(event, { text })), { mode: 'cookie' })
      expect(await (await cookies.fetch('/')).text()).toBe('COOKIE_ERROR')
    })
  })

  it('the cookie is called `h3` there and is Secure in development too; here it has a prefix where it is', async () => {
    const attributes = async (visitor: Visitor): Promise<string> => (await visitor.fetch('/')).headers.getSetCookie()[0]!.replace(/=[^;]*/, '').replace(/Max-Age=\d+; /, '')
    const change: HandlerThere = ({ update }) => update({ a: 1 }).then(() => {})
    expect(await attributes(await visitThere(VERSIONS[0]!, change))).toBe('h3; Path=/; HttpOnly; Secure')
    expect(await attributes(await visitThere(VERSIONS[1]!, change))).toBe('h3; Path=/; HttpOnly; Secure; SameSite=Lax')
    expect(await attributes(await visitHere(event => updateSession(event, { a: 1 })))).toBe('session; Path=/; HttpOnly; SameSite=Lax')
    expect(await attributes(await visitHere(event => updateSession(event, { a: 1 }), { cookie: { secure: true } }))).toBe('__Host-session; Path=/; HttpOnly; Secure; SameSite=Lax')
  })

  it.each([[true, 'Strict'], [false, undefined]])('`name` and `sameSite: %s` mean the same there and here', async (sameSite, shown) => {
    const sameSiteOf = async (visitor: Visitor): Promise<string | undefined> => /^shop=.*SameSite=(\w+)/.exec((await visitor.fetch('/')).headers.getSetCookie()[0]!)?.[1]
    expect(await sameSiteOf(await visitThere(VERSIONS[0]!, ({ update }) => update({ a: 1 }).then(() => {}), { name: 'shop', cookie: { sameSite } }))).toBe(shown)
    expect(await sameSiteOf(await visitHere(event => updateSession(event, { a: 1 }), { name: 'shop', cookie: { sameSite } }))).toBe(shown)
  })

  it.each(VERSIONS)('a header can hold the session in $version', async ({ start, utils }) => {
    const config = { password: PASSWORD }
    const visitor = await start(async (event) => {
      const session = await utils.useSession(event as never, config)
      return pathOf(event) === '/login' ? void await session.update({ user: 'ada' }) : session.data
    })
    await visitor.fetch('/login')
    const seal = visitor.cookies.get('h3')!
    visitor.cookies.clear()
    expect(await visitor.json('/', { headers: { 'x-h3-session': decodeURIComponent(seal) } })).toEqual({ user: 'ada' })
  })

  it('a header holds no session here', async () => {
    const visitor = await visitHere(event => pathOf(event) === '/login' ? updateSession(event, { user: 'ada' }) : [getSession(event)])
    await visitor.fetch('/login')
    const value = visitor.cookies.get('session')!
    expect(await visitor.json('/')).toEqual([{ user: 'ada' }])
    visitor.cookies.clear()
    expect(await visitor.json('/', { headers: { 'x-h3-session': value, 'x-session-session': value } })).toEqual([null])
  })

  it('one letter 32 times is a password there, and no secret here', async () => {
    const there = await visitThere(VERSIONS[0]!, ({ update }) => update({ a: 1 }).then(() => 'sealed'), { password: 'x'.repeat(32) })
    expect(await (await there.fetch('/')).text()).toBe('sealed')
    expect(await codeOf(() => sessionMiddleware({ secret: 'x'.repeat(32), store: createStorage() }))).toBe('CONFIG_ERROR')
  })

  const config = { password: PASSWORD }
  const calls: [call: string, run: (event: never) => unknown, line: string][] = [
    ['useSession(event, config)', event => useSession(event, config as never), 'await useSession(event)'],
    ['getSession(event, config)', event => Reflect.apply(getSession, undefined, [event, config]), 'getSession(event)'],
    ['updateSession(event, config, update)', event => Reflect.apply(updateSession, undefined, [event, config, { a: 1 }]), 'await updateSession(event, patch)'],
    ['clearSession(event, config)', event => Reflect.apply(destroySession, undefined, [event, config]), 'await destroySession(event)'],
  ]
  it.each(calls)('%s is CONFIG_ERROR here, and names the line to write', async (_, run, line) => {
    const visitor = await visitHere(async (event) => {
      const { code, message } = await caught(() => run(event as never))
      return [code, message]
    })
    expect(await visitor.json('/')).toEqual(['CONFIG_ERROR', expect.stringContaining(`\`${line}\``)])
  })

  it('a second session has its own name, in both', async () => {
    const there = await VERSIONS[0]!.start(async (event) => {
      const cart = await VERSIONS[0]!.utils.useSession(event as never, { ...config, name: 'cart' })
      await cart.update({ items: 1 })
    })
    await there.fetch('/')
    expect([...there.cookies.keys()]).toEqual(['cart'])
    const here = await visitHere(async (event) => {
      (await useSession(event, { cookie: { name: 'cart' } })).set('items', 1)
    })
    expect(setCookiesOf(await here.fetch('/'), 'cart')).toHaveLength(1)
  })
})
