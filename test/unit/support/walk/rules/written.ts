import type { SessionRecord } from '../../../../../src/core/types'
import type { World } from '../world'

/** What must be true of every write that storage does. */
export function checkWritten(world: World, key: string, record: SessionRecord | undefined, before: SessionRecord | undefined): void {
  if (!record || record.isReplaced)
    return
  if (world.store.hasKnown(key) && (!before || before.isReplaced))
    world.violate('a session came back that had ended')
  const generations = new Map<unknown, number>()
  for (const value of [...Object.values(record.data), ...Object.values(record.flash)]) {
    world.stored.add(value)
    const giver = world.givers.get(value)
    if (giver && (generations.get(giver.request) ?? giver.generation) !== giver.generation)
      world.violate('what was asked of a session that ended is in the next one')
    if (giver)
      generations.set(giver.request, giver.generation)
  }
}
