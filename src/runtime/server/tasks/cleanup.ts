import type { Task } from 'nitropack/types'
import { useNitroApp } from 'nitropack/runtime'
import { useCleanup } from '../cleanup'

/** `session:cleanup`. A plain object, because `defineTask` would bring Nitro's scheduler into every server. */
const task: Task<{ removed: number }> = {
  async run() {
    const removed = await useCleanup(useNitroApp())?.() ?? 0
    return { result: { removed } }
  },
}

export default task
