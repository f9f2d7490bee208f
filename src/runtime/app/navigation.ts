import type { NuxtApp } from '#app'
import { useRouter } from '#app/composables/router'
import { isSamePath } from './requirement'

/** Milliseconds that another document may take to answer. */
const PATIENCE = 10_000

/** The navigations of a page. */
export interface Navigation {
  /** True while another page is on its way. */
  readonly isMoving: boolean
  /**
   * Lets the app know that the page has lost data of the session, and the guards of the present
   * route run again: after a navigation that is under way, which is not waited for.
   *
   * @param isOver true when nothing is left
   */
  tellLoss(isOver: boolean): Promise<void>
}

/**
 * Follows navigations.
 *
 * @param isCurrent false for a page that was not rendered for this visitor now
 * @param leave is told when the visitor left a path
 * @param arrive is told when what a navigation led to is there
 */
export function followNavigation(nuxtApp: NuxtApp, isCurrent: boolean, leave: () => void, arrive: () => void): Navigation {
  const router = useRouter()
  let isPending = false
  let isDue = false
  const runGuards = async (): Promise<void> => {
    isDue = navigation.isMoving || Boolean(nuxtApp.isHydrating)
    // A navigation would clear an error page. What guards throw in it, the router has told.
    if (isDue || nuxtApp.payload.error)
      return
    const { path, query, hash } = router.currentRoute.value
    await Promise.resolve(router.replace({ path, query, hash, force: true })).catch(() => {})
  }
  const navigation = {
    isMoving: false,
    async tellLoss(isOver: boolean) {
      if (isOver)
        await Promise.resolve(nuxtApp.callHook('session:ended')).catch(console.error)
      await runGuards()
    },
  }
  const begin = (): void => void (navigation.isMoving = true)
  const end = (): void => {
    navigation.isMoving = isPending
    if (isPending)
      return
    arrive()
    if (isDue)
      void runGuards()
  }
  followPages(nuxtApp, (isLoading) => {
    isPending = isLoading
    end()
  })
  followUnload(begin, end)
  followRoutes(router, { begin, leave, end })
  if (!isCurrent)
    leaveByDocument(nuxtApp)
  return navigation
}

/** @param tell is told when a page begins to load its data, and when it is there */
function followPages(nuxtApp: NuxtApp, tell: (isLoading: boolean) => void): void {
  nuxtApp.hook('page:start', () => tell(true))
  // The error page takes the place of the one that was on its way; hydration ends last.
  for (const name of ['page:finish', 'app:error', 'app:suspense:resolve'] as const)
    nuxtApp.hook(name, () => tell(false))
}

/** To another document: its page takes what there is. Who is still here after all did not leave. */
function followUnload(begin: () => void, end: () => void): void {
  window.addEventListener('beforeunload', () => {
    begin()
    setTimeout(end, PATIENCE)
    for (const act of ['pointerdown', 'keydown', 'pageshow'])
      window.addEventListener(act, end, { once: true })
  })
}

function followRoutes(router: ReturnType<typeof useRouter>, { begin, leave, end }: Record<'begin' | 'leave' | 'end', () => void>): void {
  let target: object | undefined
  let left: string
  router.beforeEach((to, { path }) => {
    target = to
    // The router of apps without pages changes it in place.
    left = path
    begin()
  })
  router.onError(end)
  router.afterEach((to, _, failure) => {
    // The end of a navigation that another one has overtaken.
    if (to !== target)
      return
    // Who was refused did not leave.
    if (!failure && to.path !== left)
      leave()
    // A page that has to wait for its data says so before this.
    setTimeout(end)
  })
}

/** What a guard refuses before the page is hydrated needs another document: Vue could not make its HTML of this one. */
function leaveByDocument(nuxtApp: NuxtApp): void {
  const router = useRouter()
  router.beforeEach((to) => {
    const { redirectedFrom: from } = to
    // Another query or hash is the same page, and may be the same document; a slash that the host puts back would never end.
    if (from && !isSamePath(to.path, from.path) && nuxtApp.isHydrating && nuxtApp.payload.serverRendered)
      return new Promise(() => location.replace(router.resolve(to).href))
  })
}
