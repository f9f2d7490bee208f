import { defineNuxtPlugin } from '#app'
import { useBrowserSession } from './browser'

/** Follows the session from the start on pages that show it; on others from its first use. */
export default defineNuxtPlugin({
  name: 'unsession',
  setup(nuxtApp) {
    if (nuxtApp.payload.unsession)
      useBrowserSession(nuxtApp as Parameters<typeof useBrowserSession>[0])
  },
})
