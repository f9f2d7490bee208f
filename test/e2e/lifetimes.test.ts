import type { Visitor } from '../support/browser'
import type { NitroBuild, RunningServer } from '../support/nitro'
import type { RunningRedis } from '../support/redis'
import Redis from 'ioredis'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildNitro, startServer } from '../support/nitro'
import { hasRedis, startRedis } from '../support/redis'
import { get, post, PRIVATE, recordName, useTroubledServers } from '../support/trouble'

const DAY = 24 * 60 * 60
const DAYS = [30, 90]

const lasting = ['fs', 'fs-lite', ...(hasRedis() ? ['redis'] : [])]
const drivers = ['memory', 'lru-cache', ...lasting]

/** Longer than the 24.8 days that the timers of JavaScript can count. */
describe('sessions of 30 and 90 days', () => {
  let built: NitroBuild
  let redis: RunningRedis | undefined
  let dir: string
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'unsession-lifetimes-'))
    redis = lasting.includes('redis') ? await startRedis() : undefined
    built = await buildNitro('nitro-trouble', {
      storage: {
        'memory': { driver: 'memory' },
        'lru-cache': { driver: 'lru-cache' },
        'fs': { driver: 'fs', base: join(dir, 'fs') },
        'fs-lite': { driver: 'fs-lite', base: join(dir, 'fs-lite') },
        ...(redis && { redis: { driver: 'redis', url: redis.url } }),
      },
      session: { storage: 'memory' },
    })
  })
  afterAll(async () => {
    await redis?.stop()
    await built?.remove()
    await rm(dir, { recursive: true, force: true })
  })

  const servers = useTroubledServers()
  const serverWith = (driver: string, days: number): Promise<RunningServer> =>
    servers.start(startServer(built.entry, { NITRO_SESSION_STORAGE: driver, NITRO_SESSION_MAX_AGE: String(days * DAY) }))

  /** Timers that overflow end at once: time enough passes between so many requests. */
  async function expectLasting(visitor: Visitor, data: object): Promise<void> {
    for (let count = 0; count < 100; count++)
      expect(await get(visitor, '/data')).toEqual({ status: 200, body: data, cookies: [] })
  }

  describe.each(drivers)('driver %s', (driver) => {
    it.each(DAYS)('a session of %i days is stored and stays, also when it is changed', async (days) => {
      const server = await serverWith(driver, days)
      const visitor = await servers.signIn(server, { user: 'ada' })
      await expectLasting(visitor, { private: PRIVATE, user: 'ada' })
      const { cookies } = await post(visitor, '/add')
      expect(cookies).toEqual([expect.stringMatching(/Max-Age=\d+/)])
      const maxAge = Number(/Max-Age=(\d+)/.exec(cookies[0]!)![1])
      expect(maxAge).toBeGreaterThan((days - 1) * DAY)
      expect(maxAge).toBeLessThanOrEqual(days * DAY)
      await expectLasting(visitor, { private: PRIVATE, user: 'ada', visits: 1 })
    })

    it.each(DAYS)('one session may be kept for %i days where others are not', async (days) => {
      const server = await serverWith(driver, 1)
      const visitor = await servers.signIn(server)
      const { cookies } = await post(visitor, '/remember', { maxAge: days * DAY })
      expect(Number(/Max-Age=(\d+)/.exec(cookies[0]!)![1])).toBeGreaterThan((days - 1) * DAY)
      await expectLasting(visitor, { private: PRIVATE, isRemembered: true })
    })

    it.each(DAYS)('a login for %i days stays', async (days) => {
      const server = await serverWith(driver, days)
      const visitor = await servers.signIn(server)
      expect(await post(visitor, '/login', { user: 'ada' })).toMatchObject({ status: 200 })
      await expectLasting(visitor, { private: PRIVATE, user: 'ada' })
    })
  })

  it.each(lasting.flatMap(driver => DAYS.map(days => [driver, days] as const)))('driver %s: another process knows a session of %i days', async (driver, days) => {
    const first = await serverWith(driver, days)
    const visitor = await servers.signIn(first, { user: 'ada' })
    await servers.stop(first)
    const second = await serverWith(driver, days)
    const copy = servers.copy(visitor, second)
    expect(await get(copy, '/data')).toMatchObject({ status: 200, body: { user: 'ada' } })
    await expectLasting(copy, { private: PRIVATE, user: 'ada' })
  })

  describe.runIf(lasting.includes('redis'))('on Redis', () => {
    it.each(DAYS)('a record has its %i days as its time to live, which a change does not lose', async (days) => {
      const server = await serverWith('redis', days)
      const visitor = await servers.signIn(server)
      const client = new Redis(redis!.url)
      const ttls = [await client.ttl(recordName(visitor))]
      await post(visitor, '/add')
      ttls.push(await client.ttl(recordName(visitor)))
      await post(visitor, '/login', { user: 'ada' })
      ttls.push(await client.ttl(recordName(visitor)))
      client.disconnect()
      for (const ttl of ttls) {
        expect(ttl).toBeGreaterThan((days - 1) * DAY)
        expect(ttl).toBeLessThanOrEqual(days * DAY)
      }
    })
  })
})
