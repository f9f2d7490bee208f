import type { Manager } from '../core/manager'
import type { SessionObserver } from '../core/ports'
import type { ErrorResponse } from '../http/error-response'
import type { EventHost } from '../http/event-sessions'
import type { EventExchange, EventResponse, ResponseHost, ResponseSessions } from '../http/response-cookies'
import type { PlainApp, PlainSessionOptions } from './app'
import { describeEvent, type SessionEvent } from '../adapters/event'
import { isV2 } from '../adapters/h3-v2'
import { isNarrowed } from '../http/cached-request'
import { describeError, toSessionError } from '../http/error-response'
import { isRefusal } from '../http/require-session'
import { ResponseCookies } from '../http/response-cookies'
import { managerOf } from './app'

/** An event of an app without Nitro. */
export class PlainHost implements EventHost, ResponseHost {
  readonly owner: SessionEvent
  readonly isAwaited: boolean
  readonly #app: PlainApp
  readonly #request: object | undefined
  // Described now, not when a session is asked for: h3 v2 gives an event that was answered another response.
  readonly #response: EventResponse

  /** @param isAwaited true where responses wait that are not those of Node */
  constructor(event: SessionEvent, app: PlainApp, isAwaited: boolean) {
    this.owner = event
    this.isAwaited = isAwaited
    this.#app = app
    this.#request = isV2(event) ? event.req : undefined
    this.#response = describeEvent(event)
  }

  get observer(): SessionObserver | undefined {
    return this.#app.observer
  }

  isCached(): boolean {
    return isV2(this.owner) && isNarrowed(this.owner.req, this.#request as typeof this.owner.req)
  }

  manager(overrides?: PlainSessionOptions): Manager {
    return managerOf(this.#app, overrides)
  }

  cookieHeader(): string | undefined {
    return this.#response.cookieHeader
  }

  createExchange(sessions: ResponseSessions): EventExchange {
    return new ResponseCookies(this.#response, sessions, this)
  }

  onFailure(error: unknown): ErrorResponse {
    return toErrorResponse(error)
  }

  onUnsaved(error: unknown): void {
    logError(error)
  }

  waitUntil(saved: Promise<void>): void {
    if (isV2(this.owner))
      this.owner.waitUntil?.(saved)
  }
}

/** The JSON that both majors of h3 answer errors with, more or less. */
export function toErrorResponse(cause: unknown): ErrorResponse {
  const error = toSessionError(cause)
  // That a guard did its work is no news.
  if (!isRefusal(error))
    logError(error)
  const { statusCode, statusMessage, message } = describeError(error)
  return { statusCode, statusMessage, body: JSON.stringify({ status: statusCode, statusCode, statusText: statusMessage, statusMessage, message }) }
}

export function logError(error: unknown): void {
  console.error('[unsession]', error)
}
