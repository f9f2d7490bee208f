import type { PagePayload } from './types'
import { hasMark } from '#build/unsession.mjs'
import { MARK } from '../wire'

/** True where a cookie says that there is a session, or where none can say that there is not. */
export function mayHaveSession(): boolean {
  try {
    return !hasMark || document.cookie.includes(MARK)
  }
  catch {
    // A frame without an origin has no cookies to look at.
    return true
  }
}

/**
 * False for a page that was rendered for everybody, or that some cache kept: of a service worker, the browser, or a CDN that takes one
 * visitor for another.
 */
export function isFromServer(rendered: PagePayload | undefined): boolean {
  if (!rendered)
    return false
  const [navigation] = performance.getEntriesByType('navigation') as (PerformanceNavigationTiming & { deliveryType?: string })[]
  const { workerStart, deliveryType, nextHopProtocol } = navigation ?? {}
  // A service worker that let the request pass is no cache: only browsers that tell of caches tell it apart.
  return !(deliveryType || (workerStart && !(deliveryType === '' && nextHopProtocol))) && (!hasMark || rendered.hasCookie === mayHaveSession())
}
