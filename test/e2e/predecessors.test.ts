import type { RunningServer } from '../support/nitro'
import type { RunningRedis } from '../support/redis'
import { createHmac } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createVisitor, setCookiesOf, type Visitor } from '../support/browser'
import { startCommand, TEST_SECRET } from '../support/nitro'
import { hasRedis, startRedis } from '../support/redis'

const root = join(import.meta.dirname, '../..')
const OLD_SECRET = 'an older secret of the tests, not of anybody else'

/** The majors of h3; the examples of a document run on both as they are. */
const MAJORS = [
  { major: 'h3 v1', serve: 'h3-v1.ts', alias: {} },
  { major: 'h3 v2', serve: 'h3-v2.ts', alias: { h3: 'h3-v2' } },
]

let folder: string
const servers: RunningServer[] = []

/** Runs the examples of a document. */
async function start({ serve, alias }: typeof MAJORS[number], example: string, env: Record<string, string> = {}): Promise<RunningServer> {
  const jiti = join(root, 'node_modules/jiti/lib/jiti-cli.mjs')
  const server = await startCommand(process.execPath, [jiti, join(root, 'test/fixtures/predecessors', serve), example], {
    SESSION_SECRET: TEST_SECRET,
    STORE: 'memory',
    SESSIONS: join(folder, serve),
    JITI_ALIAS: JSON.stringify(alias),
    ...env,
  }, folder)
  servers.push(server)
  return server
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unsession-'))
})
afterAll(async () => {
  await Promise.all(servers.map(server => server.stop()))
  await rm(folder, { recursive: true, force: true })
})

describe.each(MAJORS)('the examples of @analog-tools/session on $major', (major) => {
  const stores = ['memory', 'fs', ...hasRedis() ? ['redis'] : []]

  describe.each(stores)('createUnstorageStore({ type: \'%s\' })', (store) => {
    let redis: RunningRedis | undefined
    let server: RunningServer
    let visitor: Visitor
    beforeAll(async () => {
      redis = store === 'redis' ? await startRedis() : undefined
      server = await start(major, 'analog-tools', { STORE: store, REDIS_URL: redis?.url ?? '' })
      visitor = createVisitor(server.url)
    })
    afterAll(async () => {
      await server?.stop()
      await redis?.stop()
    })

    it('quick start: counts visits', async () => {
      expect(await visitor.json('/quick-start')).toEqual({ visits: 1 })
      expect(await visitor.json('/quick-start')).toEqual({ visits: 2 })
    })

    it('authentication flow: wrong password, login, a protected page, logout', async () => {
      const login = (password: string): Promise<Response> => visitor.post('/login', { username: 'ada', password })
      const wrong = await login('wrong')
      expect([wrong.status, wrong.statusText]).toEqual([401, 'Invalid credentials'])
      expect((await visitor.fetch('/protected')).status).toBe(401)
      expect(await (await login('analytical engine')).json()).toEqual({ authenticated: true })
      expect(await visitor.json('/protected')).toEqual({ user: { id: '1', username: 'ada', loginCount: 1 } })
      const copy = createVisitor(server.url, new Map(visitor.cookies))
      expect(await (await visitor.post('/logout')).json()).toEqual({ authenticated: false })
      expect([(await visitor.fetch('/protected')).status, (await copy.fetch('/protected')).status]).toEqual([401, 401])
    })

    it('authentication flow: a first visitor, word for word with saveUninitialized', async () => {
      const first = createVisitor(server.url)
      expect(await (await first.post('/login-as-there', { username: 'grace' })).json()).toEqual({ authenticated: true })
      expect(await first.json('/protected')).toEqual({ user: { id: '2', username: 'grace' } })
    })

    it('regenerateSession(event): a new id, the same data, and the old cookie is worth nothing', async () => {
      await visitor.post('/login', { username: 'ada', password: 'analytical engine' })
      const copy = createVisitor(server.url, new Map(visitor.cookies))
      expect(await (await visitor.post('/renew')).json()).toEqual({ code: 'none' })
      expect(visitor.cookies.get('my-app-session')).not.toBe(copy.cookies.get('my-app-session'))
      expect(await visitor.json('/protected')).toMatchObject({ user: { username: 'ada' } })
      expect((await copy.fetch('/protected')).status).toBe(401)
    })

    it('refetchSession(event): reload reads the newest data', async () => {
      expect(await visitor.json('/refetch')).toMatchObject({ data: { userId: '1', username: 'ada' } })
      expect(await createVisitor(server.url).json('/refetch')).toEqual({ data: null })
    })

    it('generate: typed sessions have their first data', async () => {
      const preferences = { theme: 'light', language: 'en' }
      expect(await visitor.json('/typed')).toEqual({ theme: 'light', now: { userId: '', roles: [], preferences, lastActivity: 1 } })
    })

    it('a message over a redirect is shown once', async () => {
      const response = await visitor.post('/rename', { username: 'countess' })
      expect([response.status, response.headers.get('location')]).toEqual([303, '/messages'])
      expect(await visitor.json('/messages')).toEqual({ message: 'You are countess now.' })
      expect(await visitor.json('/messages')).toEqual({ message: null })
    })

    it('error handling: no failure while storage is there', async () => {
      expect(await visitor.json('/guarded')).toEqual({ ok: true })
    })
  })

  describe('without a storage to look at', () => {
    let visitor: Visitor
    beforeAll(async () => {
      visitor = createVisitor((await start(major, 'analog-tools')).url)
    })

    it('cookie options reach the browser', async () => {
      const [cookie] = setCookiesOf(await visitor.post('/login', { username: 'ada', password: 'analytical engine' }), 'my-app-session')
      expect(cookie!.split('; ').slice(1)).toEqual(['Max-Age=3600', 'Path=/', 'HttpOnly', 'SameSite=Strict'])
    })

    it('signCookie and unsignCookie: `s:value.signature`, and each secret is tried', async () => {
      const signature = createHmac('sha256', 'secret').update('session-id-123').digest('base64').replace(/=+$/, '')
      expect(await visitor.json('/signed')).toEqual({ cookie: `s:session-id-123.${signature}`, value: 'session-id-123', wrong: null, tampered: null })
    })

    it('utils without useSession: nothing to read, nothing to destroy, INVALID_SESSION for the others', async () => {
      expect(await visitor.json('/without-session')).toEqual({ data: null, destroy: 'none', update: 'INVALID_SESSION', regenerate: 'INVALID_SESSION' })
    })

    it('regenerateSession(event) of a visitor without a session is INVALID_SESSION', async () => {
      expect(await (await createVisitor(servers.at(-1)!.url).post('/renew')).json()).toEqual({ code: 'INVALID_SESSION' })
    })
  })

  it('secret rotation: cookies of the old secret stay valid, and are signed anew', async () => {
    const env = { STORE: 'fs', SESSIONS: join(folder, `rotation ${major.major}`) }
    const before = createVisitor((await start(major, 'analog-tools', { ...env, SESSION_SECRET: OLD_SECRET })).url)
    await before.json('/quick-start')
    const both = createVisitor((await start(major, 'analog-tools', { ...env, SESSION_SECRET: `${TEST_SECRET} and ${OLD_SECRET}` })).url, new Map(before.cookies))
    expect(await both.json('/quick-start')).toEqual({ visits: 2 })
    const { url } = await start(major, 'analog-tools', env)
    expect(await createVisitor(url, both.cookies).json('/quick-start')).toEqual({ visits: 3 })
    expect(await createVisitor(url, before.cookies).json('/quick-start')).toEqual({ visits: 1 })
  })

  it.runIf(hasRedis())('error handling: 503 while storage is away, caught or not', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const server = await start(major, 'analog-tools', { STORE: 'redis', REDIS_URL: redis.url })
    const visitor = createVisitor(server.url)
    await visitor.post('/login', { username: 'ada', password: 'analytical engine' })
    await redis.kill()
    const [guarded, unguarded] = await Promise.all([visitor.fetch('/guarded'), visitor.fetch('/unguarded')])
    expect([guarded.status, unguarded.status]).toEqual([503, 503])
    expect(guarded.statusText).toBe('Session storage unavailable')
    expect([...guarded.headers.getSetCookie(), ...unguarded.headers.getSetCookie()]).toEqual([])
  })
})

describe.each(MAJORS)('the examples of @davaux/session on $major', (major) => {
  let server: RunningServer
  beforeAll(async () => {
    server = await start(major, 'davaux')
  })
  const login = async (): Promise<Visitor> => {
    const visitor = createVisitor(server.url)
    const response = await visitor.post('/login', { email: 'ada@example.com' })
    expect([response.status, response.headers.get('location')]).toEqual([303, '/dashboard'])
    return visitor
  }

  it('a guard sends strangers to the login, and lets in who signed in', async () => {
    const stranger = await createVisitor(server.url).fetch('/dashboard')
    expect([stranger.status, stranger.headers.get('location')]).toEqual([303, '/login'])
    expect(await (await login()).json('/dashboard')).toMatchObject({ userId: 'ada@example.com', role: 'admin' })
  })

  it('the options reach the cookie', async () => {
    const [cookie] = setCookiesOf(await createVisitor(server.url).post('/login', { email: 'ada@example.com' }), 'session')
    expect(cookie!.split('; ').slice(1)).toEqual(['Max-Age=604800', 'Path=/', 'HttpOnly', 'SameSite=Lax'])
  })

  it('a message is read once', async () => {
    const visitor = await login()
    expect(await visitor.json('/dashboard')).toMatchObject({ message: 'Welcome back!' })
    expect(await visitor.json('/dashboard')).not.toHaveProperty('message')
  })

  it('delete removes a key, clear all of them', async () => {
    const visitor = await login()
    expect(await (await visitor.post('/demote')).json()).toEqual({ role: null })
    expect(await visitor.json('/dashboard')).not.toHaveProperty('role')
    expect(await (await visitor.post('/clear')).json()).toEqual({ data: {} })
    expect(visitor.cookies.size).toBe(0)
  })

  it('destroy expires the cookie', async () => {
    const visitor = await login()
    await visitor.post('/logout')
    expect(visitor.cookies.size).toBe(0)
    expect((await visitor.fetch('/dashboard')).status).toBe(303)
  })

  it('tampering invalidates', async () => {
    const visitor = await login()
    const cookie = visitor.cookies.get('session')!
    visitor.cookies.set('session', `${cookie.slice(0, -6)}${cookie.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'}`)
    expect((await visitor.fetch('/dashboard')).status).toBe(303)
  })

  it('4096 bytes: what does not fit is refused, and the cookie stays as it was', async () => {
    const visitor = await login()
    const kept = visitor.cookies.get('session')
    expect(await (await visitor.post('/big')).json()).toEqual({ code: 'COOKIE_ERROR' })
    expect(visitor.cookies.get('session')).toBe(kept)
    expect(await visitor.json('/dashboard')).toMatchObject({ userId: 'ada@example.com' })
  })

  it('key rotation: a cookie of an old secret is read, and signed anew', async () => {
    const visitor = await login()
    const after = await start(major, 'davaux', { SESSION_SECRET: `${OLD_SECRET} and ${TEST_SECRET}` })
    const moved = createVisitor(after.url, new Map(visitor.cookies))
    expect(await moved.json('/dashboard')).toMatchObject({ userId: 'ada@example.com' })
    expect(moved.cookies.get('session')).not.toBe(visitor.cookies.get('session'))
  })

  it('encrypt: false signs only, as there, so the client can read the data', async () => {
    const signed = await start(major, 'davaux', { ENCRYPT: 'false' })
    const visitor = createVisitor(signed.url)
    await visitor.post('/login', { email: 'ada@example.com' })
    expect(await visitor.json('/dashboard')).toMatchObject({ userId: 'ada@example.com' })
    const readable = (value: string): boolean => value.split('.').some(part => Buffer.from(part, 'base64url').includes('ada@example.com'))
    expect([readable(visitor.cookies.get('session')!), readable((await login()).cookies.get('session')!)]).toEqual([true, false])
  })
})
