import type { SessionRecord, SessionStore } from '../../../src/core/types'
import { expect, it } from 'vitest'
import { lockOf } from '../../../src/core/lock'
import { createRecord } from '../../../src/core/record/record'
import { NOON } from './app'

export const KEY = 'a'.repeat(64)
export const OTHER_KEY = 'b'.repeat(64)
const TTL = 60

/** What the contract is asked of. */
export interface StoreSubject {
  /**
   * Opens storage that is empty. Each call of what it resolves to gives a store over that
   * storage, as different processes have one; the same store where storage is of one process.
   */
  open(): Promise<() => SessionStore>
  /** False where `compareAndSet` holds only while one writer at a time is let at a record. */
  isAtomic: boolean
}

/** A record as the core makes them. */
export function recordOf(data: Record<string, unknown>, revision = 'one'): SessionRecord {
  return { ...createRecord(NOON, { maxAge: TTL, idleTimeout: 0 }), data, revision }
}

/** What every store does, said as tests. Call it inside a `describe`. */
export function itKeepsTheContract({ open, isAtomic }: StoreSubject): void {
  const create = async (): Promise<SessionStore> => (await open())()
  const dataOf = async (store: SessionStore, key = KEY): Promise<unknown> => (await store.get(key) as SessionRecord).data

  it('answers undefined for a missing record', async () => {
    expect(await (await create()).get(KEY)).toBeUndefined()
  })

  it('gives back an equal record', async () => {
    const store = await create()
    const record = { ...recordOf({ a: [1, { b: null }], emoji: '👋', empty: '' }), flash: { f: 0 }, lifetime: { persistent: false } }
    await store.set(KEY, record, TTL)
    expect(await store.get(KEY)).toEqual(record)
  })

  it('gives back another object than it was given, each time', async () => {
    const store = await create()
    const record = recordOf({ list: [1] })
    await store.set(KEY, record, TTL)
    ;(record.data.list as number[]).push(2)
    const [first, second] = [await store.get(KEY), await store.get(KEY)] as SessionRecord[]
    Object.assign(first?.data ?? {}, { list: [1, 3] })
    expect([second?.data, await dataOf(store)]).toEqual([{ list: [1] }, { list: [1] }])
  })

  it('keeps keys named __proto__ and constructor', async () => {
    const store = await create()
    const text = '{"__proto__":{"x":1},"constructor":{"prototype":{}},"a":{"__proto__":2}}'
    await store.set(KEY, recordOf(JSON.parse(text) as Record<string, unknown>), TTL)
    expect(JSON.stringify(await dataOf(store))).toBe(text)
  })

  it('keeps lone surrogates and control characters', async () => {
    const store = await create()
    const data = { '\uD800': '\uDFFF\u0000\u2028' }
    await store.set(KEY, recordOf(data), TTL)
    expect(await dataOf(store)).toEqual(data)
  })

  it('keeps data that looks like numbers or JSON as it is', async () => {
    const store = await create()
    const data = { a: '1', b: 'true', c: '{"x":1}', d: 'null' }
    await store.set(KEY, recordOf(data), TTL)
    expect(await dataOf(store)).toEqual(data)
  })

  it('replaces a record', async () => {
    const store = await create()
    await store.set(KEY, recordOf({ a: 1, long: 'x'.repeat(1000) }), TTL)
    await store.set(KEY, recordOf({ b: 2 }), TTL)
    expect(await dataOf(store)).toEqual({ b: 2 })
  })

  it('removes a record, and a missing one without an error', async () => {
    const store = await create()
    await store.set(KEY, recordOf({ a: 1 }), TTL)
    await store.delete(KEY)
    await store.delete(KEY)
    expect(await store.get(KEY)).toBeUndefined()
  })

  it('removes a record whatever its revision', async () => {
    const store = await create()
    await store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }), TTL)
    await store.compareAndSet!(KEY, 'one', recordOf({ a: 2 }, 'two'), TTL)
    await store.delete(KEY)
    expect(await store.get(KEY)).toBeUndefined()
  })

  it('keeps records of different keys apart', async () => {
    const store = await create()
    await store.set(KEY, recordOf({ n: 1 }), TTL)
    await store.set(OTHER_KEY, recordOf({ n: 2 }), TTL)
    await store.delete(KEY)
    expect([await store.get(KEY), await dataOf(store, OTHER_KEY)]).toEqual([undefined, { n: 2 }])
  })

  it('keeps a megabyte', async () => {
    const store = await create()
    await store.set(KEY, recordOf({ text: 'x'.repeat(1_000_000) }), TTL)
    expect((await dataOf(store) as { text: string }).text).toHaveLength(1_000_000)
  })

  it('shows to one process what another stored', async () => {
    const another = await open()
    await another().set(KEY, recordOf({ a: 1 }), TTL)
    expect(await dataOf(another())).toEqual({ a: 1 })
  })

  it('compares and sets: creates a record where there is none', async () => {
    const store = await create()
    expect([await store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }), TTL), await store.get(KEY)]).toEqual([true, recordOf({ a: 1 })])
  })

  it('compares and sets: creates none where there is one', async () => {
    const store = await create()
    await store.set(KEY, recordOf({ a: 1 }), TTL)
    expect([await store.compareAndSet!(KEY, undefined, recordOf({ b: 2 }, 'two'), TTL), await store.get(KEY)]).toEqual([false, recordOf({ a: 1 })])
  })

  it('compares and sets: replaces the right revision', async () => {
    const store = await create()
    await store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }), TTL)
    expect([await store.compareAndSet!(KEY, 'one', recordOf({ b: 2 }, 'two'), TTL), await store.get(KEY)]).toEqual([true, recordOf({ b: 2 }, 'two')])
  })

  it.each(['two', 'on', 'one ', 'One', '', 'oneone'])('compares and sets: does not replace one by the revision %j', async (revision) => {
    const store = await create()
    await store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }), TTL)
    expect([await store.compareAndSet!(KEY, revision, recordOf({ b: 2 }, 'three'), TTL), await store.get(KEY)]).toEqual([false, recordOf({ a: 1 })])
  })

  it('compares and sets: does not replace a missing record', async () => {
    const store = await create()
    expect([await store.compareAndSet!(KEY, 'one', recordOf({ a: 1 }, 'two'), TTL), await store.get(KEY)]).toEqual([false, undefined])
  })

  it('compares and sets: never a removed record', async () => {
    const store = await create()
    await store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }), TTL)
    await store.delete(KEY)
    expect([await store.compareAndSet!(KEY, 'one', recordOf({ a: 2 }, 'two'), TTL), await store.get(KEY)]).toEqual([false, undefined])
  })

  it('compares and sets: removes the right revision', async () => {
    const store = await create()
    await store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }), TTL)
    expect([await store.compareAndSet!(KEY, 'one', undefined, 0), await store.get(KEY)]).toEqual([true, undefined])
  })

  it('compares and sets: does not remove a wrong revision', async () => {
    const store = await create()
    await store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }), TTL)
    expect([await store.compareAndSet!(KEY, 'two', undefined, 0), await store.get(KEY)]).toEqual([false, recordOf({ a: 1 })])
  })

  it('compares and sets: a missing record is not one to remove', async () => {
    expect(await (await create()).compareAndSet!(KEY, 'one', undefined, 0)).toBe(false)
  })

  it('compares and sets: knows a revision that looks like JSON or a pattern from another', async () => {
    const store = await create()
    const revision = '"a\\*,[]'
    await store.compareAndSet!(KEY, undefined, recordOf({ a: 1 }, revision), TTL)
    expect([await store.compareAndSet!(KEY, '"a', recordOf({ b: 2 }, 'two'), TTL), await store.compareAndSet!(KEY, revision, recordOf({ c: 3 }, 'two'), TTL), await dataOf(store)]).toEqual([false, true, { c: 3 }])
  })

  it('compares and sets: data that looks like a revision is none', async () => {
    const store = await create()
    await store.compareAndSet!(KEY, undefined, recordOf({ version: 1, revision: 'two' }), TTL)
    expect(await store.compareAndSet!(KEY, 'two', undefined, 0)).toBe(false)
  })

  it('compares and sets: a record whose keys came in another order', async () => {
    const store = await create()
    const { revision, version, ...rest } = recordOf({ a: 1 })
    await store.compareAndSet!(KEY, undefined, { ...rest, revision, version } as SessionRecord, TTL)
    expect(await store.compareAndSet!(KEY, 'one', recordOf({ b: 2 }, 'two'), TTL)).toBe(true)
  })

  it('compares and sets: keeps 100 kB and unusual data', async () => {
    const store = await create()
    const record = recordOf({ '\uD800': '\uDFFF\u0000\u2028', 'emoji': '👋', 'text': 'ä'.repeat(50_000) }, 'two')
    await store.compareAndSet!(KEY, undefined, recordOf({ small: true }), TTL)
    expect([await store.compareAndSet!(KEY, 'one', record, TTL), await store.get(KEY)]).toEqual([true, record])
  })

  it.each<[string, string | undefined, boolean]>([
    ['replace the same revision', 'one', true],
    ['create the same record', undefined, true],
    ['remove the same revision', 'one', false],
  ])('compares and sets: of fifty that %s at once, one wins', async (_, revision, isSetting) => {
    const another = await open()
    const stores = Array.from({ length: 5 }, () => another())
    if (revision)
      await stores[0]!.compareAndSet!(KEY, undefined, recordOf({ n: 'before' }, revision), TTL)
    const results = await Promise.all(Array.from({ length: 50 }, (_, n) => {
      const store = stores[n % stores.length]!
      const attempt = async (): Promise<boolean> => store.compareAndSet!(KEY, revision, isSetting ? recordOf({ n }, `new ${n}`) : undefined, TTL)
      return isAtomic ? attempt() : lockOf(store).run(KEY, attempt)
    }))
    expect(results.filter(Boolean)).toHaveLength(1)
    expect(await stores[0]!.get(KEY)).toEqual(isSetting ? recordOf({ n: results.indexOf(true) }, `new ${results.indexOf(true)}`) : undefined)
  })

  it('compares and sets: counts what many add at once', async () => {
    const another = await open()
    const stores = Array.from({ length: 5 }, () => another())
    await stores[0]!.compareAndSet!(KEY, undefined, recordOf({ n: 0 }, '0'), TTL)
    await Promise.all(stores.map(async (store, who) => {
      const increment = async (): Promise<boolean> => {
        const { data, revision } = await store.get(KEY) as SessionRecord
        const n = data.n as number + 1
        return store.compareAndSet!(KEY, revision, recordOf({ n }, `${n} by ${who}`), TTL)
      }
      for (let won = 0; won < 4;)
        won += Number(await (isAtomic ? increment() : lockOf(store).run(KEY, increment)))
    }))
    expect(await dataOf(stores[0]!)).toEqual({ n: 20 })
  })
}
