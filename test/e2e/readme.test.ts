import type { NitroBuild, RunningServer } from '../support/nitro'
import type { Visitor } from '../support/browser'
import { execFile } from 'node:child_process'
import { readdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor, setCookiesOf } from '../support/browser'
import { buildNitro, startServer, TEST_SECRET } from '../support/nitro'
import { openRefused, openSocket } from '../support/socket'

const ADA = { name: 'ada', password: 'lovelace' }

describe('the app of the README', () => {
  let built: NitroBuild
  beforeAll(async () => {
    built = await buildNitro('readme', { experimental: { websocket: true } })
  })
  afterAll(() => built?.remove())

  describe.each(['storage', 'cookie'] as const)('%s mode', (mode) => {
    let server: RunningServer
    const login = async (visitor: Visitor): Promise<Response> => visitor.post('/api/login', ADA)

    beforeAll(async () => {
      server = await startServer(built.entry, { NITRO_SESSION_MODE: mode }, built.outputDir)
    })
    afterAll(() => server?.stop())

    it('the first example counts the visits of each visitor', async () => {
      const [first, second] = [createVisitor(server.url), createVisitor(server.url)]
      expect(await first.json('/api/visits')).toEqual({ visits: 1 })
      expect(await first.json('/api/visits')).toEqual({ visits: 2 })
      expect(await second.json('/api/visits')).toEqual({ visits: 1 })
    })

    it.each(['/account', '/%61ccount'])('the guard sends a visitor who is not logged in from %s to the login', async (path) => {
      const response = await createVisitor(server.url).fetch(path)
      expect(response.status).toBe(303)
      expect(response.headers.get('location')).toBe('/login')
      expect(setCookiesOf(response, COOKIE)).toEqual([])
    })

    it('the guard of a route is 401 without a login, and 403 where the function says no', async () => {
      const [ada, bob, stranger] = [createVisitor(server.url), createVisitor(server.url), createVisitor(server.url)]
      await login(ada)
      await bob.post('/api/login', { name: 'bob', password: 'builder' })
      await stranger.post('/api/theme', { theme: 'dark' })
      const statuses = async (path: string): Promise<number[]> => Promise.all([createVisitor(server.url), stranger, bob, ada].map(async visitor => (await visitor.fetch(path)).status))
      expect(await statuses('/api/orders')).toEqual([401, 401, 200, 200])
      expect(await statuses('/api/users')).toEqual([401, 403, 403, 200])
      expect(await bob.json('/api/orders')).toEqual([{ userId: 2, item: 'tea' }])
    })

    it('a wrong password is a 401 without a cookie', async () => {
      const response = await createVisitor(server.url).post('/api/login', { ...ADA, password: 'wrong' })
      expect(response.status).toBe(401)
      expect(setCookiesOf(response, COOKIE)).toEqual([])
    })

    it('a login replaces the cookie, keeps the data and leaves a message for the page after the redirect', async () => {
      const visitor = createVisitor(server.url)
      await visitor.fetch('/api/visits')
      const before = visitor.cookies.get(COOKIE)
      const response = await login(visitor)
      expect(response.status).toBe(303)
      expect(response.headers.get('location')).toBe('/account')
      expect(visitor.cookies.get(COOKIE)).not.toBe(before)
      expect(await visitor.json('/account')).toEqual({ userId: 1, message: 'Welcome, ada.' })
      expect(await visitor.json('/account')).toEqual({ userId: 1 })
      expect(await visitor.json('/api/visits')).toEqual({ visits: 2 })
    })

    it('a login over the session of another user keeps the keys that it names', async () => {
      const visitor = createVisitor(server.url)
      await login(visitor)
      await visitor.post('/api/theme', { theme: 'dark' })
      await visitor.fetch('/api/visits')
      expect((await visitor.post('/api/login-as', { name: 'bob', password: 'builder' })).status).toBe(303)
      expect(await visitor.json('/account')).toMatchObject({ userId: 2, theme: 'dark' })
      expect(await visitor.json('/api/visits')).toEqual({ visits: 1 })
    })

    it('a flash message survives the redirect and is shown once', async () => {
      const visitor = createVisitor(server.url)
      await login(visitor)
      await visitor.fetch('/account')
      expect((await visitor.post('/api/theme', { theme: 'dark' })).status).toBe(303)
      expect(await visitor.json('/account')).toEqual({ userId: 1, theme: 'dark', message: 'Theme saved.' })
      expect(await visitor.json('/account')).toEqual({ userId: 1, theme: 'dark' })
    })

    it('a logout expires the cookie', async () => {
      const visitor = createVisitor(server.url)
      await login(visitor)
      const response = await visitor.post('/api/logout')
      expect(setCookiesOf(response, COOKIE)).toEqual([`${COOKIE}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax`])
      expect((await visitor.fetch('/account')).headers.get('location')).toBe('/login')
    })

    it(`after a logout a copy of the cookie is ${mode === 'storage' ? 'worth nothing' : 'still good'}`, async () => {
      const visitor = createVisitor(server.url)
      await login(visitor)
      const thief = createVisitor(server.url, new Map(visitor.cookies))
      await visitor.post('/api/logout')
      expect((await thief.fetch('/account')).status).toBe(mode === 'storage' ? 303 : 200)
    })

    it('remember me is a cookie for thirty days, otherwise one that ends with the browser', async () => {
      const visitor = createVisitor(server.url)
      const remembered = await visitor.post('/api/login-remember', { ...ADA, remember: true })
      expect(setCookiesOf(remembered, COOKIE)[0]).toMatch(/; Max-Age=(?:2592000|25919\d\d);/)
      const forgotten = await visitor.post('/api/login-remember', ADA)
      expect(setCookiesOf(forgotten, COOKIE)[0]).not.toContain('Max-Age')
      expect((await visitor.fetch('/account')).status).toBe(200)
    })

    it('the cart is a second session, which stays after a logout', async () => {
      const visitor = createVisitor(server.url)
      await login(visitor)
      await visitor.post('/api/cart', { item: 'tea' })
      await visitor.post('/api/logout')
      expect(await (await visitor.post('/api/cart', { item: 'milk' })).json()).toEqual({ items: ['tea', 'milk'] })
      expect([...visitor.cookies.keys()]).toEqual(['cart'])
    })

    it('the hook of the plugin runs', async () => {
      await login(createVisitor(server.url))
      await expect.poll(() => server.output()).toContain('login of user 1')
    })
  })

  it('in storage mode the answer of a model is kept at the end of its stream', async () => {
    const server = await startServer(built.entry, {}, built.outputDir)
    const visitor = createVisitor(server.url)
    const response = await visitor.post('/api/chat', { question: 'Is it late?' })
    expect([await response.text(), setCookiesOf(response, COOKIE).length]).toEqual(['You asked: Is it late?', 1])
    expect(await visitor.json('/api/chat')).toEqual({ question: 'Is it late?', answer: 'You asked: Is it late?' })
    await server.stop()
  })

  it('in storage mode parallel updates are all counted', async () => {
    const server = await startServer(built.entry, {}, built.outputDir)
    const visitor = createVisitor(server.url)
    await visitor.post('/api/like')
    const responses = await Promise.all(Array.from({ length: 20 }, () => visitor.post('/api/like')))
    const likes = await Promise.all(responses.map(async response => (await response.json()).likes))
    expect(Math.max(...likes)).toBe(21)
    await server.stop()
  })

  describe('the WebSocket', () => {
    let server: RunningServer
    let visitor: Visitor
    beforeAll(async () => {
      server = await startServer(built.entry, {}, built.outputDir)
      visitor = createVisitor(server.url)
      await visitor.post('/api/login', ADA)
    })
    afterAll(() => server?.stop())

    it('counts over the connection and over HTTP in one session, and ends with it', async () => {
      const socket = await openSocket(visitor, server.url, '/live', { origin: server.url })
      expect(await socket.ask({})).toEqual({ likes: 1 })
      expect(await (await visitor.post('/api/like')).json()).toMatchObject({ likes: 2 })
      expect(await socket.ask({})).toEqual({ likes: 3 })
      await visitor.post('/api/logout')
      await expect(socket.ask({})).rejects.toThrow('4401')
    })

    it.each([
      ['another site', 403, { origin: 'https://elsewhere.example' }],
      ['a page without an origin', 403, { origin: 'null' }],
      ['no page at all', 403, {}],
    ])('is refused to %s', async (_, status, headers) => {
      expect((await openRefused(visitor, server.url, '/live', headers)).status).toBe(status)
    })

    it('is refused to visitors who are not logged in', async () => {
      expect((await openRefused(createVisitor(server.url), server.url, '/live', { origin: server.url })).status).toBe(401)
    })
  })

  it('the records are files in .data/session of the folder that the server was started in', async () => {
    const files = await readdir(join(built.outputDir, '.data/session'))
    expect(files.length).toBeGreaterThan(0)
    expect(files.every(file => /^[\da-f]{64}$/.test(file))).toBe(true)
  })

  it('the environment sets the options, and an array of secrets rotates them', async () => {
    const newSecret = 'another secret of the tests, not of anybody'
    const settings = { NITRO_SESSION_COOKIE_NAME: 'sid', NITRO_SESSION_COOKIE_SAME_SITE: 'strict', NITRO_SESSION_MAX_AGE: '3600' }
    const before = await startServer(built.entry, settings, built.outputDir)
    const visitor = createVisitor(before.url)
    const first = await visitor.fetch('/api/visits')
    expect(setCookiesOf(first, 'sid')[0]).toMatch(/; Max-Age=(?:3600|35\d\d); Path=\/; HttpOnly; Secure; SameSite=Strict$/)
    await before.stop()

    const after = await startServer(built.entry, { ...settings, NITRO_SESSION_SECRET: JSON.stringify([newSecret, TEST_SECRET]) }, built.outputDir)
    const response = await createVisitor(after.url, visitor.cookies).fetch('/account')
    expect(setCookiesOf(response, 'sid')).toHaveLength(1)
    await after.stop()

    const last = await startServer(built.entry, { ...settings, NITRO_SESSION_SECRET: newSecret }, built.outputDir)
    expect(await createVisitor(last.url, visitor.cookies).json('/api/visits')).toEqual({ visits: 2 })
    await last.stop()
  })

  it('its types are right, also in strict mode', async () => {
    const project = join(built.outputDir, 'tsconfig.json')
    await writeFile(project, JSON.stringify({
      extends: './build/types/tsconfig.json',
      compilerOptions: { strict: true },
      include: ['./build/types/nitro.d.ts', '../server', '../nitro.config.ts'],
    }))
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, '--noEmit', '-p', project]).catch(error => error as { stdout: string })
    expect(stdout).toBe('')
  })
})
