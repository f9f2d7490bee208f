import type { SessionRecord, SessionStore } from '../types'
import { fromUtf8 } from '../encoding'
import { SessionError } from '../errors'

/** The part of an unstorage driver that is used. */
interface Driver {
  getItem(key: string, options?: object): unknown
  setItem?(key: string, value: string, options: object): unknown
  removeItem?(key: string, options: object): unknown
}

/** The part of an unstorage `Storage` that is used; both major versions fit. */
export interface UnstorageLike {
  getMount(key: string): { base: string, driver: Driver | Promise<Driver> }
}

export interface UnstorageStoreOptions {
  /** Where in the storage the records are, for example `session`; empty for all of it. */
  base: string
  /** Milliseconds that one operation may take. */
  timeout: number
}

/**
 * Keeps records as JSON in any unstorage storage. It talks to the mounted driver itself:
 * `Storage.getItem` drops `__proto__` keys, `getItemRaw` gives another type on every driver,
 * and both hide errors that the file system drivers return instead of throwing.
 */
export function createStorageStore(storage: UnstorageLike, { base, timeout }: UnstorageStoreOptions): SessionStore {
  const locate = async (key: string): Promise<{ driver: Driver, key: string }> => {
    const fullKey = base ? `${base}:${key}` : key
    const mount = storage.getMount(fullKey)
    return { driver: await mount.driver, key: fullKey.slice(mount.base.length) }
  }
  return {
    get: key => attempt('reading', timeout, async () => {
      const at = await locate(key)
      return parse(thrown(await at.driver.getItem(at.key, {})))
    }),
    set: (key, record, ttl) => attempt('writing', timeout, async () => {
      const at = await locate(key)
      if (!at.driver.setItem)
        throw new TypeError('The storage driver is read-only.')
      thrown(await at.driver.setItem(at.key, JSON.stringify(record), { ttl }))
    }),
    delete: key => attempt('removing', timeout, async () => {
      const at = await locate(key)
      if (!at.driver.removeItem)
        throw new TypeError('The storage driver cannot remove.')
      thrown(await at.driver.removeItem(at.key, {}))
    }),
  }
}

async function attempt<T>(action: string, timeout: number, operation: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const timedOut = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No answer within ${timeout} ms.`)), timeout)
  })
  try {
    return await Promise.race([operation(), timedOut])
  }
  catch (cause) {
    throw new SessionError('STORAGE_ERROR', `The session storage failed at ${action} a record. The driver's error is the cause.`, { cause, details: { action } })
  }
  finally {
    clearTimeout(timer)
  }
}

/** The file system drivers return an error such as EACCES as if it were the value. */
function thrown(value: unknown): unknown {
  if (value instanceof Error)
    throw value
  return value
}

/** The stored value; a text that is not JSON is answered as it is, and is no record. */
function parse(value: unknown): SessionRecord | unknown {
  if (value === null || value === undefined)
    return undefined
  try {
    const text = value instanceof Uint8Array ? fromUtf8(value) : value
    return typeof text === 'string' ? JSON.parse(text) : text
  }
  catch {
    return value
  }
}
