import type { EventSessions } from '../../../http/event-sessions'
import type { H3Event } from 'h3'
import { sessionsOwnedBy } from '../../../http/find-sessions'
import { join } from '../../../http/membership'
import { createId } from '../../../core/id'

const HEADER = 'unsession-page'

/** The sessions of requests that failed, while their error pages are rendered. */
const lent = new Map<string, EventSessions>()

/** The events whose error is being answered. */
const failed = new WeakSet<H3Event>()

/** True for an event whose response is an error. */
export function hasFailed(event: H3Event): boolean {
  return failed.has(event)
}

/**
 * Nuxt, and whoever does as it does, renders its error page by an internal request that has the headers of the one that
 * failed, but not its context. A ticket in the headers lets it find the session.
 */
export async function shareWithErrorPage(event: H3Event, render: () => Promise<void>): Promise<void> {
  const sessions = sessionsOwnedBy(event)
  // The error page of an internal request is shown to nobody.
  if (!sessions)
    return render()
  failed.add(event)
  const ticket = createId()
  const { headers } = event.node.req
  lent.set(ticket, sessions)
  headers[HEADER] = ticket
  try {
    await render()
  }
  finally {
    lent.delete(ticket)
    delete headers[HEADER]
  }
}

/** The sessions of the request whose error page this internal request is. */
export function borrowSessions(event: H3Event): EventSessions | undefined {
  const { headers } = event.node.req
  const sessions = lent.get(String(headers[HEADER]))
  delete headers[HEADER]
  if (sessions)
    join(event, sessions)
  return sessions
}
