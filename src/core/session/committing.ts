import type { Maybe } from '../maybe'
import type { RecordPatch } from '../record/patch'
import type { SessionMachine } from './machine'
import type { MakePatch, Written } from './ports'
import type { Ended, Present, Removal } from './state'
import { andThen, orElse } from '../maybe'
import { isOnlyTouch, isPassive, NO_CHANGES } from '../record/patch'
import { endedError } from './guards'
import { aborted, begun, emptied, isPersisted, keeps, presentIn, refreshed, removed, stillDraft, stored, unsavedOf, writing } from './state'

/** True when there is something to store or to remove. */
export function hasPending(machine: SessionMachine): boolean {
  return machine.state.removals.length > 0 || hasUnsaved(machine)
}

/** True when the session is to be stored, apart from others that are to be removed. */
export function hasUnsaved(machine: SessionMachine): boolean {
  const session = presentIn(machine.state)
  if (session?.kind === 'draft')
    return session.replaces !== undefined || machine.willBeCreated(session)
  return session !== undefined && unsavedOf(session) !== NO_CHANGES
}

/**
 * Stores what is pending, with its hooks; hooks run outside of the turn, so they may store too.
 * Resolves to what was written, or would have been if storage did not hold it already.
 */
export function commit(machine: SessionMachine, makePatch?: MakePatch): Maybe<Written | undefined> {
  const { tracer } = machine.context
  return tracer?.hearsCommits && (makePatch || hasPending(machine))
    ? tracer.commit(machine, makePatch, () => storePending(machine, makePatch))
    : storePending(machine, makePatch)
}

function storePending(machine: SessionMachine, makePatch: MakePatch | undefined): Maybe<Written | undefined> {
  const { era } = machine.state
  const write = (): Maybe<Written | undefined> => machine.turns.take(() => {
    if (makePatch)
      machine.assertNotEndedSince(era)
    return writePending(machine, makePatch)
  })
  const tell = (written: Written | undefined): Maybe<Written | undefined> =>
    // One may have begun in the place of the other.
    andThen(announce(machine, machine.exists), () => andThen(written?.isChanged ? machine.events.tellSaved() : undefined, () => written))
  return andThen(announce(machine, makePatch !== undefined || machine.exists), () =>
    andThen(orElse(write, error => machine.failWith(error)), tell))
}

/**
 * Tells of a session that begins.
 *
 * @param isBeginning true for one that is about to get its first data
 */
function announce(machine: SessionMachine, isBeginning: boolean): Maybe<void> {
  if (!isBeginning || machine.session.isAnnounced)
    return undefined
  machine.adopt(begun(machine.state, { ...machine.session, isAnnounced: true }))
  return machine.events.tell('created')
}

function writePending(machine: SessionMachine, makePatch: MakePatch | undefined): Maybe<Written | undefined> {
  assertCookieKnown(machine, makePatch !== undefined)
  if (!makePatch && !hasPending(machine))
    return undefined
  const session = makePatch || hasUnsaved(machine) ? machine.session : undefined
  // Before anything is awaited: who ends the session meanwhile must know of the write.
  if (session)
    machine.adopt(writing(machine.state, session))
  return andThen(removeAll(machine, machine.state.removals, session), () => {
    if (session)
      return write(machine, session, makePatch)
    machine.clearFailure()
    return undefined
  })
}

/** Since a session was begun the response may have begun as well, without its cookie. */
function assertCookieKnown(machine: SessionMachine, isUpdate: boolean): void {
  const session = presentIn(machine.state)
  const isMeant = isUpdate || (session && (isPersisted(session) || session.replaces !== undefined))
  if (session?.kind !== 'live' && isMeant && !(session && machine.cookie.isKnown(session.id)))
    machine.assertCookieCanFollow()
}

function write(machine: SessionMachine, session: Present, makePatch: MakePatch | undefined): Maybe<Written | undefined> {
  const { changes } = session.content
  const attempt = (): Maybe<Written | Ended> => andThen(machine.context.records.write(session, changes, makePatch), (written) => {
    machine.clearFailure()
    return written
  })
  return andThen(orElse(attempt, error => recover(machine, session, makePatch, error)), written => accept(machine, session, written, makePatch))
}

/** What became of a session that could not be written. That the visitor was seen is not worth an error. */
function recover(machine: SessionMachine, session: Present, makePatch: MakePatch | undefined, error: unknown): Written {
  if (!makePatch && session.kind === 'live' && isOnlyTouch(session.content.changes))
    return { record: session.content.base, isChanged: false }
  const current = currentOf(machine, session)
  if (!current)
    throw error
  const next = aborted(machine.state, current)
  // The browser's cookie goes with a session that was emptied, whatever is stored of it.
  if (!isPersisted(current) && (current.kind === 'live' || current.replaces))
    machine.commit(next)
  else
    machine.adopt(next)
  throw error
}

function accept(machine: SessionMachine, session: Present, written: Written | Ended, makePatch: MakePatch | undefined): Maybe<Written | undefined> {
  const { changes } = session.content
  const isWanted = makePatch !== undefined || !isPassive(changes)
  if (written === 'gone' && isWanted && canBeginAnew(machine, session))
    return beginAnew(machine, makePatch)
  if (typeof written === 'string') {
    // Only that session ends, not one that took its place in this request.
    const current = presentIn(machine.state)
    const error = current?.id === session.id ? machine.end(written) : endedError()
    if (isWanted || session.replaces)
      throw error
    return undefined
  }
  if (session.replaces)
    machine.adopt({ ...machine.state, renewed: [...machine.state.renewed, session.replaces.id] })
  const current = currentOf(machine, session)
  if (current)
    continueFrom(machine, current, written)
  return written
}

/** The session that was written, as it is now; `undefined` when another took its place or it ended. */
function currentOf(machine: SessionMachine, { id }: Present): Present | undefined {
  const current = presentIn(machine.state)
  return current?.id === id ? current : undefined
}

/**
 * True for a session that held messages only, the last of which another request has read:
 * nothing comes back with what this request changed, under an id of its own.
 */
function canBeginAnew(machine: SessionMachine, session: Present): boolean {
  return session.kind === 'live' && currentOf(machine, session) !== undefined
    && Object.keys(session.content.base.data).length === 0
    && !machine.reach.obstacle
}

function beginAnew(machine: SessionMachine, makePatch: MakePatch | undefined): Maybe<Written | undefined> {
  const { changes } = machine.session.content
  const draft = machine.createDraft({ ...changes, isCleared: false })
  // Should it fail, the browser keeps the cookie that it has.
  machine.withdrawCookie()
  machine.adopt(writing({ ...machine.state, hadSession: false }, draft))
  return write(machine, draft, makePatch)
}

/** From now on a session is what was written of it, and its cookie the one to go back to. */
function continueFrom(machine: SessionMachine, session: Present, { record, isChanged }: Written): void {
  const { state, areBytesCounted } = machine
  if (keeps(session, record)) {
    const goOn = isChanged ? stored : refreshed
    const next = goOn(state, session, record, areBytesCounted)
    if (session.newer === NO_CHANGES) {
      machine.commit(next)
      return
    }
    // What was changed meanwhile is not stored, and its write may fail.
    machine.commit(goOn(state, { ...session, newer: NO_CHANGES }, record, areBytesCounted))
    machine.become(next)
  }
  else if (session.kind === 'draft' && !session.replaces)
    machine.become(stillDraft(state, session, record, areBytesCounted))
  else
    endEmptied(machine, session.newer ?? NO_CHANGES)
}

/** The session is over; what was changed meanwhile begins a new one. */
function endEmptied(machine: SessionMachine, newer: RecordPatch): void {
  machine.commit(emptied(machine.state))
  if (newer === NO_CHANGES)
    return
  machine.assertCookieCanFollow()
  machine.become(begun(machine.state, machine.createDraft(newer)))
}

function removeAll(machine: SessionMachine, [removal, ...others]: readonly Removal[], session: Present | undefined): Maybe<void> {
  if (!removal)
    return undefined
  return andThen(remove(machine, removal, session), () => removeAll(machine, others, session))
}

/** @param session the one that is about to be written */
function remove(machine: SessionMachine, { id, loaded }: Removal, session: Present | undefined): Maybe<void> {
  const { records } = machine.context
  const attempt = (): Maybe<Ended> => records.remove(id, loaded)
  const giveUp = (error: unknown): never => {
    const current = session && currentOf(machine, session)
    if (current)
      machine.adopt(aborted(machine.state, current))
    // The record may still be there: the browser at least shall not come back with it.
    machine.expireCookie()
    throw error
  }
  return andThen(orElse(attempt, giveUp), (why) => {
    machine.adopt(removed(machine.state, id))
    if (why !== 'replaced' || machine.state.renewed.includes(id) || machine.cookie.otherIds(machine.state).includes(id))
      return
    const hasBegun = session !== undefined || presentIn(machine.state) !== undefined
    const error = machine.end(why)
    // A session that was begun since cannot have a cookie beside that of the new id.
    if (hasBegun) {
      machine.adopt({ ...machine.state, failure: error })
      throw error
    }
  })
}
