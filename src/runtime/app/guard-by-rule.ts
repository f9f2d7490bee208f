import { addRouteMiddleware } from '#app/composables/router'
import { defineNuxtPlugin } from '#app/nuxt'

/** Lets route rules name the middleware `session` in apps without pages. */
export default defineNuxtPlugin({
  name: 'unsession:guard',
  setup(nuxtApp) {
    addRouteMiddleware('session', async (to, from) => {
      // Nuxt's list of middleware imports this file in the same way; with a static import beside it, Vite warns in every build.
      const { default: guard } = await import('./guard')
      return nuxtApp.runWithContext(() => guard(to, from))
    })
  },
})
