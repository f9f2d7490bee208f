import type { RedisOptions } from 'unstorage/drivers/redis'
import type { SessionRecord, SessionStore } from '../../src/core/types'
import type { RunningRedis } from '../support/redis'
import type { RunningCluster } from '../support/redis-cluster'
import Redis from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createStorage, prefixStorage, type Storage } from 'unstorage'
import redisDriver from 'unstorage/drivers/redis'
import { createStorage as createStorage2, prefixStorage as prefixStorage2, type Storage as Storage2 } from 'unstorage-v2'
import redisDriver2 from 'unstorage-v2/drivers/redis'
import { createStorageStore, type UnstorageLike } from '../../src/core/stores/unstorage'
import { hasRedis, startRedis } from '../support/redis'
import { startRedisCluster } from '../support/redis-cluster'
import { caught } from '../unit/support/errors'
import { itKeepsTheContract, KEY, OTHER_KEY, recordOf } from '../unit/support/store-contract'

const opened: { dispose?(): unknown }[] = []

type OpenStore = (options: RedisOptions, base?: string, view?: (storage: UnstorageLike) => UnstorageLike) => SessionStore

const openStore1: OpenStore = (options, base = 'session', view = storage => storage) => {
  const driver = redisDriver(options)
  opened.push(driver)
  return createStorageStore(view(createStorage({ driver })), { base, timeout: 30_000 })
}

const openStore2: OpenStore = (options, base = 'session', view = storage => storage) => {
  const driver = redisDriver2(options)
  opened.push(driver)
  return createStorageStore(view(createStorage2({ driver })), { base, timeout: 30_000 })
}

type Prefix = (storage: UnstorageLike, base: string) => UnstorageLike

const MAJORS: [string, OpenStore, Prefix][] = [
  ['unstorage 1', openStore1, (storage, base) => prefixStorage(storage as Storage, base)],
  ['unstorage 2', openStore2, (storage, base) => prefixStorage2(storage as Storage2, base)],
]

async function closeStores(): Promise<void> {
  await Promise.all(opened.splice(0).map(driver => driver.dispose?.()))
}

/** Every key and the seconds that it has left, rounded up to hundreds: time passes while a test runs. */
async function lifetimes(clients: readonly Redis[]): Promise<[key: string, seconds: number][]> {
  const ttlOf = async (client: Redis, key: string): Promise<[string, number]> => [key, Math.ceil(await client.ttl(key) / 100) * 100]
  const all = await Promise.all(clients.map(async client => Promise.all((await client.keys('*')).map(key => ttlOf(client, key)))))
  return all.flat()
}

describe.runIf(hasRedis()).each(MAJORS)('a store of %s over a real Redis', (_, openStore, prefixOf) => {
  let redis: RunningRedis
  let client: Redis
  beforeAll(async () => {
    redis = await startRedis()
    client = new Redis(redis.url)
  })
  afterEach(closeStores)
  afterAll(async () => {
    client?.disconnect()
    await redis?.stop()
  })

  describe.each<[string, Partial<RedisOptions>, string, string]>([
    ['without a base', {}, 'session', `session:${KEY}`],
    ['without any base', {}, '', KEY],
    ['with the base app', { base: 'app' }, 'session', `app:session:${KEY}`],
    ['with the base app:', { base: 'app:' }, 'session', `app:session:${KEY}`],
    ['with the base app::', { base: 'app::' }, 'session', `app:session:${KEY}`],
    ['with the base :x', { base: ':x' }, 'session', `x:session:${KEY}`],
    ['with the base a/b', { base: 'a/b' }, 'session', `a:b:session:${KEY}`],
    ['with the base a\\b/', { base: 'a\\b/' }, 'session', `a:b:session:${KEY}`],
    ['with a base that looks like a pattern', { base: 'a*[b]?' }, 'session', `a*[b]?:session:${KEY}`],
    ['with a key prefix of the client', { keyPrefix: 'prefix/' }, 'session', `prefix/session:${KEY}`],
    ['with a base and a key prefix', { base: 'app', keyPrefix: 'prefix:' }, 'a:b', `prefix:app:a:b:${KEY}`],
    ['with a base and an empty key prefix', { base: '', keyPrefix: '' }, 'session', `session:${KEY}`],
  ])('%s', (_, options, base, key) => {
    const open = (): SessionStore => openStore({ url: redis.url, ...options }, base)

    itKeepsTheContract({
      isAtomic: true,
      async open() {
        await client.flushall()
        return open
      },
    })

    it('keeps a record under one key, with its lifetime, whoever wrote it', async () => {
      await client.flushall()
      const store = open()
      await store.set(KEY, recordOf({}), 100)
      expect(await lifetimes([client])).toEqual([[key, 100]])
      expect(await store.compareAndSet!(KEY, 'one', recordOf({}, 'two'), 200)).toBe(true)
      expect(await lifetimes([client])).toEqual([[key, 200]])
      expect(await store.compareAndSet!(KEY, 'two', undefined, 0)).toBe(true)
      expect(await lifetimes([client])).toEqual([])
      expect(await store.compareAndSet!(KEY, undefined, recordOf({}), 300)).toBe(true)
      expect(await lifetimes([client])).toEqual([[key, 300]])
    })

    it('lists nothing for a sweep', async () => {
      const keys: string[] = []
      for await (const lot of open().keys?.(Infinity) ?? [])
        keys.push(...lot)
      expect(keys).toEqual([])
    })
  })

  describe('below a prefix of the storage', () => {
    const open = (): SessionStore => openStore({ url: redis.url }, 'session', storage => prefixOf(storage, 'a:b'))

    itKeepsTheContract({
      isAtomic: true,
      async open() {
        await client.flushall()
        return open
      },
    })

    it('has its records there', async () => {
      await client.flushall()
      await open().set(KEY, recordOf({}), 100)
      expect(await client.keys('*')).toEqual([`a:b:session:${KEY}`])
    })
  })

  it('leaves lifetime and value alone when the comparison fails', async () => {
    await client.flushall()
    const store = openStore({ url: redis.url })
    await store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }), 100)
    await store.compareAndSet!(KEY, 'two', recordOf({ b: 2 }, 'three'), 500)
    await store.compareAndSet!(KEY, undefined, recordOf({ b: 2 }, 'three'), 500)
    expect([await lifetimes([client]), await store.get(KEY)]).toEqual([[[`session:${KEY}`, 100]], recordOf({ a: 1 })])
  })

  it.each([30, 90, 400])('keeps a record for %s days', async (days) => {
    await client.flushall()
    const store = openStore({ url: redis.url })
    const seconds = days * 24 * 60 * 60
    await store.compareAndSet!(KEY, undefined, recordOf({}), seconds)
    expect(await lifetimes([client])).toEqual([[`session:${KEY}`, seconds]])
  })

  it('gives every key a lifetime while many clients create, replace and remove', async () => {
    await client.flushall()
    const stores = Array.from({ length: 5 }, () => openStore({ url: redis.url }))
    const keys = Array.from({ length: 20 }, (_, n) => String(n).padStart(64, '0'))
    await Promise.all(stores.flatMap(store => keys.map(async (key, n) => {
      await store.compareAndSet!(key, undefined, recordOf({ n }, 'one'), 100)
      await store.compareAndSet!(key, 'one', recordOf({ n }, 'two'), 200)
      if (n % 2)
        await store.compareAndSet!(key, 'two', undefined, 0)
    })))
    const left = await lifetimes([client])
    expect(left.length).toBeGreaterThanOrEqual(10)
    expect(left.filter(([, seconds]) => seconds <= 0 || seconds > 200)).toEqual([])
  })

  it('takes what is no record for something else than any revision', async () => {
    await client.flushall()
    await client.set(`session:${KEY}`, '{"version":1,"revision":"one', 'EX', 100)
    const store = openStore({ url: redis.url })
    expect([await store.compareAndSet!(KEY, 'one', recordOf({}, 'two'), 60), await store.compareAndSet!(KEY, undefined, recordOf({}, 'two'), 60)]).toEqual([false, false])
    expect(await client.get(`session:${KEY}`)).toBe('{"version":1,"revision":"one')
  })

  it('does not touch a record of a newer version', async () => {
    await client.flushall()
    const newer = JSON.stringify({ ...recordOf({}), version: 2, revision: 'one' })
    await client.set(`session:${KEY}`, newer, 'EX', 100)
    const store = openStore({ url: redis.url })
    expect(await store.compareAndSet!(KEY, 'one', undefined, 0)).toBe(false)
    expect(await client.get(`session:${KEY}`)).toBe(newer)
  })

  it('rejects with STORAGE_ERROR where another kind of value is', async () => {
    await client.flushall()
    await client.rpush(`session:${KEY}`, 'a list')
    const store = openStore({ url: redis.url })
    expect(await caught(() => store.compareAndSet!(KEY, 'one', recordOf({}), 60))).toMatchObject({ code: 'STORAGE_ERROR', cause: expect.objectContaining({ message: expect.stringContaining('WRONGTYPE') }) })
    expect(await store.compareAndSet!(KEY, undefined, recordOf({}), 60)).toBe(false)
    expect(await client.type(`session:${KEY}`)).toBe('list')
  })

  /** How often Redis ran a command since `CONFIG RESETSTAT`. */
  const countCalls = async (command: string): Promise<number> =>
    Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await client.info('commandstats'))?.[1] ?? 0)

  it('sends its script once, also after Redis forgot it', async () => {
    await client.flushall()
    const stores = [openStore({ url: redis.url }), openStore({ url: redis.url })]
    await stores[0]!.compareAndSet!(KEY, undefined, recordOf({ n: 0 }, '0'), 60)
    for (const start of [0, 10]) {
      await client.script('FLUSH')
      await client.config('RESETSTAT')
      for (let n = start; n < start + 10; n++)
        expect(await stores[n % 2]!.compareAndSet!(KEY, String(n), recordOf({ n: n + 1 }, String(n + 1)), 60)).toBe(true)
      expect([await countCalls('evalsha'), await countCalls('eval')]).toEqual([10, 1])
    }
    expect((await stores[0]!.get(KEY) as SessionRecord).data).toEqual({ n: 20 })
  })

  it('creates records without a script', async () => {
    await client.flushall()
    await client.config('RESETSTAT')
    const store = openStore({ url: redis.url })
    expect([await store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }), 60), await store.compareAndSet!(KEY, undefined, recordOf({ b: 2 }), 60)]).toEqual([true, false])
    expect([await countCalls('set'), await countCalls('evalsha'), await countCalls('eval')]).toEqual([2, 0, 0])
  })
})

describe.runIf(hasRedis()).each(MAJORS)('a store of %s over a real Redis Cluster', (_, openStore) => {
  let cluster: RunningCluster
  let clients: Redis[]
  beforeAll(async () => {
    cluster = await startRedisCluster()
    clients = cluster.nodes.map(node => new Redis(node))
  })
  afterEach(closeStores)
  afterAll(async () => {
    clients?.forEach(client => client.disconnect())
    await cluster?.stop()
  })

  const clear = async (): Promise<void> => void await Promise.all(clients.map(client => client.flushall()))

  describe.each<[string, Partial<RedisOptions>]>([
    ['without a base', {}],
    ['with a base', { base: 'app' }],
    ['with a key prefix of the client', { clusterOptions: { keyPrefix: 'prefix:' } }],
    ['with auto-pipelining', { clusterOptions: { enableAutoPipelining: true } }],
  ])('%s', (_, options) => {
    const open = (): SessionStore => openStore({ cluster: cluster.nodes, ...options })

    itKeepsTheContract({
      isAtomic: true,
      async open() {
        await clear()
        return open
      },
    })

    it('spreads its records over the nodes, each with its lifetime', async () => {
      await clear()
      const store = open()
      const keys = Array.from({ length: 60 }, (_, n) => String(n).padStart(64, '0'))
      const created = await Promise.all(keys.map(key => store.compareAndSet!(key, undefined, recordOf({ key }), 100)))
      const replaced = await Promise.all(keys.map(key => store.compareAndSet!(key, 'one', recordOf({ key }, 'two'), 200)))
      expect([created.every(Boolean), replaced.every(Boolean)]).toEqual([true, true])
      expect((await Promise.all(clients.map(client => client.dbsize()))).every(size => size > 0)).toBe(true)
      expect((await lifetimes(clients)).map(([, seconds]) => seconds)).toEqual(keys.map(() => 200))
      expect(await Promise.all(keys.map(async key => (await store.get(key) as SessionRecord).data))).toEqual(keys.map(key => ({ key })))
    })
  })

  it('keeps records of different nodes apart', async () => {
    await clear()
    const store = openStore({ cluster: cluster.nodes })
    await store.compareAndSet!(KEY, undefined, recordOf({ n: 1 }), 60)
    await store.compareAndSet!(OTHER_KEY, undefined, recordOf({ n: 2 }), 60)
    await store.compareAndSet!(KEY, 'one', undefined, 0)
    expect([await store.get(KEY), await store.get(OTHER_KEY)]).toEqual([undefined, recordOf({ n: 2 })])
  })
})
