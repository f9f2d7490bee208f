import type { Maybe } from '../maybe'
import type { SessionMachine } from './machine'
import type { Present, Removal } from './state'
import { isSessionError } from '../errors'
import { andThen, orElse } from '../maybe'
import { createRecord } from '../record/record'
import { commit } from './committing'
import { endedError } from './guards'
import { expireOldCookie, oldCookieToLoad } from './old-cookie'
import { showOnly } from './show-only'
import { createLive, dismissed, presentIn } from './state'

/**
 * Ends the session, its record and the browser's cookie.
 *
 * @param load loads the session, where only its record tells what is to end
 */
export function destroy(machine: SessionMachine, load: () => Maybe<void>): Maybe<void> {
  if (machine.isCookieMode) {
    machine.assertNotShared()
    machine.assertCookieCanFollow()
  }
  return andThen(loadToEnd(machine, load), () => {
    assertNotReplaced(machine)
    const session = abandon(machine)
    // Also what an earlier attempt could not remove.
    return andThen(machine.state.removals.length > 0 ? commit(machine) : undefined, () => {
      assertNotReplaced(machine)
      return session && machine.events.tell('destroyed', showOnly(machine, session))
    })
  })
}

function loadToEnd(machine: SessionMachine, load: () => Maybe<void>): Maybe<void> {
  const old = oldCookieToLoad(machine)
  // What is to end must be ours first. The old cookie is expired in any case.
  if (old) {
    return orElse(load, (error) => {
      expireOldCookie(machine, old)
      if (isSessionError(error))
        machine.adopt({ ...machine.state, failure: error })
      throw error
    })
  }
  // Of several cookies only storage knows which one has the session.
  return machine.cookie.tokens.length > 1 ? orElse(load, () => undefined) : undefined
}

/** The session goes on under an id that only its own cookie can end; who asked for its end must know. */
function assertNotReplaced({ state: { slot } }: SessionMachine): void {
  if (slot.kind === 'over' && slot.why === 'replaced')
    throw endedError()
}

/** Gives up the session; its record is to be removed, and those of other cookies. Returns it, if there was one. */
function abandon(machine: SessionMachine): Present | undefined {
  const { cookie, state, exists, oldCookie, context } = machine
  const token = state.isLoaded ? undefined : cookie.tokenOf(state)
  const session = token
    ? createLive(token.content.id, token.content.record ?? createRecord(machine.now, context.options), false)
    : presentIn(state)
  const removals: Removal[] = cookie.otherIds(state).map(id => ({ id, loaded: undefined }))
  if (session?.mayBeStored)
    removals.push({ id: session.id, loaded: token || session.kind === 'draft' ? undefined : session.content.base })
  if (session?.replaces)
    removals.push({ id: session.replaces.id, loaded: undefined })
  machine.commit(dismissed(state, removals, state.hadSession || token !== undefined))
  // Also one of another package that was not read, or it would log the visitor in again.
  if (oldCookie)
    expireOldCookie(machine, oldCookie)
  const wasThere = token !== undefined || exists || session?.replaces !== undefined || session?.newer !== undefined
  return wasThere ? session : undefined
}
