import type { SessionState } from '../wire'
import type { PagePayload } from './types'
import type { NuxtApp } from '#app'
import { useRouter } from '#app/composables/router'
import { shallowReactive } from 'vue'

/** What a visitor does who has seen the page. */
const ACTS = ['pointerdown', 'keydown', 'click', 'popstate'] as const

/**
 * Milliseconds between an answer that left a message and the navigation that often follows
 * it. When it comes later, the message is shown on both pages.
 */
const TIME_TO_NAVIGATE = 50

/** Milliseconds that another document may take to answer. */
const PATIENCE = 10_000

/** The flash messages in the browser. */
export interface FlashMessages {
  /** The messages that are shown. */
  readonly shown: Map<string, unknown>
  /** True when the server has messages that were not read; `undefined` when nobody asked yet. */
  hasMore: boolean | undefined
  /** A component is there that shows the message of a key, until the returned function is called. */
  want(key: string): () => void
  /** A request of this page left a message. */
  arrive(): void
  drop(): void
}

interface FlashOptions {
  /** Finds out whether there are messages. */
  know(): Promise<void>
  /** Reads the messages of some keys. */
  fetch(keys: string[]): Promise<SessionState['messages']>
}

/**
 * Messages go with the next navigation to another path. One that came by a request of this
 * page stays when the code itself navigates, before the visitor has done anything.
 */
export function createFlashMessages(nuxtApp: NuxtApp, rendered: PagePayload | undefined, { know, fetch }: FlashOptions): FlashMessages {
  const shown = shallowReactive(new Map(Object.entries(rendered?.messages ?? {})))
  /** How many components show each message. */
  const wanted = new Map<string, number>()
  /** Messages that came by a request, while the visitor did nothing. */
  const unseen = new Set<string>()
  /** Messages whose components had gone when they came: they wait for others. */
  const unclaimed = new Set<string>()
  let isMoving = false
  let hasArrived = false
  let timer: ReturnType<typeof setTimeout> | undefined

  const take = async (): Promise<void> => {
    // Shown by and by, or never (Prerendering Revamped, speculation rules).
    if ((document as { prerendering?: boolean }).prerendering) {
      document.addEventListener('prerenderingchange', () => takeSoon(), { once: true })
      return
    }
    if (flash.hasMore === undefined && wanted.size > 0)
      await know()
    // A page on its way would lose what the one that goes still takes.
    if (!(flash.hasMore || hasArrived) || isMoving || wanted.size === 0)
      return
    const isUnseen = hasArrived
    const keys = [...wanted.keys()]
    hasArrived = false
    flash.hasMore = false
    const messages = await fetch(keys).catch((error) => {
      flash.hasMore = true
      throw error
    })
    for (const [key, message] of Object.entries(messages ?? {})) {
      shown.set(key, message)
      if (isUnseen)
        unseen.add(key)
      if (!wanted.has(key))
        unclaimed.add(key)
    }
    if (flash.hasMore && [...wanted.keys()].some(key => !keys.includes(key))) {
      hasArrived ||= isUnseen
      takeSoon()
    }
  }
  /** Late enough for all components to be there. */
  const takeSoon = (delay = 0): void => {
    clearTimeout(timer)
    timer = setTimeout(() => take().catch(() => {}), delay)
  }

  const flash: FlashMessages = {
    shown,
    hasMore: rendered?.hasMessages,
    want(key) {
      wanted.set(key, (wanted.get(key) ?? 0) + 1)
      unclaimed.delete(key)
      takeSoon()
      return () => {
        const others = wanted.get(key)! - 1
        if (others > 0)
          wanted.set(key, others)
        else
          wanted.delete(key)
      }
    },
    arrive() {
      hasArrived = true
      takeSoon(TIME_TO_NAVIGATE)
    },
    drop() {
      for (const key of shown.keys()) {
        if (!unseen.has(key) && !unclaimed.has(key))
          shown.delete(key)
      }
      unseen.clear()
    },
  }

  for (const act of ACTS)
    window.addEventListener(act, () => unseen.clear(), { capture: true })
  followNavigation(nuxtApp, {
    begin: () => isMoving = true,
    leave: () => flash.drop(),
    end() {
      isMoving = false
      takeSoon()
    },
  })
  return flash
}

/** Tells of navigations: their begin, that they left a path, and that what they lead to is there. */
function followNavigation(nuxtApp: NuxtApp, { begin, leave, end }: Record<'begin' | 'leave' | 'end', () => void>): void {
  const router = useRouter()
  let target: object | undefined
  let isPending = false
  nuxtApp.hook('page:start', () => {
    isPending = true
    begin()
  })
  const finish = (): void => {
    isPending = false
    end()
  }
  nuxtApp.hook('page:finish', finish)
  // The error page takes the place of the one that was on its way.
  nuxtApp.hook('app:error', finish)
  // To another document: its page takes what there is. Who is still here after all did not leave.
  window.addEventListener('beforeunload', () => {
    begin()
    setTimeout(end, PATIENCE)
    for (const act of ['pointerdown', 'keydown', 'pageshow'])
      window.addEventListener(act, end, { once: true })
  })
  router.beforeEach((to) => {
    target = to
    begin()
  })
  router.onError(() => end())
  router.afterEach((to, from, failure) => {
    // The end of a navigation that another one has overtaken.
    if (to !== target)
      return
    // Who was refused did not leave.
    if (!failure && to.path !== from.path)
      leave()
    // A page that has to wait for its data says so before this.
    setTimeout(() => isPending || end())
  })
}
