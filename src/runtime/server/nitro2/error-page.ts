import type { SessionBag } from '../../../http/bag'
import type { H3Event } from 'h3'
import { getBag } from '../../../http/bag'
import { createId } from '../../../core/id'

const HEADER = 'unsession-page'

/** The bags of requests that failed, while their error pages are rendered. */
const lent = new Map<string, SessionBag>()

/**
 * Nuxt renders its error page by an internal request that has the headers of the one that
 * failed, but not its context. A ticket in the headers lets it find the session.
 */
export async function shareWithErrorPage(event: H3Event, render: () => Promise<void>): Promise<void> {
  const bag = getBag(event.context)
  // The error page of an internal request is shown to nobody.
  if (!bag?.isOwnedBy(event))
    return render()
  const ticket = createId()
  const { headers } = event.node.req
  lent.set(ticket, bag)
  headers[HEADER] = ticket
  try {
    await render()
  }
  finally {
    lent.delete(ticket)
    delete headers[HEADER]
  }
}

/** The bag of the request whose error page this internal request is. */
export function borrowBag(event: H3Event): SessionBag | undefined {
  const { headers } = event.node.req
  const bag = lent.get(String(headers[HEADER]))
  delete headers[HEADER]
  bag?.join(event)
  return bag
}
