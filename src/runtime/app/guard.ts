import type { GuardMeta } from './types'
import type { RouteMiddleware } from '#app'
import { useNuxtApp } from '#app/nuxt'
import { guard } from '#build/unsession.mjs'
import { useRenderedSession } from './rendering'
import { isMet, isSamePath } from './requirement'
import { useClientSession } from './use-client-session'

/** The route middleware `session`. What is rendered for everybody is guarded in the browser only. */
const session: RouteMiddleware = async ({ path, matched }) => {
  // What a page inside of another says, it says beside that one.
  const { require = guard.require, redirectTo = guard.redirectTo } = Object.assign({}, ...matched.map(({ meta }) => meta.session)) as GuardMeta
  if (isSamePath(path, redirectTo.split(/[?#]/)[0]!) || (import.meta.server && useRenderedSession(useNuxtApp()).isForEverybody))
    return
  const { data } = await useClientSession()
  return isMet(data.value, require) || redirectTo
}

export default session
