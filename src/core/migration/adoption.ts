import type { RecordAccess } from '../storage/record-access'
import type { Ended } from '../session/state'
import type { SessionRecord } from '../types'
import { createReplacedRecord, parseStored } from '../record/record'
import { createRevision, followsOn } from '../record/revision'

/** Stores the first record of an id, or gives the one that another request stored before. */
export async function adoptRecord(access: RecordAccess, id: string, record: SessionRecord): Promise<{ record: SessionRecord, isFirst: boolean } | Ended> {
  const key = access.keyOf(id)
  return access.withLock(key, async () => {
    const first = { ...record, revision: createRevision() }
    if (await access.swap(key, undefined, first))
      return { record: first, isFirst: true }
    const newest = await access.newest(key)
    return typeof newest === 'string' ? newest : { record: newest, isFirst: false }
  })
}

/** Remembers for a while under which name a record began. False when another record did before, or this one has changed since. */
export async function markMigrated(access: RecordAccess, name: string, { revision = '' }: SessionRecord, now: number, expiresAt: number): Promise<boolean> {
  const key = access.keyOf(name)
  return access.withLock(key, async () => {
    const mark = { ...createReplacedRecord(now), expiresAt, revision: createRevision(revision) }
    if (await access.swap(key, undefined, mark))
      return true
    const stored = parseStored(await access.get(key))
    return stored !== undefined && followsOn(stored.revision, revision)
  })
}

export async function isMigrated(access: RecordAccess, name: string): Promise<boolean> {
  return await access.newest(access.keyOf(name)) === 'replaced'
}
