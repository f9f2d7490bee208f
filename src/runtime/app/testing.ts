import type { SessionState } from '../wire'
import type { NuxtApp } from '#app'
import { defineNuxtPlugin, useRuntimeConfig } from '#app/nuxt'
import { SESSION_ROUTE } from '../wire'
import { useBrowserSession } from './browser'

/** The session that a test of components gave the page. */
interface Mounted {
  data: Record<string, unknown>
  flash: Record<string, unknown>
}

/** Where `mountSession` of `unsession/test` finds the page. */
const PAGE = Symbol.for('unsession.page')

/** In the environment of component tests only: answers for the server, which is not there. */
export default defineNuxtPlugin({
  name: 'unsession:testing',
  enforce: 'pre',
  setup(nuxtApp) {
    if (!('__NUXT_VITEST_ENVIRONMENT__' in window))
      return
    let mounted: Mounted | undefined
    const route = useRuntimeConfig().app.baseURL.replace(/\/$/, '') + SESSION_ROUTE
    const fetch = window.fetch.bind(window)
    window.fetch = async (input, init) => mounted && input === route ? answer(mounted, init) : fetch(input, init)
    Object.assign(globalThis, {
      async [PAGE](session: Mounted) {
        mounted = session
        const { flash, refresh } = nuxtApp.runWithContext(() => useBrowserSession(nuxtApp as NuxtApp)) as ReturnType<typeof useBrowserSession>
        flash.drop()
        await refresh()
      },
    })
  },
})

/** As the route of the server answers. */
function answer(session: Mounted, { method = 'GET', body }: RequestInit = {}): Response {
  const messages: Record<string, unknown> = {}
  if (method === 'DELETE')
    Object.assign(session, { data: {}, flash: {} })
  if (method === 'POST') {
    for (const key of (JSON.parse(String(body)) as { flash: string[] }).flash) {
      messages[key] = session.flash[key]
      delete session.flash[key]
    }
  }
  const state: SessionState = { data: session.data, hasMessages: Object.keys(session.flash).length > 0, messages }
  return Response.json(state)
}
