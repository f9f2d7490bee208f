import type { SessionOptions } from '../../src/runtime/server/types'
import type { CookiePair } from '../support/other-packages'
import type { NitroBuild, RunningServer } from '../support/nitro'
import type { RunningRedis } from '../support/redis'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RedisStore } from 'connect-redis'
import Redis from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { signCookie } from '../../src/core/index'
import { COOKIE, createVisitor, setCookiesOf } from '../support/browser'
import { nuxtOptionsOf } from '../support/moving'
import { buildNitro, runToEnd, startServer, TEST_SECRET } from '../support/nitro'
import { createOldFastifyApp, H3_VERSIONS, PASSWORD, sealByIronSession, signByCookieSession, startOldExpressServer } from '../support/other-packages'
import { hasRedis, startRedis } from '../support/redis'

const OLD_SECRET = 'keyboard cat'

/** The visitor of a server of ours with the cookies that another server gave. */
function movedTo(server: RunningServer, cookies: Iterable<CookiePair>): ReturnType<typeof createVisitor> {
  return createVisitor(server.url, new Map(cookies))
}

/** The keys in Redis without those that only remember who moved in. */
async function keysOf(client: Redis): Promise<string[]> {
  const keys = await client.keys('*')
  const texts = await Promise.all(keys.map(key => client.get(key)))
  return keys.filter((_, index) => !texts[index]?.includes('"isReplaced":true'))
}

describe.runIf(hasRedis())('visitors of express-session and connect-redis', () => {
  let redis: RunningRedis
  let client: Redis
  let old: Awaited<ReturnType<typeof startOldExpressServer>>
  let built: NitroBuild
  let server: RunningServer
  const environment = (): Record<string, string> => ({
    NITRO_SESSION_STORAGE_URL: redis.url,
    NITRO_SESSION_MIGRATE_STORAGE_URL: redis.url,
    NITRO_SESSION_MIGRATE_SECRET: OLD_SECRET,
  })
  const login = async (): Promise<Map<string, string>> => {
    const visitor = createVisitor(old.url)
    await visitor.fetch('/login')
    return visitor.cookies
  }

  beforeAll(async () => {
    redis = await startRedis({ isLasting: true })
    client = new Redis(redis.url, { retryStrategy: () => 50 })
    client.on('error', () => {})
    old = await startOldExpressServer(redis.url, OLD_SECRET)
    built = await buildNitro('moving', { session: await nuxtOptionsOf('express-session.nuxt.config.ts') })
    server = await startServer(built.entry, environment())
  })
  afterAll(async () => {
    await server?.stop()
    old?.stop()
    client?.disconnect()
    await redis?.stop()
    await built?.remove()
  })

  it('are known at their first request, by synchronous utils too', async () => {
    const visitor = movedTo(server, await login())
    const response = await visitor.fetch('/who')
    expect(await response.json()).toEqual({ data: { user: { name: 'ada' } } })
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect([...visitor.cookies.keys()]).toEqual([COOKIE])
    expect(await visitor.json('/who')).toEqual({ data: { user: { name: 'ada' } } })
  })

  it('are known there no longer, and nobody who kept the cookie is known here after a logout', async () => {
    const cookies = await login()
    const stays = createVisitor(old.url, new Map(cookies))
    expect(await stays.json('/')).toEqual({ name: 'ada' })
    const visitor = movedTo(server, cookies)
    await visitor.fetch('/who')
    expect(await stays.json('/')).toBeNull()
    expect(await client.keys('sess:*')).toEqual([])
    await visitor.post('/logout')
    expect(await movedTo(server, cookies).json('/who')).toEqual({ data: null })
  })

  it('lose nothing when their first requests come together, to whatever server', async () => {
    const servers = [server, await startServer(built.entry, environment())]
    const cookies = await login()
    await client.del(...await client.keys('session:*'), 'none')
    const visitors = Array.from({ length: 20 }, (_, index) => movedTo(servers[index % 2]!, cookies))
    const answers = await Promise.all(visitors.map(async visitor => (await visitor.post('/like')).json()))
    expect(answers.map(({ likes }) => likes).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    expect(await keysOf(client)).toEqual([expect.stringMatching(/^session:[\da-f]{64}$/)])
    expect(await visitors[7]!.json('/who')).toEqual({ data: { user: { name: 'ada' }, likes: 20 } })
    await servers[1]!.stop()
  })

  it('come in when Redis gave them more time than their record tells, as it does where they only read', async () => {
    const cookies = await login()
    const [key] = await client.keys('sess:*')
    const record = JSON.parse((await client.get(key!))!)
    await client.set(key!, JSON.stringify({ ...record, cookie: { ...record.cookie, expires: new Date(Date.now() - 1000) } }), 'EX', 60)
    expect(await createVisitor(old.url, new Map(cookies)).json('/')).toEqual({ name: 'ada' })
    expect(await movedTo(server, cookies).json('/who')).toEqual({ data: { user: { name: 'ada' } } })
  })

  it('can log out at once: nothing is left of either session', async () => {
    const cookies = await login()
    await client.del(...await client.keys('session:*'), 'none')
    const visitor = movedTo(server, cookies)
    expect((await visitor.post('/logout')).status).toBe(200)
    expect([visitor.cookies.size, await keysOf(client)]).toEqual([0, []])
  })

  it('come in by `useSession` where autoload is off, and log out there', async () => {
    const cookies = await login()
    const visitor = movedTo(server, cookies)
    expect((await visitor.fetch('/off/sync')).status).toBe(401)
    expect(await visitor.json('/off/awaited')).toEqual({ data: { user: { name: 'ada' } } })
    const other = movedTo(server, await login())
    await other.post('/off/logout')
    expect([other.cookies.size, await client.keys('sess:*')]).toEqual([0, []])
  })

  it('may come from @fastify/session, whose signature and records are the same', async () => {
    const fastify = createOldFastifyApp({ store: new RedisStore({ client }) }, { maxAge: 3_600_000 })
    const { cookie } = await fastify.login({ user: { name: 'grace' } })
    expect(await fastify.read(cookie)).toEqual({ user: { name: 'grace' } })
    const fastifyServer = await startServer(built.entry, { ...environment(), NITRO_SESSION_MIGRATE_SECRET: PASSWORD, NITRO_SESSION_MIGRATE_COOKIE_NAME: 'sessionId' })
    const visitor = movedTo(fastifyServer, [cookie])
    expect(await visitor.json('/who')).toEqual({ data: { user: { name: 'grace' } } })
    expect([[...visitor.cookies.keys()], await client.keys('sess:*'), await fastify.read(cookie)]).toEqual([[COOKIE], [], {}])
    await visitor.post('/logout')
    expect(await movedTo(fastifyServer, [cookie]).json('/who')).toEqual({ data: null })
    await fastifyServer.stop()
  })

  it('do not move into a second cookie', async () => {
    const visitor = movedTo(server, await login())
    visitor.cookies.set('cart', 'none')
    expect(await visitor.json('/cart')).toEqual({ data: {} })
  })

  it('are strangers with a cookie that was forged', async () => {
    const forged = encodeURIComponent(signCookie('an-id-of-the-right-shape', 'a guessed secret'))
    const response = await movedTo(server, [['connect.sid', forged]]).fetch('/who')
    expect(await response.json()).toEqual({ data: null })
    expect(response.headers.getSetCookie()).toEqual([])
  })

  it('get a 503 while the storage is away, a public page all the same, and come in when it is back', async () => {
    const visitor = movedTo(server, await login())
    await redis.kill()
    const [page, response] = [await visitor.fetch('/public'), await visitor.fetch('/who')]
    expect([page.status, response.status]).toEqual([200, 503])
    expect([...page.headers.getSetCookie(), ...response.headers.getSetCookie()]).toEqual([])
    await redis.restart()
    await vi.waitFor(async () => expect(await visitor.json('/who')).toEqual({ data: { user: { name: 'ada' } } }), { timeout: 60_000, interval: 200 })
  })

  it('also come in where our sessions are in cookies, and the old secret was rotated', async () => {
    const cookieServer = await startServer(built.entry, { ...environment(), NITRO_SESSION_MODE: 'cookie', NITRO_SESSION_MIGRATE_SECRET: JSON.stringify(['a newer secret', OLD_SECRET]) })
    const visitor = movedTo(cookieServer, await login())
    expect(await visitor.json('/who')).toEqual({ data: { user: { name: 'ada' } } })
    expect(await visitor.json('/who')).toEqual({ data: { user: { name: 'ada' } } })
    expect([[...visitor.cookies.keys()], await client.keys('sess:*')]).toEqual([[COOKIE], []])
    await cookieServer.stop()
  })
})

describe('visitors of iron-session', () => {
  let built: NitroBuild
  beforeAll(async () => {
    built = await buildNitro('moving', { session: await nuxtOptionsOf('iron-session.nuxt.config.ts') })
  })
  afterAll(() => built?.remove())

  const seal = (data: object, options: object = {}): ReturnType<typeof sealByIronSession> => sealByIronSession({ cookieName: 'my-app', ...options }, data)

  describe.each(['storage', 'cookie'] as const)('in %s mode', (mode) => {
    let server: RunningServer
    beforeAll(async () => {
      server = await startServer(built.entry, { NITRO_SESSION_MODE: mode, NITRO_SESSION_MIGRATE_PASSWORD: PASSWORD }, built.outputDir)
    })
    afterAll(() => server?.stop())

    it('are known at their first request', async () => {
      const visitor = movedTo(server, [await seal({ user: { name: 'ada' } })])
      const response = await visitor.fetch('/who')
      expect(await response.json()).toEqual({ data: { user: { name: 'ada' } } })
      expect(setCookiesOf(response, 'my-app')).toEqual(['my-app=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax'])
      expect([...visitor.cookies.keys()]).toEqual([COOKIE])
      expect(await visitor.json('/who')).toEqual({ data: { user: { name: 'ada' } } })
    })

    it('are strangers with a cookie that another password sealed', async () => {
      const response = await movedTo(server, [await seal({ user: 1 }, { password: 'another password, as long as the other one' })]).fetch('/who')
      expect([await response.json(), response.headers.getSetCookie()]).toEqual([{ data: null }, []])
    })
  })

  it('have several passwords as JSON, of which each seal names one', async () => {
    const server = await startServer(built.entry, { NITRO_SESSION_MIGRATE_PASSWORD: JSON.stringify({ 1: 'a password that is no longer used there', 7: PASSWORD }) }, built.outputDir)
    const cookies = [await seal({ user: 1 }, { password: { 7: PASSWORD } }), await seal({ user: 1 }, { password: { 1: PASSWORD } })]
    expect(await Promise.all(cookies.map(cookie => movedTo(server, [cookie]).json('/who')))).toEqual([{ data: { user: 1 } }, { data: null }])
    await server.stop()
  })

  it('are one session when their first requests come together, which no kept cookie brings back after a logout', async () => {
    const server = await startServer(built.entry, { NITRO_SESSION_MIGRATE_PASSWORD: PASSWORD }, built.outputDir)
    const cookie = await seal({ user: { name: 'ada' } })
    const visitors = Array.from({ length: 10 }, () => movedTo(server, [cookie]))
    const answers = await Promise.all(visitors.map(async visitor => (await visitor.post('/like')).json()))
    expect(answers.map(({ likes }) => likes).sort((a, b) => a - b)).toEqual(Array.from({ length: 10 }, (_, index) => index + 1))
    await visitors[3]!.post('/logout')
    expect(await Promise.all([visitors[5]!, movedTo(server, [cookie])].map(visitor => visitor.json('/who')))).toEqual([{ data: null }, { data: null }])
    await server.stop()
  })

  it('cannot come in without the name of their cookie, a password, or with a short one: the start names all that is wrong', async () => {
    const short = await runToEnd(built.entry, { NITRO_SESSION_SECRET: '', NITRO_SESSION_MIGRATE_PASSWORD: '{"1":"short"}', NITRO_SESSION_MIGRATE_COOKIE_PATH: 'x' })
    expect(short.code).not.toBe(0)
    for (const path of ['secret', 'migrate.password', 'migrate.cookie.path'])
      expect(short.output).toContain(`- ${path}: `)
    expect(short.output).toContain('NITRO_SESSION_MIGRATE_PASSWORD')
    const unnamed = await buildNitro('moving', { session: { migrate: { from: 'iron-session' } } })
    const none = await runToEnd(unnamed.entry, { NITRO_SESSION_SECRET: TEST_SECRET })
    expect(none.output).toContain('- migrate.cookie.name: It is missing.')
    expect(none.output).toContain('NITRO_SESSION_MIGRATE_COOKIE_NAME')
    expect(none.output).toContain('- migrate.password: It is missing.')
    await unnamed.remove()
  })
})

describe('visitors of cookie-session', () => {
  let built: NitroBuild
  beforeAll(async () => {
    built = await buildNitro('moving', { session: await nuxtOptionsOf('cookie-session.nuxt.config.ts') })
  })
  afterAll(() => built?.remove())

  const KEYS = ['a key', 'an older key']
  const environment = { NITRO_SESSION_MIGRATE_SECRET: JSON.stringify(['a newer key', ...KEYS]) }

  describe.each([
    ['storage', COOKIE],
    ['cookie', COOKIE],
    // As in development, where ours has the same name.
    ['storage', 'session'],
    ['cookie', 'session'],
  ])('in %s mode, where our cookie is named %s', (mode, name) => {
    let server: RunningServer
    beforeAll(async () => {
      server = await startServer(built.entry, { ...environment, NITRO_SESSION_MODE: mode, NITRO_SESSION_COOKIE_NAME: name }, built.outputDir)
    })
    afterAll(() => server?.stop())

    it('are known at their first request, and log out', async () => {
      const visitor = movedTo(server, await signByCookieSession({ keys: KEYS }, { user: { name: 'ada' } }))
      const response = await visitor.fetch('/who')
      expect(await response.json()).toEqual({ data: { user: { name: 'ada' } } })
      expect(setCookiesOf(response, 'session.sig')).toEqual(['session.sig=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax'])
      expect([...visitor.cookies.keys()]).toEqual([name])
      expect(await visitor.json('/who')).toEqual({ data: { user: { name: 'ada' } } })
      await visitor.post('/logout')
      expect([visitor.cookies.size, await visitor.json('/who')]).toEqual([0, { data: null }])
    })

    it('are strangers with a cookie that another key signed, or none', async () => {
      const forged = await signByCookieSession({ keys: ['another key'] }, { user: 1 })
      for (const cookies of [forged, forged.slice(0, 1)]) {
        const response = await movedTo(server, cookies).fetch('/who')
        expect([await response.json(), response.headers.getSetCookie()]).toEqual([{ data: null }, []])
      }
    })
  })

  it('cannot come in without a key: the start stops', async () => {
    const none = await runToEnd(built.entry, { NITRO_SESSION_SECRET: TEST_SECRET })
    expect(none.code).not.toBe(0)
    expect(none.output).toContain('- migrate.secret: It is missing. Set NITRO_SESSION_MIGRATE_SECRET')
  })
})

describe.runIf(hasRedis())('visitors of analog-tools', () => {
  it('come in by the same signature, from records under their bare ids', async () => {
    const redis = await startRedis()
    const client = new Redis(redis.url)
    await client.set('V1StGXR8_Z5jdHi6B-myT', JSON.stringify({ visits: 3 }))
    const built = await buildNitro('moving', { session: await nuxtOptionsOf('analog-tools.nuxt.config.ts') })
    // Both had the same secret.
    const server = await startServer(built.entry, { NITRO_SESSION_STORAGE_URL: redis.url, NITRO_SESSION_MIGRATE_STORAGE_URL: redis.url })
    const visitor = movedTo(server, [['connect.sid', encodeURIComponent(signCookie('V1StGXR8_Z5jdHi6B-myT', TEST_SECRET))]])
    expect(await visitor.json('/who')).toEqual({ data: { visits: 3 } })
    expect(await keysOf(client)).toEqual([expect.stringMatching(/^session:[\da-f]{64}$/)])
    await server.stop()
    client.disconnect()
    await redis.stop()
    await built.remove()
  })
})

describe('visitors of h3 and nuxt-auth-utils', () => {
  let built: NitroBuild
  beforeAll(async () => {
    built = await buildNitro('moving', { session: await nuxtOptionsOf('h3.nuxt.config.ts') })
  })
  afterAll(() => built?.remove())

  describe.each(['storage', 'cookie'] as const)('in %s mode', (mode) => {
    let server: RunningServer
    beforeAll(async () => {
      server = await startServer(built.entry, { NITRO_SESSION_MODE: mode, NITRO_SESSION_MIGRATE_PASSWORD: PASSWORD }, built.outputDir)
    })
    afterAll(() => server?.stop())

    it.each(H3_VERSIONS)('are known at their first request: $version', async ({ seal }) => {
      const cookies = await seal({ name: 'nuxt-session', maxAge: 604800 }, { user: { name: 'ada' }, loggedInAt: 1 })
      const visitor = movedTo(server, cookies)
      const response = await visitor.fetch('/who')
      expect(await response.json()).toEqual({ data: { user: { name: 'ada' }, loggedInAt: 1 } })
      expect(setCookiesOf(response, 'nuxt-session')).toEqual(['nuxt-session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax'])
      expect([...visitor.cookies.keys()]).toEqual([COOKIE])
      expect((await visitor.json<{ data: object }>('/who')).data).toMatchObject({ user: { name: 'ada' } })
    })

    it('are strangers with a cookie that another password sealed', async () => {
      const cookies = await H3_VERSIONS[0]!.seal({ name: 'nuxt-session', password: 'another password, as long as the other one' }, { user: 1 })
      const response = await movedTo(server, cookies).fetch('/who')
      expect([await response.json(), response.headers.getSetCookie()]).toEqual([{ data: null }, []])
    })
  })

  it('cannot come in without a password, or with a short one: the start stops and names all that is wrong', async () => {
    const short = await runToEnd(built.entry, { NITRO_SESSION_SECRET: '', NITRO_SESSION_MIGRATE_PASSWORD: 'short', NITRO_SESSION_MIGRATE_MAX_AGE: '-1', NITRO_SESSION_MIGRATE_IDLE_TIMEOUT: '0', NITRO_SESSION_MIGRATE_COOKIE_NAME: 'a b', NITRO_SESSION_MIGRATE_COOKIE_PATH: 'x' })
    expect(short.code).not.toBe(0)
    for (const path of ['secret', 'migrate.password', 'migrate.maxAge', 'migrate.idleTimeout', 'migrate.cookie.name', 'migrate.cookie.path'])
      expect(short.output).toContain(`- ${path}: `)
    expect(short.output).toContain('NITRO_SESSION_MIGRATE_PASSWORD')
    const none = await runToEnd(built.entry, { NITRO_SESSION_SECRET: TEST_SECRET })
    expect(none.output).toContain('- migrate.password: It is missing.')
  })

  it('come from what the build names, whatever the environment says', async () => {
    const { code, output } = await runToEnd(built.entry, { NITRO_SESSION_SECRET: TEST_SECRET, NITRO_SESSION_MIGRATE_FROM: 'express-session' })
    expect(code).not.toBe(0)
    expect(output).toContain('This build reads the cookies of \'h3\'')
    const attributes = await runToEnd(built.entry, { NITRO_SESSION_SECRET: TEST_SECRET, NITRO_SESSION_MIGRATE_PASSWORD: PASSWORD, NITRO_SESSION_MIGRATE_COOKIE: 'x' })
    expect(attributes.output).toContain('- migrate.cookie: ')
  })
})

describe('the option `migrate`', () => {
  it('adds its code only where it is used', async () => {
    const codeOf = async (session?: SessionOptions): Promise<string> => {
      const built = await buildNitro('moving', session && { session })
      const files = await readdir(join(built.outputDir, 'server'), { recursive: true })
      const code = await Promise.all(files.filter(file => file.endsWith('.mjs') && !file.includes('node_modules')).map(file => readFile(join(built.outputDir, 'server', file), 'utf8')))
      await built.remove()
      return code.join('\n')
    }
    const traces = async (session?: SessionOptions): Promise<boolean[]> => {
      const code = await codeOf(session)
      return ['originalMaxAge', 'AES-CBC', '__chunked__', 'flash,persistent', '}.sig`', 'SHA1'].map(trace => code.includes(trace))
    }
    expect(await traces()).toEqual([false, false, false, false, false, false])
    expect(await traces({ migrate: { from: 'express-session' } })).toEqual([true, false, false, false, false, false])
    expect(await traces({ migrate: { from: 'h3' } })).toEqual([false, true, true, false, false, false])
    expect(await traces({ migrate: { from: 'iron-session' } })).toEqual([false, true, false, true, false, false])
    expect(await traces({ migrate: { from: 'cookie-session' } })).toEqual([false, false, false, false, true, true])
  })

  it('cannot be turned on by the environment', async () => {
    const built = await buildNitro('moving')
    const { code, output } = await runToEnd(built.entry, { NITRO_SESSION_SECRET: TEST_SECRET, NITRO_SESSION_MIGRATE: 'h3' })
    expect(code).not.toBe(0)
    expect(output).toContain('This build reads no cookies of other packages')
    await built.remove()
  })

  it.each([
    ['another package', { from: 'passport' }, /- migrate\.from: /],
    ['no package', {}, /- migrate\.from: /],
    ['options that do not exist', { from: 'h3', secret: 'x', cookie: { nam: 'x' } }, /- migrate\.secret: .*\n.*- migrate\.cookie\.nam: /],
  ])('is refused by the build with %s', async (_, migrate, message) => {
    await expect(buildNitro('moving', { session: { migrate } as never })).rejects.toThrow(message)
  })

  it('stops the start in cookie mode without a storage to read from', async () => {
    const built = await buildNitro('moving', { session: { mode: 'cookie', migrate: { from: 'express-session' } } })
    const { code, output } = await runToEnd(built.entry, { NITRO_SESSION_SECRET: TEST_SECRET, NITRO_SESSION_MIGRATE_SECRET: '123' })
    expect(code).not.toBe(0)
    expect(output).toContain('- migrate.storage: It is missing.')
    expect(output).toContain('- migrate.secret: It is not a string.')
    await built.remove()
  })

  it('stops the start for a mount that the build does not have', async () => {
    const built = await buildNitro('moving', { session: { migrate: { from: 'express-session', storage: 'elsewhere' } } })
    const { output } = await runToEnd(built.entry, { NITRO_SESSION_SECRET: TEST_SECRET })
    expect(output).toContain('- migrate.storage: This build mounts nothing at \'elsewhere\'.')
    await built.remove()
  })
})
