import type { NitroBuild } from '../support/nitro'
import type { RunningRedis } from '../support/redis'
import Redis from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createVisitor } from '../support/browser'
import { MAJORS } from '../support/majors'
import { runToEnd, startServer, TEST_SECRET } from '../support/nitro'
import { freePort } from '../support/ports'
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

  it('that is away at the start is told of in one line, and once when it is back', async () => {
    const away = await startRedis()
    await away.kill()
    const server = await startServer(built.entry, { NITRO_SESSION_STORAGE_URL: away.url })
    const lines = (): string[] => server.output().split('\n').filter(line => line.startsWith('[unsession]'))
    await expect.poll(lines).toEqual([expect.stringContaining(`is away: redis at 127.0.0.1:${away.port} (ECONNREFUSED)`)])
    await away.restart()
    await expect.poll(lines).toEqual([expect.anything(), expect.stringContaining('is back')])
    expect(await createVisitor(server.url).json('/visit')).toEqual({ visits: 1 })
    expect(server.output()).not.toContain('[ioredis]')
    await server.stop()
    await away.stop()
  })

  it('another driver in the environment than the one that was built stops the start', async () => {
    const { code, output } = await runToEnd(built.entry, { NITRO_SESSION_SECRET: TEST_SECRET, NITRO_SESSION_STORAGE_DRIVER: 'mongodb' })
    expect(code).not.toBe(0)
    expect(output).toContain('storage.driver')
    expect(output).toContain('\'redis\', not \'mongodb\'')
  })
})

describe.each(MAJORS)('a mount of the app on a Redis that is away, in $name', ({ build }) => {
  it('is told of in one line at the start, and not by ioredis at each try', async () => {
    const port = await freePort()
    const built = await build({ storage: { session: { driver: 'redis', url: `redis://127.0.0.1:${port}` } } })
    onTestFinished(() => built.remove())
    const server = await startServer(built.entry)
    await expect.poll(() => server.output().split('\n').filter(line => line.startsWith('[unsession]'))).toEqual([expect.stringContaining(`is away: redis at 127.0.0.1:${port} (ECONNREFUSED)`)])
    expect(server.output()).not.toContain('[ioredis]')
    // The tries to reach it do not keep the server from ending.
    await server.stop()
  })
})
