import type { UnstorageLike } from '../stores/methods'
import type { SessionStore } from '../types'
import { DEFAULTS } from '../options'
import { configError, issue } from '../resolve-options'
import { CircuitBreaker } from '../stores/circuit-breaker'
import { hasMethods, isStorage } from '../stores/kinds'
import { opener } from '../stores/late'
import { createStorageStore } from '../stores/unstorage'
import { isPromise } from '../maybe'

/** What is needed of a store. */
export type OldRecordStore = Pick<SessionStore, 'get' | 'delete' | 'dropsExpired'>

/** A store of express-session or `@fastify/session`, such as `connect-redis`. */
export interface ConnectStore {
  get(id: string, callback: (error: unknown, session?: unknown) => void): unknown
  destroy(id: string, callback: (error?: unknown) => void): unknown
  /** Gives a session more time; its record stays as it was. */
  touch?: unknown
}

/** What people have of the records of the other package. */
export type GivenOldStore = OldRecordStore | UnstorageLike | ConnectStore

/**
 * Reads the records of the other package.
 *
 * @throws SessionError `CONFIG_ERROR` for what cannot be read
 */
export function openOldRecords(store: GivenOldStore | PromiseLike<GivenOldStore>): OldRecordStore {
  if (isPromise(store))
    return fromPromise(store)
  if (isStorage(store))
    return createStorageStore(store, { base: '', timeout: DEFAULTS.timeout })
  if (hasMethods<OldRecordStore>(store, 'get', 'delete'))
    return fromOwnStore(store)
  if (hasMethods<ConnectStore>(store, 'get', 'destroy'))
    return fromConnectStore(store)
  throw configError([issue('store', store, 'Pass what `createUnstorageStore` gives, a storage of unstorage, or a store of express-session or @fastify/session.')])
}

function fromPromise(store: PromiseLike<GivenOldStore>): OldRecordStore {
  const opened = opener(store, openOldRecords, DEFAULTS.timeout)
  return {
    get: async id => (await opened('reading', id)).get(id),
    delete: async id => (await opened('removing', id)).delete(id),
    dropsExpired: async () => await (await opened('reading', '')).dropsExpired?.() ?? false,
  }
}

function fromOwnStore(store: OldRecordStore): OldRecordStore {
  const breaker = new CircuitBreaker(DEFAULTS.timeout)
  return {
    get: async id => breaker.run('reading', id, () => store.get(id)),
    delete: async id => breaker.run('removing', id, () => store.delete(id)),
    dropsExpired: async () => await breaker.run('reading', '', async () => store.dropsExpired?.()) ?? false,
  }
}

function fromConnectStore(store: ConnectStore): OldRecordStore {
  const breaker = new CircuitBreaker(DEFAULTS.timeout)
  return {
    get: async id => toJson(await breaker.run('reading', id, () => promised(done => store.get(id, done)).catch(missing))),
    delete: async id => breaker.run('removing', id, () => promised(done => store.destroy(id, done)).then(() => {})),
    // A store that knows of sessions which were only read looks at their expiry itself. Where there is
    // no `touch`, as in `@fastify/session`, the record is what tells, and its `MemoryStore` never looks.
    dropsExpired: async () => typeof store.touch === 'function',
  }
}

/** As a store of texts would give it: others give dates, or as the `MemoryStore` of `@fastify/session` the session itself. */
function toJson(session: unknown): unknown {
  try {
    return session && JSON.parse(JSON.stringify(session))
  }
  catch {
    // Refused like other data that cannot be kept.
    return session
  }
}

function promised(call: (done: (error: unknown, value?: unknown) => void) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const result = call((error, value) => error ? reject(error) : resolve(value))
    // What is async may fail without a word to the callback.
    if (isPromise(result))
      result.then(undefined, reject)
  })
}

/** How stores in files say that there is no session. */
function missing(error: unknown): undefined {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT'))
    throw error
}
