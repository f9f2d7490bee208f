import type { ResolvedSessionOptions } from '../options'
import type { RecordPatch } from '../record/patch'
import type { MakePatch, Written } from '../session/ports'
import type { Present } from '../session/state'
import type { SessionRecord } from '../types'
import { changedKeys } from '../record/changed-keys'
import { handOut } from '../calls/hand-out'
import { isNothing, isOnlyTouch, mergePatches, patchOf } from '../record/patch'
import { applyPatch, isTouchDue } from '../record/record'
import { createRevision } from '../record/revision'
import { assertRecordFits } from '../record/size'

/**
 * What a write makes of a record. Called again for each record that turns out to be the newest.
 *
 * @param before the record that a new one takes over from
 * @throws SessionError `INVALID_VALUE` when the record would be too big; what the function of an update throws
 */
export type Plan = (base: SessionRecord, before?: SessionRecord) => Written

export interface PlanRules {
  readonly options: ResolvedSessionOptions
  readonly now: () => number
}

/** Plans a write of changes, and of what a function makes of the newest data. */
export function planWrite({ kind, content }: Present, changes: RecordPatch, makePatch: MakePatch | undefined, { options, now }: PlanRules): Plan {
  return (base, before = base) => {
    const patch = makePatch ? withMade(base, changes, makePatch, { options, now }) : changes
    const isIdle = isNothing(patch) || (isOnlyTouch(patch) && !isTouchDue(base, now(), options))
    if (kind === 'live' && isIdle)
      return { record: base, isChanged: false }
    const record = applyPatch(base, patch, now(), options)
    record.revision = createRevision(base.revision)
    // Changes of the record that the request knows were counted when they were made.
    if (makePatch || base !== content.base)
      assertRecordFits(record, options.maxBytes, before)
    return { record, isChanged: true }
  }
}

function withMade(base: SessionRecord, changes: RecordPatch, makePatch: MakePatch, { options, now }: PlanRules): RecordPatch {
  const { data } = isNothing(changes) ? base : applyPatch(base, changes, now(), options)
  const made = changedKeys(key => Object.hasOwn(data, key) ? data[key] : undefined, makePatch(handOut(data, 'data')))
  return mergePatches(changes, patchOf({ data: made }))
}
