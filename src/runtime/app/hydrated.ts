import type { Ref } from 'vue'
import { getCurrentInstance, onMounted, ref } from 'vue'

/** False in a component that takes over rendered HTML, until it has. True everywhere else. */
export function useHydrated(): Readonly<Ref<boolean>> {
  // Vue gives the element beforehand only where there is one to take over.
  const isHydrated = ref(!getCurrentInstance()?.vnode.el)
  if (!isHydrated.value)
    onMounted(() => isHydrated.value = true)
  return isHydrated
}
