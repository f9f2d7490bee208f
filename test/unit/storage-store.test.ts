import type { Driver } from 'unstorage'
import type { SessionRecord, SessionStore } from '../../src/core/types'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createStorage } from 'unstorage'
import fsLite from 'unstorage/drivers/fs-lite'
import memory from 'unstorage/drivers/memory'
import { createRecord } from '../../src/core/record'
import { createStorageStore } from '../../src/core/stores/unstorage'
import { NOON } from './support/app'
import { caught } from './support/errors'

const KEY = 'a'.repeat(64)
const folders: string[] = []

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'unsession-'))
  folders.push(folder)
  return folder
}

afterAll(() => Promise.all(folders.map(folder => rm(folder, { recursive: true, force: true }))))

function storeOver(driver: Driver, base = 'session', mount = ''): SessionStore {
  const storage = createStorage(mount ? {} : { driver })
  if (mount)
    storage.mount(mount, driver)
  return createStorageStore(storage, { base, timeout: 1000 })
}

function recordOf(data: Record<string, unknown>): SessionRecord {
  return { ...createRecord(NOON, { maxAge: 60, idleTimeout: 0 }), data }
}

const STORES: [name: string, create: () => Promise<SessionStore>][] = [
  ['memory', async () => storeOver(memory())],
  ['memory, mounted', async () => storeOver(memory(), 'session', 'session')],
  ['memory, mounted below', async () => storeOver(memory(), 'cache:sessions', 'cache')],
  ['fs-lite', async () => storeOver(fsLite({ base: await temporaryFolder() }))],
  ['fs-lite, mounted', async () => storeOver(fsLite({ base: await temporaryFolder() }), 'session', 'session')],
]

describe.each(STORES)('a store over %s', (_, create) => {
  it('answers undefined for a missing record', async () => {
    expect(await (await create()).get(KEY)).toBeUndefined()
  })

  it('gives back an equal record', async () => {
    const store = await create()
    const record = { ...recordOf({ a: [1, { b: null }], emoji: '👋', empty: '' }), flash: { f: 0 }, lifetime: { persistent: false } }
    await store.set(KEY, record, 60)
    expect(await store.get(KEY)).toEqual(record)
  })

  it('gives back another object than it was given, each time', async () => {
    const store = await create()
    const record = recordOf({ list: [1] })
    await store.set(KEY, record, 60)
    ;(record.data.list as number[]).push(2)
    const [first, second] = [await store.get(KEY), await store.get(KEY)] as SessionRecord[]
    Object.assign(first?.data ?? {}, { list: [1, 3] })
    expect([second?.data, (await store.get(KEY) as SessionRecord).data]).toEqual([{ list: [1] }, { list: [1] }])
  })

  it('keeps keys named __proto__ and constructor', async () => {
    const store = await create()
    const text = '{"__proto__":{"x":1},"constructor":{"prototype":{}},"a":{"__proto__":2}}'
    await store.set(KEY, recordOf(JSON.parse(text) as Record<string, unknown>), 60)
    expect(JSON.stringify((await store.get(KEY) as SessionRecord).data)).toBe(text)
  })

  it('keeps lone surrogates and control characters', async () => {
    const store = await create()
    const data = { '\uD800': '\uDFFF\u0000\u2028' }
    await store.set(KEY, recordOf(data), 60)
    expect((await store.get(KEY) as SessionRecord).data).toEqual(data)
  })

  it('keeps data that looks like numbers or JSON as it is', async () => {
    const store = await create()
    const data = { a: '1', b: 'true', c: '{"x":1}', d: 'null' }
    await store.set(KEY, recordOf(data), 60)
    expect((await store.get(KEY) as SessionRecord).data).toEqual(data)
  })

  it('replaces a record', async () => {
    const store = await create()
    await store.set(KEY, recordOf({ a: 1, long: 'x'.repeat(1000) }), 60)
    await store.set(KEY, recordOf({ b: 2 }), 60)
    expect((await store.get(KEY) as SessionRecord).data).toEqual({ b: 2 })
  })

  it('removes a record, and a missing one without an error', async () => {
    const store = await create()
    await store.set(KEY, recordOf({ a: 1 }), 60)
    await store.delete(KEY)
    await store.delete(KEY)
    expect(await store.get(KEY)).toBeUndefined()
  })

  it('keeps records of different keys apart', async () => {
    const store = await create()
    await store.set(KEY, recordOf({ n: 1 }), 60)
    await store.set('b'.repeat(64), recordOf({ n: 2 }), 60)
    await store.delete(KEY)
    expect([await store.get(KEY), (await store.get('b'.repeat(64)) as SessionRecord).data]).toEqual([undefined, { n: 2 }])
  })

  it('keeps a megabyte', async () => {
    const store = await create()
    await store.set(KEY, recordOf({ text: 'x'.repeat(1_000_000) }), 60)
    expect((await store.get(KEY) as SessionRecord).data.text).toHaveLength(1_000_000)
  })
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
    const before = process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    await over({}).get(KEY)
    expect(process.getActiveResourcesInfo().filter(name => name === 'Timeout').length).toBe(before)
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
