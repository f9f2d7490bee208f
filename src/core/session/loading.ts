import type { Maybe } from '../maybe'
import type { FoundToken } from './found-token'
import type { SessionMachine } from './machine'
import type { LoadOutcome } from './tracer'
import { SessionError } from '../errors'
import { andThen, orElse } from '../maybe'
import { findRecord, startSession, tellMissing } from './finding'
import { type Migrate, oldCookieToLoad } from './old-cookie'
import { traceLoad } from './tracer'

/** Loads the session of a request, once. */
export class SessionLoader {
  readonly #machine: SessionMachine
  readonly #migrate: Migrate | undefined
  #loading: Promise<void> | undefined
  #failure: unknown

  constructor(machine: SessionMachine, migrate: Migrate | undefined) {
    this.#machine = machine
    this.#migrate = migrate
  }

  get isLoaded(): boolean {
    return this.#machine.state.isLoaded
  }

  /** Loads the session unless that was done. Rejects with `STORAGE_ERROR`, again at every call. */
  load(): Maybe<void> {
    // Not the promise of the loading once the data is there: a `session:loaded` hook may ask again.
    return this.isLoaded ? undefined : this.#loading ?? this.#load()
  }

  /** Loads what nobody has to wait for. True when the session is loaded. */
  loadAtOnce(): boolean {
    if (!this.isLoaded && !this.#loading && !this.#mustWait)
      this.assertLoaded()
    return this.isLoaded
  }

  /**
   * Makes sure that the session is loaded, without I/O.
   *
   * @throws SessionError `INVALID_SESSION` when only storage knows; what loading threw
   */
  assertLoaded(): void {
    const machine = this.#machine
    if (this.isLoaded)
      return
    if (this.#failure)
      throw this.#failure
    const token = machine.cookie.tokenOf(machine.state)
    if (token ? !machine.isCookieMode : oldCookieToLoad(machine))
      throw new SessionError('INVALID_SESSION', 'The session was not loaded for this request. Call `await useSession(event)` first (in a Vue page `await useClientSession()`), or turn autoload on for this route.')
    traceLoad(machine, startAtOnce, token)
  }

  get #mustWait(): boolean {
    const { cookie, events, isCookieMode, state } = this.#machine
    return cookie.tokenOf(state) ? !isCookieMode || events.areHeard : oldCookieToLoad(this.#machine) !== undefined
  }

  #load(): Maybe<void> {
    const machine = this.#machine
    const { era } = machine.state
    const load = (): Maybe<LoadOutcome> => orElse(() => traceLoad(machine, loadSession, this.#migrate), (error) => {
      this.#failure = error
      throw error
    })
    const tell = (): Maybe<void> => {
      const { state } = machine
      return state.hadSession && state.era === era ? machine.events.tell('loaded') : undefined
    }
    const loading = orElse(() => andThen(load(), tell), error => Promise.reject(error))
    if (loading instanceof Promise)
      this.#loading = loading
    return loading
  }
}

/** The session is in its cookie, or there is none. */
function startAtOnce(machine: SessionMachine, token: FoundToken | undefined): LoadOutcome {
  return startSession(machine, token, token?.content.record)
}

function loadSession(machine: SessionMachine, migrate: Migrate | undefined): Maybe<LoadOutcome> {
  const old = migrate && oldCookieToLoad(machine)
  // The response waits for it, also when nobody else does.
  return andThen(old ? machine.operations.run(() => migrate(machine, old)) : undefined, () => {
    const { cookie, state } = machine
    const token = state.isLoaded ? undefined : cookie.tokenOf(state)
    return andThen(token && findRecord(machine, token), (found) => {
      const missing = typeof found === 'string' ? found : undefined
      if (missing === 'replaced')
        machine.end(missing)
      const outcome = machine.state.isLoaded
        ? machine.state.isMigrated ? 'migrated' : 'none'
        : startSession(machine, cookie.tokenOf(machine.state), typeof found === 'object' ? found : undefined)
      // Who is told may use the session.
      return missing ? andThen(tellMissing(machine, missing), () => missing) : outcome
    })
  })
}
