import type { Guest } from './support/side-by-side'
import secureSession from '@fastify/secure-session'
import cookieSession from 'cookie-session'
import fastify from 'fastify'
import { createRequire } from 'node:module'
import { createStorage } from 'unstorage'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { destroySession, flash, fromCookieSession, getSession, regenerateSession, type SessionOptions, sessionMiddleware, updateSession, useSession } from '../../src/h3'
import { SECRET } from './support/app'
import { caught, codeOf } from './support/errors'
import { allOf, callsThere, missingIn, readPage, readReadme, sectionOf } from './support/pages'
import { visitExpress, visitOurs } from './support/side-by-side'

/** It has no types of its own. */
const Keygrip = createRequire(import.meta.url)('keygrip') as new (keys: string[], algorithm: string, encoding: string) => object

type OldRequest = CookieSessionInterfaces.CookieSessionRequest & { url: string, sessionOptions: { maxAge?: number } }

/** A visitor of cookie-session as its documentation shows it. */
function visitThere(handler: (req: OldRequest) => unknown, options: CookieSessionInterfaces.CookieSessionOptions = {}): Promise<Guest> {
  return visitExpress(cookieSession({ keys: ['keyboard cat'], ...options }), req => handler(req as unknown as OldRequest))
}

/** A visitor of our cookie mode. */
const visitHere: typeof visitOurs = (handler, options) => visitOurs(handler, { mode: 'cookie', ...options })

describe('the page', () => {
  const page = readPage('moving-from-cookie-session')
  const readme = readReadme('cookie-session')

  it.each<[what: string, names: string[], least: number]>([
    ['option', allOf(readme, /^##### ([a-z]\w*)$/gm), 3],
    ['option of the cookie', allOf(readme, /^ {2}- `(\w+)`:/gm), 11],
    ['property of a session', allOf(readme, /^#### \.(\w+)/gm).map(name => `req.session.${name}`), 3],
    ['property of a request', allOf(readme, /^### (req\.\w+)$/gm), 2],
    ['way to end a session', allOf(readme, /^(req\.session = null)$/gm), 1],
    ['export', [cookieSession.name.replace('_', ''), ...Object.keys(cookieSession)], 1],
  ])('has a line for every %s', (_, names, least) => {
    expect(names.length).toBeGreaterThanOrEqual(least)
    expect(missingIn(callsThere(sectionOf(page, '## Every call').split('\n### @fastify/secure-session\n')[0]!), names)).toEqual([])
  })

  it('has a line for everything of @fastify/secure-session', () => {
    const readme = readReadme('@fastify/secure-session')
    const session = ['get', 'set', 'data', 'delete', 'regenerate', 'options', 'touch', 'changed', 'deleted']
    const documented = allOf(readme, /\bsession\.(\w+)\(/g)
    expect(session).toEqual(expect.arrayContaining(documented))
    const names = [
      ...allOf(readme, /^ {2}(key|secret|salt|sessionName|cookieName|cookie|expiry):/gm),
      ...session.map(name => `request.session.${name}`),
      ...allOf(readme, /\b(fastify\.\w+SecureSession)\b/g),
    ]
    expect([documented.length, names.length]).toEqual([7, 19])
    expect(missingIn(callsThere(sectionOf(page, '### @fastify/secure-session')), names)).toEqual([])
  })
})

describe('what behaves differently', () => {
  it('the data can be read by the visitor there, and here with `encrypt: false` only', async () => {
    const there = await visitThere(req => req.session!.user = 'ada')
    await there.fetch('/')
    const read = (value: string): string => Buffer.from(value, 'base64').toString()
    expect(read(there.cookies.get('session')!)).toBe('{"user":"ada"}')
    const valueOf = async (options: Partial<SessionOptions>): Promise<string> => {
      const here = await visitHere(event => updateSession(event, { user: 'ada' }), options)
      await here.fetch('/')
      expect(here.cookies.size).toBe(1)
      return here.cookies.get('session')!.split('.').map(read).join()
    }
    expect([(await valueOf({})).includes('"ada"'), (await valueOf({ encrypt: false })).includes('"ada"')]).toEqual([false, true])
  })

  it('a copy of the cookie is good for ever there, and here until `maxAge` has passed since its creation', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2030, 0, 1) })
    onTestFinished(() => void vi.useRealTimers())
    const there = await visitThere(req => req.session!.user ??= 'ada', { maxAge: 60_000 })
    const here = await visitHere(event => event.path === '/' ? getSession(event) ?? {} : updateSession(event, { user: 'ada' }), { maxAge: 60 })
    await there.fetch('/login')
    await here.fetch('/login')
    vi.setSystemTime(Date.now() + 100_000)
    expect([await there.twin().json('/'), await here.twin().json('/')]).toEqual(['ada', {}])
  })

  it('`maxAge` begins anew with every change there, and goes on here', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2030, 0, 1) })
    onTestFinished(() => void vi.useRealTimers())
    const count = (visits: unknown): number => Number(visits ?? 0) + 1
    const there = await visitThere(req => req.session!.visits = count(req.session!.visits), { maxAge: 60_000 })
    const here = await visitHere(event => updateSession(event, ({ visits }) => ({ visits: count(visits) })), { maxAge: 60 })
    await Promise.all([there.fetch('/'), here.fetch('/')])
    vi.setSystemTime(Date.now() + 40_000)
    expect((await there.fetch('/')).headers.getSetCookie()[0]).toContain(`expires=${new Date(Date.now() + 60_000).toUTCString()}`)
    expect((await here.fetch('/')).headers.getSetCookie()[0]).toContain('Max-Age=20;')
  })

  it('the cookie ends with the browser there by default, and here with `persistent: false`', async () => {
    const there = await visitThere(req => req.session!.user = 'ada')
    expect((await there.fetch('/')).headers.getSetCookie()[0]).not.toMatch(/expires/i)
    const here = await visitHere(async (event) => {
      const session = await useSession(event)
      if (event.path === '/short')
        session.setLifetime({ persistent: false })
      session.set('user', 'ada')
    })
    expect((await here.fetch('/')).headers.getSetCookie()[0]).toMatch(/Max-Age=604800;/)
    expect((await here.twin().fetch('/short')).headers.getSetCookie()[0]).not.toMatch(/max-age|expires/i)
  })

  it('the limits of one visitor are set by `sessionOptions` there, and by `setLifetime` here, once', async () => {
    const there = await visitThere((req) => {
      req.sessionOptions.maxAge = 30_000
      return req.session!.user = 'ada'
    })
    expect((await there.fetch('/')).headers.getSetCookie()[0]).toMatch(/expires/i)
    const here = await visitHere(async (event) => {
      const session = await useSession(event)
      if (session.isNew)
        session.setLifetime({ maxAge: 30 })
      session.set('path', event.path)
    })
    expect((await here.fetch('/a')).headers.getSetCookie()[0]).toMatch(/Max-Age=30;/)
    expect((await here.fetch('/b')).headers.getSetCookie()[0]).toMatch(/Max-Age=(?:30|29|2\d);/)
  })

  it('what is too big is sent there, and throws COOKIE_ERROR here with the keys to blame', async () => {
    const text = 'x'.repeat(5000)
    const there = await visitThere(req => req.session!.text = text)
    expect((await there.fetch('/')).headers.getSetCookie()[0]!.length).toBeGreaterThan(4096)
    const here = await visitHere(async (event) => {
      const { code, message } = await caught(() => updateSession(event, { text }))
      return `${code} ${message}`
    })
    expect(await (await here.fetch('/')).text()).toMatch(/^COOKIE_ERROR .*text/)
    const stored = await visitOurs(async event => (await updateSession<{ text: string }>(event, { text })).text.length)
    expect(await stored.json('/')).toBe(5000)
  })

  it('a secure cookie over plain HTTP is lost there, and sent here', async () => {
    const there = await visitThere(req => req.session!.user = 'ada', { secure: true })
    const here = await visitHere(event => updateSession(event, { user: 'ada' }), { cookie: { secure: true } })
    expect([(await there.fetch('/')).headers.getSetCookie().length, (await here.fetch('/')).headers.getSetCookie().length]).toEqual([0, 1])
  })

  it('there are two cookies there, and one here', async () => {
    const there = await visitThere(req => req.session!.user = 'ada')
    const here = await visitHere(event => updateSession(event, { user: 'ada' }))
    await Promise.all([there.fetch('/'), here.fetch('/')])
    expect([[...there.cookies.keys()], [...here.cookies.keys()]]).toEqual([['session', 'session.sig'], ['session']])
  })

  it('a forged cookie has its signature removed there, and is left alone here', async () => {
    const there = await visitThere(req => req.session!.user ?? null)
    there.cookies.set('session', Buffer.from('{"user":"ada"}').toString('base64')).set('session.sig', 'x'.repeat(27))
    const here = await visitHere(event => getSession(event) ?? 'nobody')
    here.cookies.set('session', 'forged')
    const [old, ours] = [await there.fetch('/'), await here.fetch('/')]
    expect([await old.json(), old.headers.getSetCookie().length]).toEqual([null, 1])
    expect([await ours.text(), ours.headers.getSetCookie()]).toEqual(['nobody', []])
  })

  it('an emptied session keeps its cookies there, and has none here', async () => {
    const there = await visitThere((req) => {
      req.session!.user = 'ada'
      if (req.url === '/empty')
        delete req.session!.user
    })
    const here = await visitHere(async (event) => {
      const session = await useSession(event)
      session.set('user', 'ada')
      if (event.path === '/empty')
        session.delete('user')
    })
    for (const visitor of [there, here]) {
      await visitor.fetch('/')
      await visitor.fetch('/empty')
    }
    expect([there.cookies.size, here.cookies.size]).toEqual([2, 0])
  })

  it('a change after the response began is lost there, and throws COOKIE_ERROR here', async () => {
    const there = await visitExpress(cookieSession({ keys: ['keyboard cat'] }), (req) => {
      req.res!.flushHeaders()
      req.session.user = 'ada'
      return 'ok'
    })
    const response = await there.fetch('/')
    expect([response.status, response.headers.getSetCookie()]).toEqual([200, []])
    const here = await visitHere(async (event) => {
      event.node.res.flushHeaders()
      const session = await useSession(event)
      event.node.res.end(await codeOf(() => session.set('user', 'ada')))
    })
    expect(await (await here.fetch('/')).text()).toBe('COOKIE_ERROR')
  })

  it('a change inside of a value is lost by @fastify/secure-session, and throws here', async () => {
    const app = fastify()
    await app.register(secureSession, { key: Buffer.alloc(32, 'k'), cookie: { path: '/' } })
    app.get('/*', async (req) => {
      if (req.url === '/first')
        req.session.set('cart' as never, ['tea'] as never)
      if (req.url === '/second')
        (req.session.get('cart' as never) as unknown as string[]).push('milk')
      return req.session.get('cart' as never) ?? null
    })
    const cookieOf = (response: { headers: object }): string => String(Reflect.get(response.headers, 'set-cookie') ?? '').split('; ')[0]!
    const headers = { cookie: cookieOf(await app.inject('/first')) }
    expect((await app.inject({ url: '/', headers })).json()).toEqual(['tea'])
    const changed = await app.inject({ url: '/second', headers })
    expect([changed.json(), cookieOf(changed)]).toEqual([['tea', 'milk'], ''])
    await app.close()
  })

  it('a message is there once, also after a redirect and a login; a second one replaces the first', async () => {
    const here = await visitHere(async (event) => {
      if (event.path === '/save') {
        flash(event, 'message', 'Changed.')
        return flash(event, 'message', ['Changed.', 'Saved.'])
      }
      if (event.path === '/login')
        return regenerateSession(event, { user: 'ada' })
      return [flash(event, 'message') ?? null]
    })
    await here.fetch('/save')
    await here.fetch('/login')
    expect([await here.json('/'), await here.json('/')]).toEqual([[['Changed.', 'Saved.']], [null]])
  })

  it.each([
    ['in cookie mode a copy of the cookie outlives the logout, as there', 'cookie', { user: 'ada' }],
    ['in storage mode it does not', 'storage', {}],
  ] as const)('%s', async (_, mode, seen) => {
    const here = await visitOurs(async (event) => {
      if (event.path === '/login')
        return updateSession(event, { user: 'ada' })
      if (event.path === '/logout')
        return (await useSession(event)).destroy()
      return getSession(event) ?? {}
    }, { mode })
    await here.fetch('/login')
    const copy = here.twin()
    await here.fetch('/logout')
    expect([await here.json('/'), await copy.json('/')]).toEqual([{}, seen])
  })

  it.each([
    ['keys', { keys: ['keyboard cat'] }],
    ['signed', { signed: true }],
    ['overwrite', { overwrite: true }],
    ['expires', { expires: new Date() }],
    ['httpOnly', { httpOnly: true }],
    ['secure', { secure: true }],
    ['path', { path: '/' }],
  ])('the option `%s` of cookie-session is refused with what to write', async (path, options) => {
    const { code, details } = await caught(() => sessionMiddleware({ secret: SECRET, store: createStorage(), ...options } as SessionOptions))
    expect([code, details]).toMatchObject(['CONFIG_ERROR', { issues: [{ path, remedy: expect.stringMatching(/Use `|Leave it out|Did you mean/) }] }])
  })
})

describe('visitors who stay logged in', () => {
  const migrate = fromCookieSession({ keys: ['a newer key', 'keyboard cat'] })

  it.each(['cookie', 'storage'] as const)('come in at once in %s mode, and both old cookies go', async (mode) => {
    const there = await visitThere(req => Object.assign(req.session!, { user: 'ada', cart: ['tea'] }))
    await there.fetch('/')
    const here = await visitOurs(event => getSession(event) ?? {}, { mode, migrate, cookie: { name: 'ours' } })
    for (const [name, value] of there.cookies)
      here.cookies.set(name, value)
    expect([await here.json('/'), await here.json('/')]).toEqual([{ user: 'ada', cart: ['tea'] }, { user: 'ada', cart: ['tea'] }])
    expect([...here.cookies.keys()]).toEqual(['ours'])
  })

  it('begin a session with each request that brings the old cookie, of which a copy outlives the logout', async () => {
    const there = await visitThere(req => req.session!.user = 'ada')
    await there.fetch('/')
    const store = createStorage()
    const here = await visitOurs(async (event) => {
      if (event.path === '/logout')
        return destroySession(event)
      return getSession(event) ?? {}
    }, { store, migrate })
    const [first, second] = [here.twin(), here.twin()]
    for (const visitor of [first, second]) {
      for (const [name, value] of there.cookies)
        visitor.cookies.set(name, value)
    }
    const copy = first.twin()
    await Promise.all([first.fetch('/'), second.fetch('/')])
    expect(await store.getKeys()).toHaveLength(2)
    await first.fetch('/logout')
    expect([await first.json('/'), await copy.json('/')]).toEqual([{}, { user: 'ada' }])
  })

  it.each([
    ['by another algorithm', { keys: new Keygrip(['keyboard cat'], 'SHA384', 'base64') }],
    ['by another key', { keys: ['another'] }],
    ['not at all', { signed: false }],
  ])('are strangers where the cookie was signed %s', async (_, options) => {
    const there = await visitThere(req => req.session!.user = 'ada', options as CookieSessionInterfaces.CookieSessionOptions)
    await there.fetch('/')
    const here = await visitHere(event => getSession(event) ?? {}, { migrate })
    for (const [name, value] of there.cookies)
      here.cookies.set(name, value)
    expect(await here.json('/')).toEqual({})
  })
})
