import { addRouteMiddleware } from '#app/composables/router'
import { defineNuxtPlugin } from '#app/nuxt'
import guard from './guard'

/** Lets route rules name the middleware `session` in apps without pages. */
export default defineNuxtPlugin({
  name: 'unsession:guard',
  setup() {
    addRouteMiddleware('session', guard)
  },
})
