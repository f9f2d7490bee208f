import type { ErrorResponse } from '../../../http/error-response'
import type { EventExchange, EventResponse, ResponseSessions } from '../../../http/response-cookies'
import type { ServerSessions } from '../sessions'
import type { H3Event } from 'nitro/h3'
import { V2Response } from '../../../adapters/h3-v2'
import { isNarrowed } from '../../../http/cached-request'
import { ResponseCookies } from '../../../http/response-cookies'
import { reportFailure } from '../error-response'
import { NitroHost } from '../event-host'
import { toErrorResponse } from './http-error'

/** An event of Nitro 3. */
export class Nitro3Host extends NitroHost<H3Event> {
  readonly #request: H3Event['req']
  // Described now, not when a session is asked for: h3 gives an event that was answered another response.
  readonly #response: EventResponse

  constructor(server: ServerSessions, event: H3Event) {
    super(server, event)
    this.#request = event.req
    this.#response = new V2Response(event)
  }

  override isCached(): boolean {
    return isNarrowed(this.owner.req, this.#request) || super.isCached()
  }

  cookieHeader(): string | undefined {
    return this.#response.cookieHeader
  }

  createExchange(sessions: ResponseSessions): EventExchange {
    return new ResponseCookies(this.#response, sessions, this)
  }

  onFailure(error: unknown): ErrorResponse {
    return toErrorResponse(reportFailure(this.server.app, this.owner, error))
  }
}
