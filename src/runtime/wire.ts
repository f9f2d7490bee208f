/** Where pages in the browser read what they may see of the session, below the app's base URL. */
export const SESSION_ROUTE = '/_session'

/** The header that tells a page what a request changed: `data`, `flash` or both. */
export const CHANGED_HEADER = 'session-changed'

/** What the route answers. */
export interface SessionState {
  /** The exposed data. */
  data: Record<string, unknown>
  /** True when there are messages that nobody has read. */
  hasMessages: boolean
  /** The messages that were asked for, which are read by that. */
  messages?: Record<string, unknown>
}
