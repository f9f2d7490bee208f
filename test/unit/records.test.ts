import type { RecordPatch } from '../../src/core/record/patch'
import { describe, expect, it } from 'vitest'
import { NO_CHANGES, ReadMessage } from '../../src/core/record/patch'
import { applyPatch, createRecord, createReplacedRecord, isEmpty, isExpired, isTouchDue, MAX_LIFETIME_SECONDS, parseRecord, parseStored, patchKeys, remainingSeconds, underLimits } from '../../src/core/record/record'
import { EMPTY_RECORD } from './support/records'

const LIMITS = { maxAge: 1000, idleTimeout: 0 }
const IDLE = { maxAge: 1000, idleTimeout: 100 }

function patch(changes: Partial<RecordPatch>): RecordPatch {
  return { ...NO_CHANGES, ...changes }
}

describe('a new record', () => {
  it('ends after maxAge', () => {
    expect(createRecord(5000, LIMITS).expiresAt).toBe(5000 + 1_000_000)
  })

  it('ends at the idle limit, from a request that came half of it later, when that is sooner', () => {
    expect(createRecord(5000, IDLE).expiresAt).toBe(5000 + 150_000)
  })

  it('ends at the absolute limit when that is sooner', () => {
    expect(createRecord(5000, { maxAge: 10, idleTimeout: 100 }).expiresAt).toBe(15_000)
  })

  it('ends at limits of its own before those of the options', () => {
    expect(createRecord(0, IDLE, { maxAge: 50, idleTimeout: 0 }).expiresAt).toBe(50_000)
  })

  it('is empty', () => {
    expect(isEmpty(createRecord(0, LIMITS))).toBe(true)
  })

  it('has no fields but its own', () => {
    const record = { version: 1, data: {}, flash: {}, createdAt: 5, expiresAt: 1_000_005, lastSeenAt: 5 }
    expect(createRecord(5, LIMITS)).toStrictEqual(record)
    expect(createRecord(5, LIMITS, { persistent: false })).toStrictEqual({ ...record, lifetime: { persistent: false } })
  })
})

describe('a record', () => {
  it.each<[what: string, parts: object, is: boolean]>([
    ['nothing', {}, true],
    ['data', { data: { a: null } }, false],
    ['messages', { flash: { a: null } }, false],
    ['both', { data: { a: 1 }, flash: { a: 1 } }, false],
    ['a lifetime', { lifetime: { maxAge: 5 } }, true],
  ])('with %s is empty or not', (_, parts, is) => {
    expect(isEmpty({ ...createRecord(0, LIMITS), ...parts })).toBe(is)
  })
})

it('what stays under a replaced id holds nothing, and ends after 10 seconds', () => {
  expect(createReplacedRecord(5)).toStrictEqual({ version: 1, data: {}, flash: {}, createdAt: 5, expiresAt: 10_005, lastSeenAt: 5, isReplaced: true })
})

it('the longest lifetime is 400 days, which browsers keep a cookie', () => {
  expect(MAX_LIFETIME_SECONDS).toBe(34_560_000)
})

describe('expiry', () => {
  it('comes with the millisecond of expiresAt', () => {
    const record = createRecord(0, LIMITS)
    expect([isExpired(record, record.expiresAt - 1), isExpired(record, record.expiresAt)]).toEqual([false, true])
  })

  it('is rounded up to whole seconds for cookies and drivers', () => {
    const record = createRecord(0, LIMITS)
    expect([remainingSeconds(record, 0), remainingSeconds(record, 1), remainingSeconds(record, 999_999)]).toEqual([1000, 1000, 1])
  })

  it('never gives a lifetime of zero, which a driver would take for eternity', () => {
    const record = createRecord(0, LIMITS)
    expect(remainingSeconds(record, record.expiresAt + 60_000)).toBe(1)
  })
})

describe('the limits in force', () => {
  const record = { ...EMPTY_RECORD, expiresAt: 300_000 }

  it.each<[what: string, limits: typeof LIMITS, expiresAt: number]>([
    ['shorten the life of a record', { maxAge: 50, idleTimeout: 0 }, 50_000],
    ['shorten its idle time', { maxAge: 1000, idleTimeout: 100 }, 150_000],
    ['do not prolong it', { maxAge: 9999, idleTimeout: 9999 }, 300_000],
    ['leave it alone where they are the same', { maxAge: 1000, idleTimeout: 200 }, 300_000],
  ])('%s', (_, limits, expiresAt) => {
    expect(underLimits(record, limits)).toEqual({ ...record, expiresAt })
  })

  it('leave limits of its own alone', () => {
    const own = createRecord(0, LIMITS, { maxAge: 500, idleTimeout: 100 })
    expect(underLimits(own, { maxAge: 5, idleTimeout: 5 })).toBe(own)
  })

  it('do not bind what is left of a replaced id', () => {
    const mark = createReplacedRecord(0)
    expect(underLimits(mark, { maxAge: 1, idleTimeout: 1 })).toBe(mark)
  })
})

describe('a touch', () => {
  it('is due when half of the idle time has passed', () => {
    const record = createRecord(0, IDLE)
    expect([isTouchDue(record, 49_999, IDLE), isTouchDue(record, 50_000, IDLE)]).toEqual([false, true])
  })

  it('is due by the time since the last one', () => {
    const record = { ...createRecord(0, IDLE), lastSeenAt: 30_000 }
    expect([isTouchDue(record, 79_999, IDLE), isTouchDue(record, 80_000, IDLE)]).toEqual([false, true])
  })

  it('is never due without an idle limit', () => {
    expect(isTouchDue(createRecord(0, LIMITS), 999_999, LIMITS)).toBe(false)
  })

  it('follows the idle limit of the session itself', () => {
    const record = createRecord(0, LIMITS, { idleTimeout: 10 })
    expect([isTouchDue(record, 4999, LIMITS), isTouchDue(record, 5000, LIMITS)]).toEqual([false, true])
  })
})

describe('a patch', () => {
  it('leaves the record that it is applied to as it was', () => {
    const record = Object.freeze({ ...createRecord(0, LIMITS), data: Object.freeze({ a: 1 }), flash: Object.freeze({}) })
    const next = applyPatch(record, patch({ data: new Map<string, unknown>([['a', undefined], ['b', 2]]) }), 10, LIMITS)
    expect([record.data, next.data]).toEqual([{ a: 1 }, { b: 2 }])
  })

  it('moves the idle limit and not the absolute one', () => {
    const next = applyPatch(createRecord(0, IDLE), patch({ isTouched: true }), 950_000, IDLE)
    expect([next.lastSeenAt, next.createdAt, next.expiresAt]).toEqual([950_000, 0, 1_000_000])
  })

  it.each<[what: string, fields: object]>([
    ['nothing else', {}],
    ['a revision', { revision: 'a' }],
    ['a lifetime', { lifetime: { persistent: false } }],
    ['both', { revision: 'a', lifetime: { persistent: false } }],
  ])('leaves the rest of a record as it is: %s', (_, fields) => {
    const record = { ...createRecord(0, LIMITS), data: { a: 1 }, flash: { b: 1 }, ...fields }
    expect(applyPatch(record, NO_CHANGES, 10, LIMITS)).toStrictEqual({ ...record, lastSeenAt: 10 })
  })

  it('without changes copies neither data nor messages', () => {
    const record = { ...createRecord(0, LIMITS), data: { a: 1 }, flash: { b: 1 } }
    const next = applyPatch(record, NO_CHANGES, 10, LIMITS)
    expect([next.data === record.data, next.flash === record.flash]).toEqual([true, true])
  })

  it('knows no keys but own ones', () => {
    const keys = ['__proto__', 'constructor', 'toString']
    const read = new Map(keys.map(key => [key, new ReadMessage(({} as Record<string, unknown>)[key])]))
    expect(Object.keys(patchKeys({}, read))).toEqual([])
    expect(Object.keys(patchKeys({}, new Map(keys.map(key => [key, 1]))))).toEqual(keys)
  })

  it('keeps the other limits of a session when one of them is set', () => {
    const record = createRecord(0, LIMITS, { maxAge: 50, persistent: false })
    expect(applyPatch(record, patch({ lifetime: { maxAge: 60 } }), 0, LIMITS).lifetime).toEqual({ maxAge: 60, persistent: false })
  })
})

describe('a stored value', () => {
  const good = { ...EMPTY_RECORD, data: { a: 1 } }

  it('is a record when everything is where it belongs', () => {
    expect(parseRecord(good)).toEqual(good)
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'x'],
    ['a number', 1],
    ['an array', [good]],
    ['an empty object', {}],
    ['another version', { ...good, version: 2 }],
    ['a version as text', { ...good, version: '1' }],
    ['data as an array', { ...good, data: [] }],
    ['no data', { ...good, data: undefined }],
    ['null for flash', { ...good, flash: null }],
    ['a time as text', { ...good, expiresAt: '9999999999999' }],
    ['no end', { ...good, expiresAt: undefined }],
    ['an infinite end', { ...good, expiresAt: Number.POSITIVE_INFINITY }],
    ['an infinite beginning', { ...good, createdAt: Number.NEGATIVE_INFINITY }],
    ['no last use', { ...good, lastSeenAt: undefined }],
    ['a lifetime as a number', { ...good, lifetime: 5 }],
    ['a lifetime as an array', { ...good, lifetime: [] }],
    ['null for a lifetime', { ...good, lifetime: null }],
    ['a revision as a number', { ...good, revision: 5 }],
  ])('is no record when it is or has %s', (_, value) => {
    expect([parseRecord(value), parseStored(value)]).toEqual([undefined, undefined])
  })

  it('of a store has a revision, one in a cookie need not', () => {
    const stored = { ...good, revision: 'a', lifetime: {} }
    expect([parseRecord(stored), parseStored(stored)]).toEqual([stored, stored])
    expect([parseRecord(good), parseStored(good)]).toEqual([good, undefined])
  })
})
