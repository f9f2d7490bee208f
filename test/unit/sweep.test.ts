import type { Driver } from 'unstorage'
import type { SessionManager } from '../../src/core/session-manager'
import type { SessionRecord, SessionStore } from '../../src/core/types'
import fs from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createStorage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import fsLite from 'unstorage/drivers/fs-lite'
import lruCache from 'unstorage/drivers/lru-cache'
import memory from 'unstorage/drivers/memory'
import { createSessionManager } from '../../src/core/session-manager'
import { createRecord } from '../../src/core/record/record'
import { resolveOptions } from '../../src/core/resolve-options'
import { createStorageStore } from '../../src/core/stores/unstorage'
import { App, Browser, NOON, returning, SECRET } from './support/app'
import { collect } from './support/collect'
import { caught, codeOf } from './support/errors'
import { temporaryFolder } from './support/folders'
import { HeldStore } from './support/held-store'

const HOUR = 3600

/** A key as the core makes them. */
const keyOf = (n: number): string => n.toString(16).padStart(64, '0')

/** A record that lives an hour from the given time. */
const recordAt = (time: number): SessionRecord => ({ ...createRecord(time, { maxAge: HOUR, idleTimeout: 0 }), data: { user: 'ada' }, revision: 'one' })
const LIVE = recordAt(NOON)
const EXPIRED = recordAt(NOON - HOUR * 1000)

function managerOf(store: SessionStore, now = NOON): SessionManager {
  return createSessionManager(resolveOptions({ secret: SECRET }, { isProduction: true }), { store, now: () => now })
}

function storeOver(driver: Driver, base = 'session'): SessionStore {
  return createStorageStore(createStorage({ driver }), { base, timeout: 5000 })
}

/** A memory that holds so many expired records, and so many live ones. */
function memoryWith(expired: number, live = 0): { driver: Driver, data: Map<string, string> } {
  const driver = memory()
  const data = (driver.getInstance as () => Map<string, string>)()
  for (let n = 0; n < expired + live; n++)
    data.set(`session:${keyOf(n)}`, JSON.stringify(n < expired ? EXPIRED : LIVE))
  return { driver, data }
}

/** A store over it that tests hold. */
function storeWith(expired: number): { store: HeldStore, data: Map<string, string> } {
  const { driver, data } = memoryWith(expired)
  return { store: new HeldStore(storeOver(driver)), data }
}

const onAnyMount = (driver: Driver, mount: string, base: string): SessionStore =>
  createStorageStore(createStorage().mount(mount, driver), { base, timeout: 5000 })

describe.each<[string, () => Promise<SessionStore>]>([
  ['memory', async () => storeOver(memory())],
  ['memory without a base', async () => storeOver(memory(), '')],
  ['memory, mounted', async () => onAnyMount(memory(), 'session', 'session')],
  ['memory, mounted above', async () => onAnyMount(memory(), 'cache', 'cache:sessions')],
  ['fs', async () => storeOver(fsDriver({ base: await temporaryFolder() }))],
  ['fs-lite', async () => storeOver(fsLite({ base: await temporaryFolder() }))],
  ['fs-lite without a base', async () => storeOver(fsLite({ base: await temporaryFolder() }), '')],
  ['fs-lite, mounted', async () => onAnyMount(fsLite({ base: await temporaryFolder() }), 'session', 'session')],
  ['fs-lite, mounted above', async () => onAnyMount(fsLite({ base: await temporaryFolder() }), 'cache', 'cache:sessions')],
])('the sweep of %s', (_, create) => {
  it('removes what has expired and nothing else', async () => {
    const store = await create()
    await store.set(keyOf(1), EXPIRED, 60)
    await store.set(keyOf(2), LIVE, 60)
    await store.set(keyOf(3), recordAt(NOON - HOUR * 1000 + 1), 60)
    await store.set(keyOf(4), { ...EXPIRED, isReplaced: true }, 60)
    expect(await managerOf(store).sweep()).toBe(2)
    expect((await collect(store.keys!(Infinity))).sort()).toEqual([keyOf(2), keyOf(3)])
  })

  it('of nothing removes nothing', async () => {
    expect(await managerOf(await create()).sweep()).toBe(0)
  })

  it('leaves what is no record of ours, or of another version', async () => {
    const store = await create()
    const foreign = [{ ...EXPIRED, version: 2 }, { expiresAt: 0 }, { ...EXPIRED, expiresAt: 'yesterday' }] as unknown as SessionRecord[]
    for (const [n, record] of foreign.entries())
      await store.set(keyOf(n), record, 60)
    expect(await managerOf(store).sweep()).toBe(0)
    expect(await Promise.all(foreign.map((_, n) => store.get(keyOf(n))))).toEqual(foreign)
  })

  it('a second time finds nothing more', async () => {
    const store = await create()
    for (let n = 0; n < 20; n++)
      await store.set(keyOf(n), n % 2 ? EXPIRED : LIVE, 60)
    const manager = managerOf(store)
    expect([await manager.sweep(), await manager.sweep()]).toEqual([10, 0])
  })
})

describe('the sweep', () => {
  it.each<[string, (base: string) => Promise<Driver>]>([
    ['memory', async () => memory()],
    ['fs-lite', async base => fsLite({ base })],
  ])('leaves foreign keys of %s alone, also where they look expired', async (_, create) => {
    const driver = await create(await temporaryFolder())
    const keys = ['session:cache', `session:${keyOf(1)}x`, `session:${keyOf(1).slice(1)}`, `session:${'A'.repeat(64)}`, `session:sub:${keyOf(1)}`, keyOf(1), `sessions:${keyOf(1)}`, `visitor:${keyOf(1)}`]
    for (const key of keys)
      await driver.setItem!(key, JSON.stringify(EXPIRED), {})
    const store = storeOver(driver)
    expect([await collect(store.keys!(Infinity)), await managerOf(store).sweep()]).toEqual([[], 0])
    expect(await Promise.all(keys.map(async key => driver.hasItem(key, {})))).toEqual(keys.map(() => true))
  })

  it.each(['', '{"version":1,"expiresAt":0', 'null', '[]', '0', 'not JSON'])('leaves a value that is corrupt alone: %j', async (text) => {
    const { store, data } = storeWith(1)
    data.set(`session:${keyOf(0)}`, text)
    expect([await managerOf(store).sweep(), data.size]).toEqual([0, 1])
  })

  it('asks nothing of a driver that expires by itself', async () => {
    const asked: string[] = []
    const ask = (name: string) => (): never => {
      asked.push(name)
      throw new Error('asked')
    }
    const store = storeOver({ name: 'redis', getKeys: ask('getKeys'), getItem: ask('getItem'), hasItem: ask('hasItem'), getInstance: () => ({ eval: ask('eval'), scan: ask('scan') }) })
    expect([await managerOf(store).sweep(), await collect(store.keys!(Infinity)), asked]).toEqual([0, [], []])
  })

  it('does not touch an LRU cache, whose order of what to drop is that of reading', async () => {
    const driver = lruCache({ max: 2 })
    const store = storeOver(driver)
    await store.set(keyOf(1), LIVE, 60)
    await store.set(keyOf(2), LIVE, 60)
    await store.get(keyOf(1))
    await managerOf(store).sweep()
    await store.set(keyOf(3), LIVE, 60)
    expect([await store.get(keyOf(1)), await store.get(keyOf(2))]).toEqual([LIVE, undefined])
  })

  it('of a store that cannot list removes nothing', async () => {
    const { get, set, delete: remove } = storeOver(memory())
    expect(await managerOf({ get, set, delete: remove }).sweep()).toBe(0)
  })

  it('in cookie mode removes nothing', async () => {
    expect(await createSessionManager(resolveOptions({ secret: SECRET, mode: 'cookie' }, { isProduction: true }), {}).sweep()).toBe(0)
  })

  it('removes what is left of a replaced id, and not the new one', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, session => session.regenerate())
    app.wait(10)
    expect([await app.manager.sweep(), (await app.keys()).length, await browser.read(app)]).toEqual([1, 1, { user: 'ada' }])
  })

  it('keeps a record that is extended between its reading and its removal', async () => {
    const { store } = storeWith(1)
    const gate = store.hold('compareAndSet')
    const swept = managerOf(store).sweep()
    await gate.reached
    await store.set(keyOf(0), { ...LIVE, revision: 'two' }, 60)
    gate.release()
    expect([await swept, await store.get(keyOf(0))]).toEqual([0, { ...LIVE, revision: 'two' }])
  })

  it.each([1, 2])('keeps a record that is extended after its reading number %s', async (reading) => {
    const { store } = storeWith(1)
    const gates = Array.from({ length: reading }, () => store.hold('get', 'after'))
    const swept = managerOf(store).sweep()
    for (const gate of gates.slice(0, -1)) {
      await gate.reached
      gate.release()
    }
    await gates.at(-1)!.reached
    await store.set(keyOf(0), { ...LIVE, revision: 'two' }, 60)
    gates.at(-1)!.release()
    expect([await swept, await store.get(keyOf(0))]).toEqual([0, { ...LIVE, revision: 'two' }])
  })

  it('of two processes at once counts every record once', async () => {
    const base = await temporaryFolder()
    const stores = [storeOver(fsLite({ base })), storeOver(fsLite({ base }))]
    for (let n = 0; n < 20; n++)
      await stores[0]!.set(keyOf(n), EXPIRED, 60)
    const removed = await Promise.all(stores.map(store => managerOf(store).sweep()))
    expect([removed[0]! + removed[1]!, await fs.readdir(join(base, 'session'))]).toEqual([20, []])
  })

  it('ends on a signal, with what was on its way', async () => {
    const { store, data } = storeWith(100)
    const controller = new AbortController()
    const gate = store.hold('compareAndSet')
    const swept = managerOf(store).sweep(controller.signal)
    await gate.reached
    controller.abort()
    gate.release()
    expect([await swept, data.size]).toEqual([16, 84])
  })

  it('does not begin when the signal was given before', async () => {
    const { store, data } = storeWith(10)
    expect([await managerOf(store).sweep(AbortSignal.abort()), data.size]).toEqual([0, 10])
  })

  it('goes on after a record that cannot be removed, and tries it the next time', async () => {
    const { store, data } = storeWith(100)
    const { compareAndSet } = store
    let isFailing = true
    store.compareAndSet = (key, ...args) => isFailing && key === keyOf(3) ? Promise.reject(new Error('EACCES')) : compareAndSet.call(store, key, ...args)
    const manager = managerOf(store)
    expect([await manager.sweep(), data.size]).toEqual([99, 1])
    isFailing = false
    expect([await manager.sweep(), data.size]).toEqual([1, 0])
  })

  it('goes on although every other record cannot be removed', async () => {
    const { store, data } = storeWith(100)
    const { compareAndSet } = store
    store.compareAndSet = (key, ...args) => Number(`0x${key}`) % 2 ? Promise.reject(new Error('EACCES')) : compareAndSet.call(store, key, ...args)
    expect([await managerOf(store).sweep(), data.size]).toEqual([50, 50])
  })

  it.each(['get', 'compareAndSet'] as const)('gives up with STORAGE_ERROR when %s fails again and again', async (operation) => {
    const { store, data } = storeWith(1000)
    store.fail(operation)
    expect(await codeOf(() => managerOf(store).sweep())).toBe('STORAGE_ERROR')
    expect([data.size, store.calls.length < 100]).toEqual([1000, true])
  })

  it('gives up with STORAGE_ERROR when the records cannot be listed', async () => {
    const base = join(await temporaryFolder(), 'file')
    await fs.writeFile(base, 'a file where a folder is needed')
    expect(await caught(() => managerOf(storeOver(fsLite({ base }))).sweep())).toMatchObject({ code: 'STORAGE_ERROR', cause: expect.objectContaining({ code: 'ENOTDIR' }) })
  })

  it.each<[string, Partial<Driver>]>([
    ['rejects', { getKeys: () => Promise.reject(new Error('EIO')) }],
    ['throws', { getKeys: () => {
      throw new Error('EIO')
    } }],
    ['returns the error as a value', { getKeys: () => Promise.resolve(new Error('EIO')) as unknown as Promise<string[]> }],
  ])('gives up with STORAGE_ERROR when listing %s', async (_, driver) => {
    const store = storeOver({ hasItem: () => false, getItem: () => null, ...driver } as Driver)
    expect(await caught(() => managerOf(store).sweep())).toMatchObject({ code: 'STORAGE_ERROR', cause: new Error('EIO') })
  })
})

describe('the sweep of a memory with 100,000 records', () => {
  it('removes what has expired while other work goes on', async () => {
    const { driver, data } = memoryWith(5000, 95_000)
    let turns = 0
    let isSweeping = true
    const count = (): void => {
      turns++
      if (isSweeping)
        setImmediate(count)
    }
    setImmediate(count)
    const removed = await managerOf(storeOver(driver)).sweep()
    isSweeping = false
    expect([removed, data.size, turns > 10]).toEqual([5000, 95_000, true])
  })

  it('serves a visitor meanwhile', async () => {
    const manager = managerOf(storeOver(memoryWith(5000, 95_000).driver))
    const controller = new AbortController()
    let isSwept = false
    const swept = manager.sweep(controller.signal).then(() => isSwept = true)
    const browser = new Browser()
    await browser.run({ manager }, session => session.set('a', 1))
    expect([isSwept, await browser.read({ manager })]).toEqual([false, { a: 1 }])
    controller.abort()
    await swept
  })
})

describe('the sweep of a folder', () => {
  const old = new Date(Date.now() - 61_000)

  async function folderWith(names: string[], time?: Date): Promise<{ base: string, store: SessionStore }> {
    const base = await temporaryFolder()
    for (const name of names) {
      await fs.writeFile(join(base, name), 'x')
      if (time)
        await fs.utimes(join(base, name), time, time)
    }
    return { base, store: storeOver(fsLite({ base }), '') }
  }

  const LEFTOVERS = [`${keyOf(1)}.lock`, `${keyOf(1)}.a_b-c_D9.tmp`, `${keyOf(2)}.lock.a_b-c_D9.tmp`]

  it('removes what killed processes left beside the records more than a minute ago', async () => {
    const { base, store } = await folderWith(LEFTOVERS, old)
    await store.set(keyOf(3), LIVE, 60)
    await managerOf(store).sweep()
    expect(await fs.readdir(base)).toEqual([keyOf(3)])
  })

  it('keeps such files while they are younger', async () => {
    const { base, store } = await folderWith(LEFTOVERS)
    await managerOf(store).sweep()
    expect((await fs.readdir(base)).sort()).toEqual(LEFTOVERS.toSorted())
  })

  it('keeps old files that are not ours', async () => {
    const names = ['.gitkeep', 'README.md', 'draft.tmp', 'package.lock']
    const { base, store } = await folderWith(names, old)
    await managerOf(store).sweep()
    expect((await fs.readdir(base)).sort()).toEqual(names.toSorted())
  })

  it('of a folder that does not exist removes nothing and makes none', async () => {
    const base = join(await temporaryFolder(), 'missing')
    expect(await managerOf(storeOver(fsLite({ base }), '')).sweep()).toBe(0)
    expect(await fs.stat(base).catch(({ code }: { code: string }) => code)).toBe('ENOENT')
  })
})
