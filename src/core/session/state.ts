import type { RecordPatch } from '../record/patch'
import type { SessionError } from '../errors'
import type { SessionRecord } from '../types'
import type { FoundToken } from './found-token'
import { Content } from '../record/content'
import { mergePatches, NO_CHANGES } from '../record/patch'
import { isEmpty } from '../record/record'

/** Why a session ended: its record was removed or has expired, or `regenerate` gave it another id. */
export type Ended = 'gone' | 'replaced'

/** What a new session takes over from. */
export interface Replacement {
  readonly id: string
  /** Makes what the new session starts from of the newest record. Pure: it may be called again. */
  succeed(record: SessionRecord): SessionRecord
}

/** A session: a draft until storage holds it, then a live one. */
export interface Present {
  readonly kind: 'draft' | 'live'
  readonly id: string
  readonly content: Content
  /** What was changed since a write began; `undefined` while none is under way. */
  readonly newer: RecordPatch | undefined
  /** True for a session that is kept without data and messages. */
  readonly mayBeEmpty: boolean
  /** True once a write of it began: storage may hold it although the answer was lost. */
  readonly mayBeStored: boolean
  /** True when the beginning of the session was told, or is nothing new. */
  readonly isAnnounced: boolean
  /** What a draft takes over from when it is stored. */
  readonly replaces: Replacement | undefined
}

/** The session was found ended while the request ran: no change begins another. */
export interface Over {
  readonly kind: 'over'
  readonly why: Ended
  /** What was not stored of it. */
  readonly unsaved: RecordPatch
  /** What the handle shows from now on: a session without anything. */
  readonly shown: Present
}

export interface None {
  readonly kind: 'none'
}

export type Slot = None | Over | Present

/** A record that is to be removed, with what was loaded of it. */
export interface Removal {
  readonly id: string
  readonly loaded: SessionRecord | undefined
}

/**
 * All that changes of a session while a request runs. Immutable: each function of this file makes
 * another of it, and what the response says follows from it (`cookieOf`).
 *
 * | slot | event | next slot |
 * |---|---|---|
 * | none | `loaded`: found; a first use: `begun` | live; draft |
 * | draft, live | `changed`; `writing`, then `stored`, `emptied` or `aborted` | same; live, none or same |
 * | draft, live | `regenerate`: `begun` with what it replaces | draft |
 * | draft, live, none | `dismissed`: the request asked for the end | none |
 * | draft, live, none | `ended`: storage has it no more | over |
 * | over | `begun`: `regenerate` with a patch | draft |
 */
export interface State {
  readonly slot: Slot
  readonly isLoaded: boolean
  /** Grows with every end, ours or found: what was asked of an earlier session never touches a later one. */
  readonly era: number
  /** The record as it was loaded; missing also when a session was ended that was never loaded. */
  readonly arrived: SessionRecord | undefined
  /** True when there was a session to load. */
  readonly hadSession: boolean
  /** The record that the browser's cookie speaks of already. */
  readonly known: SessionRecord | undefined
  /** The cookie that the session was found by. */
  readonly token: FoundToken | undefined
  /** Cookies without a session, as far as storage was asked. */
  readonly dead: readonly FoundToken[]
  /** True when the session was that of another package until now. */
  readonly isMigrated: boolean
  /** True once the session behind the cookie of another package was taken over, or ended: where that has our name, it goes with whatever is said of ours. */
  readonly isOldCookieOver: boolean
  /** True when the request asked for the end of the session. */
  readonly isDismissed: boolean
  /** True when another request gave the session a new id, and its cookie to the browser. */
  readonly wasReplaced: boolean
  readonly removals: readonly Removal[]
  /** Ids that this request itself replaced. */
  readonly renewed: readonly string[]
  /** The last write that failed and that no later one made good. */
  readonly failure: SessionError | undefined
}

const NONE: None = { kind: 'none' }

export const UNREAD: State = {
  slot: NONE,
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
}

// --- Looking ---

/** The session, if there is one. */
export function presentIn({ slot }: State): Present | undefined {
  return slot.kind === 'draft' || slot.kind === 'live' ? slot : undefined
}

/** False when there is nothing to keep. */
export function isPersisted({ mayBeEmpty, content }: Present): boolean {
  return mayBeEmpty || !content.isEmpty
}

/** False for a record that is not stored, or no longer. */
export function keeps({ mayBeEmpty }: Present, record: SessionRecord): boolean {
  return mayBeEmpty || !isEmpty(record)
}

/** What was changed and is not being written. */
export function unsavedOf({ newer, content }: Present): RecordPatch {
  return newer ?? content.changes
}

// --- Beginning ---

/** A session that storage does not hold. */
export function createDraft(id: string, content: Content, { mayBeEmpty = false, isAnnounced = false, replaces }: Partial<Pick<Present, 'mayBeEmpty' | 'isAnnounced' | 'replaces'>> = {}): Present {
  return { kind: 'draft', id, content, newer: undefined, mayBeEmpty, mayBeStored: false, isAnnounced: isAnnounced || replaces !== undefined, replaces }
}

/** A session that storage holds. */
export function createLive(id: string, record: SessionRecord, mayBeEmpty: boolean): Present {
  return { kind: 'live', id, content: new Content(record), newer: undefined, mayBeEmpty, mayBeStored: true, isAnnounced: true, replaces: undefined }
}

/** A draft takes the place of what was there. */
export function begun(state: State, slot: Present): State {
  return { ...state, slot }
}

// --- Changing and storing ---

/** @param content what the patch made of the content of the slot */
export function changed(state: State, slot: Present, patch: RecordPatch, content: Content): State {
  const { newer } = slot
  return { ...state, slot: { ...slot, content, newer: newer && mergePatches(newer, patch) } }
}

/** A write of the session begins, with all of its changes. */
export function writing(state: State, slot: Present): State {
  return { ...state, slot: { ...slot, newer: NO_CHANGES, mayBeStored: true } }
}

/** The write under way failed: its changes wait for the next. */
export function aborted(state: State, slot: Present): State {
  return { ...state, slot: { ...slot, newer: undefined } }
}

/** Storage holds a record of the session; what was changed since stays on top. */
export function stored(state: State, slot: Present, record: SessionRecord, areBytesCounted: boolean): State {
  return { ...state, slot: { ...goingOn(slot, record, areBytesCounted), kind: 'live', replaces: undefined } }
}

/** Nothing was stored of a draft, for it holds nothing: a lifetime that was set waits for the first data. */
export function stillDraft(state: State, slot: Present, record: SessionRecord, areBytesCounted: boolean): State {
  return { ...state, slot: goingOn(slot, record, areBytesCounted) }
}

function goingOn(slot: Present, record: SessionRecord, areBytesCounted: boolean): Present {
  const content = new Content(record)
  const changes = unsavedOf(slot)
  return { ...slot, content: changes === NO_CHANGES ? content : content.with(changes, areBytesCounted), newer: undefined }
}

/** The session goes on from what another request stored: of that the cookie need not speak, unless it ends at another time. */
export function refreshed(state: State, slot: Present, record: SessionRecord, areBytesCounted: boolean): State {
  const next = stored(state, slot, record, areBytesCounted)
  const { base } = slot.content
  const isSame = record.expiresAt === base.expiresAt && record.lifetime?.persistent === base.lifetime?.persistent
  return isSame && base === state.known ? { ...next, known: record } : next
}

// --- Ending ---

/** The session was emptied and is gone. */
export function emptied(state: State): State {
  return { ...state, slot: NONE }
}

/** The request ended the session. Its records are to be removed. */
export function dismissed(state: State, removals: readonly Removal[], hadSession: boolean): State {
  return { ...state, slot: NONE, isLoaded: true, isDismissed: true, isOldCookieOver: true, hadSession, era: state.era + 1, removals: [...state.removals, ...removals] }
}

/** The session is gone from storage; nothing that is pending can be stored any more. */
export function ended(state: State, why: Ended, unsaved: RecordPatch, shown: Present): State {
  return { ...state, slot: { kind: 'over', why, unsaved, shown }, era: state.era + 1, wasReplaced: state.wasReplaced || why === 'replaced' }
}

/** A record was removed. */
export function removed(state: State, id: string): State {
  return { ...state, removals: state.removals.filter(removal => removal.id !== id) }
}
