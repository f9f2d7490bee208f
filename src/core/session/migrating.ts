import type { SessionMachine } from './machine'
import type { OldCookies } from './ports'
import type { State } from './state'
import { isSessionError } from '../errors'
import { isEmpty } from '../record/record'
import { createLive } from './state'

/** The cookie of another package, where the request carries none of ours. */
export function oldCookieToLoad({ state, cookie, oldCookie }: SessionMachine): OldCookies | undefined {
  return oldCookie && !state.isLoaded && cookie.tokenOf(state) === undefined && oldCookie.isCarried ? oldCookie : undefined
}

/** Removes the cookie of another package, where none of ours takes its place. */
export function expireOldCookie(machine: SessionMachine, old: OldCookies): void {
  machine.adopt({ ...machine.state, isOldCookieOver: true })
  old.expire()
  if (old.isNamedAsOurs)
    machine.expireCookie()
}

/** Takes over the session of another package. Its cookie goes only when ours goes out, to what is stored. */
export async function migrate(machine: SessionMachine, old: OldCookies): Promise<void> {
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
