import type { Maybe } from './maybe'

/**
 * The data of a session. Augment it to type every util and the handle:
 *
 * ```ts
 * declare module 'unsession' {
 *   interface SessionData { userId?: number }
 * }
 * ```
 *
 * Without an augmentation any key with any value is allowed.
 */
export interface SessionData {}

/** The flash messages by key. Augment it like {@link SessionData}. */
export interface FlashMessages {}

/** The data keys in `expose`; the Nuxt module declares them from the config. */
export interface ExposedKeys {}

/** `T` where it was augmented, otherwise any key with any value. */
type LooseUnlessAugmented<T> = keyof T extends never ? { [key: string]: unknown } : T

/** {@link SessionData} as the utils see it. */
export type DefaultData = LooseUnlessAugmented<SessionData>

/** {@link FlashMessages} as the utils see it. */
export type DefaultFlash = LooseUnlessAugmented<FlashMessages>

export type FlashKey = keyof DefaultFlash & string

export type DataKey<T> = keyof T & string

/** `T` with every level read-only, as session data is handed out. */
export type DeepReadonly<T> = T extends (...args: never[]) => unknown ? T
  : T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

/** Keys to set, or to remove with `undefined`. */
export type SessionPatch<T extends object = DefaultData> = { [K in keyof T]?: T[K] | undefined }

/** Refuses keys of `P` that `T` does not have; TypeScript alone lets a returned object have more. */
export type NoExtraKeys<T extends object, P> = [Exclude<keyof P, keyof T>] extends [never] ? P : P & { [K in Exclude<keyof P, keyof T>]: never }

/** Makes a patch from the newest data. May run more than once, so it must be pure. */
export type SessionUpdater<T extends object, P extends SessionPatch<T> = SessionPatch<T>> = (data: DeepReadonly<T>) => NoExtraKeys<T, P>

/** Limits of one session that differ from the options; see {@link Session.setLifetime}. */
export interface SessionLifetime {
  /** Absolute lifetime in seconds, from creation. */
  maxAge?: number
  /**
   * Sliding lifetime in seconds, from the last request; `0` is off. The session ends between this
   * and one and a half times of it after the last request.
   */
  idleTimeout?: number
  /**
   * `false` sends a cookie without `Max-Age`, which the browser forgets when it closes.
   *
   * @default true
   */
  persistent?: boolean
}

/** What `regenerate` does with what the session holds, and with its lifetime. */
export interface RegenerateOptions<T extends object = DefaultData> {
  /**
   * What stays under the new id: true for all data and messages, false for nothing, or the data
   * keys that stay, with all messages. The patch comes on top.
   *
   * @default true
   */
  keep?: boolean | readonly DataKey<T>[] | undefined
  /**
   * `'same'` lets the lifetime go on: an id that is renewed again and again does not live for ever.
   * Limits are those of a new lifetime of this session only (remember me), in place of all that
   * {@link Session.setLifetime} gave it.
   *
   * @default 'new'
   */
  lifetime?: 'new' | 'same' | SessionLifetime | undefined
}

/** The session of one request. Reading and changing it is memory only. */
export interface Session<T extends object = DefaultData> {
  /** The random id, at least 128 bits. Never log it. */
  readonly id: string
  /** True until the session was stored. */
  readonly isNew: boolean
  readonly createdAt: Date
  /** When it ends unless it is used again: the sooner of the absolute and the idle limit. */
  readonly expiresAt: Date
  /** All data, frozen: a nested change throws, it is never lost in silence. */
  readonly data: DeepReadonly<T>
  /** The value under a key, or `undefined`. */
  get<K extends DataKey<T>>(key: K): T[K] | undefined
  has(key: DataKey<T>): boolean
  /**
   * Sets a key; `undefined` removes it. Setting an equal value is not a change.
   *
   * @throws SessionError `INVALID_VALUE` for a value that JSON would change or lose, or that makes the
   * record bigger than `maxBytes`; `COOKIE_ERROR` when the cookie grows too big, or the response has
   * begun and a cookie would have to follow: for a new session, and in cookie mode
   */
  set<K extends DataKey<T>>(key: K, value: T[K] | undefined): void
  /** Removes a key. */
  delete(key: DataKey<T>): void
  /** Removes all data and flash messages; the record and the cookie go with them. */
  clear(): void
  /** Leaves a message for the next request that reads it. */
  flash<K extends FlashKey>(key: K, value: DefaultFlash[K]): void
  /** Reads a message and removes it. */
  flash<K extends FlashKey>(key: K): DefaultFlash[K] | undefined
  /**
   * Changes the limits of this session only, also for later saves (remember me).
   *
   * @throws SessionError `INVALID_VALUE` for lifetimes that are not whole seconds
   */
  setLifetime(lifetime: SessionLifetime): void
  /**
   * Applies a patch to the newest stored data and stores it. A function may run more than
   * once and must be pure.
   *
   * @returns the data as stored
   * @throws SessionError `EXPIRED_SESSION`, `STORAGE_ERROR`, `INVALID_VALUE`; `CONFLICT_ERROR` when
   * other processes were faster again and again
   */
  update<P extends SessionPatch<T>>(updater: SessionUpdater<T, P>): Promise<T>
  update(patch: SessionPatch<NoInfer<T>>): Promise<T>
  /**
   * Gives the session a new id and a new lifetime and ends the old id, against session
   * fixation (OWASP ASVS 5.0, V7.2.4). Call it at every login. For 10 seconds requests that are
   * still on their way with the old id are told apart from strangers: they get no cookie, except
   * by a `regenerate` with a patch (the login form was sent twice), which begins a session that
   * holds the patch and nothing else.
   *
   * With the option `userKey`, one that changes the user keeps nothing of the former one,
   * whatever `keep` says.
   *
   * @throws SessionError `EXPIRED_SESSION` when the session ended or, without a patch, another
   * request replaced its id first, `STORAGE_ERROR`, `INVALID_VALUE`, `CONFLICT_ERROR`
   */
  regenerate(patch?: SessionPatch<NoInfer<T>>, options?: RegenerateOptions<T>): Promise<void>
  /**
   * Removes the record and expires the cookie. A later `set` starts a new session.
   *
   * @throws SessionError `STORAGE_ERROR`, with the cookie expired all the same; `EXPIRED_SESSION`
   * when another request replaced the id a moment ago: the session goes on under the new one
   */
  destroy(): Promise<void>
  /** Fetches the newest data; own changes stay on top. */
  reload(): Promise<void>
  /**
   * Resolves when every change so far is stored. After the response began, what is not saved so is
   * stored as soon as the running code gives way, and a failure goes to the log.
   */
  save(): Promise<void>
}

/** What is kept of a session. Times are milliseconds since the epoch. */
export interface SessionRecord {
  version: 1
  /** Names the present content: every write to storage gives another. Cookie mode needs none. */
  revision?: string
  data: Record<string, unknown>
  flash: Record<string, unknown>
  createdAt: number
  /** The judge on every store: from this moment on the session does not exist. */
  expiresAt: number
  lastSeenAt: number
  /** Set by {@link Session.setLifetime}. */
  lifetime?: SessionLifetime
  /** True for what is left of an id that `regenerate` replaced: no session, and not unknown. */
  isReplaced?: boolean
}

/**
 * Keeps records. Neither a missing record nor a foreign value is an error: both are
 * answered, and the caller judges them. What is there at once is answered without a promise, so
 * that nobody has to wait for it. What fails throws or rejects; as `store` of the options it may do
 * so with any error, which becomes the cause of a `STORAGE_ERROR`.
 */
export interface SessionStore {
  /** The stored value, or `undefined`. */
  get(key: string): Maybe<unknown>
  /** Stores a record; `ttl` is its remaining lifetime in whole seconds. */
  set(key: string, record: SessionRecord, ttl: number): Maybe<void>
  /** Removes a record, whatever is stored; a missing one is no error. */
  delete(key: string): Maybe<void>
  /**
   * Replaces a record in one step that no other process can come between. Without it, processes
   * that share a store lose updates to each other; within one process nothing is lost either way.
   *
   * @param key the record's key
   * @param revision the `revision` that storage must still hold; `undefined`: there must be nothing
   * @param record what to store; `undefined` removes
   * @param ttl the remaining lifetime of `record` in whole seconds
   * @returns false, and nothing is changed, when storage holds something else
   */
  compareAndSet?(key: string, revision: string | undefined, record: SessionRecord | undefined, ttl: number): Maybe<boolean>
  /**
   * The keys of all records for the sweep, so many at a time that each batch is found at once.
   * Missing where storage drops expired records by itself.
   *
   * @param now milliseconds since the epoch: records that live on may be left out
   */
  keys?(now: number): AsyncIterable<readonly string[]>
  /** True where storage drops expired records by itself: what it holds has not expired. */
  dropsExpired?(): Maybe<boolean>
}

/** Why a cookie was not accepted; an id that was replaced a moment ago is `'unknown'` too. */
export type RejectReason = 'malformed' | 'signature' | 'unknown' | 'corrupt'

/** What happened to a session, in the order it happened. */
export type SessionEventName = 'created' | 'loaded' | 'saved' | 'regenerated' | 'destroyed' | 'expired'
