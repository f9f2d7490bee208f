import type { PagePayload } from './types'
import type { Ref } from 'vue'
import { getCurrentInstance, onMounted, ref } from 'vue'

/** False in a component that takes over rendered HTML, until it has. True everywhere else. */
export function useHydrated(rendered: PagePayload | undefined): Readonly<Ref<boolean>> {
  const instance = getCurrentInstance() as (ReturnType<typeof getCurrentInstance> & { sp?: unknown[] | null }) | null
  // Vue gives the element beforehand only where there is one to take over.
  const isHydrated = ref(!instance?.vnode.el)
  if (isHydrated.value)
    return isHydrated
  onMounted(() => isHydrated.value = true)
  // As on the server, where `onServerPrefetch` changes how Vue numbers ids; in the browser Nuxt leaves its calls out.
  if (rendered?.isLate)
    instance!.sp ??= []
  return isHydrated
}
