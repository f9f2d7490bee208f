import type { BuiltinDriverName, builtinDrivers } from 'unstorage'
import type { UnstorageStore, UnstorageStoreConfig } from '../../src/core/stores/builtin-driver'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { createSessionManager, createUnstorageStore, resolveOptions } from '../../src/core'
import { createRecord } from '../../src/core/record'
import { FakeExchange } from './support/exchange'

const record = createRecord(0, { maxAge: 60, idleTimeout: 0 })

describe('createUnstorageStore', () => {
  it('keeps records in memory', async () => {
    const store = createUnstorageStore({ type: 'memory' })
    await store.set('key', record, 60)
    expect(await store.get('key')).toEqual(record)
    await store.delete('key')
    expect(await store.get('key')).toBeUndefined()
  })

  it('takes the options of the driver', async () => {
    const base = await mkdtemp(join(tmpdir(), 'unsession-'))
    const store = createUnstorageStore({ type: 'fs-lite', options: { base } })
    await store.set('key', record, 60)
    expect(await readdir(base)).toEqual(['key'])
    await rm(base, { recursive: true })
  })

  it('ends its connection, and connects again at its next use', async () => {
    const store = createUnstorageStore({ type: 'memory' })
    await store.set('key', record, 60)
    await store.dispose()
    // The memory driver forgets what it held.
    expect(await store.get('key')).toBeUndefined()
    await store.set('key', record, 60)
    expect(await store.get('key')).toEqual(record)
  })

  it('that was never used has nothing to end', async () => {
    await expect(createUnstorageStore({ type: 'redis', options: { url: 'redis://127.0.0.1:1' } }).dispose()).resolves.toBeUndefined()
  })

  it('is the store of a session manager', async () => {
    const options = resolveOptions({ secret: 'a secret of the tests, not of anybody else' }, { isProduction: true })
    const manager = createSessionManager(options, { store: createUnstorageStore({ type: 'memory' }) })
    const first = new FakeExchange()
    const session = manager.open(first)
    await session.load()
    session.handle.set('visits', 1)
    await session.settle()

    const second = manager.open(new FakeExchange(first.cookies.get('__Host-session')![0]!.split(';')[0]))
    await second.load()
    expect(second.handle.get('visits')).toBe(1)
  })

  it('refuses a driver that unstorage does not have, and names those it has', () => {
    expect(() => createUnstorageStore({ type: 'toString' as 'memory' })).toThrow(expect.objectContaining({ code: 'CONFIG_ERROR', message: expect.stringContaining('redis') }))
  })

  it.each([['Redis', 'redis'], ['rediss', 'redis'], ['memori', 'memory']])('asks whether %s was to be %s', (type, meant) => {
    expect(() => createUnstorageStore({ type: type as 'memory' })).toThrow(expect.objectContaining({ code: 'CONFIG_ERROR', message: expect.stringContaining(`Did you mean '${meant}'?`) }))
  })

  it.each<[UnstorageStoreConfig, string]>([
    [{ type: 'mongodb', options: { connectionString: '', databaseName: 'test' } }, 'mongodb'],
    [{ type: 'planetscale', options: {} }, '@planetscale/database'],
    [{ type: 'uploadthing', options: { token: '' } as never }, 'uploadthing'],
    [{ type: 'deno-kv-node', options: {} }, '@deno/kv'],
  ])('%j says at its first use, whatever that is, what to install: %s', async (config, name) => {
    const missing = { code: 'CONFIG_ERROR', message: expect.stringContaining(`npm install ${name}\``) }
    const uses = [
      (store: UnstorageStore) => store.get('key'),
      (store: UnstorageStore) => store.set('key', record, 60),
      (store: UnstorageStore) => store.delete('key'),
      (store: UnstorageStore) => store.compareAndSet!('key', undefined, record, 60),
    ]
    for (const use of uses)
      await expect(use(createUnstorageStore(config))).rejects.toMatchObject(missing)
  })

  it('covers every driver of the installed unstorage, each with its own options', () => {
    expectTypeOf<UnstorageStoreConfig['type']>().toEqualTypeOf<BuiltinDriverName>()
    expectTypeOf<BuiltinDriverName>().toEqualTypeOf<keyof typeof builtinDrivers>()
    // @ts-expect-error -- the option is of another driver
    void ((): unknown => createUnstorageStore({ type: 'redis', options: { connectionString: '' } }))
    // @ts-expect-error -- the value is of the wrong type
    void ((): unknown => createUnstorageStore({ type: 'redis', options: { url: 1 } }))
  })
})
