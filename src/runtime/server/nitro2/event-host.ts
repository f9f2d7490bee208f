import type { ErrorResponse } from '../../../http/error-response'
import type { PageOptions } from '../../../http/page-part'
import type { EventExchange, ResponseSessions } from '../../../http/response-cookies'
import type { H3Event } from 'h3'
import { hasPages } from '#unsession/host'
import { V1Response } from '../../../adapters/h3-v1'
import { ResponseCookies } from '../../../http/response-cookies'
import { reportFailure } from '../error-response'
import { NitroHost } from '../event-host'
import { toErrorResponse } from './error-response'
import { isPersonalPage, isShownPage } from './page-request'

/** An event of Nitro 2. */
export class Nitro2Host extends NitroHost<H3Event> implements PageOptions {
  get page(): PageOptions | undefined {
    return hasPages ? this : undefined
  }

  isPersonal(): boolean {
    return isPersonalPage(this.owner)
  }

  isShown(): boolean {
    return isShownPage(this.owner)
  }

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
