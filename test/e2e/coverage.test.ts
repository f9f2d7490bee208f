import type { Visitor } from '../support/browser'
import type { NitroBuild, RunningServer } from '../support/nitro'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVisitor, setCookiesOf } from '../support/browser'
import { buildNitro, startServer } from '../support/nitro'

let built: NitroBuild
let folder: string
let server: RunningServer
const row = (visitor: Visitor, name: string): Promise<Response> => visitor.fetch(`/row/${name}`)
const value = async <T = unknown>(visitor: Visitor, name: string): Promise<T> => (await visitor.json<{ value: T }>(`/row/${name}`)).value

beforeAll(async () => {
  built = await buildNitro('nitro-coverage')
  folder = await mkdtemp(join(tmpdir(), 'unsession-'))
})
afterAll(async () => {
  await built?.remove()
  await rm(folder, { recursive: true, force: true })
})

describe('what @davaux/session documents, in cookie mode', () => {
  const names = { NITRO_SESSION_MODE: 'cookie', NITRO_SESSION_COOKIE_NAME: 'sid', NITRO_SESSION_COOKIE_HTTP_ONLY: 'false', NITRO_SESSION_COOKIE_SECURE: 'false', NITRO_SESSION_COOKIE_SAME_SITE: 'strict', NITRO_SESSION_MAX_AGE: '60', NITRO_SESSION_COOKIE_PATH: '/row' }
  beforeAll(async () => {
    server = await startServer(built.entry, names, folder)
  })
  afterAll(() => server?.stop())

  it('sessionMiddleware({ secret, cookieName, httpOnly, secure, sameSite, maxAge, path })', async () => {
    const response = await row(createVisitor(server.url), 'set')
    expect(setCookiesOf(response, 'sid')[0]!.split('; ').slice(1)).toEqual([expect.stringMatching(/^Max-Age=(?:60|5\d)$/), 'Path=/row', 'SameSite=Strict'])
  })

  it('secret: string | string[]', async () => {
    const [before, now] = ['the secret of yesterday, long enough', 'the secret of today, which is long enough']
    const visitor = createVisitor(server.url)
    const old = await startServer(built.entry, { ...names, NITRO_SESSION_SECRET: before }, folder)
    await row(createVisitor(old.url, visitor.cookies), 'set')
    await old.stop()
    const rotated = await startServer(built.entry, { ...names, NITRO_SESSION_SECRET: JSON.stringify([now, before]) }, folder)
    expect(await value(createVisitor(rotated.url, visitor.cookies), 'get')).toBe('ada')
    await rotated.stop()
  })

  it('session.get / set / delete / destroy', async () => {
    const visitor = createVisitor(server.url)
    expect(await value(visitor, 'set')).toEqual({ user: 'ada', theme: 'dark' })
    expect(await value(visitor, 'get')).toBe('ada')
    await row(visitor, 'delete')
    expect(await value(visitor, 'getSession')).toEqual({ user: 'ada' })
    await row(visitor, 'destroy')
    expect(visitor.cookies.size).toBe(0)
    expect(await value(visitor, 'get')).toBeNull()
  })

  it('tampering invalidates', async () => {
    const visitor = createVisitor(server.url)
    await row(visitor, 'set')
    const token = visitor.cookies.get('sid')!
    visitor.cookies.set('sid', `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`)
    expect(await value(visitor, 'get')).toBeNull()
  })

  it('ctx.flash(key, value), ctx.flash(key); throws without the middleware', async () => {
    const visitor = createVisitor(server.url)
    await row(visitor, 'flash-write')
    expect(await value(visitor, 'flash-read')).toEqual({ saved: 0 })
    expect(await value(visitor, 'flash-read')).toBeUndefined()
    expect(await value(visitor, 'flash-without-module')).toEqual(['INVALID_SESSION', 401])
  })

  it('4096-byte limit', async () => {
    expect(await value(createVisitor(server.url), 'big')).toEqual(['COOKIE_ERROR', 500])
  })
})

describe('what @analog-tools/session documents, in storage mode', () => {
  beforeAll(async () => {
    server = await startServer(built.entry, { NITRO_SESSION_COOKIE_DOMAIN: 'example.com' }, folder)
  })
  afterAll(() => server?.stop())

  it('getSession<T>(event) synchronous, null without session', async () => {
    const visitor = createVisitor(server.url)
    expect(await value(visitor, 'getSession')).toEqual(null)
    await row(visitor, 'set')
    expect(await value(visitor, 'getSession')).toEqual({ user: 'ada', theme: 'dark' })
  })

  it('updateSession(event, updater), shallow merge; starts a session when there is none', async () => {
    const visitor = createVisitor(server.url)
    expect(await value(visitor, 'updateSession')).toEqual({ user: 'nobody', count: 1 })
    await row(visitor, 'set')
    expect(await value(visitor, 'updateSession')).toEqual({ user: 'ada', theme: 'dark', count: 2 })
  })

  it('destroySession, safe without session; also removes cookies with a Domain', async () => {
    const visitor = createVisitor(server.url)
    expect(setCookiesOf(await row(visitor, 'destroySession'), '__Secure-session')).toEqual([])
    await row(visitor, 'set')
    const [line] = setCookiesOf(await row(visitor, 'destroySession'), '__Secure-session')
    expect(line).toBe('__Secure-session=; Max-Age=0; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax')
  })

  it('regenerateSession', async () => {
    const visitor = createVisitor(server.url)
    await row(visitor, 'set')
    const copy = createVisitor(server.url, new Map(visitor.cookies))
    await row(visitor, 'regenerateSession')
    expect(await value(visitor, 'getSession')).toEqual({ user: 'ada', theme: 'dark', role: 'admin' })
    expect(await value(copy, 'getSession')).toEqual(null)
  })

  it('refetchSession is session.reload()', async () => {
    const visitor = createVisitor(server.url)
    await row(visitor, 'updateSession')
    expect(await value(visitor, 'reload')).toEqual([1, 2])
    expect(await value(createVisitor(server.url), 'reload-nothing')).toEqual(['INVALID_SESSION', 401])
  })

  it('createUnstorageStore({ type, options })', async () => {
    expect(await value(createVisitor(server.url), 'createUnstorageStore')).toEqual({ methods: ['getItem', 'setItem', 'getKeys', 'removeItem', 'dispose'], hasManager: true })
  })

  it('signCookie / unsignCookie, s:value.signature, rotation', async () => {
    const [signed, rotated, refused] = await value<(string | null)[]>(createVisitor(server.url), 'signCookie')
    expect(signed).toMatch(/^s:value\.[\w+/]{43}$/)
    expect([rotated, refused]).toEqual(['s:a.b', null])
  })

  it('error codes', async () => {
    expect(await value(createVisitor(server.url), 'errors')).toEqual([['INVALID_VALUE', 500], ['CONFIG_ERROR', 500]])
  })
})

describe('the limits that @analog-tools/session states', () => {
  beforeAll(async () => {
    server = await startServer(built.entry, { NITRO_SESSION_MAX_AGE: '1' }, folder)
  })
  afterAll(() => server?.stop())

  it('no expiry clean-up: an expired record is no session and goes when it is met', async () => {
    const records = (): Promise<string[]> => readdir(join(folder, '.data/session'))
    const before = await records()
    const visitor = createVisitor(server.url)
    await row(visitor, 'set')
    const added = (await records()).filter(name => !before.includes(name))
    expect(added).toHaveLength(1)
    await expect.poll(() => value(visitor, 'get')).toBeNull()
    expect(await records()).not.toContain(added[0])
  })

  it('last write wins: parallel updates are all kept', async () => {
    const long = await startServer(built.entry, {}, folder)
    const visitor = createVisitor(long.url)
    await row(visitor, 'updateSession')
    await Promise.all(Array.from({ length: 30 }, () => row(createVisitor(long.url, new Map(visitor.cookies)), 'updateSession')))
    expect(await value(visitor, 'getSession')).toEqual({ user: 'nobody', count: 31 })
    await long.stop()
  })
})
