import type { Driver } from 'unstorage'
import type { Driver as Driver2 } from 'unstorage-v2'
import type { SessionRecord, SessionStore } from '../../src/core/types'
import type { StoreSubject } from './support/store-contract'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createStorage } from 'unstorage'
import fs from 'unstorage/drivers/fs'
import fsLite from 'unstorage/drivers/fs-lite'
import lruCache from 'unstorage/drivers/lru-cache'
import memory from 'unstorage/drivers/memory'
import { createStorage as createStorage2 } from 'unstorage-v2'
import fs2 from 'unstorage-v2/drivers/fs'
import fsLite2 from 'unstorage-v2/drivers/fs-lite'
import lruCache2 from 'unstorage-v2/drivers/lru-cache'
import memory2 from 'unstorage-v2/drivers/memory'
import { createMountedStore } from '../../src/core/stores/mounted'
import { createStorageStore } from '../../src/core/stores/unstorage'
import { caught } from './support/errors'
import { temporaryFolder } from './support/folders'
import { itKeepsTheContract, KEY, recordOf } from './support/store-contract'

function storeOver(driver: Driver, base = 'session', mount = ''): SessionStore {
  const storage = createStorage(mount ? {} : { driver })
  if (mount)
    storage.mount(mount, driver)
  return createStorageStore(storage, { base, timeout: 5000 })
}

/** The same over unstorage 2. */
function storeOver2(driver: Driver2, base = 'session', mount = ''): SessionStore {
  const storage = createStorage2(mount ? {} : { driver })
  if (mount)
    storage.mount(mount, driver)
  return createStorageStore(storage, { base, timeout: 5000 })
}

/** Storage of this process: one store. */
function within(create: () => SessionStore): StoreSubject {
  return {
    isAtomic: false,
    async open() {
      const store = create()
      return () => store
    },
  }
}

/** A folder: any number of stores, each with a driver of its own. */
function shared(create: (base: string) => SessionStore): StoreSubject {
  return {
    isAtomic: true,
    async open() {
      const base = await temporaryFolder()
      return () => create(base)
    },
  }
}

describe.each<[string, StoreSubject]>([
  ['memory', within(() => storeOver(memory()))],
  ['memory, mounted', within(() => storeOver(memory(), 'session', 'session'))],
  ['memory, mounted below', within(() => storeOver(memory(), 'cache:sessions', 'cache'))],
  ['lru-cache', within(() => storeOver(lruCache({})))],
  ['fs', shared(base => storeOver(fs({ base })))],
  ['fs-lite', shared(base => storeOver(fsLite({ base })))],
  ['fs-lite, mounted', shared(base => storeOver(fsLite({ base }), 'session', 'session'))],
  ['fs-lite, without a base', shared(base => storeOver(fsLite({ base }), ''))],
  ['memory of unstorage 2', within(() => storeOver2(memory2()))],
  ['memory of unstorage 2, mounted', within(() => storeOver2(memory2(), 'session', 'session'))],
  ['lru-cache of unstorage 2', within(() => storeOver2(lruCache2({})))],
  ['fs of unstorage 2', shared(base => storeOver2(fs2({ base })))],
  ['fs-lite of unstorage 2', shared(base => storeOver2(fsLite2({ base })))],
  ['fs-lite of unstorage 2, mounted', shared(base => storeOver2(fsLite2({ base }), 'session', 'session'))],
])('a store over %s', (_, subject) => {
  itKeepsTheContract(subject)
})

describe.each<[string, Driver]>([
  ['memory', memory()],
  ['lru-cache', lruCache({})],
  ['memory of unstorage 2', memory2() as Driver],
])('the driver %s, which answers at once', (_, driver) => {
  it('makes no promise, from the first operation on', () => {
    const store = createMountedStore(createStorage({ driver }), { base: '', timeout: 5000 })
    expect([
      store.get(KEY),
      store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }), 60),
      store.compareAndSet!(KEY, undefined, recordOf({ a: 2 }), 60),
      store.get(KEY),
      store.set(KEY, recordOf({ b: 1 }, 'two'), 60),
      store.compareAndSet!(KEY, 'two', undefined, 0),
      store.delete(KEY),
      store.get(KEY),
    ]).toEqual([undefined, true, false, recordOf({ a: 1 }), undefined, true, undefined, undefined])
  })
})

it('what a driver throws at once is thrown at once', () => {
  const driver: Driver = { hasItem: () => false, getKeys: () => [], getItem: () => {
    throw new Error('EACCES')
  } }
  expect(() => storeOver(driver).get(KEY)).toThrow(expect.objectContaining({ code: 'STORAGE_ERROR' }))
})

describe('a store over any driver', () => {
  const over = (driver: Partial<Driver>): SessionStore => storeOver({ hasItem: () => false, getItem: () => null, getKeys: () => [], ...driver })

  it.each<[string, unknown]>([
    ['bytes', new TextEncoder().encode('{"a":1}')],
    ['a text', '{"a":1}'],
    ['a value that the driver parsed', { a: 1 }],
  ])('understands %s', async (_, value) => {
    expect(await over({ getItem: () => value as string }).get(KEY)).toEqual({ a: 1 })
  })

  it.each<[string, unknown]>([
    ['a text that is not JSON', '{"a":'],
    ['an empty text', ''],
    ['bytes that are not UTF-8', Uint8Array.of(0xFF)],
  ])('answers %s as it is, for the caller to judge', async (_, value) => {
    expect(await over({ getItem: () => value as string }).get(KEY)).toBe(value)
  })

  it.each([null, undefined])('takes %s for missing', async (value) => {
    expect(await over({ getItem: () => value as unknown as string }).get(KEY)).toBeUndefined()
  })

  it.each<[string, Partial<Driver>]>([
    ['throws', { getItem: () => {
      throw new Error('EACCES')
    } }],
    ['rejects', { getItem: () => Promise.reject(new Error('EACCES')) }],
    ['returns the error as a value', { getItem: () => Promise.resolve(new Error('EACCES')) as unknown as Promise<string> }],
  ])('rejects with STORAGE_ERROR when reading %s', async (_, driver) => {
    expect(await caught(() => over(driver).get(KEY))).toMatchObject({ code: 'STORAGE_ERROR', cause: new Error('EACCES'), details: { action: 'reading' } })
  })

  it.each<[string, Partial<Driver>]>([
    ['rejects', { setItem: () => Promise.reject(new Error('ENOSPC')) }],
    ['returns the error as a value', { setItem: () => Promise.resolve(new Error('ENOSPC')) as unknown as Promise<void> }],
  ])('rejects with STORAGE_ERROR when writing %s', async (_, driver) => {
    expect(await caught(() => over(driver).set(KEY, recordOf({}), 60))).toMatchObject({ code: 'STORAGE_ERROR', cause: new Error('ENOSPC'), details: { action: 'writing' } })
  })

  it.each<[string, Partial<Driver>]>([
    ['rejects', { removeItem: () => Promise.reject(new Error('EPERM')) }],
    ['returns the error as a value', { removeItem: () => Promise.resolve(new Error('EPERM')) as unknown as Promise<void> }],
  ])('rejects with STORAGE_ERROR when removing %s', async (_, driver) => {
    expect(await caught(() => over(driver).delete(KEY))).toMatchObject({ code: 'STORAGE_ERROR', cause: new Error('EPERM'), details: { action: 'removing' } })
  })

  it('rejects with STORAGE_ERROR over a driver that cannot write', async () => {
    expect(await caught(() => over({}).set(KEY, recordOf({}), 60))).toMatchObject({ code: 'STORAGE_ERROR' })
    expect(await caught(() => over({}).delete(KEY))).toMatchObject({ code: 'STORAGE_ERROR' })
  })

  it('hands the ttl to the driver', async () => {
    const options: unknown[] = []
    await over({ setItem: (_key, _value, given) => void options.push(given) }).set(KEY, recordOf({}), 42)
    expect(options).toEqual([{ ttl: 42 }])
  })

  it('rejects when the driver does not answer in time', async () => {
    const store = createStorageStore(createStorage({ driver: { hasItem: () => false, getKeys: () => [], getItem: () => new Promise<never>(() => {}) } }), { base: 'session', timeout: 5 })
    expect(await caught(() => store.get(KEY))).toMatchObject({ code: 'STORAGE_ERROR', cause: new Error('No answer within 5 ms.') })
  })

  it('leaves no timer behind when the driver answered', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const before = timers()
    for (let time = 0; time < 100; time++)
      await over({}).get(KEY)
    // Others may have started one meanwhile.
    expect(timers() - before).toBeLessThan(50)
  })
})

describe('a store over fs-lite', () => {
  it('survives a restart of the server', async () => {
    const base = await temporaryFolder()
    await storeOver(fsLite({ base })).set(KEY, recordOf({ a: 1 }), 60)
    expect((await storeOver(fsLite({ base })).get(KEY) as SessionRecord).data).toEqual({ a: 1 })
  })

  it('answers a file that was cut off as no record', async () => {
    const base = await temporaryFolder()
    const store = storeOver(fsLite({ base }), 'session', 'session')
    await store.set(KEY, recordOf({ a: 1 }), 60)
    const [file = ''] = await readdir(base)
    await writeFile(join(base, file), '{"version":1,"da')
    expect(await store.get(KEY)).toBe('{"version":1,"da')
  })

  it('rejects where the file system refuses', async () => {
    const base = await temporaryFolder()
    await writeFile(join(base, 'session'), 'a file where a folder is needed')
    expect(await caught(() => storeOver(fsLite({ base })).set(KEY, recordOf({}), 60))).toMatchObject({ code: 'STORAGE_ERROR', cause: expect.objectContaining({ code: expect.stringMatching(/EEXIST|ENOTDIR/) }) })
  })

  it('rejects when the file system refuses to read, and does not call that missing', async () => {
    const base = await temporaryFolder()
    await writeFile(join(base, 'session'), 'a file where a folder is needed')
    expect(await caught(() => storeOver(fsLite({ base })).get(KEY))).toMatchObject({ code: 'STORAGE_ERROR', cause: expect.objectContaining({ code: 'ENOTDIR' }) })
  })
})
