import type { H3Event } from 'h3'
import { getRouteRules } from 'nitropack/runtime'
import { BACKGROUND_HEADER, SESSION_ROUTE } from '../../wire'

/** False for what is rendered once for everybody. */
export function isPersonalPage(event: H3Event): boolean {
  return !import.meta.prerender && !getRouteRules(event).prerender && !/\/_payload\.js(?:on)?$/.test(pathOf(event))
}

/**
 * True for what a visitor is going to look at: not for HEAD, for prefetching (Sec-Purpose), for
 * the error page in the place of an image or a script (Sec-Fetch-Dest; Fetch Metadata), and for
 * what a service worker fetches and may keep. A page that shows it all the same asks for its messages.
 */
export function isShownPage(event: H3Event): boolean {
  const { 'sec-fetch-dest': destination = 'document', 'service-worker-navigation-preload': preload } = event.node.req.headers
  return event.method !== 'HEAD'
    && !isPrefetch(event)
    && preload === undefined
    && ['document', 'iframe', 'frame'].includes(String(destination))
}

/** True for what the browser fetches in case it is needed. */
export function isPrefetch({ node: { req: { headers } } }: H3Event): boolean {
  return /prefetch/i.test(String(headers['sec-purpose'] ?? headers.purpose ?? headers['x-moz'] ?? ''))
}

/** True when a page that nobody may be looking at asks what became of the session. */
export function isBackground(event: H3Event): boolean {
  return event.node.req.headers[BACKGROUND_HEADER] !== undefined && event.path === SESSION_ROUTE
}

/** The path as it was asked for; Nuxt's renderer changes that of the event. */
function pathOf({ node: { req }, path }: H3Event): string {
  return (req.originalUrl ?? path).split('?', 1)[0]!
}
