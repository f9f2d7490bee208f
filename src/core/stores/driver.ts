import type { Maybe } from '../maybe'
import { listKeys } from './listing'
import { addressIn } from './address'
import { Notice } from './notice'
import { throwIfError } from './storage-error'

/** The part of an unstorage driver that is used; both major versions fit. */
export interface Driver {
  name?: string
  options?: object
  getInstance?(): unknown
  getItem(key: string, options?: object): unknown
  setItem?(key: string, value: string, options: object): unknown
  removeItem?(key: string, options: object): unknown
  getKeys?(base: string, options: object): unknown
}

/** Keeps texts under the keys of one driver. Drivers that keep them in memory answer at once. */
export interface TextStorage {
  /** What the operator is told of it. */
  readonly notice: Notice
  /** Tells the operator what would keep it from working. */
  check?(): Promise<void>
  /** Milliseconds since it was last within reach; 0 while it is, as far as anybody knows. */
  outage?(): number
  /** True for an error with which it answered itself; missing where all are taken for that. */
  isAnswer?(error: unknown): boolean
  /** Ends the attempts to reach it, which would keep the process alive. */
  giveUp?(): void
  /** The stored value as the driver gives it; `null` or `undefined` for a missing one. */
  get(key: string): unknown
  set(key: string, text: string, ttl: number): unknown
  delete(key: string): unknown
  /** As that of a store, where the driver's storage can do it. */
  compareAndSet?(key: string, revision: string | undefined, text: string | undefined, ttl: number): Maybe<boolean>
  /** The keys below a prefix, as those of a store; missing where storage drops expired records by itself. */
  keys?(prefix: string, now: number): AsyncIterable<readonly string[]>
}

/** The options of a driver that is mounted for sessions alone. */
export function withDefaults(driver: string, options: object): object {
  // What several requests ask of Redis in one turn of the event loop goes out as one.
  return driver === 'redis' ? { enableAutoPipelining: true, ...options } : options
}

/** Drivers whose storage makes room by itself, by `ttl` or by size. Reading all of the latter would turn its order around. */
export const EXPIRING: ReadonlySet<string> = new Set(['lru-cache', 'redis', 'upstash', 'vercel-kv', 'vercel-runtime-cache', 'cloudflare-kv-binding', 'cloudflare-kv-http', 'deno-kv', 'deno-kv-node'])

/** Seconds of the longest timer that JavaScript has; a longer one ends at once. */
const LONGEST_TIMER = 2_147_483

function noticeOf({ name = 'a driver of the app', options }: Driver): Notice {
  const address = addressIn(options)
  return address === undefined ? new Notice(name, 'unknown') : new Notice(`${name} at ${address}`, 'service')
}

/** What every driver can do. */
export function createDriverStorage(driver: Driver): TextStorage {
  const isExpiring = EXPIRING.has(driver.name ?? '')
  const { readOnly: isReadOnly } = (driver.options ?? {}) as { readOnly?: boolean }
  return {
    notice: noticeOf(driver),
    get: key => throwIfError(driver.getItem(key, {})),
    set(key, text, ttl) {
      if (!driver.setItem || isReadOnly)
        throw new TypeError('The storage driver is read-only.')
      // Others may keep time by a timer.
      return throwIfError(driver.setItem(key, text, isExpiring || ttl <= LONGEST_TIMER ? { ttl } : {}))
    },
    delete(key) {
      if (!driver.removeItem || isReadOnly)
        throw new TypeError('The storage driver cannot remove.')
      return throwIfError(driver.removeItem(key, {}))
    },
    ...(!isExpiring && { keys: (prefix, now) => listKeys(driver, prefix, now) }),
  }
}
