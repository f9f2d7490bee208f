import type { RejectReason } from '../types'
import type { OldCookieOptions, OldSession, SessionMigration } from './migration'
import { parseRecord } from '../record/record'
import { createUnsigner } from '../cookie/signed-value'
import { isPlainObject } from '../record/value'
import { type GivenOldStore, type OldRecordStore, openOldRecords } from './old-records'
import { decodeCookieValue } from './migration'

/** The name that express-session and analog-tools give their cookie. */
export const EXPRESS_COOKIE = 'connect.sid'

export interface ExpressSessionOptions {
  cookie?: OldCookieOptions
  /** That of the other package, or an array of all that may have signed. */
  secret: string | readonly string[]
  /**
   * Where the other package keeps its records, by their ids: a storage of unstorage, also one with
   * a prefix, what `createUnstorageStore` gives, awaited or not, or a store of express-session or
   * `@fastify/session`, such as `connect-redis`.
   */
  store: GivenOldStore | PromiseLike<GivenOldStore>
}

/**
 * A signed id of express-session (uid-safe), of `@fastify/session` (base64url, without `s:` unless
 * its `cookiePrefix` says so), of analog-tools (nanoid) or a UUID. Of no other text the signature
 * is looked at, and none becomes a key of storage.
 */
const SIGNED_ID = /^(?:s:)?[\w-]{16,128}\.[A-Za-z\d+/]{43}$/

/**
 * The sessions of express-session, `@fastify/session` and `@analog-tools/session`: a signed id in
 * the cookie `connect.sid` (that of `@fastify/session` is `sessionId`), and a record of JSON in a
 * store. A session ends there once it was read.
 *
 * @throws TypeError for an empty secret, SessionError `CONFIG_ERROR` for a `store` that is none
 */
export function fromExpressSession({ cookie, secret, store }: ExpressSessionOptions): SessionMigration {
  const name = cookie?.name ?? EXPRESS_COOKIE
  const unsign = createUnsigner(secret)
  const records = openOldRecords(store)
  return {
    cookie: { ...cookie, name },
    recognize(value) {
      const signed = decodeCookieValue(value)
      const id = signed !== undefined && SIGNED_ID.test(signed) ? unsign(signed.startsWith('s:') ? signed : `s:${signed}`) : null
      return id === null ? undefined : { names: [name], open: () => openSession(records, id) }
    },
  }
}

async function openSession(store: OldRecordStore, id: string): Promise<OldSession | RejectReason> {
  const record = await store.get(id)
  const end = async (): Promise<void> => store.delete(id)
  if (record === undefined || record === null)
    return { id, end }
  // What we wrote ourselves in the same storage is nobody else's session.
  if (typeof record !== 'object' || !isPlainObject(record) || parseRecord(record))
    return 'corrupt'
  const { cookie, ...data } = record as Record<string, unknown>
  if (!isExpressCookie(cookie))
    return { id, data: record as Record<string, unknown>, end }
  const { expires } = cookie
  // A session that is only read gets more time of Redis, and the record stays as it was.
  if (!['string', 'number'].includes(typeof expires) || await store.dropsExpired?.())
    return { id, data, end }
  const expiresAt = new Date(expires as string | number).getTime()
  return Number.isNaN(expiresAt) ? 'corrupt' : { id, data, end, expiresAt }
}

/** What express-session and `@fastify/session` keep of their cookie beside the data; analog-tools keeps data only. */
function isExpressCookie(value: unknown): value is { expires?: unknown } {
  return typeof value === 'object' && value !== null && 'originalMaxAge' in value
}
