import type { Nitro } from './nitro'
import { SESSION_ROUTE } from '../runtime/wire'

/** True in Nuxt, whose pages show the session. */
export function hasPages({ options }: Nitro): boolean {
  return options.framework.name === 'nuxt'
}

/** Adds the route by which pages in the browser read what they may see of the session. */
export function addPageRoute({ options }: Nitro, handler: string): void {
  options.handlers.push({ route: SESSION_ROUTE, handler })
  // Whatever the rules of the app say of all routes, this one is never cached.
  options.routeRules[SESSION_ROUTE] = { ...options.routeRules[SESSION_ROUTE], cache: false, isr: false, prerender: false }
}
