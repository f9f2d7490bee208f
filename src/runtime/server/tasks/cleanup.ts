import { useNitroApp } from '#unsession/server'
import { useCleanup } from '../cleanup'

/** `session:cleanup`. A plain object, because `defineTask` would bring Nitro's scheduler into every server. */
const task = {
  async run(): Promise<{ result: { removed: number } }> {
    const removed = await useCleanup(useNitroApp())?.() ?? 0
    return { result: { removed } }
  },
}

export default task
