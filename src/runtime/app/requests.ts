import type { SessionState } from '../wire'
import { createError } from '#app/composables/error'
import { useRuntimeConfig } from '#app/nuxt'
import { CHANGED_HEADER, SESSION_ROUTE } from '../wire'

/** Asks our route. */
export type Ask = (method: 'GET' | 'POST' | 'DELETE', body?: object) => Promise<SessionState>

/** What an answer to any request of the page says of the session. */
export interface Answer {
  isDataChanged: boolean
  isFlashLeft: boolean
  /** True for a 401: the session may have ended. */
  isRefused: boolean
}

/** Requests to our route. Of answers that overtake each other the one that was asked for last counts. */
export function createRequests(receive: (state: SessionState) => void): Ask {
  const url = useRuntimeConfig().app.baseURL.replace(/\/$/, '') + SESSION_ROUTE
  const fetch = window.fetch.bind(window)
  let asked = 0
  let received = 0
  return async (method, body) => {
    const number = ++asked
    const response = await fetch(url, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const isAnswer = response.ok && !response.redirected && /\bjson\b/.test(response.headers.get('content-type') ?? '')
    // A guard of the app that refuses strangers, or sends them to its login page.
    const isNobody = method === 'GET' && (response.ok || response.status === 401)
    if (!isAnswer && !isNobody)
      throw createError({ statusCode: response.ok ? 502 : response.status, statusMessage: response.statusText })
    const state: SessionState = isAnswer ? await response.json() : { data: {}, hasMessages: false }
    if (number > received) {
      received = number
      receive(state)
    }
    return state
  }
}

/** Calls back for every answer that the page gets from its own server, before the page has it. */
export function followAnswers(follow: (answer: Answer) => Promise<void>): void {
  const fetch = window.fetch.bind(window)
  window.fetch = async (...args) => {
    const response = await fetch(...args)
    // Nothing that goes wrong here is the caller's business.
    await Promise.resolve(response).then(read).then(answer => answer && follow(answer)).catch(() => {})
    return response
  }
}

function read({ url, status, headers, redirected, type }: Response): Answer | undefined {
  if (new URL(url).origin !== location.origin)
    return undefined
  const changes = headers.get(CHANGED_HEADER) ?? ''
  // What an answer that redirects says cannot be read, whether the page follows it or not.
  const isHidden = redirected || type === 'opaqueredirect'
  return {
    isDataChanged: isHidden || changes.includes('data'),
    isFlashLeft: isHidden || changes.includes('flash'),
    isRefused: status === 401,
  }
}
