import type { ResolvedSessionOptions } from './options'
import type { TokenCodec } from './cookie/token'
import type { RequestContext } from './session/context'
import type { Migrate } from './session/old-cookie'
import type { OldCookies } from './session/ports'
import type { Tracer } from './session/tracer'
import type { Exchange, SessionObserver } from './ports'
import type { SessionStore } from './types'
import { findCookies } from './cookie/found-cookies'
import { createCookieRecords } from './cookie/cookie-records'
import { SessionCookie } from './cookie/session-cookie'
import { RequestSession } from './session/request-session'
import { StoredRecords } from './storage/stored-records'
import { carriesIdleTime, createIdCodec, createMarkingCodec, createRememberingCodec, createSealedPayloadCodec, createSignedPayloadCodec } from './cookie/token'

/** Sessions of one cookie, with everything prepared that requests share. */
export interface Manager {
  readonly options: ResolvedSessionOptions
  /** Where the records are; missing in cookie mode. */
  readonly store: SessionStore | undefined
  /** False where a session is in the cookie: then {@link Manager.isDue} tells whether one that nobody uses needs care. */
  readonly needsLoading: boolean
  /** True for a cookie that may have to be sent again: the session has an idle time of its own, or an older secret signed it. */
  isDue(cookieHeader: string | undefined): boolean
  /** The session of one request. Nothing is read yet. */
  open(exchange: Exchange, observer?: SessionObserver): RequestSession
}

/** Where sessions that another package began go on as ours. */
export interface Destination {
  readonly options: ResolvedSessionOptions
  /** Missing in cookie mode. */
  readonly storage: StoredRecords | undefined
  readonly now: () => number
}

/** What lets sessions of another package become ours. */
export interface Migrator {
  /** Opens the cookies of the other package in requests. */
  open(destination: Destination): (exchange: Exchange) => OldCookies
  readonly migrate: Migrate
}

/** What a manager is made of, besides its options. */
export interface ManagerParts {
  /** Needed in storage mode. */
  store?: SessionStore | undefined
  /** Missing where no session comes from another package. */
  migrator?: Migrator | undefined
  /** Missing where nobody can listen. */
  tracer?: Tracer | undefined
  /** Milliseconds since the epoch; `Date.now` when missing. */
  now?: (() => number) | undefined
}

/** Derives every key once; requests only use them. */
export function createManager(options: ResolvedSessionOptions, { store, migrator, tracer, now = () => Date.now() }: ManagerParts): Manager {
  if (options.mode === 'storage' && !store)
    throw new TypeError('Storage mode needs a store.')
  const codec = createCodec(options)
  const storage = options.mode === 'storage' && store ? new StoredRecords(store, options, now) : undefined
  const context: RequestContext = {
    options,
    records: storage ?? createCookieRecords(options, now),
    isCookieMode: options.mode === 'cookie',
    now,
    openCookies: (exchange, onRejected) => new SessionCookie(options, codec, exchange, onRejected),
    openOldCookies: migrator?.open({ options, storage, now }),
    tracer,
  }
  return {
    options,
    store: options.mode === 'storage' ? store : undefined,
    needsLoading: options.mode === 'storage' || options.idleTimeout > 0 || options.saveUninitialized || migrator !== undefined,
    isDue(cookieHeader) {
      const { secrets, cookie: { name } } = options
      if (carriesIdleTime(cookieHeader, name))
        return true
      return secrets.length > 1 && findCookies(cookieHeader, name, codec).tokens[0]?.isOutdated === true
    },
    open: (exchange, observer) => new RequestSession(context, exchange, observer, migrator?.migrate),
  }
}

function createCodec({ mode, secrets, encrypt, cookie }: ResolvedSessionOptions): TokenCodec {
  if (mode === 'storage')
    return createRememberingCodec(createIdCodec(secrets, cookie.name))
  return createRememberingCodec(createMarkingCodec((encrypt ? createSealedPayloadCodec : createSignedPayloadCodec)(secrets, cookie.name)))
}
