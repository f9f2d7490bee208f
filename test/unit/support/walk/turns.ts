import type { World } from './world'
import { vi } from 'vitest'

/** After so many turns of the event loop everything has ended that ever does. */
const MAX_TURNS = 500

/** Lets everything go on until something has ended. */
export async function drain(world: World, isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    if (isDone())
      return
    world.store.releaseAll()
    for (let count = 0; count < 50 && !world.store.isWaiting && !isDone(); count++)
      await Promise.resolve()
    if (turn > 5)
      await idle()
  }
  world.violate('something never ends')
}

/** Lets all go on that waits for nothing but its turn. */
export async function idle(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
  if (vi.getTimerCount() > 0)
    vi.runOnlyPendingTimers()
}
