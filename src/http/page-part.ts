import type { PageSession } from '../core/ports'
import type { RequestSession } from '../core/session/request-session'
import type { ResolvedSessionOptions } from '../core/options'
import type { EventExchange } from './response-cookies'
import { changesOf, createPageSession } from '../core/session/page'

/** What pages need to know of a request. */
export interface PageOptions {
  /** False for a response that is rendered for everybody. */
  isPersonal(): boolean
  /** True when the response is a page that its visitor is going to see. */
  isShown(): boolean
  /** True once an error page takes the place of the response. */
  readonly isError: boolean
  /** Sends what lets the page know that there is a session, where the browser does not have it. */
  mendMark(session: RequestSession, exchange: EventExchange, options: ResolvedSessionOptions): void
  /** That of the exchange; set where the page is streamed. */
  lateRemedy?: string
}

/** What a page may see of a session. Its response is for this visitor alone. */
export function openPage(session: RequestSession, exchange: EventExchange, { cookie: { name }, expose }: ResolvedSessionOptions, isShown: boolean): PageSession {
  // Without a cookie there is nothing to load.
  if (!session.isCarried)
    session.assertLoaded()
  exchange.markPrivate(session.isCarried)
  return createPageSession(session, expose, isShown, () => {
    const line = exchange.cookies.get(name)?.at(-1)
    return line === undefined ? session.isCarried : !line.startsWith(`${name}=;`)
  })
}

/** Lets the page that made the request know what it has to fetch anew. */
export function tellChanges(session: RequestSession, exchange: EventExchange, expose: readonly string[]): void {
  const changes = changesOf(session, expose)
  if (changes.length > 0)
    exchange.setChanges(changes.join(', '))
}
