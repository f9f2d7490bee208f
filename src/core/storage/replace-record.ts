import type { Ended, Present } from '../session/state'
import type { Written } from '../session/ports'
import type { Plan } from './plan'
import type { RecordAccess } from './record-access'
import type { ReplacedIds } from './replaced-ids'
import { isSessionError } from '../errors'
import { createReplacedRecord } from '../record/record'
import { createRevision } from '../record/revision'
import { keeps } from '../session/state'
import { putRecord } from './put-record'
import { conflict, retry } from './retry'

/** Stores a session under its new id, and ends the id that it takes over from. */
export async function replaceRecord(access: RecordAccess, replaced: ReplacedIds, session: Present, plan: Plan): Promise<Written | Ended> {
  const { id: oldId, succeed } = session.replaces!
  const oldKey = access.keyOf(oldId)
  let isPut = false
  const attempt = async (): Promise<Written | Ended | undefined> => {
    const old = await access.newest(oldKey)
    if (typeof old === 'string')
      return old
    const written = plan(succeed(old), old)
    const isKept = keeps(session, written.record)
    // First the new record, which nobody knows yet: a crash in between loses nothing.
    isPut ||= isKept
    if (isKept && !await putRecord(access, session.id, written.record))
      return undefined
    const left = { ...createReplacedRecord(replaced.now()), revision: createRevision(old.revision) }
    if (!await access.swap(oldKey, old, isKept ? left : undefined))
      return undefined
    if (isKept)
      replaced.add(oldId, left)
    return written
  }
  const withdraw = async (): Promise<void> => {
    if (isPut)
      await access.delete(access.keyOf(session.id))
  }
  let result
  try {
    result = await retry(attempt)
  }
  catch (error) {
    // Where storage failed, what it did last is not known.
    if (!isSessionError(error) || error.code !== 'STORAGE_ERROR')
      await withdraw()
    throw error
  }
  if (typeof result !== 'object' || !keeps(session, result.record))
    await withdraw()
  return result ?? conflict()
}
