import type { Session } from '../../../../../src/core/types'
import type { WalkRequest } from '../request'
import type { World } from '../world'
import { isSessionError } from '../../../../../src/core/errors'
import { toStorageKey } from '../../../../../src/core/id'

/** What hooks are told of a request must make sense; the last that they were told is new. */
export function checkTold(world: World, request: WalkRequest, session: Session): void {
  const { told } = request
  const { name, id } = told.at(-1)!
  const before = told.slice(0, -1)
  if (name === 'loaded' && before.length > 0)
    world.violate('`loaded` is not told first')
  // Hooks are shown the session as it is by now, which may be the next one already.
  if (name === 'created' && before.some(one => one.id === id && ['created', 'loaded'].includes(one.name)))
    world.violate('`created` is told of a session that was there')
  if (before.some(one => one.name === 'destroyed' && one.id === id))
    world.violate(`\`${name}\` is told of a session that was destroyed`)
  if (name === 'saved' && !before.some(one => ['created', 'loaded'].includes(one.name)))
    world.violate(`\`saved\` is told of a session that neither began nor was loaded`)
  if (count(request, 'regenerated') > request.renewals || count(request, 'destroyed') > request.generation || count(request, 'loaded') > 1)
    world.violate(`\`${name}\` is told too often`)
  if (name === 'destroyed' || name === 'expired')
    checkOver(world, session)
}

/** A session that is over can be looked at, not changed. */
function checkOver(world: World, session: Session): void {
  try {
    session.set('a', 'changed in a hook')
    world.violate('a session that is over was changed')
  }
  catch (error) {
    if (!isSessionError(error) || error.code !== 'EXPIRED_SESSION')
      world.violate(`a change of a session that is over: ${String(error)}`)
  }
}

/** Where one call followed on another, it is known what hooks must have been told. */
export function checkEvents(world: World, request: WalkRequest): void {
  const { told, due, begun, faults, mayHaveExpired, arrival } = request
  if (faults.size > 0 || mayHaveExpired || arrival.kind !== 'page' || !request.isAlone || !request.isOrderly || request.underWay > 0)
    return
  if (count(request, 'regenerated') !== due.regenerated || count(request, 'destroyed') !== due.destroyed)
    world.violate(`${due.regenerated} renewals and ${due.destroyed} ends were told as ${told.map(({ name }) => name).join(', ')}`)
  if (request.renewals > 0)
    return
  for (const key of begun) {
    const names = told.filter(({ id }) => toStorageKey(id) === key).map(({ name }) => name)
    // The end of an emptied session is told as `saved`, too.
    const first = names.indexOf('created')
    if (first < 0 || names[first + 1] !== 'saved' || names.includes('created', first + 1))
      world.violate(`of a new session was told: ${names.join(', ')}`)
  }
}

function count({ told }: WalkRequest, name: string): number {
  return told.filter(one => one.name === name).length
}
