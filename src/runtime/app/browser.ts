import type { FlashMessages } from './flash-messages'
import type { PagePayload } from './types'
import type { NuxtApp } from '#app'
import type { ShallowRef } from 'vue'
import { shallowRef } from 'vue'
import { createFlashMessages } from './flash-messages'
import { createRequests, followAnswers } from './requests'
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

function createBrowserSession(nuxtApp: NuxtApp): BrowserSession {
  const rendered = nuxtApp.payload.unsession as PagePayload | undefined
  const data = shallowRef(rendered?.data ?? {})
  let known = rendered && Promise.resolve()
  let isUsed = Boolean(rendered)
  /** False while there is something newer, as far as this page knows. */
  let isCurrent = isUsed

  const ask = createRequests((state) => {
    known ??= Promise.resolve()
    isCurrent = true
    flash.hasMore = state.hasMessages
    if (!isSame(state.data, data.value))
      data.value = state.data
  })
  const refresh = (): Promise<void> => {
    const asked = ask('GET').then(() => {})
    known = asked
    isUsed = true
    isCurrent = false
    // Who needs it next asks again.
    asked.catch(() => known = known === asked ? undefined : known)
    return asked
  }
  const know = (): Promise<void> => known ?? refresh()
  const flash = createFlashMessages(nuxtApp, rendered, { know, fetch: async keys => (await ask('POST', { flash: keys })).messages })

  const catchUp = (): void => {
    if (isUsed)
      refresh().catch(() => {})
  }
  /** A page that does not know the data lets the others ask. */
  const tell = (isReply = false): void => tabs.tell(isCurrent ? data.value : undefined, isReply)
  const clear = async (): Promise<void> => {
    // Refused while another request replaces the id, whose answer brings the new cookie.
    await ask('DELETE').catch(() => pause(TIME_TO_REPLACE)).then(state => state ?? ask('DELETE')).catch(async (error) => {
      await refresh().catch(() => {})
      throw error
    })
    tell()
  }

  const tabs = openTabs({
    hear(told, isReply) {
      if (!isUsed || isSame(told, data.value))
        return
      // A page that was rendered before a change and hydrated after it tells what is old.
      refresh().then(() => isReply || isSame(told, data.value) || tell(true)).catch(() => {})
    },
    show: catchUp,
    restore: () => flash.drop(),
  })
  followAnswers(async ({ isDataChanged, isFlashLeft, isRefused }) => {
    if (isFlashLeft)
      flash.arrive()
    if (!isDataChanged && !(isRefused && !isSame(data.value, {})))
      return
    isCurrent = false
    if (isUsed)
      await Promise.race([refresh().catch(() => {}), pause(PATIENCE)])
    tell()
  })
  if (isCurrent)
    tell()
  return { rendered, data, flash, know, refresh, clear }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
