import type { NuxtApp } from '#app'
import { defineNuxtPlugin } from '#app/nuxt'
import { useBrowserSession } from './browser'

/** Follows the session from the start, also on pages that do not show it. Asks for nothing. */
export default defineNuxtPlugin({
  name: 'unsession',
  setup(nuxtApp) {
    useBrowserSession(nuxtApp as NuxtApp)
  },
})
