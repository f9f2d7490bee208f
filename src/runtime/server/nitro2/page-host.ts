import type { PageOptions } from '../../../http/page-part'
import type { EventExchange, ResponseSessions } from '../../../http/response-cookies'
import { V1Response } from '../../../adapters/h3-v1'
import { mendMark, PageCookies } from '../../../http/page-cookies'
import { Nitro2Host } from './event-host'
import { hasFailed } from './error-page'
import { isBackground, isPersonalPage, isShownPage } from './page-request'

/** An event of Nuxt, whose pages show the session. */
export class PageHost extends Nitro2Host implements PageOptions {
  lateRemedy?: string

  get page(): PageOptions {
    return this
  }

  readonly mendMark = mendMark

  get isError(): boolean {
    return hasFailed(this.owner)
  }

  override createExchange(sessions: ResponseSessions): EventExchange {
    return new PageCookies(new V1Response(this.owner), sessions, this, this.manager().options, isBackground(this.owner))
  }

  isPersonal(): boolean {
    return isPersonalPage(this.owner)
  }

  isShown(): boolean {
    return isShownPage(this.owner)
  }
}
