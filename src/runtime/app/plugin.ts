import type { NuxtApp } from '#app'
import { defineNuxtPlugin } from '#app/nuxt'
import { useBrowserSession } from './browser'
import SessionState from './session-state'

/**
 * Gives the app its component, and in the browser follows the session from the start, also on
 * pages that do not show it. Asks for nothing.
 */
export default defineNuxtPlugin({
  name: 'unsession',
  setup(nuxtApp) {
    nuxtApp.vueApp.component('SessionState', SessionState)
    if (import.meta.client)
      useBrowserSession(nuxtApp as NuxtApp)
  },
})
