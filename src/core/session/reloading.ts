import type { Maybe } from '../maybe'
import type { SessionMachine } from './machine'
import type { Missing } from './ports'
import { SessionError } from '../errors'
import { andThen } from '../maybe'
import { isExpired } from '../record/record'
import { tellMissing } from './finding'
import { endedError } from './guards'
import { presentIn, refreshed } from './state'
import { traceLoad } from './tracer'

/** Fetches the newest record; what the request changed stays on top. */
export function reload(machine: SessionMachine): Maybe<void> {
  const { era } = machine.state
  // Not beside a write, or it would show what that replaces. Who is told may write: so that is not part of the turn.
  return andThen(machine.turns.take(() => traceLoad(machine, fetchNewest, era)), found => found === 'found' ? undefined : andThen(tellMissing(machine, found), () => {
    throw endedError()
  }))
}

/** @param era that of the session which was to be reloaded */
function fetchNewest(machine: SessionMachine, era: number): Maybe<'found' | Missing> {
  machine.assertNotEndedSince(era)
  if (machine.state.slot.kind === 'over')
    throw endedError()
  const session = presentIn(machine.state)
  if (session?.kind !== 'live')
    throw new SessionError('INVALID_SESSION', 'There is no stored session to reload.')
  if (machine.isCookieMode)
    return 'found'
  return andThen(machine.context.records.load({ id: session.id }), (found) => {
    machine.assertNotEndedSince(era)
    if (typeof found === 'string') {
      machine.end(found === 'replaced' ? found : 'gone')
      return found
    }
    if (isExpired(found, machine.now))
      throw machine.end('gone')
    const current = presentIn(machine.state)
    // Not one that took its place meanwhile.
    if (current?.id === session.id)
      machine.adopt(refreshed(machine.state, current, found, machine.areBytesCounted))
    return 'found'
  })
}
