import type { NitroConfig } from 'nitropack/types'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Redis from 'ioredis'
import { startRedis } from '../../support/redis'

export const SOAK_STORAGES = ['redis', 'fs', 'memory'] as const

export type SoakStorage = typeof SOAK_STORAGES[number]

/** Where the records of a soak are, and what can be counted there from outside. */
export interface SoakTarget {
  /** For the build. */
  config: NitroConfig
  /** For the server. */
  env: Record<string, string>
  cwd: string
  /** By name; numbers that a server at rest brings back to where they were. */
  count(): Promise<Record<string, number>>
  /** What lies there and should not. */
  leftovers(): Promise<string[]>
  stop(): Promise<void>
}

/** Builds what a soak needs before the server starts. */
export async function startSoakTarget(storage: SoakStorage): Promise<SoakTarget> {
  const cwd = await mkdtemp(join(tmpdir(), 'unsession-soak-'))
  const remove = (): Promise<void> => rm(cwd, { recursive: true, force: true })
  if (storage === 'redis')
    return startRedisTarget(cwd, remove)
  const common = { env: {}, cwd, stop: remove }
  if (storage === 'memory')
    return { ...common, config: { storage: { session: { driver: 'memory' } } }, count: async () => ({}), leftovers: async () => [] }
  const files = (): Promise<string[]> => readdir(join(cwd, '.data/session'), { recursive: true })
  return {
    ...common,
    // What the module mounts where the app mounts nothing.
    config: {},
    count: async () => ({ files: (await files()).length }),
    leftovers: async () => (await files()).filter(file => !/^[\da-f]{64}$/.test(file)).map(file => `the file ${file}`),
  }
}

async function startRedisTarget(cwd: string, remove: () => Promise<void>): Promise<SoakTarget> {
  const redis = await startRedis()
  const client = new Redis(redis.url)
  const keyspace = async (): Promise<{ keys: number, expires: number }> => {
    const [, keys = '0', expires = '0'] = /db0:keys=(\d+),expires=(\d+)/.exec(await client.info('keyspace')) ?? []
    return { keys: Number(keys), expires: Number(expires) }
  }
  return {
    config: { session: { storage: { driver: 'redis' } } } as NitroConfig,
    env: { NITRO_SESSION_STORAGE_URL: redis.url },
    cwd,
    async count() {
      const [, clients] = /connected_clients:(\d+)/.exec(await client.info('clients'))!
      // This one is no client of the server.
      return { connections: Number(clients) - 1, keys: (await keyspace()).keys }
    },
    async leftovers() {
      const { keys, expires } = await keyspace()
      return keys === expires ? [] : [`${keys - expires} keys without a TTL`]
    },
    async stop() {
      client.disconnect()
      await redis.stop()
      await remove()
    },
  }
}
