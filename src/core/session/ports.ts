import type { Maybe } from '../maybe'
import type { RecordPatch } from '../record/patch'
import type { SessionRecord } from '../types'
import type { CookieWord } from './cookie-of'
import type { SessionEvents } from './events'
import type { FoundToken, TokenContent } from './found-token'
import type { Ended, Present, State } from './state'

/** Why no record was found. */
export type Missing = 'unknown' | 'corrupt' | 'replaced'

/** Makes a patch from the newest data. */
export type MakePatch = (data: unknown) => unknown

/** What a write came to. */
export interface Written {
  readonly record: SessionRecord
  /** False when storage held it already. */
  readonly isChanged: boolean
}

/** Where records are: in storage, or in the cookie itself. What fails rejects with `STORAGE_ERROR`. */
export interface Records {
  /** The record behind a cookie, expired ones too; otherwise why there is none. */
  load(token: TokenContent): Maybe<SessionRecord | Missing>
  /**
   * Applies changes to the newest record of a session and stores it, unless nothing changes. What is
   * left without data and messages is removed. The id that a draft replaces ends with it.
   *
   * @throws SessionError `CONFLICT_ERROR` when others were faster too many times
   */
  write(session: Present, changes: RecordPatch, makePatch?: MakePatch): Maybe<Written | Ended>
  /**
   * Removes the record of an id, unless what is there tells that the id was replaced.
   *
   * @param loaded the record that was loaded; without one it may be removed unread
   */
  remove(id: string, loaded?: SessionRecord): Maybe<Ended>
  /** True when this process replaced an id a moment ago. */
  wasReplaced(id: string): boolean
}

/** Our cookies in one request and its response. */
export interface Cookies {
  /** All cookies that verify, those first that the session is to be looked for by. */
  readonly tokens: readonly FoundToken[]
  /** The cookie of the session, as far as is known; `undefined` when none verifies. */
  tokenOf(state: State): FoundToken | undefined
  /** The ids of further cookies, behind which there may be sessions as well. */
  otherIds(state: State): string[]
  /** True when the browser has the cookie of an id: it came with the request, or goes out with the response. */
  isKnown(id: string): boolean
  /**
   * Says what becomes of the cookie, in place of what was said before.
   *
   * @param before the removal of another cookie, which goes out with whatever is said of ours
   * @throws SessionError `COOKIE_ERROR` when the cookie would be too big; what was said before stays
   */
  say(word: CookieWord, state: State, now: number, before: string | undefined): void
}

/** An old session as one of ours. */
export interface TakenOver {
  id: string
  record: SessionRecord
  /** False when another request with the same cookie was faster. */
  isFirst: boolean
  /** Sees to it that the old cookie is worth nothing any more, where that can be. */
  end(): Promise<void>
}

/** The cookie of another package in one request. */
export interface OldCookies {
  /** True when the request carries one that is not foreign. */
  readonly isCarried: boolean
  /** True when the request carries one under the name of our own cookie. */
  readonly isNamedAsOurs: boolean
  /** Removes one that has our name from where it is, where ours is elsewhere and so does not replace it. */
  readonly removalBesideOurs: string | undefined
  /** Takes over the session of the first cookie that has one. */
  take(events: Pick<SessionEvents, 'tellRejected'>): Promise<TakenOver | undefined>
  /** Removes it from the browser, apart from one that is named as ours: that is for ours to replace or to remove. */
  expire(): void
}
