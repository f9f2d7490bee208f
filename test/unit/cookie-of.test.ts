import type { Slot, State } from '../../src/core/session/state'
import { describe, expect, it } from 'vitest'
import { Content } from '../../src/core/record/content'
import { NO_CHANGES, patchOf } from '../../src/core/record/patch'
import { createRecord } from '../../src/core/record/record'
import { cookieOf } from '../../src/core/session/cookie-of'
import { createDraft, createLive, UNREAD } from '../../src/core/session/state'

const EMPTY = createRecord(0, { maxAge: 1000, idleTimeout: 0 })
const RECORD = { ...EMPTY, data: { user: 'ada' } }
const EMPTIED = new Content(RECORD).with(patchOf({ isCleared: true }), true)
const CHANGED = new Content(RECORD).with(patchOf({ data: new Map([['user', 'bob']]) }), true)
const LIVE = createLive('id', RECORD, false)
const OVER: Slot = { kind: 'over', why: 'gone', unsaved: NO_CHANGES, shown: createDraft('id', new Content(EMPTY)) }

/** What becomes of the cookie, by whether the browser came with a session and whether the request ended it. */
function wordsFor(state: Partial<State>): string[] {
  return [{}, { hadSession: true }, { isDismissed: true }, { hadSession: true, isDismissed: true }].map(more => cookieOf({ ...UNREAD, ...state, ...more }).say)
}

const always = (word: string): string[] => [word, word, word, word]

describe('the cookie', () => {
  it.each<[what: string, slot: Slot]>([
    ['a draft with data', createDraft('id', new Content(RECORD))],
    ['a draft with changes', createDraft('id', new Content(EMPTY).with(patchOf({ data: new Map([['a', 1]]) }), true))],
    ['a draft with a message', createDraft('id', new Content(EMPTY).with(patchOf({ flash: new Map([['a', 1]]) }), true))],
    ['a draft that is kept without any', createDraft('id', new Content(EMPTY), { mayBeEmpty: true })],
    ['a session that the browser does not know of', LIVE],
    ['a session that was changed', { ...LIVE, content: CHANGED }],
  ])('is set for %s, whatever happened before', (_, slot) => {
    expect([wordsFor({ slot }), wordsFor({ slot, wasReplaced: true })]).toEqual([always('set'), always('set')])
    expect(cookieOf({ ...UNREAD, slot })).toEqual({ say: 'set', session: slot })
  })

  it('is set for a change of what the browser knows', () => {
    expect(wordsFor({ slot: { ...LIVE, content: CHANGED }, known: RECORD })).toEqual(always('set'))
  })

  it('is not set for what the browser knows already', () => {
    expect(wordsFor({ slot: LIVE, known: RECORD })).toEqual(always('nothing'))
  })

  it('is set for another record that is the same', () => {
    expect(wordsFor({ slot: LIVE, known: { ...RECORD } })).toEqual(always('set'))
  })

  it.each<[what: string, slot: Slot]>([
    ['no session', UNREAD.slot],
    ['a draft without data', createDraft('id', new Content(EMPTY))],
    ['a session that was emptied', { ...LIVE, content: EMPTIED }],
  ])('is removed for %s where there was one, or the request ended it', (_, slot) => {
    expect(wordsFor({ slot })).toEqual(['nothing', 'remove', 'remove', 'remove'])
  })

  it('stays as it is where another request gave the browser a new one', () => {
    expect([wordsFor({ slot: UNREAD.slot, wasReplaced: true }), wordsFor({ slot: { ...LIVE, content: EMPTIED }, wasReplaced: true })]).toEqual([always('nothing'), always('nothing')])
  })

  it('stays as it is for a session that was found ended', () => {
    expect(wordsFor({ slot: OVER })).toEqual(always('nothing'))
  })
})
