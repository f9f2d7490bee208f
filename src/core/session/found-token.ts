import type { SessionRecord } from '../types'

/** What travels in the cookie: the id, and in cookie mode the whole session with it. */
export interface TokenContent {
  id: string
  record?: SessionRecord
  /** Beside a whole session: the scope that its cookie was set for, as a text; empty for that of most. */
  scope?: string
}

/** What a cookie is made of. */
export type NewTokenContent = TokenContent & { record: SessionRecord }

/** A cookie of a request that one of our secrets verifies. */
export interface FoundToken {
  readonly text: string
  readonly content: TokenContent
  /** True when an older secret signed it, so that the cookie is to be issued again. */
  readonly isOutdated: boolean
}
