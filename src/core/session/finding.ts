import type { Maybe } from '../maybe'
import type { SessionRecord } from '../types'
import type { SessionMachine } from './machine'
import type { FoundToken } from './found-token'
import type { Missing } from './ports'
import type { Present, State } from './state'
import type { LoadOutcome } from './tracer'
import { isSessionError } from '../errors'
import { andThen, toPromise } from '../maybe'
import { patchOf } from '../record/patch'
import { isExpired, isTouchDue, underLimits } from '../record/record'
import { showOnly } from './show-only'
import { begun, changed, createLive, presentIn } from './state'

/** Of several cookies that verify, so many are looked up in storage. */
export const MAX_LOOKUPS = 4

/** The record behind the cookies of a request; in cookie mode the newest of them is the session. */
export function findRecord(machine: SessionMachine, token: FoundToken): Maybe<SessionRecord | Missing | undefined> {
  return machine.isCookieMode ? token.content.record : new Search(machine).run()
}

/** Looks for the first cookie that has a session, or else one that has expired. */
class Search {
  readonly #machine: SessionMachine
  readonly #era: number
  readonly #tokens: readonly FoundToken[]
  #expired: { token: FoundToken, record: SessionRecord } | undefined
  #missing: Missing | undefined

  constructor(machine: SessionMachine) {
    this.#machine = machine
    this.#era = machine.state.era
    this.#tokens = machine.cookie.tokens.slice(0, MAX_LOOKUPS)
  }

  run(index = 0): Maybe<SessionRecord | Missing | undefined> {
    const token = this.#tokens[index]
    if (!token)
      return this.#end()
    const machine = this.#machine
    return andThen(machine.context.records.load(token.content), (found) => {
      // This request itself ended it meanwhile.
      if (machine.state.era !== this.#era)
        return undefined
      if (typeof found === 'object' && !isExpired(underLimits(found, machine.context.options), machine.now)) {
        machine.adopt({ ...machine.state, token })
        return found
      }
      machine.adopt({ ...machine.state, dead: [...machine.state.dead, token] })
      if (typeof found === 'object')
        this.#expired ??= { token, record: found }
      else if (this.#missing !== 'replaced')
        this.#missing = found
      return this.run(index + 1)
    })
  }

  #end(): SessionRecord | Missing | undefined {
    const machine = this.#machine
    if (this.#expired) {
      machine.adopt({ ...machine.state, token: this.#expired.token })
      if (this.#missing !== 'replaced')
        return this.#expired.record
    }
    return this.#missing
  }
}

/** Tells that a record was not found. */
export function tellMissing(machine: SessionMachine, missing: Missing): Maybe<void> {
  return machine.events.tellRejected(missing === 'replaced' ? 'unknown' : missing)
}

/** The session is what was found. Also without one, the request has its session from now on. */
export function startSession(machine: SessionMachine, token: Pick<FoundToken, 'content' | 'isOutdated'> | undefined, loaded: SessionRecord | undefined): LoadOutcome {
  const { context, state } = machine
  const { options } = context
  machine.adopt({ ...state, isLoaded: true })
  const record = loaded && underLimits(loaded, options)
  const outcome = token && record ? startRecord(machine, token, record) : 'none'
  if (!presentIn(machine.state) && options.saveUninitialized && machine.canBegin) {
    machine.become(begun(machine.state, { ...machine.session, mayBeEmpty: true }))
    machine.exchange.holdResponse()
  }
  return outcome
}

function startRecord(machine: SessionMachine, { content: { id }, isOutdated }: Pick<FoundToken, 'content' | 'isOutdated'>, record: SessionRecord): LoadOutcome {
  const session = createLive(id, record, machine.context.options.saveUninitialized)
  if (isExpired(record, machine.now)) {
    void toPromise(() => machine.events.tell('expired', showOnly(machine, session)))
    return 'expired'
  }
  startFound(machine, session, record, isOutdated)
  return 'found'
}

function touched(machine: SessionMachine, state: State, session: Present): State {
  const patch = patchOf({ isTouched: true })
  return changed(state, session, patch, session.content.with(patch, machine.areBytesCounted))
}

function startFound(machine: SessionMachine, session: Present, record: SessionRecord, isOutdated: boolean): void {
  const { options } = machine.context
  const { isShared, obstacle } = machine.reach
  // In cookie mode it takes a cookie to keep a session alive. Elsewhere too once the response has begun, or the browser would drop its cookie before the session ends.
  const canKeepAlive = !isShared && !(machine.isCookieMode ? obstacle : machine.exchange.isSent)
  // A cookie of an old secret is to be issued again.
  const known = isOutdated && canKeepAlive ? undefined : record
  const found = { ...machine.state, slot: session, hadSession: true, arrived: record }
  whereItFits(() => machine.commit({ ...found, known }), () => machine.commit({ ...found, known: record }))
  // A session that is only read is kept alive.
  if (canKeepAlive && !machine.exchange.isBackground && isTouchDue(record, machine.now, options)) {
    whereItFits(() => {
      machine.become(touched(machine, machine.state, session))
      machine.exchange.holdResponse()
    }, () => {})
  }
}

/** A session whose cookie would be too big to be sent again can still be read. */
function whereItFits(act: () => void, otherwise: () => void): void {
  try {
    act()
  }
  catch (error) {
    if (!isSessionError(error) || error.code !== 'COOKIE_ERROR')
      throw error
    otherwise()
  }
}
