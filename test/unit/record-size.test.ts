import type { SessionRecord } from '../../src/core/types'
import * as fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { assertRecordFits, entryBytes, jsonBytes, largestKeys, outlineBytes, recordBytes } from '../../src/core/record/size'
import { createRevision } from '../../src/core/record/revision'
import { caught, codeOf } from './support/errors'
import { EMPTY_RECORD } from './support/records'

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))
const recordWith = (data: Record<string, unknown>, flash: Record<string, unknown> = {}): SessionRecord => ({ ...EMPTY_RECORD, data, flash })
const values = fc.jsonValue({ stringUnit: 'binary' })
const objects = fc.dictionary(fc.string({ unit: 'binary' }), values, { maxKeys: 3 })

/** A revision as long as they can get. */
function longestRevision(): string {
  return Array.from({ length: 9 }).reduce<string>(previous => createRevision(previous), '')
}

describe('how many bytes', () => {
  it('a value is as JSON', () => {
    fc.assert(fc.property(values, (value) => {
      expect(jsonBytes(value)).toBe(bytesOf(value))
    }))
  })

  it('an entry adds to an object that has others', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), values, (key, value) => {
      const object = Object.fromEntries([['', 0], [`${key}x`, value]])
      expect(entryBytes(`${key}x`, value)).toBe(bytesOf(object) - bytesOf({ '': 0 }))
      expect(entryBytes(key, undefined)).toBe(0)
    }))
  })

  it('a record takes, whatever revision it gets', () => {
    fc.assert(fc.property(objects, objects, fc.constantFrom({}, { revision: 'short' }, { lifetime: { maxAge: 5 } }), (data, flash, more) => {
      const record = { ...recordWith(data, flash), ...more }
      const stored = bytesOf({ ...record, revision: longestRevision() })
      expect(recordBytes(record)).toBe(stored)
      expect(outlineBytes(record)).toBe(stored - bytesOf(data) - bytesOf(flash))
    }))
  })
})

describe('a record', () => {
  const record = recordWith({ a: 'x'.repeat(100) })

  it.each<[what: string, excess: number, before: SessionRecord]>([
    ['as big as the limit', 0, recordWith({})],
    ['bigger, and as big as before', 1, recordWith({ a: 'y'.repeat(100) })],
    ['bigger, and smaller than before', 1, recordWith({ a: 'x'.repeat(101) })],
  ])('is allowed: %s', (_, excess, before) => {
    expect(() => assertRecordFits(record, recordBytes(record) - excess, before)).not.toThrow()
  })

  it.each<[what: string, before: SessionRecord]>([
    ['a new one', recordWith({})],
    ['one that has grown', recordWith({ a: 'x'.repeat(99) })],
  ])('is refused when it is bigger than the limit: %s', async (_, before) => {
    expect(await codeOf(() => assertRecordFits(record, recordBytes(record) - 1, before))).toBe('INVALID_VALUE')
  })

  it('is refused with size, limit and the largest keys', async () => {
    const big = recordWith({ a: 'x'.repeat(100), b: 'x'.repeat(300) })
    const error = await caught(() => assertRecordFits(big, 50, record))
    expect(error).toMatchObject({
      code: 'INVALID_VALUE',
      message: `The session would be ${recordBytes(big)} bytes; \`maxBytes\` allows 50. The largest keys are \`b\` (302 bytes), \`a\` (102 bytes). Store less, keep it elsewhere under an id, or raise \`maxBytes\`.`,
      details: { key: 'b', size: recordBytes(big), limit: 50, largest: [{ key: 'b', bytes: 302 }, { key: 'a', bytes: 102 }] },
    })
  })

  it('is refused without a key when it has none', async () => {
    expect((await caught(() => assertRecordFits({ ...recordWith({}), lifetime: { maxAge: 5 } }, 50, recordWith({})))).details).toMatchObject({ key: undefined, largest: [] })
  })
})

describe('a record', () => {
  it('fits when it is as long as is allowed, and not when it is one byte longer, whatever it holds', () => {
    const lifetimes = fc.option(fc.record({ maxAge: fc.nat(), persistent: fc.boolean() }), { nil: undefined })
    const data = fc.dictionary(fc.string({ unit: 'binary', maxLength: 5 }), values, { maxKeys: 5 })
    fc.assert(fc.property(data, data, lifetimes, (data, flash, lifetime) => {
      const record = { ...recordWith(data, flash), ...lifetime && { lifetime } }
      const bytes = recordBytes(record)
      expect(() => assertRecordFits(record, bytes, EMPTY_RECORD)).not.toThrow()
      // Nothing is there to be made smaller.
      if (bytes > recordBytes(EMPTY_RECORD))
        expect(() => assertRecordFits(record, bytes - 1, EMPTY_RECORD)).toThrow(/bytes/)
    }), { numRuns: 2000 })
  })
})

describe('a record of a size that is told without writing it', () => {
  const many = (count: number, value: unknown): unknown => Array.from({ length: count }, () => value)
  const keyed = (count: number, value: unknown): Record<string, unknown> => Object.fromEntries(Array.from({ length: count }, (_, n) => [`\u0001${n}`, value]))
  const KINDS: [what: string, data: Record<string, unknown>][] = [
    ['a text', { a: 'x'.repeat(5000) }],
    ['a text of control characters', { a: '\u0001'.repeat(1000) }],
    ['a text of three bytes a character', { a: '€'.repeat(2000) }],
    ['short texts', { a: many(1000, '\u0001') }],
    ['empty texts', { a: many(1000, '') }],
    ['numbers', { a: many(300, -1.234567890123456e-300) }],
    ['truth values and null', { a: [many(500, false), many(500, true), many(500, null)] }],
    ['nothing but null', { a: many(2000, null) }],
    ['empty keys', { a: many(1000, { '': {} }) }],
    ['empty lists', { a: many(2000, []) }],
    ['empty objects', { a: many(2000, {}) }],
    ['lists of lists', { a: many(100, many(10, [1])) }],
    ['keys', keyed(500, 1)],
    ['keys below keys', { a: many(30, keyed(20, { b: '\u0001' })) }],
  ]

  it.each(KINDS)('is refused when it is one byte too long, in data and messages: %s', (_, parts) => {
    for (const record of [recordWith(parts), recordWith({}, parts), recordWith(parts, parts)]) {
      expect(() => assertRecordFits(record, recordBytes(record), EMPTY_RECORD)).not.toThrow()
      expect(() => assertRecordFits(record, recordBytes(record) - 1, EMPTY_RECORD)).toThrow(/bytes/)
    }
  })

  it.each(KINDS)('is not written when it is far from the limit: %s', (_, parts) => {
    const record = { ...recordWith(parts, parts), lifetime: { maxAge: 5, persistent: false } }
    const stringify = vi.spyOn(JSON, 'stringify')
    onTestFinished(() => stringify.mockRestore())
    assertRecordFits(record, 1_000_000, EMPTY_RECORD)
    expect(stringify).not.toHaveBeenCalled()
  })
})

describe('the largest keys', () => {
  it('are three of the data and of the messages', () => {
    expect(largestKeys(recordWith({ a: 1, b: 'x'.repeat(20), c: null }, { d: 'x'.repeat(10), e: 'x'.repeat(30) }))).toEqual({
      largest: [{ key: 'e', bytes: 32 }, { key: 'b', bytes: 22 }, { key: 'd', bytes: 12 }],
      text: '`e` (32 bytes), `b` (22 bytes), `d` (12 bytes)',
    })
  })

  it('are named by 60 characters at most', () => {
    expect(largestKeys(recordWith({ ['k'.repeat(61)]: 1 })).largest).toEqual([{ key: 'k'.repeat(60), bytes: 1 }])
  })
})
