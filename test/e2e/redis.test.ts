import type { NitroBuild } from '../support/nitro'
import type { RunningRedis } from '../support/redis'
import Redis from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVisitor } from '../support/browser'
import { MAJORS } from '../support/majors'
import { runToEnd, startServer, TEST_SECRET } from '../support/nitro'
import { hasRedis, startRedis } from '../support/redis'

describe.runIf(hasRedis()).each(MAJORS)('a driver given as an object, on a real Redis, in $name', ({ build }) => {
  let built: NitroBuild
  let redis: RunningRedis
  beforeAll(async () => {
    redis = await startRedis()
    built = await build({ session: { maxAge: 1000, storage: { driver: 'redis', base: 'app' } } })
  })
  afterAll(async () => {
    await redis?.stop()
    await built?.remove()
  })

  it('is mounted at start on the Redis that the environment names, for every process', async () => {
    const env = { NITRO_SESSION_STORAGE_URL: redis.url }
    const servers = await Promise.all([startServer(built.entry, env), startServer(built.entry, env)])
    const visitor = createVisitor(servers[0].url)
    await visitor.json('/visit')
    expect(await createVisitor(servers[1].url, visitor.cookies).json('/visit')).toEqual({ visits: 2 })
    await Promise.all(servers.map(server => server.stop()))
  })

  it('gives every record its remaining lifetime', async () => {
    const client = new Redis(redis.url)
    const keys = await client.keys('*')
    expect(keys).toEqual([expect.stringMatching(/^app:[\da-f]{64}$/)])
    const ttl = await client.ttl(keys[0]!)
    expect(ttl).toBeGreaterThan(900)
    expect(ttl).toBeLessThanOrEqual(1000)
    client.disconnect()
  })

  it('another driver in the environment than the one that was built stops the start', async () => {
    const { code, output } = await runToEnd(built.entry, { NITRO_SESSION_SECRET: TEST_SECRET, NITRO_SESSION_STORAGE_DRIVER: 'mongodb' })
    expect(code).not.toBe(0)
    expect(output).toContain('storage.driver')
    expect(output).toContain('\'redis\', not \'mongodb\'')
  })
})
