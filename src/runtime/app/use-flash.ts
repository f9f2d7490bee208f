import type { DefaultFlash, FlashKey } from '../../core/types'
import type { Ref } from 'vue'
import { useNuxtApp } from '#app/nuxt'
import { onServerPrefetch, shallowRef } from 'vue'
import { useBrowserSession } from './browser'
import { useFlashHere } from './in-component'
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
  return (import.meta.server ? useOnServer(key) : useFlashHere(useBrowserSession(useNuxtApp()), key)) as Ref<DefaultFlash[K] | undefined>
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
