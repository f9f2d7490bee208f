import type { RecordPatch } from '../../src/core/record/patch'
import type { SessionLifetime, SessionRecord } from '../../src/core/types'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SessionError } from '../../src/core/errors'
import { Content } from '../../src/core/record/content'
import { mergePatches, NO_CHANGES, patchOf, ReadMessage } from '../../src/core/record/patch'
import { applyPatch, createRecord } from '../../src/core/record/record'
import { recordBytes } from '../../src/core/record/size'
import { EMPTY_RECORD } from './support/records'

const LIMITS = { maxAge: 1000, idleTimeout: 100 }
const NOW = 1_000_000
const KEYS = ['a', 'ä', '__proto__', 'constructor']

const values = fc.constantFrom<unknown>(null, 0, '', 'ß€💥', [1, '"'], { a: { b: 1 } })
const maps = (changes: fc.Arbitrary<unknown>): fc.Arbitrary<Map<string, unknown>> => fc.array(fc.tuple(fc.constantFrom(...KEYS), changes), { maxLength: 4 }).map(entries => new Map(entries))
const objects = maps(values).map(entries => Object.fromEntries(entries))
const lifetimes = fc.constantFrom<SessionLifetime | undefined>(undefined, { maxAge: 5 }, { persistent: false })

const records: fc.Arbitrary<SessionRecord> = fc.record({ data: objects, flash: objects, lifetime: lifetimes, revision: fc.constantFrom(undefined, 'r') }).map(({ data, flash, lifetime, revision }) => ({
  ...createRecord(NOW, LIMITS, lifetime),
  data,
  flash,
  ...(revision && { revision }),
}))

const change = fc.option(values, { nil: undefined })
const writes = fc.record({ isCleared: fc.boolean(), data: maps(change), flash: maps(change), lifetime: lifetimes, isTouched: fc.boolean() }).map(patchOf)

/** A change of a session: it writes, and it reads the messages under some keys. */
interface Change {
  writes: RecordPatch
  reads: string[]
}

const changes: fc.Arbitrary<Change> = fc.record({ writes, reads: fc.subarray(KEYS) })

/** The patch of a change: it reads the messages that are there. */
function patchFor(content: Content, { writes, reads }: Change): RecordPatch {
  const read = reads.filter(key => content.getMessage(key) !== undefined).map((key): [string, unknown] => [key, new ReadMessage(content.getMessage(key))])
  return read.length > 0 ? { ...writes, isCleared: false, flash: new Map([...writes.flash, ...read]) } : writes
}

/** What is looked at between two changes, and so is there when the next one comes. */
const LOOKS: Record<string, (content: Content) => unknown> = {
  nothing: () => undefined,
  data: content => content.data,
  emptiness: content => content.isEmpty,
  record: content => content.record(NOW, LIMITS),
}

const looks = fc.constantFrom(...Object.values(LOOKS))

/** A record, and changes that are made of it one after the other. */
const stories = fc.tuple(records, fc.array(fc.tuple(looks, changes), { maxLength: 5 }))

interface Told {
  content: Content
  /** What all changes make of the record. */
  expected: SessionRecord
  patches: RecordPatch[]
}

function tell([record, changes]: [SessionRecord, [look: (content: Content) => unknown, change: Change][]], areBytesCounted = true): Told {
  const told: Told = { content: new Content(record), expected: record, patches: [] }
  for (const [look, change] of changes) {
    look(told.content)
    const patch = patchFor(told.content, change)
    told.content = told.content.with(patch, areBytesCounted)
    told.expected = applyPatch(told.expected, patch, NOW, LIMITS)
    told.patches.push(patch)
  }
  return told
}

describe('a record with changes on top', () => {
  it('shows what all of them make of it, whatever was looked at between', () => {
    fc.assert(fc.property(stories, fc.boolean(), (story, areBytesCounted) => {
      const { content, expected } = tell(story, areBytesCounted)
      expect(content.isEmpty).toBe(Object.keys(expected.data).length + Object.keys(expected.flash).length === 0)
      expect([content.data, content.flash]).toEqual([expected.data, expected.flash])
    }), { numRuns: 500 })
  })

  it('shows the same under each key', () => {
    const valueOf = (values: object, key: string): unknown => Object.getOwnPropertyDescriptor(values, key)?.value
    fc.assert(fc.property(stories, (story) => {
      const { content, expected: { data, flash } } = tell(story)
      for (const key of [...KEYS, 'toString'])
        expect([content.get(key), content.getMessage(key)]).toEqual([valueOf(data, key), valueOf(flash, key)])
    }), { numRuns: 300 })
  })

  it('is the record that is going to be stored', () => {
    fc.assert(fc.property(stories, (story) => {
      const { content, expected } = tell(story)
      expect(content.record(NOW, LIMITS)).toEqual(expected)
      expect(content.outline(NOW, LIMITS)).toEqual(content.changes === NO_CHANGES ? expected : { ...expected, data: {}, flash: {} })
    }))
  })

  it('knows what was changed of which record', () => {
    fc.assert(fc.property(stories, (story) => {
      const { content, patches } = tell(story)
      const { data, flash, ...rest } = patches.reduce(mergePatches, NO_CHANGES)
      expect(content.base).toBe(story[0])
      expect({ ...content.changes, data: [...content.changes.data], flash: [...content.changes.flash] }).toEqual({ ...rest, data: [...data], flash: [...flash] })
    }))
  })

  it('shows what they make of another record, which another request stored', () => {
    fc.assert(fc.property(stories, records, (story, record) => {
      const { changes } = tell(story).content
      const content = new Content(record, changes)
      const expected = applyPatch(record, changes, NOW, LIMITS)
      expect(KEYS.map(key => content.getMessage(key))).toEqual(KEYS.map(key => Object.getOwnPropertyDescriptor(expected.flash, key)?.value))
      expect([content.data, content.flash, content.isEmpty]).toEqual([expected.data, expected.flash, Object.keys(expected.data).length + Object.keys(expected.flash).length === 0])
    }), { numRuns: 300 })
  })

  it('is put together once', () => {
    fc.assert(fc.property(stories, (story) => {
      const { content } = tell(story)
      const { data, flash } = content
      expect([content.data === data, content.flash === flash]).toEqual([true, true])
    }))
  })

  it('stays as it is when others are made of it', () => {
    fc.assert(fc.property(stories, changes, looks, (story, change, look) => {
      const { content, expected } = tell(story)
      const patch = patchFor(content, change)
      look(content)
      look(content.with(patch, true))
      look(content.with(patch, true).with(patch, true))
      expect([content.data, content.flash]).toEqual([expected.data, expected.flash])
    }))
  })
})

describe('the record that is going to be stored', () => {
  const record = { ...EMPTY_RECORD, data: { a: 1 }, flash: { b: 1 } }

  it('is the stored one while nothing was changed', () => {
    const content = new Content(record)
    expect([content.record(NOW + 5000, LIMITS) === record, content.outline(NOW + 5000, LIMITS) === record]).toEqual([true, true])
  })

  it('is made once a second, so that a long request is seen until its end', () => {
    const content = new Content(record).with(patchOf({ isTouched: true }), true)
    const [first, soon, later] = [0, 999, 1000].map(ms => content.record(NOW + 50_000 + ms, LIMITS))
    expect([first, later].map(made => made?.lastSeenAt)).toEqual([NOW + 50_000, NOW + 51_000])
    expect(soon).toBe(first)
  })
})

describe('the size of a record', () => {
  /** Whether it fits, and what the error says otherwise. */
  function problemOf(content: Content, before: Content, maxBytes: number): SessionError | undefined {
    try {
      content.assertFits(before, maxBytes, NOW, LIMITS)
      return undefined
    }
    catch (error) {
      return error instanceof SessionError ? error : expect.fail(String(error))
    }
  }

  it('is what it takes as JSON, whatever was changed and looked at', () => {
    const smallest = new Content(EMPTY_RECORD)
    fc.assert(fc.property(stories, (story) => {
      const { content, expected } = tell(story)
      const bytes = recordBytes(expected)
      expect([bytes - 1, bytes].map(maxBytes => problemOf(content, smallest, maxBytes)?.code)).toEqual(['INVALID_VALUE', undefined])
    }), { numRuns: 500 })
  })

  it.each<[what: string, data: object, flash: object]>([
    ['data', { a: 'x'.repeat(2000) }, {}],
    ['messages', {}, { a: 'x'.repeat(2000) }],
    ['both', { a: 'x'.repeat(2000) }, { a: 'x'.repeat(2000) }],
  ])('is that of long %s, too', (_, data, flash) => {
    const content = new Content(EMPTY_RECORD).with(patchOf({ data: new Map(Object.entries(data)), flash: new Map(Object.entries(flash)) }), true)
    const bytes = recordBytes(content.record(NOW, LIMITS))
    expect([bytes - 1, bytes].map(maxBytes => problemOf(content, new Content(EMPTY_RECORD), maxBytes)?.code)).toEqual(['INVALID_VALUE', undefined])
  })

  it('may be too big where it was as big before, and may not grow', () => {
    fc.assert(fc.property(stories, changes, looks, (story, change, look) => {
      const { content: before, expected: recordBefore } = tell(story)
      const patch = patchFor(before, change)
      look(before)
      const after = before.with(patch, true)
      const isBigger = recordBytes(applyPatch(recordBefore, patch, NOW, LIMITS)) > recordBytes(recordBefore)
      expect(problemOf(after, before, 10)?.code).toBe(isBigger ? 'INVALID_VALUE' : undefined)
    }), { numRuns: 300 })
  })

  it('is told with the limit and the largest keys', () => {
    const content = new Content({ ...createRecord(NOW, LIMITS), data: { big: 'x'.repeat(500) } })
    const size = recordBytes(content.base)
    const problem = problemOf(content, new Content(createRecord(NOW, LIMITS)), 100)
    expect(problem?.details).toEqual({ key: 'big', size, limit: 100, largest: [{ key: 'big', bytes: 502 }] })
  })
})
