import type { RecordPatch } from '../../src/core/record/patch'
import type { SessionLifetime, SessionRecord } from '../../src/core/types'
import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { isNothing, isOnlyTouch, isPassive, mergePatches, NO_CHANGES, patchOf, patchValue, ReadMessage } from '../../src/core/record/patch'
import { applyPatch, createRecord } from '../../src/core/record/record'

const LIMITS = { maxAge: 1000, idleTimeout: 100 }

const keys = fc.constantFrom('a', 'b', '__proto__', 'constructor')
const values = fc.constantFrom<unknown>(null, 0, 'x', [1], { a: 1 })
const maps = (changes: fc.Arbitrary<unknown>): fc.Arbitrary<Map<string, unknown>> => fc.array(fc.tuple(keys, changes), { maxLength: 4 }).map(entries => new Map(entries))
const change = fc.option(values, { nil: undefined })
const lifetimes = fc.constantFrom<SessionLifetime | undefined>(undefined, { maxAge: 5 }, { idleTimeout: 3 }, { persistent: false }, { maxAge: 7, persistent: true })

function patchesOf(flash: fc.Arbitrary<unknown>): fc.Arbitrary<RecordPatch> {
  return fc.record({ isCleared: fc.boolean(), data: maps(change), flash: maps(flash), lifetime: lifetimes, isTouched: fc.boolean() }).map(patchOf)
}

/** What sets and removes. */
const writes = patchesOf(change)
const records = writes.map(patch => applyPatch(createRecord(0, LIMITS), { ...patch, isCleared: false }, 1, LIMITS))

/** A patch that reads messages as the record has them, beside what it writes. */
function readsOf(record: SessionRecord): fc.Arbitrary<RecordPatch> {
  return fc.tuple(writes, fc.subarray(Object.keys(record.flash))).map(([patch, read]) => {
    return { ...patch, isCleared: false, flash: new Map([...patch.flash, ...read.map((key): [string, unknown] => [key, new ReadMessage(record.flash[key])])]) }
  })
}

/** Every part, so that all differences show. */
function parts({ isCleared, data, flash, lifetime, isTouched }: RecordPatch): unknown {
  return { isCleared, data: [...data], flash: [...flash], lifetime, isTouched }
}

describe('a patch', () => {
  it('of no parts changes nothing', () => {
    expect(parts(patchOf({}))).toEqual({ isCleared: false, data: [], flash: [], lifetime: undefined, isTouched: false })
    expect(parts(NO_CHANGES)).toEqual(parts(patchOf({})))
  })

  it('has the parts that it was given', () => {
    fc.assert(fc.property(writes, (patch) => {
      expect(patchOf(patch)).toStrictEqual({ ...patch })
    }))
  })
})

describe('two patches in one', () => {
  it('do what both do one after the other', () => {
    fc.assert(fc.property(records, writes, writes, (record, first, second) => {
      expect(applyPatch(record, mergePatches(first, second), 2, LIMITS)).toEqual(applyPatch(applyPatch(record, first, 2, LIMITS), second, 2, LIMITS))
    }), { numRuns: 1000 })
  })

  it('do so when the first one reads messages', () => {
    fc.assert(fc.property(records.chain(record => fc.tuple(fc.constant(record), readsOf(record), writes)), ([record, first, second]) => {
      expect(applyPatch(record, mergePatches(first, second), 2, LIMITS)).toEqual(applyPatch(applyPatch(record, first, 2, LIMITS), second, 2, LIMITS))
    }), { numRuns: 500 })
  })

  it('do so when the second one reads messages, whether they were there or the first one wrote them', () => {
    const all = fc.tuple(records, writes).chain(([record, first]) => {
      const after = applyPatch(record, first, 2, LIMITS)
      return fc.tuple(fc.constant(record), fc.constant(first), readsOf(after))
    })
    fc.assert(fc.property(all, ([record, first, second]) => {
      expect(applyPatch(record, mergePatches(first, second), 2, LIMITS)).toEqual(applyPatch(applyPatch(record, first, 2, LIMITS), second, 2, LIMITS))
    }), { numRuns: 500 })
  })

  it('leave no message behind that one wrote and the other read, whatever another request wrote under its key', () => {
    const merged = mergePatches(patchOf({ flash: new Map([['a', 1], ['b', 1]]) }), patchOf({ flash: new Map<string, unknown>([['a', new ReadMessage(1)], ['c', new ReadMessage(1)]]) }))
    const record = { ...createRecord(0, LIMITS), flash: { a: 'newer', c: 'newer' } }
    expect(applyPatch(record, merged, 1, LIMITS).flash).toEqual({ b: 1, c: 'newer' })
  })

  it('leave a message that is newer than the one that both have read', () => {
    const read = patchOf({ flash: new Map([['a', new ReadMessage(1)]]) })
    const flashes = [1, 2].map(a => applyPatch({ ...createRecord(0, LIMITS), flash: { a } }, mergePatches(read, read), 1, LIMITS).flash)
    expect(flashes).toEqual([{}, { a: 2 }])
  })

  it('are the other one when one changes nothing', () => {
    fc.assert(fc.property(writes, (patch) => {
      expect(mergePatches(NO_CHANGES, patch)).toBe(patch)
      expect(mergePatches(patch, NO_CHANGES)).toBe(patch)
    }))
  })

  it('touch, and clear, when one of them does', () => {
    const flags = [false, true].flatMap(first => [false, true].map(second => [first, second] as const))
    expect(flags.map(([first, second]) => mergePatches(patchOf({ isTouched: first }), patchOf({ isTouched: second })).isTouched)).toEqual([false, true, true, true])
    expect(flags.map(([first, second]) => mergePatches(patchOf({ isCleared: first }), patchOf({ isCleared: second })).isCleared)).toEqual([false, true, true, true])
  })

  it('share what only one of them has, so that nothing is copied', () => {
    const [full, none] = [patchOf({ data: new Map([['a', 1]]), flash: new Map([['b', 1]]) }), patchOf({ isTouched: true })]
    for (const merged of [mergePatches(full, none), mergePatches(none, full)])
      expect([merged.data === full.data, merged.flash === full.flash]).toEqual([true, true])
  })

  it('leave both as they were', () => {
    fc.assert(fc.property(writes, writes, writes, (first, second, third) => {
      const before = [first, second, third].map(parts)
      const merged = mergePatches(first, second)
      const then = parts(merged)
      mergePatches(merged, third)
      mergePatches(third, merged)
      expect([[first, second, third].map(parts), parts(merged)]).toEqual([before, then])
    }))
  })

  it('are copied once, however many follow', () => {
    const change = (key: string): RecordPatch => patchOf({ data: new Map([[key, 1]]), flash: new Map([[key, 1]]) })
    const two = mergePatches(change('a'), change('b'))
    const copies = [two.data, two.flash].map(map => vi.spyOn(map as Map<string, unknown>, Symbol.iterator))
    const three = mergePatches(two, change('c'))
    expect(copies.map(copy => copy.mock.calls.length)).toEqual([0, 0])
    expect([three.data, three.flash].map(map => [...map])).toEqual([['a', 'b', 'c'], ['a', 'b', 'c']].map(keys => keys.map(key => [key, 1])))
  })
})

describe('what a patch is', () => {
  const read = new ReadMessage('x')
  const flash = (...changes: unknown[]): Partial<RecordPatch> => ({ flash: new Map(changes.map((change, index) => [`key${index}`, change])) })

  it.each<[what: string, parts: Partial<RecordPatch>, is: { passive: boolean, onlyTouch: boolean, nothing: boolean }]>([
    ['nothing', {}, { passive: true, onlyTouch: false, nothing: true }],
    ['a touch', { isTouched: true }, { passive: true, onlyTouch: true, nothing: false }],
    ['a message that was read', flash(read), { passive: true, onlyTouch: false, nothing: false }],
    ['messages that were read and removed', flash(undefined, read), { passive: true, onlyTouch: false, nothing: false }],
    ['a touch with a message that was read', { ...flash(read), isTouched: true }, { passive: true, onlyTouch: false, nothing: false }],
    ['a message', flash(null), { passive: false, onlyTouch: false, nothing: false }],
    ['a message and one that was read', flash('x', read), { passive: false, onlyTouch: false, nothing: false }],
    ['a touch with a message', { ...flash('x'), isTouched: true }, { passive: false, onlyTouch: false, nothing: false }],
    ['a value', { data: new Map([['a', 1]]) }, { passive: false, onlyTouch: false, nothing: false }],
    ['a removal', { data: new Map([['a', undefined]]) }, { passive: false, onlyTouch: false, nothing: false }],
    ['a touch with a value', { data: new Map([['a', 1]]), isTouched: true }, { passive: false, onlyTouch: false, nothing: false }],
    ['a lifetime', { lifetime: { maxAge: 1 } }, { passive: false, onlyTouch: false, nothing: false }],
    ['a touch with a lifetime', { lifetime: { maxAge: 1 }, isTouched: true }, { passive: false, onlyTouch: false, nothing: false }],
    ['the removal of all', { isCleared: true }, { passive: false, onlyTouch: false, nothing: false }],
    ['a touch with the removal of all', { isCleared: true, isTouched: true }, { passive: false, onlyTouch: false, nothing: false }],
  ])('%s', (_, parts, is) => {
    const patch = patchOf(parts)
    expect({ passive: isPassive(patch), onlyTouch: isOnlyTouch(patch), nothing: isNothing(patch) }).toEqual(is)
  })
})

describe('what a change makes of a value', () => {
  it.each<[what: string, value: unknown, change: unknown, after: unknown]>([
    ['is the change', 1, 2, 2],
    ['is null, which is a value', 1, null, null],
    ['is nothing when it is removed', 1, undefined, undefined],
    ['is the change where nothing was', undefined, 2, 2],
    ['is nothing when it was read', { a: 1 }, new ReadMessage({ a: 1 }), undefined],
    ['is the same when another one was read', { a: 1 }, new ReadMessage({ a: 2 }), { a: 1 }],
    ['is nothing where nothing was, and another was read', undefined, new ReadMessage(1), undefined],
  ])('%s', (_, value, change, after) => {
    expect(patchValue(value, change)).toEqual(after)
  })
})
