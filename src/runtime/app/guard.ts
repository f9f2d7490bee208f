import type { GuardMeta } from './types'
import type { NuxtApp, RouteMiddleware } from '#app'
import { useRouter } from '#app/composables/router'
import { useNuxtApp } from '#app/nuxt'
import { guard } from '#build/unsession.mjs'
import { useBrowserSession } from './browser'
import { useRenderedSession } from './rendering'
import { isMet, isSamePath } from './requirement'
import { useClientSession } from './use-client-session'

/** The route middleware `session`. What is rendered for everybody is guarded in the browser only. */
const session: RouteMiddleware = async ({ path, matched }) => {
  const nuxtApp = useNuxtApp() as NuxtApp
  // What a page inside of another says, it says beside that one.
  const { require = guard.require, redirectTo = guard.redirectTo } = Object.assign({}, ...matched.map(({ meta }) => meta.session)) as GuardMeta
  if (isSamePath(path, redirectTo.split(/[?#]/)[0]!) || (import.meta.server && useRenderedSession(nuxtApp).isForEverybody))
    return
  const { data } = await useClientSession()
  const isLetIn = isMet(data.value, require)
  if (import.meta.client && isLetIn) {
    const { currentRoute } = useRouter()
    useBrowserSession(nuxtApp).isLetIn = () => currentRoute.value.path !== path || isMet(data.value, require)
  }
  return isLetIn || redirectTo
}

export default session
