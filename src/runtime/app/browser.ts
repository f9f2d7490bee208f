import type { FlashMessages } from './flash-messages'
import type { PagePayload } from './types'
import type { NuxtApp } from '#app'
import type { ShallowRef } from 'vue'
import { shallowRef } from 'vue'
import { createFlashMessages } from './flash-messages'
import { type Ask, createRequests, followAnswers } from './requests'
import { openTabs } from './tabs'

/** How long an answer that changed the session is kept back for the newest data. */
const PATIENCE = 5000

/** How long a request that gives the session another id may take to answer. */
const TIME_TO_REPLACE = 500

/** The session in the browser: one for all components. */
export interface BrowserSession {
  /** What the server rendered; missing on pages that it rendered for everybody. */
  readonly rendered: PagePayload | undefined
  readonly data: Readonly<ShallowRef<Record<string, unknown>>>
  readonly flash: FlashMessages
  /** Resolves when the data is known; fetches it where it is not. */
  know(): Promise<void>
  refresh(): Promise<void>
  clear(): Promise<void>
}

const sessions = new WeakMap<NuxtApp, BrowserSession>()

/** The session of this page. The first call begins to follow what happens to it. */
export function useBrowserSession(nuxtApp: NuxtApp): BrowserSession {
  const session = sessions.get(nuxtApp) ?? createBrowserSession(nuxtApp)
  sessions.set(nuxtApp, session)
  return session
}

/** What this page knows of the session. */
interface Knowledge {
  readonly data: ShallowRef<Record<string, unknown>>
  /** Resolves when the data is known; missing where nobody asked yet. */
  known: Promise<void> | undefined
  /** True when the page needs to know the data. */
  isUsed: boolean
  /** False while there is something newer, as far as this page knows. */
  isCurrent: boolean
}

function createBrowserSession(nuxtApp: NuxtApp): BrowserSession {
  const rendered = nuxtApp.payload.unsession as PagePayload | undefined
  const page: Knowledge = {
    data: shallowRef(rendered?.data ?? {}),
    known: rendered && Promise.resolve(),
    isUsed: Boolean(rendered),
    isCurrent: Boolean(rendered),
  }
  const ask = createRequests((state) => {
    page.known ??= Promise.resolve()
    page.isCurrent = true
    flash.hasMore = state.hasMessages
    if (!isSame(state.data, page.data.value))
      page.data.value = state.data
  })
  const refresh = (): Promise<void> => fetchData(page, ask)
  const know = (): Promise<void> => page.known ?? refresh()
  const flash = createFlashMessages(nuxtApp, rendered, { know, fetch: async keys => (await ask('POST', { flash: keys })).messages })
  const tell = followOthers(page, flash, refresh)
  const clear = async (): Promise<void> => {
    await endSession(ask).catch(async (error) => {
      await refresh().catch(() => {})
      throw error
    })
    tell()
  }
  if (page.isCurrent)
    tell()
  return { rendered, data: page.data, flash, know, refresh, clear }
}

function fetchData(page: Knowledge, ask: Ask): Promise<void> {
  const asked = ask('GET').then(() => {})
  page.known = asked
  page.isUsed = true
  page.isCurrent = false
  // Who needs it next asks again.
  asked.catch(() => page.known = page.known === asked ? undefined : page.known)
  return asked
}

async function endSession(ask: Ask): Promise<void> {
  // Refused while another request replaces the id, whose answer brings the new cookie.
  const state = await ask('DELETE').catch(() => pause(TIME_TO_REPLACE))
  if (!state)
    await ask('DELETE')
}

/**
 * Follows what other tabs tell, and what requests of this page change.
 *
 * @returns what tells the other tabs
 */
function followOthers(page: Knowledge, flash: FlashMessages, refresh: () => Promise<void>): () => void {
  /** A page that does not know the data lets the others ask. */
  const tell = (isReply = false): void => tabs.tell(page.isCurrent ? page.data.value : undefined, isReply)
  const tabs = openTabs({
    hear(told, isReply) {
      if (!page.isUsed || isSame(told, page.data.value))
        return
      // A page that was rendered before a change and hydrated after it tells what is old.
      refresh().then(() => isReply || isSame(told, page.data.value) || tell(true)).catch(() => {})
    },
    show() {
      if (page.isUsed)
        refresh().catch(() => {})
    },
    restore: () => flash.drop(),
  })
  followAnswers(async ({ isDataChanged, isFlashLeft, isRefused }) => {
    if (isFlashLeft)
      flash.arrive()
    if (!isDataChanged && !(isRefused && !isSame(page.data.value, {})))
      return
    page.isCurrent = false
    if (page.isUsed)
      await Promise.race([refresh().catch(() => {}), pause(PATIENCE)])
    tell()
  })
  return tell
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
