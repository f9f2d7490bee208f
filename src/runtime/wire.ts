import type { PageSession } from '../core/ports'

/** Where pages in the browser read what they may see of the session, below the app's base URL. */
export const SESSION_ROUTE = '/_session'

/** The header that tells a page what a request changed: `data`, `flash` or both. */
export const CHANGED_HEADER = 'session-changed'

/** The header of a page that asks although its visitor may have done nothing: that keeps no session alive. */
export const BACKGROUND_HEADER = 'session-background'

/** The beginning of the name of the readable cookie that goes with that of a session. */
export const MARK = 'unsession.'

/** What the route answers. */
export interface SessionState {
  /** The exposed data. */
  data: Record<string, unknown>
  /** When the session ends unless it is used again, in milliseconds since the epoch; missing without a session. */
  expiresAt?: number
  /** The same from now on, since the clock of the browser may be wrong. */
  expiresIn?: number
  /** True when there are messages that nobody has read. */
  hasMessages: boolean
  /** The messages that were asked for, which are read by that. */
  messages?: Record<string, unknown>
}

/** What a page is told of its visitor's session. */
export function stateOf({ data, expiresAt, hasMessages }: PageSession): SessionState {
  return { data, hasMessages, ...(expiresAt !== undefined && { expiresAt, expiresIn: expiresAt - Date.now() }) }
}
