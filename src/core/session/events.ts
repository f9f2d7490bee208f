import type { Maybe } from '../maybe'
import type { SessionObserver } from '../ports'
import type { RejectReason, Session, SessionEventName } from '../types'
import type { RequestContext } from './context'
import { isPromise, whenDone } from '../maybe'

/** Tells hooks what happens to the session of one request. */
export class SessionEvents {
  readonly #context: RequestContext
  readonly #observer: SessionObserver | undefined
  readonly #handleOf: () => Session
  #isTellingSaved = false

  /** @param handleOf the handle of the session that the events are about */
  constructor(context: RequestContext, observer: SessionObserver | undefined, handleOf: () => Session) {
    this.#context = context
    this.#observer = observer
    this.#handleOf = handleOf
  }

  /** False while nobody wants to hear of them. */
  get areHeard(): boolean {
    return this.#observer !== undefined && this.#observer.isListening !== false
  }

  /**
   * Resolves when everybody who was told is done: at once where nobody takes time.
   *
   * @param session the handle of a session that ended
   */
  tell(name: SessionEventName, session?: Session): Maybe<void> {
    return this.#observer && done(this.#observer.session(name, session ?? this.#handleOf()))
  }

  /** What a hook of `session:saved` stores itself is not told again, or it might never end. */
  tellSaved(): Maybe<void> {
    if (this.#isTellingSaved)
      return undefined
    this.#isTellingSaved = true
    return whenDone(() => this.tell('saved'), () => this.#isTellingSaved = false)
  }

  /** @param foreign the name of a cookie that has our name, yet was not made with our secrets */
  tellRejected(reason: RejectReason, foreign?: string): Maybe<void> {
    const { tracer, options } = this.#context
    return tracer?.hearsRejections ? tracer.reject(options.mode, reason, () => this.#reject(reason, foreign)) : this.#reject(reason, foreign)
  }

  #reject(reason: RejectReason, foreign: string | undefined): Maybe<void> {
    return this.#observer && done(foreign === undefined ? this.#observer.rejected(reason) : this.#observer.rejected(reason, foreign))
  }
}

function done(told: unknown): Maybe<void> {
  return isPromise(told) ? Promise.resolve(told).then(() => {}) : undefined
}
