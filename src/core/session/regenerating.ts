import type { Maybe } from '../maybe'
import type { RecordPatch } from '../record/patch'
import type { Succession } from '../record/succession'
import type { SessionRecord } from '../types'
import type { SessionMachine } from './machine'
import type { State } from './state'
import { Content } from '../record/content'
import { isSessionError } from '../errors'
import { createId } from '../id'
import { andThen, orElse } from '../maybe'
import { mergePatches, NO_CHANGES, patchOf } from '../record/patch'
import { assertRecordFits } from '../record/size'
import { hasData, limitsOf, succeed, toSuccession } from '../record/succession'
import { commit } from './committing'
import { begun, changed, createDraft, keeps, presentIn } from './state'

/** Gives the session another id, with a patch in the same write. */
export function regenerate(machine: SessionMachine, patch: unknown, options: unknown): Maybe<void> {
  const succession = toSuccession(patch, options)
  const { era } = machine.state
  const turn = machine.renewals.asked++
  return andThen(untilTurn(machine, turn), () => {
    machine.renewals.done++
    machine.assertNotEndedSince(era)
    return andThen(wasReplaced(machine.state) && hasData(succession) ? beginAfresh(machine, succession) : renew(machine, succession), isStored =>
      // Nothing is told of one that was left with nothing.
      isStored ? machine.events.tell('regenerated') : undefined)
  })
}

/** Only when a write has ended is it known what is there to be replaced. */
function untilTurn(machine: SessionMachine, turn: number): Maybe<void> {
  const isWritten = machine.turns.isBusy && presentIn(machine.state)?.newer !== undefined
  return turn > machine.renewals.done || isWritten ? andThen(machine.turns.take(() => undefined), () => Promise.resolve().then(() => untilTurn(machine, turn))) : undefined
}

function wasReplaced({ slot }: State): boolean {
  return slot.kind === 'over' && slot.why === 'replaced'
}

/** True when the session is stored under its new id. */
function renew(machine: SessionMachine, succession: Succession): Maybe<boolean> {
  machine.assertChangeable()
  machine.assertCookieCanFollow('its id')
  const before = machine.state
  const { era } = before
  const id = replaceSession(machine, succession)
  const store = (): Maybe<boolean> => andThen(isStored(machine, id), (isStored) => {
    machine.assertNotEndedSince(era)
    return isStored
  })
  return orElse(store, (error) => {
    const { slot } = machine.state
    // Another request was faster: the login begins a session of its own.
    if (slot.kind === 'over' && slot.why === 'replaced' && machine.state.era === era + 1 && hasData(succession))
      return beginAfresh(machine, succession, slot.unsaved)
    // Nothing was stored, nor could it be: the session stays what it was.
    if (presentIn(machine.state)?.id === id && isSessionError(error) && error.code !== 'STORAGE_ERROR')
      restore(machine, before)
    throw error
  })
}

/** Stores the session of an id. True when storage has it, and it was left with something. */
function isStored(machine: SessionMachine, id: string): Maybe<boolean> {
  return andThen(commit(machine), (written) => {
    const session = presentIn(machine.state)
    return (session?.id === id && session.kind === 'live') || (written !== undefined && session !== undefined && keeps(session, written.record))
  })
}

/** Goes back to the session before, with what was changed since. */
function restore(machine: SessionMachine, { slot }: State): void {
  const { changes } = machine.session.content
  machine.adopt({ ...machine.state, slot })
  const { session } = machine
  machine.become(changes === NO_CHANGES ? machine.state : changed(machine.state, session, changes, session.content.with(changes, machine.areBytesCounted)))
}

/**
 * Begins a session that holds the patch and nothing else, where another request replaced the id:
 * a login that was sent twice, or again because its answer was lost.
 *
 * @param later what was changed since the patch was given
 */
function beginAfresh(machine: SessionMachine, succession: Succession, later: RecordPatch = NO_CHANGES): Maybe<boolean> {
  machine.assertNotShared()
  machine.assertCookieCanFollow('its id')
  const { era } = machine.state
  const draft = machine.createDraft(mergePatches(patchOf({ data: succession.data, lifetime: limitsOf(succession) }), later))
  machine.become(begun(machine.state, draft))
  return andThen(isStored(machine, draft.id), (isStored) => {
    machine.assertNotEndedSince(era)
    return isStored
  })
}

/** Puts a draft in the place of the present session, which goes on in it. Returns its id. */
function replaceSession(machine: SessionMachine, succession: Succession): string {
  const { options } = machine.context
  const { now, session: old } = machine
  const { changes } = old.content
  const successorOf = (record: SessionRecord): SessionRecord => succeed(record, changes, succession, now, options)
  const earlier = old.replaces
  const draft = createDraft(createId(), new Content(successorOf(old.content.base)), {
    mayBeEmpty: options.saveUninitialized && machine.canBegin,
    isAnnounced: old.isAnnounced,
    replaces: earlier
      ? { id: earlier.id, succeed: record => successorOf(earlier.succeed(record)) }
      : old.kind === 'draft' ? undefined : { id: old.id, succeed: successorOf },
  })
  if (machine.areBytesCounted)
    assertRecordFits(draft.content.base, options.maxBytes, machine.record)
  machine.become(begun(machine.state, draft))
  return draft.id
}
