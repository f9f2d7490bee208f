import type { DataKey, DefaultData } from './types'

/** Where the session's data lives. */
export type SessionMode = 'storage' | 'cookie'

/** Attributes of the session cookie; RFC 6265bis. */
export interface SessionCookieOptions {
  /**
   * `'auto'` is `__Host-session` where the cookie is secure, has the path `/` and no domain;
   * `__Secure-session` where it is secure otherwise; and `session` where it is not. Any other
   * `__Host-` or `__Secure-` name is checked against the attributes it demands.
   *
   * @default 'auto'
   */
  name?: string
  /** @default '/' */
  path?: string
  /** Without it the cookie goes to this host only. */
  domain?: string
  /**
   * Hides the cookie from JavaScript in the page.
   *
   * @default true
   */
  httpOnly?: boolean
  /**
   * `'auto'` is true in production builds and false in development.
   *
   * @default 'auto'
   */
  secure?: boolean | 'auto'
  /**
   * `'none'` needs `secure`. `true` is `'strict'`; `false` leaves the attribute out, and browsers
   * differ in what they do then.
   *
   * @default 'lax'
   */
  sameSite?: 'strict' | 'lax' | 'none' | boolean
  /** Keeps the cookie apart per top-level site (CHIPS); needs `secure`. */
  partitioned?: boolean
  /** Which cookies Chromium evicts first. */
  priority?: 'low' | 'medium' | 'high'
}

/** The options that every host shares. Hosts add where the records are kept. */
export interface CoreSessionOptions {
  /**
   * `'storage'`: the cookie holds a signed random id, the data lives in storage.
   * `'cookie'`: the cookie holds the data itself, signed and encrypted.
   *
   * @default 'storage'
   */
  mode?: SessionMode
  /**
   * At least 32 random characters. Of an array the first signs and all verify, for rotation.
   * Better given by the environment than written here.
   */
  secret?: string | string[]
  /**
   * Absolute lifetime in seconds, from creation; also the cookie's Max-Age. Capped at 400 days.
   *
   * @default 604800
   */
  maxAge?: number
  /**
   * Sliding lifetime in seconds, from the last request; 0 is off. Moved forward at most once per
   * half window, so a session ends between `idleTimeout` and one and a half times of it after the
   * last request.
   *
   * @default 0
   */
  idleTimeout?: number
  cookie?: SessionCookieOptions
  /**
   * Cookie mode: encrypt the data with AES-256-GCM. With false it is signed only and the
   * client can read it.
   *
   * @default true
   */
  encrypt?: boolean
  /**
   * Milliseconds that one storage operation may take.
   *
   * @default 5000
   */
  timeout?: number
  /**
   * Storage mode: how big one record may be as JSON, in UTF-8 bytes. The change that goes beyond
   * it throws `INVALID_VALUE`.
   *
   * @default 1048576
   */
  maxBytes?: number
  /**
   * Store and send a cookie for a visitor whose session nothing was written to.
   *
   * @default false
   */
  saveUninitialized?: boolean
  /**
   * The data key that holds the user id. A `regenerate` that changes the user keeps nothing of the
   * former one.
   */
  userKey?: DataKey<DefaultData>
  /**
   * The data keys that the browser may read: in Nuxt pages by `useClientSession`.
   *
   * @default []
   */
  expose?: readonly DataKey<DefaultData>[]
}

export type ResolvedCookieOptions = Required<Omit<SessionCookieOptions, 'domain' | 'partitioned' | 'priority' | 'sameSite' | 'secure'>>
  & { sameSite: 'strict' | 'lax' | 'none' | false, secure: boolean } & Pick<SessionCookieOptions, 'domain' | 'partitioned' | 'priority'>

/** Options with every default filled in and every rule checked. */
export interface ResolvedSessionOptions extends Required<Omit<CoreSessionOptions, 'cookie' | 'secret' | 'userKey'>> {
  /** The first signs, all verify. */
  secrets: readonly string[]
  userKey: string | undefined
  cookie: ResolvedCookieOptions
}

/** Every default, written once. */
export const DEFAULTS = {
  mode: 'storage',
  maxAge: 7 * 24 * 60 * 60,
  idleTimeout: 0,
  encrypt: true,
  timeout: 5000,
  maxBytes: 1024 * 1024,
  saveUninitialized: false,
  expose: [],
  cookie: { name: 'auto', path: '/', httpOnly: true, secure: 'auto', sameSite: 'lax' },
} as const satisfies CoreSessionOptions

/** Every option by name, empty where there is no default. */
export const OPTIONS = {
  ...DEFAULTS,
  secret: '',
  userKey: '',
  cookie: { ...DEFAULTS.cookie, domain: '', partitioned: '', priority: '' },
}
