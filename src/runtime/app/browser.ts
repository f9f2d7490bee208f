import type { SessionState } from '../wire'
import type { PagePayload } from './types'
import type { NuxtApp } from '#app'
import type { Ref, ShallowRef } from 'vue'
import { ref, shallowRef } from 'vue'
import { toDate } from './awaitable'
import { BACKGROUND_HEADER } from '../wire'
import { FlashMessages } from './flash-messages'
import { followNavigation, type Navigation } from './navigation'
import { isFromServer, mayHaveSession } from './origin'
import { type Ask, createRequests, NOBODY } from './requests'
import { followTabs } from './tabs'

/** How long an answer that changed the session is kept back for the newest data. */
const PATIENCE = 5000

/** How long a request that gives the session another id may take to answer. */
const TIME_TO_REPLACE = 500

/** Milliseconds after the end of the session when the server is asked. */
const AFTER_END = 1000

/** Timers that take longer than some 24 days end at once. */
const MAX_TIMER = 2e9

const sessions = new WeakMap<NuxtApp, BrowserSession>()

/** The session of this page. The first call begins to follow what happens to it. */
export function useBrowserSession(nuxtApp: NuxtApp): BrowserSession {
  const session = sessions.get(nuxtApp) ?? new BrowserSession(nuxtApp)
  sessions.set(nuxtApp, session)
  return session
}

/** The session in the browser: one for all components. */
export class BrowserSession {
  /** What the server rendered; missing on pages that it rendered for everybody. */
  declare readonly rendered: PagePayload | undefined
  declare readonly data: ShallowRef<Record<string, unknown>>
  /** True once the server has told. */
  declare readonly ready: Ref<boolean>
  declare readonly expiresAt: Ref<Date | undefined>
  /** How many components of each name have asked. */
  readonly counts: Record<string, number> = {}
  declare readonly flash: FlashMessages
  declare readonly navigation: Navigation
  declare readonly ask: Ask
  /** False when the page that is shown asks for more than there is. */
  isLetIn = (): boolean => true
  /** Tells other tabs what this one knows. */
  readonly #tellTabs: (data: object | undefined, isReply: boolean) => void
  /** The answer that is waited for. */
  #asked: Promise<unknown> | undefined
  /** True when the page needs to know the data. */
  #isUsed: boolean
  /** False while there is something newer, as far as this page knows. */
  #isCurrent: boolean
  /** Asks when the session ends. */
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(nuxtApp: NuxtApp) {
    const rendered = nuxtApp.payload.unsession as PagePayload | undefined
    this.rendered = rendered
    this.#isUsed = Boolean(rendered)
    this.#isCurrent = isFromServer(rendered)
    this.data = shallowRef(rendered?.data ?? {})
    this.ready = ref(this.#isCurrent)
    this.expiresAt = ref(toDate(rendered?.expiresAt))
    this.ask = createRequests(state => this.#receive(state), (...answer) => this.#follow(...answer))
    this.navigation = followNavigation(nuxtApp, this.#isCurrent, () => this.flash.drop(), () => this.flash.take())
    this.flash = new FlashMessages(this)
    this.#tellTabs = followTabs({
      hear: (told, isReply) => this.#hear(told, isReply),
      show: () => {
        this.#doubt()
        if (this.#isUsed)
          this.know().catch(() => {})
        this.flash.take()
      },
      restore: () => this.flash.drop(),
    })
    this.#waitForEnd(rendered?.expiresIn)
    if (this.#isCurrent)
      this.#tell()
    else if (rendered)
      this.refresh().catch(() => {})
  }

  /** Resolves when the data is known; fetches it where it is not. */
  readonly know = async (): Promise<void> => {
    if (this.#isCurrent)
      return
    this.#isUsed = true
    if (!mayHaveSession() && this.#isEmpty)
      return this.#receive(NOBODY)
    // What is known, though it may be old, is better than an error.
    await (this.#asked ?? this.refresh()).catch(error => this.ready.value || this.rendered || Promise.reject(error))
  }

  readonly refresh = async (): Promise<void> => {
    this.#isUsed = true
    this.#isCurrent = false
    await (this.#asked = this.ask()).catch((error) => {
      // Who needs it next asks again.
      this.#doubt()
      throw error
    })
  }

  readonly clear = async (): Promise<void> => {
    const end = (): Promise<unknown> => this.ask({ method: 'DELETE' })
    // Refused while another request replaces the id, whose answer brings the new cookie.
    await end().catch(() => pause(TIME_TO_REPLACE).then(end)).catch(async (error) => {
      await this.refresh().catch(() => {})
      throw error
    })
    this.#tell()
  }

  /** There may be something newer. */
  #doubt(): void {
    this.#isCurrent = false
    this.#asked = undefined
  }

  async #receive({ data, expiresAt, expiresIn, hasMessages }: SessionState): Promise<void> {
    const before = this.data.value
    this.#isCurrent = true
    this.ready.value = true
    this.expiresAt.value = toDate(expiresAt)
    this.flash.hasMore = hasMessages
    this.#waitForEnd(expiresIn)
    if (!isSame(data, before))
      this.data.value = data
    // Who asked waits until the app has been told that there is less than before.
    if (!Object.keys(before).every(key => key in data) || !this.isLetIn())
      await this.navigation.tellLoss(this.#isEmpty)
  }

  #waitForEnd(expiresIn: number | undefined): void {
    clearTimeout(this.#timer)
    if (expiresIn! < MAX_TIMER)
      this.#timer = setTimeout(() => this.ask({ headers: { [BACKGROUND_HEADER]: '1' } }).catch(() => {}), expiresIn! + AFTER_END)
  }

  /** A page that does not know the data lets the others ask. */
  #tell(isReply = false): void {
    this.#tellTabs(this.#isCurrent ? this.data.value : undefined, isReply)
  }

  /** Another tab tells what it knows. */
  #hear(told: unknown, isReply: boolean): void {
    if (!this.#isUsed || isSame(told, this.data.value))
      return
    const { hasMore } = this.flash
    this.refresh().then(() => {
      // What was left there is for that tab, also where a guard leads to another page here.
      this.flash.hasMore = hasMore
      // A page that was rendered before a change and hydrated after it tells what is old.
      if (!isReply && !isSame(told, this.data.value))
        this.#tell(true)
    }).catch(() => {})
  }

  /** An answer to a request of this page. */
  async #follow(isDataChanged: boolean, isFlashLeft: boolean, isRefused: boolean): Promise<void> {
    if (isFlashLeft)
      this.flash.arrive()
    if (!isDataChanged && (!isRefused || this.#isEmpty))
      return
    this.#doubt()
    if (this.#isUsed)
      await Promise.race([this.refresh().catch(() => {}), pause(PATIENCE)])
    this.#tell()
  }

  get #isEmpty(): boolean {
    return isSame(this.data.value, {})
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
