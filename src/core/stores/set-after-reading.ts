import type { SessionRecord, SessionStore } from '../types'
import { parseStored } from '../record'

/**
 * Compare-and-set where storage has none. It is atomic only while nobody else writes the
 * record: within one process the manager's lock sees to that, between processes nobody does.
 */
export async function setAfterReading(store: SessionStore, key: string, revision: string | undefined, record: SessionRecord | undefined, ttl: number): Promise<boolean> {
  const stored = await store.get(key)
  if (revision === undefined ? stored !== undefined : parseStored(stored)?.revision !== revision)
    return false
  await (record ? store.set(key, record, ttl) : store.delete(key))
  return true
}
