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

/** The messages on the page, and the components that show them. */
interface Board {
  readonly shown: Map<string, unknown>
  /** How many components show each message. */
  readonly wanted: Map<string, number>
  /** Messages that came by a request, while the visitor did nothing. */
  readonly unseen: Set<string>
  /** Messages whose components had gone when they came: they wait for others. */
  readonly unclaimed: Set<string>
}

/** What is known of the messages that nobody has read. */
interface Unread {
  hasMore: boolean | undefined
  /** True when a request of this page left one. */
  hasArrived: boolean
  /** True while another page is on its way. */
  isMoving: boolean
}

/**
 * Messages go with the next navigation to another path. One that came by a request of this
 * page stays when the code itself navigates, before the visitor has done anything.
 */
export function createFlashMessages(nuxtApp: NuxtApp, rendered: PagePayload | undefined, options: FlashOptions): FlashMessages {
  const board: Board = { shown: shallowReactive(new Map(Object.entries(rendered?.messages ?? {}))), wanted: new Map(), unseen: new Set(), unclaimed: new Set() }
  const unread: Unread = { hasMore: rendered?.hasMessages, hasArrived: false, isMoving: false }
  const takeSoon = createTaker(board, unread, options)
  const drop = (): void => dropSeen(board)
  for (const act of ACTS)
    window.addEventListener(act, () => board.unseen.clear(), { capture: true })
  followNavigation(nuxtApp, {
    begin: () => unread.isMoving = true,
    leave: drop,
    end() {
      unread.isMoving = false
      takeSoon()
    },
  })
  return {
    shown: board.shown,
    get hasMore() { return unread.hasMore },
    set hasMore(hasMore) { unread.hasMore = hasMore },
    want(key) {
      const leave = enter(board, key)
      takeSoon()
      return leave
    },
    arrive() {
      unread.hasArrived = true
      takeSoon(TIME_TO_NAVIGATE)
    },
    drop,
  }
}

/** A component is there that shows a message, until it leaves. */
function enter({ wanted, unclaimed }: Board, key: string): () => void {
  wanted.set(key, (wanted.get(key) ?? 0) + 1)
  unclaimed.delete(key)
  return () => {
    const others = wanted.get(key)! - 1
    if (others > 0)
      wanted.set(key, others)
    else
      wanted.delete(key)
  }
}

/** The visitor goes on: what they have seen goes. */
function dropSeen({ shown, unseen, unclaimed }: Board): void {
  for (const key of shown.keys()) {
    if (!unseen.has(key) && !unclaimed.has(key))
      shown.delete(key)
  }
  unseen.clear()
}

/** @returns what takes the messages that components wait for: late enough for all components to be there */
function createTaker(board: Board, unread: Unread, options: FlashOptions): (delay?: number) => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const takeSoon = (delay = 0): void => {
    clearTimeout(timer)
    timer = setTimeout(() => takeShown().catch(() => {}), delay)
  }
  const takeShown = async (): Promise<void> => {
    // Shown by and by, or never (Prerendering Revamped, speculation rules).
    if ((document as { prerendering?: boolean }).prerendering)
      document.addEventListener('prerenderingchange', () => takeSoon(), { once: true })
    else if (await take(board, unread, options))
      takeSoon()
  }
  return takeSoon
}

/** @returns true when there are others to take: components came meanwhile */
async function take({ shown, wanted, unseen, unclaimed }: Board, unread: Unread, { know, fetch }: FlashOptions): Promise<boolean> {
  if (unread.hasMore === undefined && wanted.size > 0)
    await know()
  // A page on its way would lose what the one that goes still takes.
  if (!(unread.hasMore || unread.hasArrived) || unread.isMoving || wanted.size === 0)
    return false
  const isUnseen = unread.hasArrived
  const keys = [...wanted.keys()]
  unread.hasArrived = false
  unread.hasMore = false
  const messages = await fetch(keys).catch((error) => {
    unread.hasMore = true
    throw error
  })
  for (const [key, message] of Object.entries(messages ?? {})) {
    shown.set(key, message)
    if (isUnseen)
      unseen.add(key)
    if (!wanted.has(key))
      unclaimed.add(key)
  }
  const isAgain = Boolean(unread.hasMore) && [...wanted.keys()].some(key => !keys.includes(key))
  if (isAgain)
    unread.hasArrived ||= isUnseen
  return isAgain
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
