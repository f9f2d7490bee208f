import type { ErrorResponse } from '../../../http/error-response'
import type { EventExchange, ResponseSessions } from '../../../http/response-cookies'
import type { H3Event } from 'h3'
import { V1Response } from '../../../adapters/h3-v1'
import { ResponseCookies } from '../../../http/response-cookies'
import { reportFailure } from '../error-response'
import { NitroHost } from '../event-host'
import { toErrorResponse } from './error-response'

/** An event of Nitro 2. */
export class Nitro2Host extends NitroHost<H3Event> {
  cookieHeader(): string | undefined {
    return this.owner.node.req.headers.cookie
  }

  createExchange(sessions: ResponseSessions): EventExchange {
    return new ResponseCookies(new V1Response(this.owner), sessions, this)
  }

  onFailure(error: unknown): ErrorResponse {
    return toErrorResponse(reportFailure(this.server.app, this.owner, error))
  }
}
