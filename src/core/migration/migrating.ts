import type { SessionMachine } from '../session/machine'
import type { Migrate } from '../session/old-cookie'
import type { State } from '../session/state'
import { isSessionError } from '../errors'
import { isEmpty } from '../record/record'
import { expireOldCookie } from '../session/old-cookie'
import { createLive } from '../session/state'

/** Takes over the session of another package. Its cookie goes only when ours goes out, to what is stored. */
export const migrate: Migrate = async (machine, old) => {
  const { exchange, events } = machine
  if (exchange.isSent || exchange.isShared)
    return
  const taken = await old.take(events)
  if (!taken)
    return
  const { id, record, isFirst } = taken
  machine.adopt({ ...machine.state, isOldCookieOver: true })
  const before = machine.state
  const migrated: State = { ...before, isLoaded: true, isMigrated: true, hadSession: true, slot: createLive(id, record, machine.context.options.saveUninitialized) }
  if (!isEmpty(record) && !await saysCookie(machine, migrated))
    return
  await Promise.resolve(taken.end()).catch((error) => {
    machine.say(before)
    throw error
  })
  if (isEmpty(record)) {
    expireOldCookie(machine, old)
    return
  }
  old.expire()
  machine.commit(migrated)
  if (isFirst)
    await machine.events.tell('created')
}

/** False when a session of another package does not fit into a cookie of ours. */
async function saysCookie(machine: SessionMachine, migrated: State): Promise<boolean> {
  try {
    machine.say(migrated)
    return true
  }
  catch (error) {
    if (!isSessionError(error) || error.code !== 'COOKIE_ERROR')
      throw error
    await machine.events.tellRejected('corrupt')
    return false
  }
}
