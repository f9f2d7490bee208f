import type { OldCookieOptions } from '../../core/migration/migration'
import type { CoreSessionOptions } from '../../core/options'
import type { RejectReason, Session } from '../../core/types'
/** @ts-ignore The h3 of Nitro 3 need not be seen by the app. */
import type { H3Event } from 'h3'
/** @ts-ignore Nitro 3 is not there in an app of Nitro 2. */
import type { H3Event as H3Event2 } from 'nitro/h3'
/** @ts-ignore The unstorage of Nitro need not be seen by this package; then drivers have any options. */
import type { BuiltinDriverName, BuiltinDriverOptions } from 'unstorage'

export type { ExposedKeys, FlashMessages, RejectReason, Session, SessionData } from '../../core/types'

type DriverWithOptions = keyof BuiltinDriverOptions & string

/** An unstorage driver and its options. */
export type SessionStorageOptions =
  | { [K in DriverWithOptions]: { driver: K } & BuiltinDriverOptions[K] }[DriverWithOptions]
  | { driver: Exclude<BuiltinDriverName, DriverWithOptions> | (string & {}), [option: string]: unknown }

/** Sessions of express-session, `@fastify/session` and `@analog-tools/session`. */
export interface ExpressMigrateOptions {
  from: 'express-session'
  /** Its name there; without one it is `connect.sid`. That of `@fastify/session` is `sessionId`. */
  cookie?: OldCookieOptions
  /** That of the other package, or an array of all that may have signed. Without it, the `secret` of ours. */
  secret?: string | string[]
  /** Where the other package keeps its records: a mount, or a driver and its options. Without it, the `storage` of ours. */
  storage?: string | SessionStorageOptions
}

/** Sessions of h3 and nuxt-auth-utils. */
export interface H3MigrateOptions {
  from: 'h3'
  /** Its name there; without one it is `h3`. That of nuxt-auth-utils is `nuxt-session`. */
  cookie?: OldCookieOptions
  /** That of the other package, or an array of all that may have sealed. */
  password?: string | string[]
  /** The `maxAge` of the other package in seconds: sessions older than that are refused. */
  maxAge?: number
  /** The `idleTimeout` of h3 v2 in seconds, beside its `maxAge`: sessions idle for longer are refused. */
  idleTimeout?: number
}

/** Sessions of iron-session and next-iron-session. A seal says itself when it ends, if it does. */
export interface IronMigrateOptions {
  from: 'iron-session'
  /** Its name there, which has no default. */
  cookie?: OldCookieOptions
  /** That of the other package, or all of them by their ids: `{ 1: '...', 2: '...' }`. A single one has the id 1. */
  password?: string | Record<string, string>
}

/** Sessions of cookie-session, if they were signed. Nothing in its cookies tells when they end. */
export interface CookieSessionMigrateOptions {
  from: 'cookie-session'
  /** Its name there; without one it is `session`. */
  cookie?: OldCookieOptions
  /** That of the other package, or an array of all that may have signed: its `keys`. */
  secret?: string | string[]
}

export type MigrateOptions = ExpressMigrateOptions | H3MigrateOptions | IronMigrateOptions | CookieSessionMigrateOptions

/** The `session` key of nuxt.config and nitro.config, and of `runtimeConfig`. */
export interface SessionOptions extends CoreSessionOptions {
  /**
   * A string: the Nitro storage mount that keeps the records; where the app mounts nothing
   * there, it is mounted on the file system. An object: an unstorage driver and its options,
   * mounted when the server starts, so that the environment can change them
   * (`NITRO_SESSION_STORAGE_URL`).
   *
   * @default 'session'
   */
  storage?: string | SessionStorageOptions
  /**
   * Load the session before the handlers run when the request carries its cookie, so that
   * `getSession` and `flash` are synchronous. Route rules turn it off for a route:
   * `routeRules: { '/health': { session: false } }`.
   *
   * @default true
   */
  autoload?: boolean
  /**
   * Lets server code use the utils without importing them. Nitro 2 and Nuxt have auto-imports;
   * Nitro 3 has none, and gets ours here by the package `unimport`, which the app installs.
   *
   * @default true in Nitro 2 and Nuxt, false in Nitro 3
   */
  autoImports?: boolean
  /**
   * Lets visitors in who carry the cookie of another package and none of ours: their session is
   * read once and goes on as one of ours.
   */
  migrate?: MigrateOptions
}

/** What `useSession` takes to open another session than the configured one. */
export type SessionOverrides = Omit<CoreSessionOptions, 'secret' | 'mode' | 'timeout' | 'expose'>

/** What session hooks are told. */
export interface SessionHookContext<E = H3Event> {
  /** Of a WebSocket in Nitro 2, which has no event, it has `context`, `method`, `path` and `headers` only. */
  event: E
  session: Session
}

/** The hooks on the Nitro app. */
export interface SessionHooks<E = H3Event> {
  'session:created': (context: SessionHookContext<E>) => void | Promise<void>
  'session:loaded': (context: SessionHookContext<E>) => void | Promise<void>
  'session:saved': (context: SessionHookContext<E>) => void | Promise<void>
  'session:regenerated': (context: SessionHookContext<E>) => void | Promise<void>
  'session:destroyed': (context: SessionHookContext<E>) => void | Promise<void>
  'session:expired': (context: SessionHookContext<E>) => void | Promise<void>
  'session:rejected': (context: { event: E, reason: RejectReason }) => void | Promise<void>
}

/** What the route rules of both have besides. */
interface SessionRule {
  /** `false` or `{ autoload: false }`: do not load the session before the handlers of this route run. */
  session?: boolean | { autoload?: boolean }
}

/** @ts-ignore Nitro 2 is not there in an app of Nitro 3. */
declare module 'nitropack/types' {
  interface NitroConfig {
    /** Sessions by `unsession`. */
    session?: SessionOptions
  }
  interface NitroOptions {
    session?: SessionOptions
  }
  interface NitroRouteConfig extends SessionRule {}
  interface NitroRouteRules extends SessionRule {}
  interface NitroRuntimeHooks extends SessionHooks {}
}

/** @ts-ignore Nitro 3 is not there in an app of Nitro 2. */
declare module 'nitro/types' {
  interface NitroConfig {
    /** Sessions by `unsession`. */
    session?: SessionOptions
  }
  interface NitroOptions {
    session?: SessionOptions
  }
  interface NitroRuntimeHooks extends SessionHooks<H3Event2> {}
}

/** @ts-ignore The route rules of Nitro 3 are those of h3 v2. */
declare module 'h3/rules' {
  interface RouteRuleConfig extends SessionRule {}
}
