import type { SessionStore } from '../../src/core/types'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createStorage } from 'unstorage'
import { createRecord } from '../../src/core/record/record'
import { CircuitBreaker } from '../../src/core/stores/circuit-breaker'
import { createStorageStore } from '../../src/core/stores/unstorage'
import { ControlledDriver } from './support/driver'
import { caught, codeOf } from './support/errors'
import { createSwitch } from './support/server'

const TIMEOUT = 1000
const KEY = 'a'.repeat(64)
const OTHER_KEY = 'b'.repeat(64)
const RECORD = { ...createRecord(0, { maxAge: 60, idleTimeout: 0 }), revision: 'one' }

const unhandled: unknown[] = []
const listener = (reason: unknown): void => void unhandled.push(reason)

beforeEach(() => {
  vi.useFakeTimers()
  unhandled.length = 0
  process.on('unhandledRejection', listener)
})

afterEach(() => {
  vi.useRealTimers()
  process.off('unhandledRejection', listener)
})

/** Lets everything happen that waits for no timer. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0)

function createStore(): { driver: ControlledDriver, store: SessionStore } {
  const driver = new ControlledDriver()
  return { driver, store: createStorageStore(createStorage({ driver: driver.driver }), { base: 'session', timeout: TIMEOUT }) }
}

/** Begins an operation that storage does not answer in time. */
async function timeOut(operation: () => unknown): Promise<void> {
  const code = codeOf(operation)
  await vi.advanceTimersByTimeAsync(TIMEOUT)
  expect(await code).toBe('STORAGE_ERROR')
}

describe('an operation of storage', () => {
  it('gives what it resolves to', async () => {
    expect(await new CircuitBreaker(TIMEOUT).run('reading', KEY, async () => 1)).toBe(1)
  })

  it.each(['reading', 'writing', 'removing', 'listing'] as const)('that fails at %s rejects with STORAGE_ERROR, which says so', async (action) => {
    const cause = new Error('EIO')
    expect(await caught(() => new CircuitBreaker(TIMEOUT).run(action, KEY, () => Promise.reject(cause)))).toMatchObject({ code: 'STORAGE_ERROR', statusCode: 503, cause, details: { action } })
  })

  it('that is answered at once needs neither a promise nor a timer', () => {
    expect([new CircuitBreaker(TIMEOUT).run('reading', KEY, () => 1), vi.getTimerCount()]).toEqual([1, 0])
  })

  it('that is answered at once ends the silence', async () => {
    const breaker = new CircuitBreaker(TIMEOUT)
    await timeOut(() => breaker.run('reading', KEY, () => new Promise(() => {})))
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    expect([await breaker.run('reading', KEY, () => 1), await breaker.run('reading', KEY, () => 2)]).toEqual([1, 2])
  })

  it('that throws rejects with STORAGE_ERROR', async () => {
    const throwing = (): Promise<never> => {
      throw new Error('EIO')
    }
    expect(await codeOf(() => new CircuitBreaker(TIMEOUT).run('reading', KEY, throwing))).toBe('STORAGE_ERROR')
  })

  it('names no key in its error', async () => {
    const { message, details } = await caught(() => new CircuitBreaker(TIMEOUT).run('reading', KEY, () => Promise.reject(new Error('EIO'))))
    expect(message + JSON.stringify(details)).not.toContain(KEY)
  })

  it('may take as long as the timeout', async () => {
    const { promise, resolve } = createSwitch<number>()
    const result = new CircuitBreaker(TIMEOUT).run('reading', KEY, () => promise)
    await vi.advanceTimersByTimeAsync(TIMEOUT - 1)
    resolve(1)
    expect(await result).toBe(1)
  })

  it('that takes longer rejects with STORAGE_ERROR', async () => {
    const error = caught(() => new CircuitBreaker(TIMEOUT).run('reading', KEY, () => new Promise(() => {})))
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    expect(await error).toMatchObject({ code: 'STORAGE_ERROR', statusCode: 503, details: { action: 'reading' } })
  })

  it('does not wait for another of the same key that is in time', async () => {
    const breaker = new CircuitBreaker(TIMEOUT)
    const { promise, resolve } = createSwitch<number>()
    const first = breaker.run('reading', KEY, () => promise)
    expect(await breaker.run('reading', KEY, async () => 2)).toBe(2)
    resolve(1)
    expect(await first).toBe(1)
  })

  it('whose answer came while the process stood still is in time', async () => {
    vi.useRealTimers()
    const limit = 20
    const answered = new Promise<number>(resolve => setImmediate(() => setImmediate(() => resolve(1))))
    const result = new CircuitBreaker(limit).run('reading', KEY, () => answered)
    const end = performance.now() + 10 * limit
    while (performance.now() < end)
      Math.random()
    expect(await result).toBe(1)
  })

  it('that nobody answers is not waited for on and on because the process stood still', async () => {
    vi.useRealTimers()
    const result = codeOf(() => new CircuitBreaker(20).run('reading', KEY, () => new Promise(() => {})))
    const end = performance.now() + 200
    while (performance.now() < end)
      Math.random()
    expect(await result).toBe('STORAGE_ERROR')
  })

  it('leaves no timer behind, whatever became of it', async () => {
    const breaker = new CircuitBreaker(TIMEOUT)
    await breaker.run('reading', KEY, async () => 1)
    await codeOf(() => breaker.run('reading', KEY, () => Promise.reject(new Error('EIO'))))
    expect(vi.getTimerCount()).toBe(0)
    const { promise, resolve } = createSwitch()
    await timeOut(() => breaker.run('writing', KEY, () => promise))
    resolve()
    await settle()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('storage that does not answer', () => {
  it('is not asked again a moment later about the same record', async () => {
    const { driver, store } = createStore()
    driver.hold('read')
    await timeOut(() => store.get(KEY))
    const calls = driver.calls.length
    const codes = [await codeOf(() => store.get(KEY)), await codeOf(() => store.set(KEY, RECORD, 60)), await codeOf(() => store.compareAndSet!(KEY, undefined, RECORD, 60)), await codeOf(() => store.delete(KEY))]
    expect([codes, driver.calls.length - calls]).toEqual([Array.from({ length: 4 }, () => 'STORAGE_ERROR'), 0])
  })

  it('is asked about other records when only one waits in vain', async () => {
    const { driver, store } = createStore()
    driver.hold('read')
    await timeOut(() => store.get(KEY))
    expect(await store.get(OTHER_KEY)).toBeUndefined()
  })

  it('is asked about other records when it answered while two waited in vain', async () => {
    const { driver, store } = createStore()
    driver.hold('read')
    driver.hold('read')
    const waiting = [codeOf(() => store.get(KEY)), codeOf(() => store.get(OTHER_KEY))]
    await settle()
    await store.get('c'.repeat(64))
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    expect(await Promise.all(waiting)).toEqual(['STORAGE_ERROR', 'STORAGE_ERROR'])
    expect(await store.get('c'.repeat(64))).toBeUndefined()
  })

  it('is not asked about any record a moment after two waited in vain', async () => {
    const { driver, store } = createStore()
    driver.hold('read')
    driver.hold('read')
    await timeOut(() => Promise.any([store.get(KEY), store.get(OTHER_KEY)]).catch(({ errors }: AggregateError) => Promise.reject(errors[0])))
    const calls = driver.calls.length
    expect([await codeOf(() => store.get('c'.repeat(64))), driver.calls.length - calls]).toEqual(['STORAGE_ERROR', 0])
  })

  it('is told of once, and once when it answers again', async () => {
    const told: boolean[] = []
    const breaker = new CircuitBreaker(TIMEOUT, { silent: isSilent => void told.push(isSilent) })
    for (let record = 0; record < 5; record++)
      await timeOut(() => breaker.run('reading', KEY + record, () => new Promise(() => {})))
    expect(told).toEqual([true])
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    await breaker.run('reading', KEY, async () => 1)
    await breaker.run('reading', KEY, async () => 1)
    expect(told).toEqual([true, false])
  })

  it('is not told of while it answers others', async () => {
    const told: boolean[] = []
    const breaker = new CircuitBreaker(TIMEOUT, { silent: isSilent => void told.push(isSilent) })
    const waiting = [KEY, OTHER_KEY].map(key => codeOf(() => breaker.run('reading', key, () => new Promise(() => {}))))
    await breaker.run('reading', 'c', async () => 1)
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    await Promise.all(waiting)
    expect(told).toEqual([])
  })

  it('is asked again when it answered after all', async () => {
    const { driver, store } = createStore()
    const gate = driver.hold('read')
    await timeOut(() => store.get(KEY))
    gate.release()
    await settle()
    await store.set(KEY, RECORD, 60)
    expect(await store.get(KEY)).toEqual(RECORD)
  })

  it('is asked again when it failed after all', async () => {
    const breaker = new CircuitBreaker(TIMEOUT)
    const { promise, reject } = createSwitch()
    await timeOut(() => breaker.run('reading', KEY, () => promise))
    reject(new Error('ECONNRESET'))
    await settle()
    expect(await breaker.run('reading', OTHER_KEY, async () => 1)).toBe(1)
  })

  it('is asked again about other records after a while', async () => {
    const { driver, store } = createStore()
    driver.hold('read')
    await timeOut(() => store.get(KEY))
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    await store.set(OTHER_KEY, RECORD, 60)
    expect(await store.get(OTHER_KEY)).toEqual(RECORD)
  })

  it('is asked again about the same record after a while, although a reading of it never ends', async () => {
    const { driver, store } = createStore()
    await store.set(KEY, RECORD, 60)
    driver.hold('read')
    await timeOut(() => store.get(KEY))
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    const read = Promise.resolve(store.get(KEY)).catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    expect(await read).toEqual(RECORD)
  })

  it('does not hold up the next request again and again', async () => {
    const { driver, store } = createStore()
    for (let request = 0; request < 3; request++) {
      driver.hold('read')
      await timeOut(() => store.get(KEY + request))
      expect(await codeOf(() => store.get(KEY + request))).toBe('STORAGE_ERROR')
      await vi.advanceTimersByTimeAsync(TIMEOUT)
    }
    expect(await store.get(KEY)).toBeUndefined()
  })

  it('leaves no rejection unhandled, whatever it answers late', async () => {
    const breaker = new CircuitBreaker(TIMEOUT)
    const switches = [createSwitch(), createSwitch(), createSwitch()]
    const codes = switches.map(({ promise }, n) => codeOf(() => breaker.run(n === 1 ? 'removing' : 'writing', KEY + n % 2, () => promise)))
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    expect(await Promise.all(codes)).toEqual(['STORAGE_ERROR', 'STORAGE_ERROR', 'STORAGE_ERROR'])
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    const next = codeOf(() => breaker.run('writing', `${KEY}0`, () => Promise.reject(new Error('EIO'))))
    switches.forEach(({ reject }) => reject(new Error('late')))
    await settle()
    expect(await next).toBe('STORAGE_ERROR')
    vi.useRealTimers()
    await new Promise(resolve => setImmediate(resolve))
    expect(unhandled).toEqual([])
  })
})

describe('a write that lands after its timeout', () => {
  it.each(['set', 'compareAndSet'] as const)('by %s is removed by what destroys the record afterwards', async (method) => {
    const { driver, store } = createStore()
    const gate = driver.hold('write')
    await timeOut(async () => method === 'set' ? store.set(KEY, RECORD, 60) : store.compareAndSet!(KEY, undefined, RECORD, 60))
    expect(await codeOf(() => store.delete(KEY))).toBe('STORAGE_ERROR')
    gate.release()
    await settle()
    expect(await store.get(KEY)).toBeUndefined()
  })

  it('does not come back after several removals', async () => {
    const { driver, store } = createStore()
    const gate = driver.hold('write')
    await timeOut(() => store.set(KEY, RECORD, 60))
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    const codes = [await codeOf(() => store.delete(KEY)), await codeOf(() => store.delete(KEY))]
    gate.release()
    await settle()
    expect([codes, await store.get(KEY)]).toEqual([['STORAGE_ERROR', 'STORAGE_ERROR'], undefined])
  })

  it('lets no write come after it before it has ended', async () => {
    const { driver, store } = createStore()
    const gate = driver.hold('write')
    await timeOut(() => store.set(KEY, RECORD, 60))
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    expect(await codeOf(() => store.set(KEY, { ...RECORD, revision: 'two' }, 60))).toBe('STORAGE_ERROR')
    gate.release()
    await settle()
    expect(await store.get(KEY)).toEqual(RECORD)
    await store.set(KEY, { ...RECORD, revision: 'two' }, 60)
    expect(await store.get(KEY)).toMatchObject({ revision: 'two' })
  })

  it('is not followed by one whose own time ran out while it waited', async () => {
    const { driver, store } = createStore()
    const gate = driver.hold('write')
    await timeOut(() => store.set(KEY, RECORD, 60))
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    await timeOut(() => store.set(KEY, { ...RECORD, revision: 'told that it failed' }, 60))
    gate.release()
    await settle()
    expect(await store.get(KEY)).toEqual(RECORD)
  })

  it('keeps no other record waiting', async () => {
    const { driver, store } = createStore()
    driver.hold('write')
    await timeOut(() => store.set(KEY, RECORD, 60))
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    await store.set(OTHER_KEY, RECORD, 60)
    expect(await store.get(OTHER_KEY)).toEqual(RECORD)
  })

  it('makes no other record fail when the next operation of its own record times out behind it', async () => {
    const { driver, store } = createStore()
    driver.hold('write')
    await timeOut(() => store.set(KEY, RECORD, 60))
    await vi.advanceTimersByTimeAsync(TIMEOUT)
    await timeOut(() => store.set(KEY, RECORD, 60))
    expect(await store.get(OTHER_KEY)).toBeUndefined()
  })

  it('does not hold up later operations once it has landed', async () => {
    const { driver, store } = createStore()
    const gate = driver.hold('write')
    await timeOut(() => store.set(KEY, RECORD, 60))
    gate.release()
    await settle()
    expect(await store.get(KEY)).toEqual(RECORD)
    expect(vi.getTimerCount()).toBe(0)
  })
})
