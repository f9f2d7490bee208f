import type { RunningServer } from '../support/nitro'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor } from '../support/browser'
import { startCommand, TEST_SECRET } from '../support/nitro'

const root = join(import.meta.dirname, '../..')
const JITI = join(root, 'node_modules/jiti/lib/jiti-cli.mjs')
const OTHER_SECRET = 'an older secret of the tests, not of anybody else'
let folder: string
const servers: RunningServer[] = []

/** Runs an app of the fixtures, which finds the packed package and its own major of h3. */
async function start(app: string, env: Record<string, string> = {}): Promise<RunningServer> {
  const server = await startCommand(process.execPath, [JITI, join(root, 'test/fixtures', app)], { SESSION_SECRET: TEST_SECRET, SESSIONS: join(folder, app), PORT: '0', ...env }, folder)
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

describe('the apps of the README', () => {
  it('h3 v2: the middleware in front of all handlers', async () => {
    const visitor = createVisitor((await start('h3-v2/server.ts')).url)
    expect(await visitor.json('/')).toEqual({})
    expect(await visitor.json('/visits', { method: 'POST' })).toEqual({ visits: 1 })
    const anonymous = visitor.cookies.get(COOKIE)
    await visitor.post('/login')
    expect(visitor.cookies.get(COOKIE)).not.toBe(anonymous)
    expect(await visitor.json('/')).toEqual({ visits: 1, userId: 'ada', message: 'Welcome, Ada.' })
    expect(await visitor.json('/')).toEqual({ visits: 1, userId: 'ada' })
  })

  it('h3 v1: the options in each handler', async () => {
    const visitor = createVisitor((await start('h3-v1/server.ts')).url)
    expect(await visitor.json('/')).toEqual({ visits: 0 })
    await visitor.post('/visits')
    expect(await visitor.json('/visits', { method: 'POST' })).toEqual({ visits: 2 })
    await visitor.post('/logout')
    expect(visitor.cookies.size).toBe(0)
    expect(await visitor.json('/')).toEqual({ visits: 0 })
  })
})

describe('the examples of @analog-tools/session', () => {
  let visitor: ReturnType<typeof createVisitor>
  beforeAll(async () => {
    visitor = createVisitor((await start('h3-v1/analog-tools.ts')).url)
  })

  it('useSession(event, { store, secret, maxAge }): the quick start counts visits', async () => {
    expect(await visitor.json('/quick-start')).toEqual({ visits: 1 })
    expect(await visitor.json('/quick-start')).toEqual({ visits: 2 })
  })

  it('useSession with name and cookie, regenerateSession, destroySession, refetchSession: wrong password, login, protected, logout', async () => {
    const login = (password: string): Promise<Response> => visitor.post('/login', { username: 'ada', password })
    expect((await login('wrong')).status).toBe(401)
    expect((await visitor.fetch('/protected')).status).toBe(401)
    expect(await (await login('analytical engine')).json()).toEqual({ authenticated: true })
    const stolen = createVisitor(servers.at(-1)!.url, new Map(visitor.cookies))
    expect(await visitor.json('/protected')).toEqual({ user: { id: '1', username: 'ada' } })
    expect(await visitor.json('/refetch')).toMatchObject({ userId: '1', loginCount: 1 })
    expect(await (await visitor.post('/logout')).json()).toEqual({ authenticated: false })
    expect((await visitor.fetch('/protected')).status).toBe(401)
    expect((await stolen.fetch('/protected')).status).toBe(401)
  })

  it('useSession(event, { generate }): typed sessions have their first data', async () => {
    expect(await visitor.json('/typed')).toEqual({ roles: [], preferences: { theme: 'light', language: 'en' }, lastActivity: 1 })
  })

  it('secret rotation: cookies of the old secret stay valid', async () => {
    const before = createVisitor((await start('h3-v1/analog-tools.ts', { SESSION_SECRET: OTHER_SECRET })).url)
    await before.json('/quick-start')
    const after = createVisitor((await start('h3-v1/analog-tools.ts', { SESSION_SECRET: `${TEST_SECRET} and ${OTHER_SECRET}` })).url, before.cookies)
    expect(await after.json('/quick-start')).toEqual({ visits: 2 })
    const newest = createVisitor((await start('h3-v1/analog-tools.ts')).url, after.cookies)
    expect(await newest.json('/quick-start')).toEqual({ visits: 3 })
  })

  it('signCookie / unsignCookie', async () => {
    const { signed, value, wrong } = await visitor.json<{ signed: string, value: string, wrong: null }>('/signed')
    expect(signed).toMatch(/^s:session-id-123\.[\w+/]{43}$/)
    expect([value, wrong]).toEqual(['session-id-123', null])
  })

  it('updateSession(event, updater): INVALID_SESSION without useSession', async () => {
    expect(await visitor.json('/without-session')).toEqual({ code: 'INVALID_SESSION' })
  })
})

describe('a store that was not awaited', () => {
  it('stops the start where its driver cannot be loaded, and says what to install', async () => {
    const child = spawn(process.execPath, [JITI, join(root, 'test/fixtures/h3-v1/missing-client.ts')], { env: { ...process.env, SESSION_SECRET: TEST_SECRET } })
    let output = ''
    child.stderr.on('data', chunk => output += chunk)
    const [code] = await once(child, 'close')
    expect(code).not.toBe(0)
    expect(output).toContain('Install it, for example by `npm install @deno/kv`.')
    expect(output).toContain('missing-client.ts')
  })
})

describe('the examples of @davaux/session', () => {
  it('sessionMiddleware({ secret, cookieName, ... }), session.get / set / delete / destroy, ctx.flash, the 4096-byte limit', async () => {
    const visitor = createVisitor((await start('h3-v2/davaux.ts')).url)
    expect((await visitor.fetch('/dashboard')).headers.get('location')).toBe('/login')
    const login = await visitor.post('/login', { email: 'ada@example.com' })
    expect([login.status, login.headers.get('location')]).toEqual([303, '/dashboard'])
    expect(await visitor.json('/dashboard')).toEqual({ userId: 'ada@example.com', role: 'admin', message: 'Welcome back!' })
    expect(await visitor.json('/dashboard')).toEqual({ userId: 'ada@example.com', role: 'admin' })
    expect(await (await visitor.post('/demote')).json()).toEqual({ role: null })
    expect(await visitor.json('/dashboard')).toEqual({ userId: 'ada@example.com' })
    const kept = visitor.cookies.get('session')
    expect((await visitor.post('/big')).status).toBe(500)
    expect(visitor.cookies.get('session')).toBe(kept)
    await visitor.post('/logout')
    expect((await visitor.fetch('/dashboard')).status).toBe(303)
  })

  it('tampering invalidates', async () => {
    const visitor = createVisitor((await start('h3-v2/davaux.ts')).url)
    await visitor.post('/login', { email: 'ada@example.com' })
    visitor.cookies.set('session', `${visitor.cookies.get('session')!.slice(0, -4)}AAAA`)
    expect((await visitor.fetch('/dashboard')).status).toBe(303)
  })
})
