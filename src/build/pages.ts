import type { Nitro } from './nitro'
import { SESSION_ROUTE } from '../runtime/wire'

/** True in Nuxt, whose pages show the session. */
export function hasPages({ options }: Nitro): boolean {
  return options.framework.name === 'nuxt'
}

/** What a site without a server has of sessions. */
const STATIC = 'This build has no server, and sessions need one. Its pages are those of a visitor without a session: `useClientSession` has no data, the middleware `session` lets nobody in, and there are no server routes. For a site with sessions run `nuxt build`, and prerender what is the same for everybody: `routeRules: { \'/about\': { prerender: true } }`.'

/** Says what works where files are all that is left of an app. */
export function warnOfStatic({ options }: Nitro): void {
  if (options.static)
    console.warn(`[unsession] ${STATIC}`)
}

/** Adds the route by which pages in the browser read what they may see of the session. */
export function addPageRoute({ options }: Nitro, handler: string): void {
  options.handlers.push({ route: SESSION_ROUTE, handler })
  // Whatever the rules of the app say of all routes, this one is never cached, and nuxt-csurf asks for no token: other sites cannot use it.
  options.routeRules[SESSION_ROUTE] = { csurf: false, ...options.routeRules[SESSION_ROUTE], cache: false, isr: false, prerender: false }
}
