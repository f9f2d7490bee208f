import type { ServerEvent } from './app'
import { getRouteRules } from '#unsession/server'

/** True where the host in front of the server caches the response (Vercel, Netlify); the same on every host. */
export function isCachedByHost(event: ServerEvent): boolean {
  return Boolean(getRouteRules(event).isr) && (event.method === 'GET' || event.method === 'HEAD')
}
