import type { H3Event } from 'h3'
import type { NitroApp } from 'nitropack/types'
import { sessionsOwnedBy } from '../../../http/find-sessions'
import { pathOf } from './host'

/** What Nuxt is about to do with a page, from 4.5 on. */
interface PageRoute {
  readonly canStream: boolean
  prefersStream: boolean
}

/**
 * With `experimental.ssrStreaming` the head of a page leaves before its components are rendered.
 * What they read and change of a session belongs into the head, so pages are streamed to
 * visitors without one only.
 */
export function streamToStrangers({ hooks }: NitroApp): void {
  hooks.hook('render:route' as never, ((route: PageRoute, { event }: { event: H3Event }) => {
    if (!route.canStream || !route.prefersStream)
      return
    const remedy = `or turn streaming off for the page: \`routeRules: { '${pathOf(event)}': { streaming: false } }\``
    route.prefersStream = sessionsOwnedBy(event)?.stream(event, remedy) ?? true
  }) as never)
}
