import type { Driver } from 'unstorage'
import type { SessionOptions } from '../../src/h3'
import type { Storage, Wrapping } from './support/wrappers'
import * as fc from 'fast-check'
import { H3 } from 'h3-v2'
import { createStorage, prefixStorage } from 'unstorage'
import { createStorage as createStorage2, prefixStorage as prefixStorage2 } from 'unstorage-v2'
import fsLite from 'unstorage/drivers/fs-lite'
import memory from 'unstorage/drivers/memory'
import { withTracing } from 'unstorage-v2/tracing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { lockOf } from '../../src/core/lock'
import { createStorageStore } from '../../src/core/stores/unstorage'
import { updateSession, useSession } from '../../src/h3'
import { createVisitor, type Visitor } from '../support/browser'
import { SECRET } from './support/app'
import { ControlledDriver } from './support/driver'
import { temporaryFolder } from './support/folders'
import { createSwitch } from './support/server'
import { itKeepsTheContract, KEY, recordOf } from './support/store-contract'
import { WRAPPERS } from './support/wrappers'

interface Major {
  version: string
  create(driver?: Driver): Storage & { mount(base: string, driver: Driver): unknown, watch(callback: (event: string, key: string) => void): Promise<unknown>, getMounts(base?: string): { base: string }[] }
  prefix(storage: Storage, base: string): Storage
}

const VERSIONS: Major[] = [
  { version: 'unstorage 1', create: driver => createStorage(driver ? { driver } : {}) as never, prefix: (storage, base) => prefixStorage(storage as never, base) as never },
  { version: 'unstorage 2', create: driver => createStorage2(driver ? { driver: driver as never } : {}) as never, prefix: (storage, base) => prefixStorage2(storage as never, base) as never },
]

const OUR_KEY = /^[\da-f]{64}$/

/** A visitor of an app whose handlers name their options anew for each request. */
function visitorOf(storeOf: () => unknown, options: Partial<SessionOptions> = {}): Visitor {
  const app = new H3({ silent: true }).all('/**', async (event) => {
    await useSession(event, { secret: SECRET, store: storeOf() as never, ...options })
    if (event.url.pathname === '/read')
      return (await useSession(event)).data
    return updateSession<{ visits: number }>(event, ({ visits = 0 }) => ({ visits: visits + 1 }))
  })
  return createVisitor('http://127.0.0.1', new Map(), async (url, init) => app.fetch(new Request(url, init)))
}

/** A wrapper that only looks. */
function watching(): Wrapping & { calls: string[] } {
  const calls: string[] = []
  return { calls, seen: method => void calls.push(method), encode: value => value, decode: value => value }
}

const ENCRYPTED = 'encrypted:'

/** A wrapper that lets nobody below read anything. */
const encrypting = (): Wrapping => ({
  seen: () => {},
  encode: value => ENCRYPTED + Buffer.from(JSON.stringify(value)).toString('base64'),
  decode: value => JSON.parse(Buffer.from(String(value).slice(ENCRYPTED.length), 'base64').toString()) as unknown,
})

describe.each(VERSIONS)('a storage of $version given as `store`', ({ create, prefix }) => {
  describe.each<[name: string, make: () => { root: Storage, view: () => Storage, full: string }]>([
    ['as it is', () => {
      const root = create()
      return { root, view: () => root, full: '' }
    }],
    ['with a prefix', () => {
      const root = create()
      return { root, view: () => prefix(root, 'x'), full: 'x:' }
    }],
    ['with a prefix of several parts', () => {
      const root = create()
      return { root, view: () => prefix(root, '/x/y:'), full: 'x:y:' }
    }],
    ['with a prefix of a prefix of a prefix', () => {
      const root = create()
      return { root, view: () => prefix(prefix(prefix(root, 'x'), 'y'), 'z'), full: 'x:y:z:' }
    }],
    ['with the prefix of a mount', () => {
      const root = create()
      root.mount('x', memory())
      return { root, view: () => prefix(root, 'x'), full: 'x:' }
    }],
    ['with a prefix below a mount', () => {
      const root = create()
      root.mount('x', memory())
      return { root, view: () => prefix(root, 'x:y'), full: 'x:y:' }
    }],
    ['with a prefix above a mount', () => {
      const root = create()
      root.mount('x:y', memory())
      return { root, view: () => prefix(root, 'x'), full: 'x:' }
    }],
  ])('%s', (_, make) => {
    it('has its records where `getKeys` and `getItem` of that very object find them', async () => {
      const { root, view, full } = make()
      await visitorOf(view).json('/')
      const keys = await view().getKeys()
      expect(keys).toEqual([expect.stringMatching(OUR_KEY)])
      expect(await root.getKeys()).toEqual([full + keys[0]!])
      expect(await view().getItem(keys[0]!)).toMatchObject({ version: 1, data: { visits: 1 } })
    })

    it('loses no update when each request makes an object of its own', async () => {
      const { view } = make()
      const visitor = visitorOf(view)
      await visitor.json('/')
      await Promise.all(Array.from({ length: 20 }, () => visitor.fetch('/')))
      expect(await visitor.json('/read')).toEqual({ visits: 21 })
    })

    it('is cleaned up by one timer, however many objects stand for it', async () => {
      vi.useFakeTimers()
      onTestFinished(() => void vi.useRealTimers())
      const { view } = make()
      for (let request = 0; request < 10; request++)
        await visitorOf(view, request % 2 ? {} : { cookie: { name: 'other' } }).fetch('/read')
      expect(vi.getTimerCount()).toBe(1)
    })

    it('is looked into without a trace', () => {
      const { root, view } = make()
      const { ...before } = root
      const mounts = (root as unknown as { getMounts(): { base: string }[] }).getMounts().map(({ base }) => base)
      createStorageStore(view(), { base: '', timeout: 1000 })
      expect([{ ...root }, (root as unknown as { getMounts(): { base: string }[] }).getMounts().map(({ base }) => base)]).toEqual([before, mounts])
    })
  })

  it('keeps the records of two prefixes apart', async () => {
    const root = create()
    const [one, other] = ['one', 'other'].map(base => visitorOf(() => prefix(root, base)))
    await one!.json('/')
    for (const [name, value] of one!.cookies)
      other!.cookies.set(name, value)
    expect(await other!.json('/read')).toEqual({})
    await other!.json('/')
    expect((await root.getKeys()).map(key => key.split(':')[0]).sort()).toEqual(['one', 'other'])
  })

  it('has one lock and one clean-up for a place, whatever names it', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const driver = memory()
    const root = create()
    root.mount('a', driver)
    const names = [() => prefix(root, 'a:b'), () => prefix(prefix(root, 'a'), 'b'), () => prefix(create(driver), 'b')]
    const visitors = names.map(name => visitorOf(name))
    await visitors[0]!.json('/')
    for (const visitor of visitors) {
      for (const [name, value] of visitors[0]!.cookies)
        visitor.cookies.set(name, value)
    }
    await Promise.all(Array.from({ length: 30 }, (_, index) => visitors[index % visitors.length]!.fetch('/')))
    expect([await visitors[1]!.json('/read'), vi.getTimerCount()]).toEqual([{ visits: 31 }, 1])
  })

  it('has one lock for a place that is named by prefix and by base', async () => {
    const root = create()
    const stores = [createStorageStore(root, { base: 'a:b', timeout: 1000 }), createStorageStore(prefix(root, 'a:b'), { base: '', timeout: 1000 }), createStorageStore(prefix(root, 'a'), { base: 'b', timeout: 1000 })]
    const { promise, resolve } = createSwitch()
    const order: number[] = []
    const tasks = stores.map((store, index) => lockOf(store).run(KEY, async () => {
      if (index === 0)
        await promise
      order.push(index)
    }))
    await new Promise(resolve => setImmediate(resolve))
    expect(order).toEqual([])
    resolve()
    await Promise.all(tasks)
    expect(order).toEqual([0, 1, 2])
  })

  it('holds no memory for objects and prefixes that requests make up', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const root = create()
    let made = 0
    const visitor = visitorOf(() => prefix(root, `tenant${made++}`))
    const wrapped = visitorOf(() => ({ ...root }))
    for (let request = 0; request < 600; request++)
      await Promise.all([visitor.fetch('/read'), wrapped.fetch('/read')])
    expect(vi.getTimerCount()).toBeLessThanOrEqual(500)
  })

  it('tells those who watch it nothing of what it is asked through the driver', async () => {
    const root = create()
    const told: string[] = []
    await root.watch((event, key) => void told.push(`${event} ${key}`))
    await visitorOf(() => prefix(root, 'x')).json('/')
    expect(told).toEqual([])
    await visitorOf(() => ({ ...root })).json('/')
    expect(told).toEqual([expect.stringMatching(/^update [\da-f]{64}$/)])
  })

  describe('over files, with a prefix', () => {
    itKeepsTheContract({
      isAtomic: true,
      async open() {
        const base = await temporaryFolder()
        return () => createStorageStore(prefix(prefix(create(fsLite({ base })), 'a'), 'b'), { base: 'c', timeout: 30_000 })
      },
    })
  })
})

describe.each(VERSIONS)('a storage of $version with methods of its own', ({ create, prefix }) => {
  describe.each(WRAPPERS)('%s', (_, wrap) => {
    describe.each<[name: string, make: (wrapping: Wrapping) => { root: Storage, view: Storage }]>([
      ['alone', (wrapping) => {
        const root = create()
        return { root: prefix(root, ''), view: wrap(root, wrapping) }
      }],
      ['around a prefix', (wrapping) => {
        const root = create()
        return { root, view: wrap(prefix(root, 'x'), wrapping) }
      }],
    ])('%s', (_, make) => {
      it('is used through them: each access is seen', async () => {
        const wrapping = watching()
        const { view } = make(wrapping)
        const visitor = visitorOf(() => view)
        await visitor.json('/')
        expect(wrapping.calls).toContain('setItem')
        wrapping.calls.length = 0
        expect(await visitor.json('/read')).toEqual({ visits: 1 })
        expect(wrapping.calls).toEqual(['getItem'])
        const store = createStorageStore(view, { base: '', timeout: 1000 })
        await store.delete(KEY)
        for await (const keys of store.keys!(0))
          expect(keys).toEqual([expect.stringMatching(OUR_KEY)])
        expect(wrapping.calls).toEqual(expect.arrayContaining(['removeItem', 'getKeys']))
      })

      it('is used through them: nothing reaches the driver as it was', async () => {
        const driver = memory()
        const root = create(driver)
        const visitor = visitorOf(() => wrap(prefix(root, 'x'), encrypting()))
        await visitor.json('/')
        const values = [...(driver.getInstance as () => Map<string, string>)().values()]
        expect(values).toEqual([expect.stringMatching(/^encrypted:/)])
        expect(await visitor.json('/read')).toEqual({ visits: 1 })
      })

      it('loses no update of one process', async () => {
        const { view } = make(encrypting())
        const visitor = visitorOf(() => view)
        await visitor.json('/')
        await Promise.all(Array.from({ length: 20 }, () => visitor.fetch('/')))
        expect(await visitor.json('/read')).toEqual({ visits: 21 })
      })
    })

    describe('that encrypts', () => {
      itKeepsTheContract({
        isAtomic: false,
        async open() {
          const store = createStorageStore(wrap(create(), encrypting()), { base: 'session', timeout: 5000 })
          return () => store
        },
      })
    })

    it('below a prefix keeps what it encrypts from the driver', async () => {
      const driver = memory()
      const view = wrap(prefix(create(driver), 'x'), encrypting())
      const visitor = visitorOf(() => prefix(view, 'y'))
      await visitor.json('/')
      const entries = [...(driver.getInstance as () => Map<string, string>)()]
      expect(entries).toEqual([[expect.stringMatching(/^x:y:[\da-f]{64}$/), expect.stringMatching(/^encrypted:/)]])
      expect(await visitor.json('/read')).toEqual({ visits: 1 })
    })
  })

  it('a copy with other methods sees each access below a prefix too', async () => {
    const wrapping = watching()
    const root = create()
    const { getItem, setItem } = root
    const copy = {
      ...root,
      getItem: (key: string) => (wrapping.calls.push('getItem'), getItem(key)),
      setItem: (key: string, value: unknown, options: unknown) => (wrapping.calls.push('setItem'), setItem(key, value, options)),
    }
    const visitor = visitorOf(() => prefix(copy, 'y'))
    await visitor.json('/')
    wrapping.calls.length = 0
    await visitor.json('/read')
    expect(wrapping.calls).toEqual(['getItem'])
  })

  it('a Proxy of some methods sees each access below a prefix too', async () => {
    const wrapping = watching()
    const root = create()
    const visitor = visitorOf(() => prefix(WRAPPERS[5]![1](root, wrapping), 'y'))
    await visitor.json('/')
    wrapping.calls.length = 0
    await visitor.json('/read')
    expect(wrapping.calls).toEqual(['getItem'])
  })

  it('has the lock of its place in common with others', async () => {
    const root = create()
    const visitors = [visitorOf(() => prefix(root, 'x')), visitorOf(() => ({ ...prefix(root, 'x') }))]
    await visitors[0]!.json('/')
    for (const [name, value] of visitors[0]!.cookies)
      visitors[1]!.cookies.set(name, value)
    await Promise.all(Array.from({ length: 20 }, (_, index) => visitors[index % 2]!.fetch('/')))
    expect(await visitors[1]!.json('/read')).toEqual({ visits: 21 })
  })

  it('loses no update where each request makes one that tells nothing of its place', async () => {
    const root = create()
    const [, wrap] = WRAPPERS[2]!
    const visitor = visitorOf(() => wrap(root, watching()))
    await visitor.json('/')
    await Promise.all(Array.from({ length: 20 }, () => visitor.fetch('/')))
    expect(await visitor.json('/read')).toEqual({ visits: 21 })
  })

  it('that fails is a STORAGE_ERROR, as is one that gives an error as a value', async () => {
    for (const getItem of [() => Promise.reject(new Error('EIO')), () => Promise.resolve(new Error('EIO')), () => { throw new Error('EIO') }]) {
      const store = createStorageStore({ ...create(), getItem }, { base: '', timeout: 1000 })
      await expect(store.get(KEY)).rejects.toMatchObject({ code: 'STORAGE_ERROR', cause: new Error('EIO') })
    }
  })

  it('over files notices that nothing was removed', async () => {
    const driver = fsLite({ base: await temporaryFolder() })
    const root = create({ ...driver, removeItem: () => new Error('EPERM') as never })
    const store = createStorageStore({ ...root }, { base: '', timeout: 1000 })
    await store.set(KEY, recordOf({}), 60)
    await expect(store.delete(KEY)).rejects.toMatchObject({ code: 'STORAGE_ERROR' })
  })

  it('need not list its keys', async () => {
    const { getItem, setItem, removeItem } = create()
    const store = createStorageStore({ getItem, setItem, removeItem }, { base: '', timeout: 1000 })
    await store.set(KEY, recordOf({}), 60)
    const lots: unknown[] = []
    for await (const lot of store.keys!(0))
      lots.push(...lot)
    expect(lots).toEqual([])
  })

  it('gets the lifetime of a record, as the driver below would', async () => {
    const { driver, calls } = new ControlledDriver()
    const store = createStorageStore({ ...create(driver) }, { base: '', timeout: 1000 })
    await store.set(KEY, recordOf({}), 42)
    expect(calls).toEqual([{ operation: 'write', key: KEY, ttl: 42 }])
  })
})

/** One thing that is made of a storage: what is below a prefix, or an object around it. */
const step = fc.oneof(
  fc.record({ base: fc.constantFrom('a', 'b:c', '/d/') }),
  // Only what was not wrapped before can have its methods replaced.
  fc.record({ how: fc.constantFrom(...WRAPPERS.slice(0, -1)), isEncrypting: fc.boolean() }),
)

describe.each(VERSIONS)('whatever is made of a storage of $version', ({ create, prefix }) => {
  it('finds its records itself, and what it encrypts no driver reads', () => fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 5 }), async (steps) => {
    const driver = memory()
    let storage: Storage = create(driver)
    for (const step of steps) {
      // A prefix takes over what an object itself has, so nothing of its class.
      if ('base' in step && Object.hasOwn(storage, 'getItem'))
        storage = prefix(storage, step.base)
      else if ('how' in step)
        storage = step.how[1](storage, step.isEncrypting ? encrypting() : watching())
    }
    const store = createStorageStore(storage, { base: '', timeout: 5000 })
    const texts = driver.getInstance as () => Map<string, string>
    await store.set(KEY, recordOf({ some: 'words' }), 60)
    const isEncrypted = steps.some(step => 'how' in step && step.isEncrypting)
    expect([...texts().values()].map(text => text.includes('words'))).toEqual([!isEncrypted])
    expect(await store.get(KEY)).toEqual(recordOf({ some: 'words' }))
    const found = await storage.getItem(KEY)
    expect(typeof found === 'string' ? JSON.parse(found) : found).toEqual(recordOf({ some: 'words' }))
    await store.delete(KEY)
    expect(texts().size).toBe(0)
  })))
})

it('a storage that Nitro 3 traces is traced', async () => {
  const storage = withTracing(createStorage2())
  const store = createStorageStore(storage, { base: '', timeout: 1000 })
  const keys: unknown[] = []
  const { tracingChannel } = process.getBuiltinModule('node:diagnostics_channel')
  const channel = tracingChannel('unstorage.setItem')
  const subscriber = { start: (message: unknown): void => void keys.push((message as { keys: string[] }).keys), end() {}, asyncStart() {}, asyncEnd() {}, error() {} }
  channel.subscribe(subscriber)
  onTestFinished(() => void channel.unsubscribe(subscriber))
  await store.set(KEY, recordOf({}), 60)
  expect(keys).toEqual([[KEY]])
})
