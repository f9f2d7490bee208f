import type { BrowserSession } from './browser'
import type { ClientSession, ExposedData } from './types'
import type { Ref } from 'vue'
import { computed, onActivated, onBeforeUnmount, onDeactivated, onMounted } from 'vue'
import { toAwaitable, toDate } from './awaitable'
import { useComponentId } from './component-id'
import { useHydrated } from './hydrated'
import { tellUnexposed } from './unexposed'

/** The session as a component sees it: while it takes over rendered HTML, as that was rendered. */
export function useSessionHere(session: BrowserSession): ClientSession & Promise<ClientSession> {
  const { rendered, refresh, clear } = session
  const isHydrated = useHydrated(rendered)
  const seen = rendered?.earlier?.[useComponentId(session.counts)!] ?? rendered?.data ?? {}
  const known = session.know()
  // Only who awaits it wants to hear of a failure.
  known.catch(() => {})
  const shown = <T>(now: Ref<T>, before: T): Ref<T> => computed(() => isHydrated.value ? now.value : before)
  const data = shown(session.data, seen) as Ref<ExposedData>
  return toAwaitable({
    data: import.meta.dev ? computed(() => tellUnexposed(data.value)) : data,
    ready: shown(session.ready, Boolean(rendered)),
    expiresAt: shown(session.expiresAt, toDate(rendered?.expiresAt)),
    refresh,
    clear,
  }, isHydrated.value ? known : undefined)
}

/** The message under a key, while the component is on the screen. */
export function useFlashHere({ rendered, flash }: BrowserSession, key: string): Ref<unknown> {
  const isHydrated = useHydrated(rendered)
  let unwant: (() => unknown) | undefined
  const show = (): void => {
    unwant ??= flash.want(key)
  }
  const hide = (): void => {
    unwant?.()
    unwant = undefined
  }
  onMounted(show)
  onBeforeUnmount(hide)
  // Kept alive off the screen, it shows nobody anything.
  onActivated(show)
  onDeactivated(hide)
  return computed({
    get: () => isHydrated.value ? flash.shown.get(key) : rendered?.messages?.[key],
    set: message => message === undefined ? flash.shown.delete(key) : flash.shown.set(key, message),
  })
}
