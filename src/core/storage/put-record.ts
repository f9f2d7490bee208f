import type { Maybe } from '../maybe'
import type { SessionRecord } from '../types'
import type { RecordAccess } from './record-access'
import { andThen } from '../maybe'
import { parseStored } from '../record/record'

/** Stores the record of a new id, which must not exist. `undefined` when it does. */
export function putRecord(access: RecordAccess, id: string, record: SessionRecord): Maybe<true | undefined> {
  const key = access.keyOf(id)
  return andThen(access.swap(key, undefined, record), (isDone) => {
    if (isDone)
      return true
    // An earlier attempt of this request may have stored it although its answer got lost.
    return andThen(access.get(key), (value) => {
      const stored = parseStored(value)
      if (stored?.createdAt !== record.createdAt)
        return undefined
      return andThen(access.swap(key, stored, record), isDone => isDone || undefined)
    })
  })
}
