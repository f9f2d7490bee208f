import type { BrowserSession } from './browser'
import { shallowReactive } from 'vue'

/** What a visitor does who has seen the page. */
const ACTS = ['pointerdown', 'keydown', 'click', 'popstate'] as const

/**
 * Milliseconds between an answer that left a message and the navigation that often follows
 * it. When it comes later, the message is shown on both pages.
 */
const TIME_TO_NAVIGATE = 50

/**
 * The flash messages in the browser. They go with the next navigation to another path. One that
 * came by a request of this page stays when the code itself navigates, before the visitor has done
 * anything.
 */
export class FlashMessages {
  /** The messages that are shown. */
  declare readonly shown: Map<string, unknown>
  /** True when the server has messages that were not read; `undefined` when nobody asked yet. */
  declare hasMore: boolean | undefined
  readonly #session: BrowserSession
  /** What components show, each key as often as there are components. */
  readonly #wanted: string[] = []
  /** Messages that came by a request, while the visitor did nothing. */
  readonly #unseen = new Set<string>()
  /** Messages whose components had gone when they came: they wait for others. */
  readonly #unclaimed = new Set<string>()
  /** True when a request of this page left one. */
  #hasArrived = false
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(session: BrowserSession) {
    const { rendered } = session
    this.#session = session
    this.shown = shallowReactive(new Map(Object.entries(rendered?.messages ?? {})))
    // What a cache kept says nothing of now.
    this.hasMore = session.ready.value ? rendered?.hasMessages : undefined
    for (const act of ACTS)
      window.addEventListener(act, () => this.#unseen.clear(), { capture: true })
  }

  /** A component is there that shows the message of a key, until the returned function is called. */
  want(key: string): () => unknown {
    this.#wanted.push(key)
    this.#unclaimed.delete(key)
    this.take()
    return () => this.#wanted.splice(this.#wanted.indexOf(key), 1)
  }

  /** A request of this page left a message. */
  arrive(): void {
    this.#hasArrived = true
    this.take(TIME_TO_NAVIGATE)
  }

  /** Takes the messages that components wait for: late enough for all components to be there. */
  take(delay = 0): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#take().catch(() => {}), delay)
  }

  /** The visitor goes on: what they have seen goes. */
  drop(): void {
    for (const key of this.shown.keys()) {
      if (!this.#unseen.has(key) && !this.#unclaimed.has(key))
        this.shown.delete(key)
    }
    this.#unseen.clear()
  }

  async #take(): Promise<void> {
    const { navigation, know, ask } = this.#session
    // Looked at by and by, or never: a page that the browser prerenders, a tab in the background.
    if (document.hidden || this.#wanted.length === 0)
      return
    if (this.hasMore === undefined)
      await know()
    // A page on its way would lose what the one that goes still takes.
    if (!(this.hasMore || this.#hasArrived) || navigation.isMoving)
      return
    const isUnseen = this.#hasArrived
    const keys = [...new Set(this.#wanted)]
    this.#hasArrived = false
    this.hasMore = false
    const { messages } = await ask({ method: 'POST', body: JSON.stringify({ flash: keys }), headers: { 'content-type': 'application/json' } }).catch((error) => {
      this.hasMore = true
      throw error
    })
    for (const [key, message] of Object.entries(messages ?? {})) {
      this.shown.set(key, message)
      if (isUnseen)
        this.#unseen.add(key)
      if (!this.#wanted.includes(key))
        this.#unclaimed.add(key)
    }
    // Components came meanwhile.
    if (this.hasMore && this.#wanted.some(key => !keys.includes(key))) {
      this.#hasArrived ||= isUnseen
      this.take()
    }
  }
}
