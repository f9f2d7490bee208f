import type { Limits } from '../record/record'
import type { SessionStore } from '../types'
import { elapsed } from '../clock'
import { ExpiredRecords } from './expired-records'
import { RecordAccess } from './record-access'

/** Sessions with other options may share the store: each record is judged by itself. */
const NO_LIMITS: Limits = { maxAge: Infinity, idleTimeout: 0 }

/** Milliseconds of work after which others get their turn. */
const MAX_WORK = 5

/** Milliseconds that others get. */
const PAUSE = 10

/** A single record that cannot be removed is left for the next time; storage that fails ends the sweep. */
const MAX_FAILURES_IN_A_ROW = 10

/** Keys that are visited at once: the answers of a disk or a network come side by side. */
const SIDE_BY_SIDE = 16

/**
 * Removes all records that have expired, where storage does not do it by itself. Resolves to
 * their number.
 *
 * @param signal ends it early
 * @throws SessionError `STORAGE_ERROR` when storage fails again and again
 */
export async function sweep(store: SessionStore, signal?: AbortSignal, now = (): number => Date.now()): Promise<number> {
  const access = new RecordAccess(store, NO_LIMITS, now)
  const expired = new ExpiredRecords(store, access, now)
  const remove = async (key: string): Promise<boolean> => expired.isOver(await access.get(key)) && expired.remove(key)
  return visitAll(store.keys?.(now()) ?? [], remove, signal)
}

/** Visits keys in short turns with pauses: a million records keep no request waiting. */
async function visitAll(keys: AsyncIterable<readonly string[]> | Iterable<readonly string[]>, remove: (key: string) => Promise<boolean>, signal?: AbortSignal): Promise<number> {
  let removed = 0
  let failures = 0
  let turnEnds = elapsed() + MAX_WORK
  const visit = async (key: string): Promise<void> => {
    try {
      if (await remove(key))
        removed++
      failures = 0
    }
    catch (error) {
      if (++failures >= MAX_FAILURES_IN_A_ROW)
        throw error
    }
  }
  for await (const batch of keys) {
    for (let start = 0; start < Math.max(batch.length, 1); start += SIDE_BY_SIDE) {
      if (signal?.aborted)
        return removed
      await Promise.all(batch.slice(start, start + SIDE_BY_SIDE).map(visit))
      if (elapsed() >= turnEnds) {
        await new Promise(resolve => setTimeout(resolve, PAUSE))
        turnEnds = elapsed() + MAX_WORK
      }
    }
  }
  return removed
}
