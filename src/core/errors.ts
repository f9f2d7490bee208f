/** The codes of {@link SessionError} and the HTTP status each answers with. */
const STATUS = {
  CONFIG_ERROR: [500, 'Internal Server Error'],
  COOKIE_ERROR: [500, 'Internal Server Error'],
  INVALID_SESSION: [401, 'Unauthorized'],
  EXPIRED_SESSION: [401, 'Unauthorized'],
  STORAGE_ERROR: [503, 'Service Unavailable'],
  INVALID_VALUE: [500, 'Internal Server Error'],
  CRYPTO_ERROR: [500, 'Internal Server Error'],
  CONFLICT_ERROR: [409, 'Conflict'],
  CACHED_RESPONSE: [500, 'Internal Server Error'],
  FORBIDDEN: [403, 'Forbidden'],
} as const

export type SessionErrorCode = keyof typeof STATUS

/**
 * Every error of this package. Tell them apart by `code`. h3 answers with `statusCode`; the
 * message of a 5xx goes to the log, not to the client. It never holds an id, a cookie value
 * or a secret.
 */
export class SessionError extends Error {
  /** Makes h3 v1 take the error as its own, with status and message. */
  static readonly __h3_error__ = true

  readonly code: SessionErrorCode
  readonly statusCode: number
  declare readonly statusMessage: string
  /** Facts for programs: the option paths, the key, the sizes. */
  declare readonly details: Readonly<Record<string, unknown>>
  /** Read by h3 v1: a server's fault is logged and its message is kept from the client. */
  declare readonly unhandled: boolean
  declare readonly fatal: boolean

  constructor(code: SessionErrorCode, message: string, { details = {}, ...options }: { cause?: unknown, details?: Record<string, unknown> } = {}) {
    super(message, options)
    const [statusCode, statusMessage] = STATUS[code]
    this.code = code
    this.statusCode = statusCode
    // Not enumerable, so that a logged error shows its message, its code and its cause only.
    const hidden = { name: 'SessionError', statusMessage, details, unhandled: statusCode >= 500, fatal: false }
    for (const [key, value] of Object.entries(hidden))
      Object.defineProperty(this, key, { value, writable: true, configurable: true })
  }

  /** The same as `statusCode`, under the name that web frameworks use. */
  get status(): number {
    return this.statusCode
  }
}

/** True for an error of this package, also across copies of it in one process. */
export function isSessionError(error: unknown): error is SessionError {
  return error instanceof Error && error.name === 'SessionError' && 'code' in error
}

/** @param what the sentence that says what happened */
export function cachedResponseError(what: string): SessionError {
  return new SessionError('CACHED_RESPONSE', `${what} What is cached or prerendered is shown to every visitor, so one visitor's session would reach all others. Either do not cache this route (remove \`cache\`, \`swr\`, \`isr\` or \`prerender\` from its route rules, or use \`defineEventHandler\`), or keep the session out of it and fetch the personal part in the browser, from a route that is not cached; in Nuxt pages \`useClientSession\` and \`useFlash\` do that by themselves.`)
}
