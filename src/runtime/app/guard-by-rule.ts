import { addRouteMiddleware } from '#app/composables/router'
import { defineNuxtPlugin } from '#app/nuxt'

/** Lets route rules name the middleware `session` in apps without pages. */
export default defineNuxtPlugin({
  name: 'unsession:guard',
  setup(nuxtApp) {
    addRouteMiddleware('session', async (to, from) => {
      // As Nuxt imports it for its types: a static import beside that is a warning of every build.
      const { default: guard } = await import('./guard')
      return nuxtApp.runWithContext(() => guard(to, from))
    })
  },
})
