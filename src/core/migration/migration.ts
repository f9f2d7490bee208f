import type { RejectReason } from '../types'

/** Where the cookie of another package is in browsers; a removal must name the same. */
export interface OldCookieOptions {
  name?: string
  /** @default '/' */
  path?: string
  /** Without it the cookie is that of this host only. */
  domain?: string
}

/** Sessions of another package, each of which can be read once and becomes one of ours. */
export interface SessionMigration {
  readonly cookie: Readonly<OldCookieOptions & { name: string }>
  /**
   * How many cookies of one request are opened at most, for cookies that cost much to open.
   *
   * @default 4
   */
  readonly maxOpened?: number
  /**
   * What a cookie's raw value holds, unless it is foreign or forged. Does no I/O.
   *
   * @param value the raw value of a cookie of that name
   * @param readCookie the raw value of a cookie that this one was cut into: its name begins with the name of this one and a dot
   */
  recognize(value: string, readCookie: (name: string) => string | undefined): OldToken | undefined
}

/** A cookie of the other package. */
export interface OldToken {
  /** The names of all cookies that it is made of. */
  names: readonly string[]
  /**
   * The session behind it, or why there is none; `undefined` when it was not looked at.
   * Rejects with `STORAGE_ERROR` when it cannot be read.
   */
  open(): Promise<OldSession | RejectReason | undefined>
}

/** A session of the other package. */
export interface OldSession {
  /**
   * The same for every copy of its cookie, and for no other visitor's. Missing where cookies do not
   * tell visitors apart: then each request that brings one begins a session of its own.
   */
  id?: string
  /** Missing when it is over, such as one that was read before. */
  data?: Record<string, unknown>
  /** Ends it for every copy of its cookie. Missing where nothing but time can. */
  end?(): Promise<void>
  /** Milliseconds since the epoch; missing for one that does not end by itself. */
  expiresAt?: number
}

/** The path of {@link OldCookieOptions}, written once. */
export const OLD_COOKIE_PATH = '/'

/** What a cookie library encoded; `undefined` for what none does. */
export function decodeCookieValue(value: string): string | undefined {
  try {
    return decodeURIComponent(value)
  }
  catch {
    return undefined
  }
}
