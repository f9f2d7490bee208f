import type { PageSession } from '../core/ports'
import type { RequestSession } from '../core/session/request-session'
import type { ResolvedSessionOptions } from '../core/options'
import type { EventExchange } from './response-cookies'
import { changesOf, createPageSession } from '../core/session/page'

/**
 * The beginning of the name of a cookie without content that lasts as long as the session cookie,
 * and that pages can read: without it, a page knows that there is no session. The same as in `wire.ts`.
 */
export const MARK = 'unsession.'

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
  return createPageSession(session, expose, isShown, () => leavesMark(session, exchange, name))
}

/** True when the browser has a mark after the response: of a session that is none any more, or that of another app, too. */
function leavesMark(session: RequestSession, { cookies, cookieHeader = '' }: EventExchange, name: string): boolean {
  const own = `${MARK}${name}=`
  const line = cookies.get(name)?.at(-1)
  const isOwn = line === undefined ? cookieHeader.includes(own) || (session.isCarried && session.exists) : !line.startsWith(`${name}=;`)
  return isOwn || cookieHeader.replaceAll(own, '').includes(MARK)
}

/** Lets the page that made the request know what it has to fetch anew. */
export function tellChanges(session: RequestSession, exchange: EventExchange, expose: readonly string[]): void {
  const changes = changesOf(session, expose)
  if (changes.length > 0)
    exchange.setChanges(changes.join(', '))
}
