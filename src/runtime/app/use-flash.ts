import type { DefaultFlash, FlashKey } from '../../core/types'
import type { Ref } from 'vue'
import { useNuxtApp } from '#app/nuxt'
import { computed, onActivated, onBeforeUnmount, onDeactivated, onMounted, onServerPrefetch, shallowRef } from 'vue'
import { useBrowserSession } from './browser'
import { useHydrated } from './hydrated'
import { useRenderedSession } from './rendering'

/**
 * The flash message under a key, shown once: it is read when the component is rendered, or
 * mounted in the browser, and goes with the next navigation. Set it to `undefined` to dismiss it.
 *
 * ```ts
 * const success = useFlash('success')
 * ```
 */
export function useFlash<K extends FlashKey>(key: K): Ref<DefaultFlash[K] | undefined> {
  return (import.meta.server ? useOnServer(key) : useInBrowser(key)) as Ref<DefaultFlash[K] | undefined>
}

function useOnServer(key: string): Ref<unknown> {
  const session = useRenderedSession(useNuxtApp())
  const message = shallowRef<unknown>()
  const read = (): unknown => message.value = session.readMessage(key)
  if (session.isLoaded)
    read()
  if (session.isLate)
    onServerPrefetch(() => session.load().then(read))
  return message
}

function useInBrowser(key: string): Ref<unknown> {
  const session = useBrowserSession(useNuxtApp())
  const isHydrated = useHydrated(session.rendered)
  let unwant: (() => void) | undefined
  const show = (): void => {
    unwant ??= session.flash.want(key)
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
    get: () => isHydrated.value ? session.flash.shown.get(key) : session.rendered?.messages?.[key],
    set: message => message === undefined ? session.flash.shown.delete(key) : session.flash.shown.set(key, message),
  })
}
