import type { WalkRequest } from '../request'
import type { World } from '../world'
import { toStorageKey } from '../../../../../src/core/id'
import { isExpired } from '../../../../../src/core/record/record'

/** What must be true when no request runs. */
export function checkRest(world: World): void {
  const { store, clock, setting } = world
  if (setting.mode === 'cookie')
    return
  for (const key of store.liveKeys()) {
    if (!world.accounted.has(key) && !isExpired(store.live(key)!, clock.now))
      world.violate('a record is left that no cookie was sent to')
  }
  world.recent.forEach(request => checkKept(world, request))
}

/** What a request changed is stored, whatever others did beside it. */
function checkKept(world: World, request: WalkRequest): void {
  if (request.hasFailed || request.mayHaveExpired || !request.opened.exists)
    return
  const stored = world.store.live(toStorageKey(request.session.id))
  const wrong = stored && request.expected.findWrong(stored)
  if (wrong !== undefined)
    world.violate(`a change is lost: ${wrong}`)
}

