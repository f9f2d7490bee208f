import type { SessionManager } from '../../../src/core/index'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Redis from 'ioredis'
import fsLiteDriver from 'unstorage/drivers/fs-lite'
import memoryDriver from 'unstorage/drivers/memory'
import redisDriver from 'unstorage/drivers/redis'
import { startRedis } from '../../support/redis'
import { createManager, createSessions } from './sessions'

/** A store that holds a number of sessions. */
export interface Contender {
  store: 'memory' | 'redis' | 'fs-lite'
  size: number
  manager: SessionManager
  /** How many records are there now. */
  count(): Promise<number>
  close(): Promise<void>
}

type IsExpired = (index: number) => boolean

const PIPELINE = 2000

export async function fillMemory(size: number, isExpired?: IsExpired): Promise<Contender> {
  const driver = memoryDriver()
  const map = driver.getInstance!() as Map<string, string>
  for (const { key, text } of createSessions(size, isExpired))
    map.set(key, text)
  return { store: 'memory', size, manager: createManager(driver), count: async () => map.size, close: async () => map.clear() }
}

/** A Redis of its own for each size, as each would have in production. */
export async function fillRedis(size: number): Promise<Contender> {
  const redis = await startRedis()
  const client = new Redis(redis.url)
  let pipeline = client.pipeline()
  for (const { key, text, ttl } of createSessions(size)) {
    pipeline.set(key, text, 'EX', ttl)
    if (pipeline.length >= PIPELINE) {
      await pipeline.exec()
      pipeline = client.pipeline()
    }
  }
  await pipeline.exec()
  const driver = redisDriver({ url: redis.url })
  return {
    store: 'redis',
    size,
    manager: createManager(driver),
    count: () => client.dbsize(),
    async close() {
      client.disconnect()
      await driver.dispose?.()
      await redis.stop()
    },
  }
}

export async function fillFiles(size: number, isExpired?: IsExpired): Promise<Contender> {
  const base = await mkdtemp(join(tmpdir(), 'unsession-files-'))
  await mkdir(base, { recursive: true })
  for (const { key, text } of createSessions(size, isExpired))
    await writeFile(join(base, key), text)
  const driver = fsLiteDriver({ base })
  return {
    store: 'fs-lite',
    size,
    manager: createManager(driver),
    count: async () => (await driver.getKeys('', {})).length,
    close: () => rm(base, { recursive: true, force: true }),
  }
}
