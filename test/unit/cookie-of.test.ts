import type { Slot, State } from '../../src/core/session/state'
import { describe, expect, it } from 'vitest'
import { Content } from '../../src/core/record/content'
import { NO_CHANGES, patchOf } from '../../src/core/record/patch'
import { cookieOf } from '../../src/core/session/cookie-of'
import { createDraft, createLive, UNREAD } from '../../src/core/session/state'
import { EMPTY_RECORD } from './support/records'

const RECORD = { ...EMPTY_RECORD, data: { user: 'ada' } }

type Parts = Parameters<typeof patchOf>[0]

function draft(parts: Parts = {}, mayBeEmpty = false): Slot {
  return createDraft('id', new Content(EMPTY_RECORD).with(patchOf(parts), true), { mayBeEmpty })
}

function live(parts?: Parts): Slot {
  const slot = createLive('id', RECORD, false)
  return parts ? { ...slot, content: slot.content.with(patchOf(parts), true) } : slot
}

const changed = (): Slot => live({ data: new Map([['user', 'bob']]) })
const cleared = (): Slot => live({ isCleared: true })

/** What becomes of the cookie, by whether the browser came with a session and whether the request ended it. */
function wordsFor(state: Partial<State>): string[] {
  return [{}, { hadSession: true }, { isDismissed: true }, { hadSession: true, isDismissed: true }].map(more => cookieOf({ ...UNREAD, ...state, ...more }).say)
}

const always = (word: string): string[] => [word, word, word, word]

describe('the cookie', () => {
  it.each<[what: string, make: () => Slot]>([
    ['a draft that took over data', () => createDraft('id', new Content(RECORD))],
    ['a draft with data', () => draft({ data: new Map([['a', 1]]) })],
    ['a draft with a message', () => draft({ flash: new Map([['a', 1]]) })],
    ['a draft that is kept without any', () => draft({}, true)],
    ['a session that the browser does not know of', live],
    ['a session that was changed', changed],
  ])('is set for %s, whatever happened before', (_, make) => {
    const slot = make()
    expect([wordsFor({ slot }), wordsFor({ slot, wasReplaced: true })]).toEqual([always('set'), always('set')])
    expect(cookieOf({ ...UNREAD, slot })).toEqual({ say: 'set', session: slot })
  })

  it('is set for a change of what the browser knows', () => {
    expect(wordsFor({ slot: changed(), known: RECORD })).toEqual(always('set'))
  })

  it('is not set for what the browser knows already', () => {
    expect(wordsFor({ slot: live(), known: RECORD })).toEqual(always('nothing'))
  })

  it('is set for another record that is the same', () => {
    expect(wordsFor({ slot: live(), known: { ...RECORD } })).toEqual(always('set'))
  })

  it.each<[what: string, make: () => Slot]>([
    ['no session', () => UNREAD.slot],
    ['a draft without data', draft],
    ['a session that was emptied', cleared],
  ])('is removed for %s where there was one, or the request ended it', (_, make) => {
    expect(wordsFor({ slot: make() })).toEqual(['nothing', 'remove', 'remove', 'remove'])
  })

  it('stays as it is where another request gave the browser a new one', () => {
    expect([wordsFor({ slot: UNREAD.slot, wasReplaced: true }), wordsFor({ slot: cleared(), wasReplaced: true })]).toEqual([always('nothing'), always('nothing')])
  })

  it('stays as it is for a session that was found ended', () => {
    expect(wordsFor({ slot: { kind: 'over', why: 'gone', unsaved: NO_CHANGES, shown: createDraft('id', new Content(RECORD)) } })).toEqual(always('nothing'))
  })
})
