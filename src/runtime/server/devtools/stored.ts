import type { Manager } from '../../../core/manager'
import { readConfig, useStorage } from '#unsession/server'
import { lockOf } from '../../../core/lock'
import { isExpired, parseStored } from '../../../core/record/record'
import { CircuitBreaker } from '../../../core/stores/circuit-breaker'
import { MOUNT } from '../storage'
import { describeFailure, toHandle } from './shorten'

/** More are counted, not shown. */
const MAX_SHOWN = 200

/** The last part of our keys; others in the same storage are none of our business. */
const OUR_KEY = /^[\da-f]{64}$/

/** What the page shows of a stored session: nothing of its data. */
export interface StoredSession {
  handle: string
  isCurrent: boolean
  kind: 'session' | 'expired' | 'unreadable'
  createdAt?: number
  lastSeenAt?: number
  expiresAt?: number
  keys?: number
  messages?: number
  bytes?: number
}

export interface StoredSessions {
  driver?: string
  mount?: string
  total?: number
  sessions?: StoredSession[]
  /** Why there is no list, or why it may lack some. */
  note?: string
}

/** The stored sessions of all visitors, the current one first, then the ones seen last. */
export async function listStored(manager: Manager, current: string | undefined): Promise<StoredSessions> {
  const { store } = manager
  if (!store)
    return { note: 'In cookie mode the server stores nothing: every browser carries its session in its cookie.' }
  const mount = mountName()
  const { driver: { name: driver = 'custom' } } = useStorage().getMount(`${mount}:`)
  try {
    const keys = await listKeys(manager)
    const isMissing = current !== undefined && !keys.some(key => toHandle(key) === current)
    const shown = keys.sort((a, b) => Number(toHandle(b) === current) - Number(toHandle(a) === current)).slice(0, MAX_SHOWN)
    const sessions = await Promise.all(shown.map(async key => describe(key, await store.get(key), toHandle(key) === current)))
    return {
      driver,
      mount,
      total: keys.length,
      sessions: sessions.filter(session => session !== undefined).sort(byUse),
      ...(isMissing && { note: `The driver '${driver}' does not list all of its keys, so sessions are missing here, that of this browser for one.` }),
    }
  }
  catch (error) {
    return { driver, mount, note: describeFailure(error) }
  }
}

/** Removes the record with that handle; false when there is none. */
export async function removeStored(manager: Manager, handle: string): Promise<boolean> {
  const { store } = manager
  const keys = store ? await listKeys(manager) : []
  const found = keys.filter(key => toHandle(key) === handle)
  for (const key of found)
    await lockOf(store!).run(key, () => store!.delete(key))
  return found.length > 0
}

/** By the driver's own list: unlike the store's, it exists where storage drops expired records by itself. */
async function listKeys({ options: { timeout } }: Manager): Promise<string[]> {
  const keys = await new CircuitBreaker(timeout).run('listing', '', () => useStorage(mountName()).getKeys())
  return keys.filter(key => OUR_KEY.test(key))
}

function mountName(): string {
  const { storage = MOUNT } = readConfig()
  return typeof storage === 'string' ? storage : MOUNT
}

/** `undefined` for what is gone by now, and for the trace of an id that was replaced. */
function describe(key: string, stored: unknown, isCurrent: boolean): StoredSession | undefined {
  const record = parseStored(stored)
  if (stored === undefined || record?.isReplaced)
    return undefined
  const handle = toHandle(key)
  if (!record)
    return { handle, isCurrent, kind: 'unreadable' }
  const { createdAt, lastSeenAt, expiresAt, data, flash } = record
  return {
    handle,
    isCurrent,
    kind: isExpired(record, Date.now()) ? 'expired' : 'session',
    createdAt,
    lastSeenAt,
    expiresAt,
    keys: Object.keys(data).length,
    messages: Object.keys(flash).length,
    bytes: JSON.stringify(record).length,
  }
}

function byUse(a: StoredSession, b: StoredSession): number {
  return Number(b.isCurrent) - Number(a.isCurrent) || (b.lastSeenAt ?? 0) - (a.lastSeenAt ?? 0)
}
