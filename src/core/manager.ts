import type { ResolvedSessionOptions } from './options'
import type { SessionMigration } from './migration/migration'
import type { OldCookieOpener } from './migration/old-cookie'
import type { TokenCodec } from './cookie/token'
import type { RequestContext } from './session/context'
import type { Exchange, SessionObserver } from './ports'
import type { SessionRecord, SessionStore } from './types'
import { findCookies } from './cookie/found-cookies'
import { lockOf } from './lock'
import { createOldCookieOpener } from './migration/old-cookie'
import { guardMigration } from './migration/own'
import { createCookieRecords } from './cookie/cookie-records'
import { SessionCookie } from './cookie/session-cookie'
import { RequestSession } from './session/request-session'
import { StoredRecords } from './storage/stored-records'
import { carriesIdleTime, createIdCodec, createMarkingCodec, createRememberingCodec, createSealedPayloadCodec, createSignedPayloadCodec } from './cookie/token'

/** Sessions of one cookie, with everything prepared that requests share. */
export interface SessionManager {
  readonly options: ResolvedSessionOptions
  /** Where the records are; missing in cookie mode. */
  readonly store: SessionStore | undefined
  /** False where a session is in the cookie: then {@link SessionManager.isDue} tells whether one that nobody uses needs care. */
  readonly needsLoading: boolean
  /** True for a cookie that may have to be sent again: the session has an idle time of its own, or an older secret signed it. */
  isDue(cookieHeader: string | undefined): boolean
  /** The session of one request. Nothing is read yet. */
  open(exchange: Exchange, observer?: SessionObserver): RequestSession
  /**
   * Removes expired records from storage that does not do it by itself, in short turns that
   * keep nobody waiting. Resolves to their number.
   *
   * @throws SessionError `STORAGE_ERROR` when storage fails again and again
   */
  sweep(signal?: AbortSignal): Promise<number>
}

export interface ManagerDependencies {
  /** Needed in storage mode. */
  store?: SessionStore
  /** Sessions of another package that become ours when a request carries their cookie and none of ours. */
  migration?: SessionMigration | undefined
  /**
   * Milliseconds since the epoch.
   *
   * @default Date.now
   */
  now?: () => number
}

/** Derives every key once; requests only use them. */
export function createSessionManager(options: ResolvedSessionOptions, { migration, ...dependencies }: ManagerDependencies): SessionManager {
  return createManager(options, { ...dependencies, openOldCookie: migration && createOldCookieOpener(guardMigration(migration)) })
}

interface OpenerDependencies extends Omit<ManagerDependencies, 'store' | 'migration'> {
  store?: SessionStore | undefined
  openOldCookie?: OldCookieOpener | undefined
}

/** As {@link createSessionManager}, where only who needs it brings the code that takes sessions over. */
export function createManager(options: ResolvedSessionOptions, { store, openOldCookie, now = () => Date.now() }: OpenerDependencies): SessionManager {
  if (options.mode === 'storage' && !store)
    throw new TypeError('Storage mode needs a store.')
  const codec = createCodec(options)
  const storage = options.mode === 'storage' && store ? new StoredRecords(store, lockOf(store), options, now) : undefined
  const takeOver = { options, storage, recent: new Map<string, SessionRecord>(), now }
  const context: RequestContext = {
    options,
    records: storage ?? createCookieRecords(options, now),
    isCookieMode: options.mode === 'cookie',
    now,
    openCookies: (exchange, onRejected) => new SessionCookie(options, codec, exchange, onRejected),
    openOldCookies: openOldCookie && (exchange => openOldCookie(takeOver, exchange)),
  }
  return {
    options,
    store: options.mode === 'storage' ? store : undefined,
    needsLoading: options.mode === 'storage' || options.idleTimeout > 0 || options.saveUninitialized || openOldCookie !== undefined,
    isDue(cookieHeader) {
      const { secrets, cookie: { name } } = options
      if (carriesIdleTime(cookieHeader, name))
        return true
      return secrets.length > 1 && findCookies(cookieHeader, name, codec).tokens[0]?.isOutdated === true
    },
    open: (exchange, observer) => new RequestSession(context, exchange, observer),
    sweep: async signal => await storage?.expired.sweep(signal) ?? 0,
  }
}

function createCodec({ mode, secrets, encrypt, cookie }: ResolvedSessionOptions): TokenCodec {
  if (mode === 'storage')
    return createRememberingCodec(createIdCodec(secrets, cookie.name))
  return createRememberingCodec(createMarkingCodec((encrypt ? createSealedPayloadCodec : createSignedPayloadCodec)(secrets, cookie.name)))
}
