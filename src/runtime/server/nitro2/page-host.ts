import type { PageOptions } from '../../../http/page-part'
import { Nitro2Host } from './event-host'
import { isPersonalPage, isShownPage } from './page-request'

/** An event of Nuxt, whose pages show the session. */
export class PageHost extends Nitro2Host implements PageOptions {
  get page(): PageOptions {
    return this
  }

  isPersonal(): boolean {
    return isPersonalPage(this.owner)
  }

  isShown(): boolean {
    return isShownPage(this.owner)
  }
}
