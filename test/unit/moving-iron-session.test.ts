import type { IronSession, SessionOptions as IronOptions } from 'iron-session'
import type { SessionOptions } from '../../src/h3'
import type { Visitor } from '../support/browser'
import type { Handler } from './support/h3-hosts'
import * as ironSession from 'iron-session'
import { createStorage } from 'unstorage'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { destroySession, flash, fromIronSession, getSession, regenerateSession, sessionMiddleware, updateSession, useSession } from '../../src/h3'
import { setCookiesOf } from '../support/browser'
import { PASSWORD } from '../support/other-packages'
import { SECRET } from './support/app'
import { codeOf } from './support/errors'
import { HOSTS } from './support/h3-hosts'
import { allOf, callsThere, missingIn, readPage, readReadme, sectionOf } from './support/pages'
import { createSwitch } from './support/server'

const { getIronSession, sealData, unsealData } = ironSession

type Data = Record<string, unknown>
type Open = (options?: Partial<IronOptions>) => Promise<IronSession<Data>>

const { start } = HOSTS[0]!
const pathOf = (event: object): string => (event as { path: string }).path

/** A visitor of an app that answers with what the handler returns, in JSON whatever it is. */
function visit(handler: Handler, middleware?: Parameters<typeof start>[1]): Promise<Visitor> {
  return start(async event => JSON.stringify(await handler(event) ?? null), middleware)
}

/** A visitor of an app with iron-session. */
function visitThere(handler: (session: IronSession<Data>, path: string, open: Open) => unknown, config: Partial<IronOptions> = {}): Promise<Visitor> {
  return visit(async (event) => {
    const { req, res } = (event as unknown as { node: { req: never, res: never } }).node
    const open: Open = options => getIronSession<Data>(req, res, { password: PASSWORD, cookieName: 'app', ...config, ...options })
    return handler(await open(), pathOf(event), open)
  })
}

/** A visitor of an app of ours. */
function visitHere(handler: Handler, options: Partial<SessionOptions> = {}): Promise<Visitor> {
  return visit(handler, [sessionMiddleware({ secret: SECRET, store: createStorage(), ...options })])
}

const lineOf = async (visitor: Visitor, path = '/'): Promise<string | undefined> => (await visitor.fetch(path)).headers.getSetCookie().at(-1)

describe('the page', () => {
  const readme = readReadme('iron-session')
  const calls = callsThere(sectionOf(readPage('moving-from-iron-session'), '## Every call'))

  it.each<[what: string, names: string[], least: number]>([
    ['option', allOf(readme, /^- `(\w+)`, (?:\*\*required|_optional)/gm), 4],
    ['call', allOf(readme, /^### `(session\.\w+|\w+)/gm), 6],
    ['form of its main call', allOf(readme, /^### `getIronSession<T>(\([^)]*\))/gm).map(given => `getIronSession${given.replace('sessionOptions', 'options')}`), 2],
    ['attribute of the cookie', allOf(/cookieOptions[\s\S]*?```js\n([\s\S]*?)```/.exec(readme)![1]!, /^ +(\w+):/gm).map(name => `cookieOptions.${name}`), 5],
    ['export', Object.keys(ironSession), 3],
  ])('has a line for every %s of iron-session', (_, names, least) => {
    expect(names.length).toBeGreaterThanOrEqual(least)
    expect(missingIn(calls, names)).toEqual([])
  })
})

describe('what behaves differently', () => {
  it('a change is lost there without `save`, and stored here', async () => {
    const there = await visitThere((session) => {
      session.visits = Number(session.visits ?? 0) + 1
      return session.visits
    })
    expect([await there.json('/'), await there.json('/')]).toEqual([1, 1])
    const here = await visitHere(async (event) => {
      const session = await useSession<{ visits: number }>(event)
      session.set('visits', (session.get('visits') ?? 0) + 1)
      return session.get('visits')
    })
    expect([await here.json('/'), await here.json('/')]).toEqual([1, 2])
  })

  describe('data', () => {
    it('is the session itself there, on every level', async () => {
      const there = await visitThere(async (session) => {
        const cart = (session.cart ??= []) as string[]
        cart.push('tea')
        await session.save()
        return session
      })
      expect([await there.json('/'), await there.json('/')]).toEqual([{ cart: ['tea'] }, { cart: ['tea', 'tea'] }])
    })

    it('is frozen here, and a copy of it is not', async () => {
      interface Cart { items: string[] }
      const here = await visitHere(async (event) => {
        const session = await useSession<{ cart?: Cart }>(event)
        const cart = structuredClone(session.data.cart ?? { items: [] }) as Cart
        cart.items.push('tea')
        session.set('cart', cart)
        expect(() => (session.data.cart as Cart).items.push('milk')).toThrow(/read-only/)
        expect(() => Object.assign(session, { theme: 'dark' })).toThrow(/cannot be assigned|not extensible/)
        return session.data.cart
      })
      expect([await here.json('/'), await here.json('/')]).toEqual([{ items: ['tea'] }, { items: ['tea', 'tea'] }])
    })

    const values: [what: string, value: unknown, stored: unknown][] = [
      ['a Date', new Date(0), '1970-01-01T00:00:00.000Z'],
      ['a Map', new Map([['a', 1]]), {}],
      ['NaN', Number.NaN, null],
    ]
    it.each(values)('%s comes back as something else there, and throws INVALID_VALUE here', async (_, value, stored) => {
      const there = await visitThere(async (session, path) => {
        if (path === '/set') {
          session.value = value
          await session.save()
        }
        return session
      })
      await there.fetch('/set')
      expect(await there.json('/')).toEqual({ value: stored })
      const here = await visitHere(event => codeOf(() => updateSession(event, { value })))
      expect(await here.json('/')).toBe('INVALID_VALUE')
    })

    it('has reserved keys there, and none here', async () => {
      const there = await visitThere(session => Reflect.set(session, 'save', 'x'))
      expect(await there.json('/')).toBe(false)
      const here = await visitHere(event => updateSession(event, { save: 'x', destroy: 'y' }))
      expect(await here.json('/')).toEqual({ save: 'x', destroy: 'y' })
    })
  })

  it('each call opens a session of its own there, and the same one here', async () => {
    const there = await visitThere(async (session, _, open) => {
      session.a = 1
      await session.save()
      const other = await open()
      other.b = 2
      await other.save()
      return other
    })
    const response = await there.fetch('/')
    expect([await response.json(), setCookiesOf(response, 'app').length]).toEqual([{ b: 2 }, 2])
    const here = await visitHere(async (event) => {
      (await useSession(event)).set('a', 1)
      const other = await useSession(event)
      other.set('b', 2)
      return other.data
    })
    const answer = await here.fetch('/')
    expect([await answer.json(), setCookiesOf(answer, 'session').length]).toEqual([{ a: 1, b: 2 }, 1])
  })

  it('a session without data is kept there when it is saved, and here only with `saveUninitialized`', async () => {
    const there = await visitThere(session => session.save())
    expect(await lineOf(there)).toMatch(/^app=Fe26/)
    expect(await lineOf(await visitHere(async event => (await useSession(event)).save()))).toBeUndefined()
    expect(await lineOf(await visitHere(async event => (await useSession(event)).save(), { saveUninitialized: true }))).toMatch(/^session=/)
  })

  describe('the lifetime', () => {
    const count = async (session: IronSession<Data>): Promise<unknown> => {
      session.visits = Number(session.visits ?? 0) + 1
      await session.save()
      return session.visits
    }
    const countHere: Handler = async event => (await updateSession<{ visits: number }>(event, ({ visits = 0 }) => ({ visits: visits + 1 }))).visits

    it('is 14 days there, and 7 days here', async () => {
      expect(await lineOf(await visitThere(count))).toContain(`Max-Age=${14 * 24 * 60 * 60 - 60};`)
      expect(await lineOf(await visitHere(countHere))).toContain(`Max-Age=${7 * 24 * 60 * 60};`)
    })

    it('begins anew with every `save` there, and goes on from creation here unless `idleTimeout` ends it', async () => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2030, 0, 1) })
      onTestFinished(() => void vi.useRealTimers())
      const there = await visitThere(count, { ttl: 600 })
      const here = await visitHere(countHere, { maxAge: 600 })
      const idle = await visitHere(countHere, { idleTimeout: 600 })
      const seen = []
      for (let visit = 0; visit < 3; visit++) {
        seen.push([await there.json('/'), await here.json('/'), await idle.json('/')])
        vi.setSystemTime(Date.now() + 400_000)
      }
      expect(seen).toEqual([[1, 1, 1], [2, 2, 2], [3, 1, 3]])
    })

    it('is that of the browser with `cookieOptions: { maxAge: undefined }` there, and with `persistent: false` here', async () => {
      expect(await lineOf(await visitThere(count, { cookieOptions: { maxAge: undefined } }))).not.toMatch(/expires|max-age/i)
      const here = await visitHere(async (event) => {
        const session = await useSession(event)
        session.setLifetime({ persistent: false })
        session.set('a', 1)
      })
      expect(await lineOf(here)).not.toMatch(/expires|max-age/i)
    })

    it('of one session is changed by `updateConfig` there for one `save`, and by `setLifetime` here for good', async () => {
      const there = await visitThere(async (session, path) => {
        if (path === '/remember')
          session.updateConfig({ password: PASSWORD, cookieName: 'app', ttl: 600 })
        return count(session)
      })
      expect([await lineOf(there, '/remember'), await lineOf(there)]).toEqual([expect.stringContaining('Max-Age=540;'), expect.stringContaining('Max-Age=1209540;')])
      const here = await visitHere(async (event) => {
        if (pathOf(event) === '/remember')
          (await useSession(event)).setLifetime({ maxAge: 600 })
        return countHere(event)
      })
      expect([await lineOf(here, '/remember'), await lineOf(here)]).toEqual([expect.stringContaining('Max-Age=600;'), expect.stringMatching(/Max-Age=(?:600|59\d);/)])
    })
  })

  describe('a copy of the cookie', () => {
    it('outlives the logout there', async () => {
      const there = await visitThere(async (session, path) => {
        if (path === '/login') {
          session.user = 'ada'
          await session.save()
        }
        if (path === '/logout')
          session.destroy()
        return session
      })
      await there.fetch('/login')
      const copy = there.cookies.get('app')!
      await there.fetch('/logout')
      expect([await there.json('/'), there.cookies.size]).toEqual([{}, 0])
      there.cookies.set('app', copy)
      expect(await there.json('/')).toEqual({ user: 'ada' })
    })

    it.each([['ends with it in storage mode here', {}, null], ['outlives it in cookie mode', { mode: 'cookie' as const }, { user: 'ada' }]])('%s', async (_, options, seen) => {
      const here = await visitHere(async (event) => {
        if (pathOf(event) === '/login')
          await regenerateSession(event, { user: 'ada' })
        if (pathOf(event) === '/logout')
          await destroySession(event)
        return getSession(event)
      }, options)
      await here.fetch('/login')
      const copy = here.cookies.get('session')!
      await here.fetch('/logout')
      expect([await here.json('/'), here.cookies.size]).toEqual([null, 0])
      here.cookies.set('session', copy)
      expect(await here.json('/')).toEqual(seen)
    })
  })

  it('a login keeps data and messages with `regenerate`, and neither with `keep: false`', async () => {
    const here = await visitHere(async (event) => {
      if (pathOf(event) === '/cart') {
        flash(event, 'message', 'Added.')
        return updateSession(event, { cart: ['tea'] })
      }
      const { id } = await useSession(event)
      await regenerateSession(event, { user: 1 }, pathOf(event) === '/bare' ? { keep: false } : undefined)
      return [(await useSession(event)).id === id, getSession(event), flash(event, 'message') ?? null]
    })
    await here.json('/cart')
    expect(await here.json('/login')).toEqual([false, { cart: ['tea'], user: 1 }, 'Added.'])
    await here.json('/cart')
    expect(await here.json('/bare')).toEqual([false, { user: 1 }, null])
  })

  it('of two requests at the same time one is lost there, and both are kept here', async () => {
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
    const [meetThere, meetHere] = [meeting(), meeting()]
    const there = await visitThere(async (session, path) => {
      if (path === '/')
        return session
      await meetThere()
      session[path.slice(1)] = true
      await session.save()
    })
    await Promise.all([there.fetch('/a'), there.fetch('/b')])
    expect(Object.keys(await there.json<object>('/'))).toHaveLength(1)
    const here = await visitHere(async (event) => {
      const path = pathOf(event)
      if (path === '/')
        return getSession(event)
      if (path !== '/first')
        await meetHere()
      await updateSession(event, { [path.slice(1)]: true })
    })
    await here.fetch('/first')
    await Promise.all([here.fetch('/a'), here.fetch('/b')])
    expect(await here.json('/')).toEqual({ first: true, a: true, b: true })
  })

  it('more than a cookie holds is an error there, is stored here, and in cookie mode throws COOKIE_ERROR', async () => {
    const text = 'x'.repeat(6000)
    const there = await visitThere(async (session) => {
      session.text = text
      return session.save().catch(({ message }) => message)
    })
    expect(await there.json('/')).toMatch(/too big/)
    const here = await visitHere(async event => (await updateSession(event, { text })).text === text)
    expect(await here.json('/')).toBe(true)
    const cookies = await visitHere(event => codeOf(() => updateSession(event, { text })), { mode: 'cookie' })
    expect(await cookies.json('/')).toBe('COOKIE_ERROR')
  })

  it('the cookie is Secure in development too there; here it has a prefix where it is', async () => {
    const attributes = (line: string | undefined): string => line!.replace(/=[^;]*/, '').replace(/Max-Age=\d+; /, '')
    expect(attributes(await lineOf(await visitThere(session => session.save())))).toBe('app; Path=/; HttpOnly; Secure; SameSite=Lax')
    expect(attributes(await lineOf(await visitHere(event => updateSession(event, { a: 1 }))))).toBe('session; Path=/; HttpOnly; SameSite=Lax')
    expect(attributes(await lineOf(await visitHere(event => updateSession(event, { a: 1 }), { cookie: { secure: true } })))).toBe('__Host-session; Path=/; HttpOnly; Secure; SameSite=Lax')
  })

  it('one letter 32 times is a password there, and no secret here', async () => {
    const there = await visitThere(session => session.save().then(() => 'sealed'), { password: 'x'.repeat(32) })
    expect(await there.json('/')).toBe('sealed')
    expect(await codeOf(() => sessionMiddleware({ secret: 'x'.repeat(32), store: createStorage() }))).toBe('CONFIG_ERROR')
  })

  it('`sealData` and `unsealData` work beside sessions of ours', async () => {
    const here = await visitHere(async (event) => {
      const { user } = await unsealData<{ user: string }>(await sealData({ user: 'ada' }, { password: PASSWORD, ttl: 60 }), { password: PASSWORD, ttl: 60 })
      return updateSession(event, { user })
    })
    expect(await here.json('/')).toEqual({ user: 'ada' })
  })
})

describe('visitors stay logged in', () => {
  it('whatever `ttl` said: a seal tells itself when it ends, and one of `ttl: 0` comes in for as long as `migrate` is there', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2030, 0, 1) })
    onTestFinished(() => void vi.useRealTimers())
    const seals = [await sealData({ user: 'ada' }, { password: PASSWORD, ttl: 60 }), await sealData({ user: 'ada' }, { password: PASSWORD, ttl: 0 })]
    vi.setSystemTime(Date.now() + 365 * 24 * 60 * 60 * 1000)
    const seen = []
    for (const seal of seals) {
      const here = await visitHere(event => getSession(event), { migrate: fromIronSession({ password: PASSWORD, cookie: { name: 'app' } }) })
      here.cookies.set('app', encodeURIComponent(seal))
      seen.push(await here.json('/'))
    }
    expect(seen).toEqual([null, { user: 'ada' }])
  })

  it('with a cookie that a later `save` replaced, too, and with the one that moved in only once', async () => {
    const there = await visitThere(async (session) => {
      session.visits = Number(session.visits ?? 0) + 1
      await session.save()
    })
    await there.fetch('/')
    const earlier = there.cookies.get('app')!
    await there.fetch('/')
    const last = there.cookies.get('app')!
    const here = await visitHere(event => pathOf(event) === '/logout' ? destroySession(event) : getSession(event), { migrate: fromIronSession({ password: PASSWORD, cookie: { name: 'app' } }) })
    here.cookies.set('app', last)
    expect(await here.json('/')).toEqual({ visits: 2 })
    await here.json('/logout')
    here.cookies.set('app', last)
    expect(await here.json('/')).toBeNull()
    here.cookies.set('app', earlier)
    expect(await here.json('/')).toEqual({ visits: 1 })
  })

  it('when the passwords were rotated', async () => {
    const passwords = { 1: PASSWORD, 2: 'the password of tomorrow, long enough too' }
    const here = await visitHere(event => getSession(event), { migrate: fromIronSession({ password: passwords, cookie: { name: 'app' } }) })
    here.cookies.set('app', encodeURIComponent(await sealData({ user: 'ada' }, { password: PASSWORD })))
    expect(await here.json('/')).toEqual({ user: 'ada' })
  })
})
