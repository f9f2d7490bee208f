import type { NitroBuild } from '../support/nitro'
import type { RunningRedis } from '../support/redis'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Redis from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { COOKIE, createVisitor } from '../support/browser'
import { logOut, nuxtOptionsOf, startMovingApp, tellStory } from '../support/moving'
import { buildNitro, startServer, TEST_SECRET } from '../support/nitro'
import { hasRedis, startRedis } from '../support/redis'

const OLD_SECRET = 'keyboard cat'

describe.runIf(hasRedis())('the visitor of express-session and connect-redis', () => {
  let redis: RunningRedis
  let built: NitroBuild

  beforeAll(async () => {
    redis = await startRedis()
    built = await buildNitro('moving/nitro', { session: await nuxtOptionsOf('express-session.nuxt.config.ts') })
  })
  afterAll(async () => {
    await redis?.stop()
    await built?.remove()
  })

  it.each([
    ['h3', () => startMovingApp('express-session/after.ts', { env: { REDIS_URL: redis.url, SESSION_SECRET: TEST_SECRET, OLD_SESSION_SECRET: OLD_SECRET } })],
    ['Nitro', () => startServer(built.entry, { NITRO_SESSION_STORAGE_URL: redis.url, NITRO_SESSION_MIGRATE_STORAGE_URL: redis.url, NITRO_SESSION_MIGRATE_SECRET: OLD_SECRET })],
  ])('is still logged in at the app of %s, and logs out there', async (_, start) => {
    const before = await startMovingApp('express-session/before.ts', { env: { REDIS_URL: redis.url, SESSION_SECRET: OLD_SECRET } })
    const { cookies } = await tellStory(before, 'connect.sid')
    await before.stop()

    const after = await start()
    const visitor = createVisitor(after.url, cookies)
    expect(await visitor.json('/account')).toEqual({ user: 'Ada' })
    expect([...cookies.keys()]).toEqual([COOKIE])
    expect(await visitor.json('/')).toEqual({ visits: 3, user: 'Ada' })
    expect(await logOut(visitor, after)).toEqual(['/login', '/login'])
    expect(await logOut(await tellStory(after, COOKIE), after)).toEqual(['/login', '/login'])
    await after.stop()
  })
})

describe.runIf(hasRedis())('a store of express-session', () => {
  it('keeps the sessions of a Nitro app, as a driver', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const built = await buildNitro('moving/nitro', { session: { storage: { driver: '../express-session/connect-driver' } } })
    onTestFinished(() => built.remove())
    const server = await startServer(built.entry, { REDIS_URL: redis.url })
    onTestFinished(() => server.stop())
    const client = new Redis(redis.url)
    onTestFinished(() => client.disconnect())

    const visitor = await tellStory(server, COOKIE)
    const keys = await client.keys('sess:*')
    const records = await Promise.all(keys.map(async key => ({ text: await client.get(key), ttl: await client.ttl(key) })))
    const record = records.find(({ text }) => text!.includes('Ada'))
    expect(JSON.parse(record!.text!)).toEqual({ cookie: expect.any(Object), record: expect.stringContaining('"user":"Ada"') })
    expect(record!.ttl).toBeGreaterThan(6 * 24 * 60 * 60)
    expect(await logOut(visitor, server)).toEqual(['/login', '/login'])
  })
})

describe('routes of express behind the middleware', () => {
  it('have sessions', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'unsession-'))
    const server = await startMovingApp('express-session/express-routes.ts', { env: { SESSION_SECRET: TEST_SECRET, SESSIONS: folder } })
    expect(await logOut(await tellStory(server, COOKIE), server)).toEqual(['/login', '/login'])
    await server.stop()
    await rm(folder, { recursive: true })
  })
})
