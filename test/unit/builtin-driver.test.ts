import type { BuiltinDriverName, builtinDrivers, Storage } from 'unstorage'
import type { UnstorageDriver } from '../../src/core/stores/builtin-driver'
import { readdir } from 'node:fs/promises'
import { createStorage, prefixStorage } from 'unstorage'
import { describe, expect, expectTypeOf, it, vi } from 'vitest'
import { createSessionManager, createStorageStore, createUnstorageStore, resolveOptions } from '../../src/core'
import { FakeExchange } from './support/exchange'
import { temporaryFolder } from './support/folders'

describe('createUnstorageStore', () => {
  it('resolves to a storage of unstorage, with each of its methods', async () => {
    const store = await createUnstorageStore({ type: 'memory' })
    expect(Object.keys(store).sort()).toEqual(Object.keys(createStorage()).sort())
  })

  it('gives a storage whose methods work', async () => {
    const store = await createUnstorageStore<{ visits: number }>({ type: 'memory' })
    await store.setItem('a', { visits: 1 })
    await store.setItems([{ key: 'b', value: { visits: 2 } }])
    await store.setItemRaw('raw', 'text')
    await store.setMeta('a', { origin: 'test' })
    expect(await store.getItem('a')).toEqual({ visits: 1 })
    expect(await store.getItems(['a', 'b'])).toEqual([{ key: 'a', value: { visits: 1 } }, { key: 'b', value: { visits: 2 } }])
    expect(await store.getItemRaw('raw')).toBe('text')
    expect(await store.getMeta('a')).toEqual({ origin: 'test' })
    expect([await store.hasItem('a'), await store.hasItem('z')]).toEqual([true, false])
    expect((await store.getKeys()).sort()).toEqual(['a', 'b', 'raw'])
    await store.removeItem('a')
    expect(await store.getItem('a')).toBeNull()
    expect(await prefixStorage(store, 'x').getKeys()).toEqual([])
    await store.clear()
    expect(await store.getKeys()).toEqual([])
    expect(store.getMount('').driver.name).toBe('memory')
    await store.dispose()
  })

  it('takes the options of the driver', async () => {
    const base = await temporaryFolder()
    const store = await createUnstorageStore({ type: 'fs-lite', options: { base } })
    await store.setItem('key', { a: 1 })
    expect(await readdir(base)).toEqual(['key'])
  })

  it('that was never used has nothing to end', async () => {
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {})
    const store = await createUnstorageStore({ type: 'redis', options: { url: 'redis://127.0.0.1:1' } })
    await expect(store.dispose()).resolves.toBeUndefined()
    expect(errors).not.toHaveBeenCalled()
    errors.mockRestore()
  })

  it('is the storage of a session manager', async () => {
    const options = resolveOptions({ secret: 'a secret of the tests, not of anybody else' }, { isProduction: true })
    const manager = createSessionManager(options, { store: createStorageStore(await createUnstorageStore({ type: 'memory' }), { base: '', timeout: 1000 }) })
    const first = new FakeExchange()
    const session = manager.open(first)
    await session.load()
    session.handle.set('visits', 1)
    await session.commit()

    const second = manager.open(new FakeExchange(first.cookies.get('__Host-session')![0]!.split(';')[0]))
    await second.load()
    expect(second.handle.get('visits')).toBe(1)
  })

  it.each(['toString', '', undefined, null, 1, ['redis']])('refuses %j, a driver that unstorage does not have, and names those it has', async (type) => {
    await expect(createUnstorageStore({ type: type as 'memory' })).rejects.toMatchObject({ code: 'CONFIG_ERROR', message: expect.stringContaining('redis') })
  })

  it.each([undefined, null, 'redis'])('refuses %j in place of an object', async (driver) => {
    await expect(createUnstorageStore(driver as never)).rejects.toMatchObject({ code: 'CONFIG_ERROR', message: expect.stringContaining('Pass an object') })
  })

  it.each([null, 'redis://127.0.0.1'])('refuses the options %j', async (options) => {
    await expect(createUnstorageStore({ type: 'redis', options: options as never })).rejects.toMatchObject({ code: 'CONFIG_ERROR', message: expect.stringContaining('options: ') })
  })

  it.each([['Redis', 'redis'], ['rediss', 'redis'], ['memori', 'memory']])('asks whether %s was to be %s', async (type, meant) => {
    await expect(createUnstorageStore({ type: type as 'memory' })).rejects.toMatchObject({ code: 'CONFIG_ERROR', message: expect.stringContaining(`Did you mean '${meant}'?`) })
  })

  it.each<[UnstorageDriver, string]>([
    [{ type: 'mongodb', options: { connectionString: '', databaseName: 'test' } }, 'mongodb'],
    [{ type: 'planetscale', options: {} }, '@planetscale/database'],
    [{ type: 'uploadthing', options: { token: '' } as never }, 'uploadthing'],
    [{ type: 'deno-kv-node', options: {} }, '@deno/kv'],
  ])('%j says what to install: %s', async (driver, name) => {
    await expect(createUnstorageStore(driver)).rejects.toMatchObject({ code: 'CONFIG_ERROR', message: expect.stringContaining(`npm install ${name}\``) })
  })

  it('fails at the line of the caller', async () => {
    const error = await createUnstorageStore({ type: 'none' as 'memory' }).catch((error: Error) => error) as Error
    expect(error.stack!.split('\n').find(line => line.startsWith('    at '))).toContain('builtin-driver.test.ts')
  })

  it('covers every driver of the installed unstorage, each with its own options', () => {
    expectTypeOf<UnstorageDriver['type']>().toEqualTypeOf<BuiltinDriverName>()
    expectTypeOf<BuiltinDriverName>().toEqualTypeOf<keyof typeof builtinDrivers>()
    // @ts-expect-error -- the option is of another driver
    void ((): unknown => createUnstorageStore({ type: 'redis', options: { connectionString: '' } }))
    // @ts-expect-error -- the value is of the wrong type
    void ((): unknown => createUnstorageStore({ type: 'redis', options: { url: 1 } }))
  })

  it('gives the type that it was asked for', () => {
    const create = (): Promise<Storage<{ visits: number }>> => createUnstorageStore<{ visits: number }>({ type: 'memory' })
    expectTypeOf(create).returns.resolves.toEqualTypeOf<Storage<{ visits: number }>>()
  })
})
