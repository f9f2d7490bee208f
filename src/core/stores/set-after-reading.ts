import type { Maybe } from '../maybe'
import type { SessionRecord, SessionStore } from '../types'
import { andThen } from '../maybe'
import { parseStored } from '../record/record'

/**
 * Compare-and-set where storage has none. It is atomic only while nobody else writes the
 * record: within one process the manager's lock sees to that, between processes nobody does.
 */
export function setAfterReading(store: SessionStore, key: string, revision: string | undefined, record: SessionRecord | undefined, ttl: number): Maybe<boolean> {
  return andThen(store.get(key), (stored) => {
    if (revision === undefined ? stored !== undefined : parseStored(stored)?.revision !== revision)
      return false
    return andThen(record ? store.set(key, record, ttl) : store.delete(key), () => true)
  })
}
