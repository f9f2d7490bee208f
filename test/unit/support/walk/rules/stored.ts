import type { WalkRequest } from '../request'
import type { World } from '../world'
import { isDeepStrictEqual } from 'node:util'
import { toStorageKey } from '../../../../../src/core/id'

/** What is shown is what is stored. To be called when a request has stored all it has. */
export function checkStored(world: World, request: WalkRequest): void {
  const { opened, expected, faults, mayHaveExpired } = request
  const isExact = request.isAlone && !faults.has('after')
  if (world.setting.mode === 'cookie' || !opened.exists || mayHaveExpired)
    return
  const stored = world.store.live(toStorageKey(request.session.id))
  if (!stored) {
    if (isExact)
      world.violate('a session is shown that is not stored')
    return
  }
  const { shown } = request
  if (isExact && !(isDeepStrictEqual({ ...stored.data }, { ...shown.data }) && isDeepStrictEqual({ ...stored.flash }, { ...shown.flash })))
    world.violate(`${JSON.stringify({ data: stored.data, flash: stored.flash })} is stored, ${JSON.stringify(shown)} is shown`)
  const wrong = expected.findWrong(stored)
  if (wrong !== undefined)
    world.violate(`what is stored: ${wrong}`)
}
