import type { RecordPatch } from '../../src/core/record/patch'
import type { Present, Slot, State } from '../../src/core/session/state'
import type { SessionLifetime, SessionRecord } from '../../src/core/types'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SessionError } from '../../src/core/errors'
import { Content } from '../../src/core/record/content'
import { mergePatches, NO_CHANGES, patchOf, ReadMessage } from '../../src/core/record/patch'
import { createRecord } from '../../src/core/record/record'
import { aborted, begun, changed, createDraft, createLive, dismissed, emptied, ended, isPersisted, keeps, presentIn, refreshed, removed, stillDraft, stored, UNREAD, unsavedOf, writing } from '../../src/core/session/state'
import { EMPTY_RECORD } from './support/records'

const LIMITS = { maxAge: 1000, idleTimeout: 0 }

const values = fc.dictionary(fc.constantFrom('a', 'b'), fc.nat(3), { maxKeys: 2 })
const lifetimes = fc.constantFrom<SessionLifetime | undefined>(undefined, { maxAge: 5 }, { persistent: false }, { persistent: true })

const records: fc.Arbitrary<SessionRecord> = fc.record({ data: values, flash: values, lifetime: lifetimes, now: fc.nat(5) })
  .map(({ data, flash, lifetime, now }) => ({ ...createRecord(now, LIMITS, lifetime), data, flash }))

const entries = (changes: fc.Arbitrary<unknown>): fc.Arbitrary<Map<string, unknown>> => fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), changes), { maxLength: 2 }).map(pairs => new Map(pairs))
const change = fc.option(fc.nat(3), { nil: undefined })

const patches: fc.Arbitrary<RecordPatch> = fc.oneof(
  fc.constant(NO_CHANGES),
  fc.record({ isCleared: fc.boolean(), data: entries(change), flash: entries(fc.oneof(change, fc.nat(3).map(message => new ReadMessage(message)))), lifetime: lifetimes, isTouched: fc.boolean() }).map(patchOf),
)

const presents: fc.Arbitrary<Present> = fc.record({
  kind: fc.constantFrom('draft' as const, 'live' as const),
  id: fc.constantFrom('id', 'other'),
  content: fc.tuple(records, patches).map(([record, patch]) => patch === NO_CHANGES ? new Content(record) : new Content(record).with(patch, true)),
  newer: fc.option(patches, { nil: undefined }),
  mayBeEmpty: fc.boolean(),
  mayBeStored: fc.boolean(),
  isAnnounced: fc.boolean(),
  replaces: fc.constantFrom(undefined, { id: 'old', succeed: (record: SessionRecord) => record }),
})

const ends = fc.constantFrom('gone' as const, 'replaced' as const)

const slots: fc.Arbitrary<Slot> = fc.oneof(
  fc.constant(UNREAD.slot),
  presents,
  fc.record({ why: ends, unsaved: patches, shown: presents }).map(over => ({ kind: 'over' as const, ...over })),
)

const tokens = fc.record({ text: fc.string(), content: fc.record({ id: fc.string() }), isOutdated: fc.boolean() })
const removals = fc.array(fc.record({ id: fc.constantFrom('a', 'b', 'c'), loaded: fc.option(records, { nil: undefined }) }), { maxLength: 4 })

const states: fc.Arbitrary<State> = fc.record({
  slot: slots,
  isLoaded: fc.boolean(),
  era: fc.nat(9),
  arrived: fc.option(records, { nil: undefined }),
  hadSession: fc.boolean(),
  known: fc.option(records, { nil: undefined }),
  token: fc.option(tokens, { nil: undefined }),
  dead: fc.array(tokens, { maxLength: 2 }),
  isMigrated: fc.boolean(),
  isOldCookieOver: fc.boolean(),
  isDismissed: fc.boolean(),
  wasReplaced: fc.boolean(),
  removals,
  renewed: fc.array(fc.string(), { maxLength: 2 }),
  failure: fc.constantFrom(undefined, new SessionError('STORAGE_ERROR', 'away')),
}).map(state => Object.freeze({ ...state, slot: Object.freeze(state.slot) }))

/** Record, data and messages of a session, and what is changed of it: as storage, the handle and the next write see them. */
function shownBy(content: Content): unknown {
  return [content.base, content.changes, content.data, content.flash, content.isEmpty]
}

function presentOf(state: State): Present {
  return presentIn(state) ?? expect.fail('no session')
}

it('nothing is known before a session is loaded', () => {
  expect(UNREAD).toEqual({
    slot: { kind: 'none' },
    isLoaded: false,
    era: 0,
    arrived: undefined,
    hadSession: false,
    known: undefined,
    token: undefined,
    dead: [],
    isMigrated: false,
    isOldCookieOver: false,
    isDismissed: false,
    wasReplaced: false,
    removals: [],
    renewed: [],
    failure: undefined,
  })
})

describe('a look at a state', () => {
  it('finds the session that there is', () => {
    fc.assert(fc.property(states, (state) => {
      expect(presentIn(state)).toBe(['draft', 'live'].includes(state.slot.kind) ? state.slot : undefined)
    }))
  })

  it('tells whether there is anything to keep', () => {
    fc.assert(fc.property(presents, records, (slot, record) => {
      const holds = (part: object): boolean => Object.keys(part).length > 0
      expect(isPersisted(slot)).toBe(slot.mayBeEmpty || holds(slot.content.data) || holds(slot.content.flash))
      expect(keeps(slot, record)).toBe(slot.mayBeEmpty || holds(record.data) || holds(record.flash))
    }))
  })

  it('finds what was not stored: all changes, or those since the write under way began', () => {
    fc.assert(fc.property(presents, (slot) => {
      expect(unsavedOf(slot)).toBe(slot.newer === undefined ? slot.content.changes : slot.newer)
    }))
  })
})

describe('a new session', () => {
  const replaces = { id: 'old', succeed: (record: SessionRecord) => record }
  const draft = { kind: 'draft', id: 'id', newer: undefined, mayBeEmpty: false, mayBeStored: false, isAnnounced: false, replaces: undefined }

  it.each<[what: string, options: Parameters<typeof createDraft>[2], expected: object]>([
    ['by default', undefined, {}],
    ['that is kept without data', { mayBeEmpty: true }, { mayBeEmpty: true }],
    ['whose beginning was told', { isAnnounced: true }, { isAnnounced: true }],
    ['that follows on another, which is no beginning', { replaces }, { replaces, isAnnounced: true }],
    ['that follows on another and was told', { replaces, isAnnounced: true }, { replaces, isAnnounced: true }],
  ])('is a draft that storage does not hold: %s', (_, options, expected) => {
    const content = new Content(EMPTY_RECORD)
    expect(createDraft('id', content, options)).toStrictEqual({ ...draft, content, ...expected })
  })

  it.each([false, true])('is live and nothing new when it was loaded, kept without data: %s', (mayBeEmpty) => {
    const live = createLive('id', EMPTY_RECORD, mayBeEmpty)
    expect(live).toStrictEqual({ ...draft, kind: 'live', content: new Content(EMPTY_RECORD), mayBeEmpty, mayBeStored: true, isAnnounced: true })
    expect(live.content.base).toBe(EMPTY_RECORD)
  })

  it('takes the place of what was there', () => {
    fc.assert(fc.property(states, presents, (state, slot) => {
      expect(begun(state, slot)).toStrictEqual({ ...state, slot })
    }))
  })
})

describe('a change', () => {
  it('is shown, and counted among those since the write began where one is under way', () => {
    fc.assert(fc.property(states, presents, patches, (state, slot, patch) => {
      const content = slot.content.with(patch, true)
      const next = changed(state, slot, patch, content)
      expect(next).toStrictEqual({ ...state, slot: { ...slot, content, newer: slot.newer === undefined ? undefined : mergePatches(slot.newer, patch) } })
      expect(presentOf(next).content).toBe(content)
    }))
  })
})

describe('a write', () => {
  it('begins with all changes, so there are none that are newer; from then on storage may hold the session', () => {
    fc.assert(fc.property(states, presents, (state, slot) => {
      const next = writing(state, slot)
      expect(next).toStrictEqual({ ...state, slot: { ...slot, newer: NO_CHANGES, mayBeStored: true } })
      expect(presentOf(next).newer).toBe(NO_CHANGES)
    }))
  })

  it('that failed leaves its changes to the next', () => {
    fc.assert(fc.property(states, presents, (state, slot) => {
      expect(aborted(state, slot)).toStrictEqual({ ...state, slot: { ...slot, newer: undefined } })
    }))
  })

  it('that ended leaves a live session of what was stored, with what was changed since on top', () => {
    fc.assert(fc.property(states, presents, records, fc.boolean(), (state, slot, record, areBytesCounted) => {
      const next = stored(state, slot, record, areBytesCounted)
      const expected = new Content(record, unsavedOf(slot))
      expect(next).toStrictEqual({ ...state, slot: { ...slot, kind: 'live', content: expected, newer: undefined, replaces: undefined } })
      expect(shownBy(presentOf(next).content)).toEqual(shownBy(expected))
      expect(presentOf(next).content.base).toBe(record)
    }))
  })

  it('of a draft that holds nothing leaves a draft', () => {
    fc.assert(fc.property(states, presents, records, fc.boolean(), (state, slot, record, areBytesCounted) => {
      const next = stillDraft(state, slot, record, areBytesCounted)
      const expected = new Content(record, unsavedOf(slot))
      expect(next).toStrictEqual({ ...state, slot: { ...slot, content: expected, newer: undefined } })
      expect(shownBy(presentOf(next).content)).toEqual(shownBy(expected))
    }))
  })

  it('that emptied the session leaves none', () => {
    fc.assert(fc.property(states, (state) => {
      expect(emptied(state)).toStrictEqual({ ...state, slot: { kind: 'none' } })
    }))
  })
})

describe('what another request stored', () => {
  /** The record of a slot, ending as it does or elsewhere. */
  const pairs = fc.tuple(presents, records, fc.constantFrom('same', 'another end', 'another kind of cookie', 'neither')).map(([slot, other, how]) => {
    const { expiresAt, lifetime } = slot.content.base
    const isEnd = how === 'another end' || how === 'neither'
    const isKind = how === 'another kind of cookie' || how === 'neither'
    const record: SessionRecord = { ...other, expiresAt: expiresAt + Number(isEnd) }
    delete record.lifetime
    const persistent = isKind ? !lifetime?.persistent : lifetime?.persistent
    if (persistent !== undefined)
      record.lifetime = { persistent }
    return { slot, record, isSame: how === 'same' }
  })

  it('is gone on from; the cookie need not speak of it, unless it ends at another time or did not speak of the one before', () => {
    fc.assert(fc.property(states, pairs, fc.boolean(), fc.boolean(), (state, { slot, record, isSame }, wasKnown, areBytesCounted) => {
      const before = wasKnown ? { ...state, known: slot.content.base } : state
      const next = refreshed(before, slot, record, areBytesCounted)
      expect(next).toStrictEqual({ ...stored(before, slot, record, areBytesCounted), known: isSame && wasKnown ? record : before.known })
      expect(next.known).toBe(isSame && wasKnown ? record : before.known)
    }))
  })
})

describe('an end', () => {
  it('that the request asked for begins an era, and leaves no session, here or in another package', () => {
    fc.assert(fc.property(states, removals, fc.boolean(), (state, more, hadSession) => {
      expect(dismissed(state, more, hadSession)).toStrictEqual({
        ...state,
        slot: { kind: 'none' },
        isLoaded: true,
        isDismissed: true,
        isOldCookieOver: true,
        hadSession,
        era: state.era + 1,
        removals: [...state.removals, ...more],
      })
    }))
  })

  it('that was found begins an era, keeps what was not stored, and remembers that another request gave a new id', () => {
    fc.assert(fc.property(states, ends, patches, presents, (state, why, unsaved, shown) => {
      expect(ended(state, why, unsaved, shown)).toStrictEqual({
        ...state,
        slot: { kind: 'over', why, unsaved, shown },
        era: state.era + 1,
        wasReplaced: state.wasReplaced || why === 'replaced',
      })
    }))
  })

  it('is complete for a record that was removed', () => {
    fc.assert(fc.property(states, fc.constantFrom('a', 'b', 'x'), (state, id) => {
      expect(removed(state, id)).toStrictEqual({ ...state, removals: state.removals.filter(removal => removal.id !== id) })
    }))
  })
})
