import type { SessionState } from '../wire'
import { createError } from '#app/composables/error'
import { useRuntimeConfig } from '#app/nuxt'
import { CHANGED_HEADER, SESSION_ROUTE } from '../wire'

/** Asks our route, by GET unless something else is said. */
export type Ask = (init?: RequestInit) => Promise<SessionState>

/**
 * Is told what an answer to any request of the page says of the session.
 *
 * @param isRefused true for a 401: the session may have ended
 */
export type Follow = (isDataChanged: boolean, isFlashLeft: boolean, isRefused: boolean) => Promise<void>

/** What is known of a visitor without a session. */
export const NOBODY: SessionState = { data: {}, hasMessages: false }

/** Our route in this app, of which there may be several at one origin. */
export function sessionUrl(): string {
  return useRuntimeConfig().app.baseURL.replace(/\/$/, '') + SESSION_ROUTE
}

/**
 * Requests to our route. Of answers that overtake each other the one that was asked for last counts.
 *
 * @param receive is told of the state, and waited for
 * @param follow is told of every answer that the page gets from its own server, before the page has it
 */
export function createRequests(receive: (state: SessionState) => Promise<void>, follow: Follow): Ask {
  const url = sessionUrl()
  const { fetch } = window
  window.fetch = async (...args) => {
    const response = await fetch(...args)
    // Nothing that goes wrong here is the caller's business.
    await tell(response, follow).catch(() => {})
    return response
  }
  let asked = 0
  let received = 0
  return async (init) => {
    const number = ++asked
    const response = await fetch(url, { cache: 'no-store', ...init })
    const { ok, status, redirected } = response
    let state = ok && await response.json().catch(() => false) as SessionState | false | undefined
    // Others may answer in the place of our route: a proxy, a service worker, a host of files.
    if (!(state && state.data instanceof Object && typeof state.hasMessages === 'boolean')) {
      // A guard of the app that refuses strangers, or sends them to its login page.
      if (init?.method || !(status === 401 || (ok && redirected)))
        throw createError({ statusCode: ok ? 502 : status })
      state = NOBODY
    }
    if (number > received) {
      received = number
      await receive(state)
    }
    return state
  }
}

async function tell({ url, status, headers, redirected, type }: Response, follow: Follow): Promise<void> {
  if (!url.startsWith(`${location.origin}/`))
    return
  const changes = headers.get(CHANGED_HEADER) ?? ''
  // What an answer that redirects says cannot be read, whether the page follows it or not.
  const isHidden = redirected || type === 'opaqueredirect'
  await follow(isHidden || changes.includes('data'), isHidden || changes.includes('flash'), status === 401)
}
