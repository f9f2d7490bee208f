import type { WalkRequest } from '../request'
import type { World } from '../world'
import { isDeepStrictEqual } from 'node:util'
import { toStorageKey } from '../../../../../src/core/id'
import { isExpired } from '../../../../../src/core/record/record'

/** A request sees what was stored, or what its cookie holds, and nothing else. */
export function checkLoaded(world: World, request: WalkRequest): void {
  const { arrival: { id, token, kind, time }, opened, isAlone, faults } = request
  const { setting, store, clock: { now }, visitors } = world
  const stored = id === undefined ? undefined : store.find(toStorageKey(id))
  request.wasReplaced = stored?.isReplaced === true
  if (!isAlone || faults.size > 0 || time !== now || request.status === 'answered')
    return
  const sent = visitors.sent.get(token)
  if (setting.mode === 'cookie' && sent && !sent.content)
    return
  const content = setting.mode === 'cookie'
    ? sent && sent.expiresAt > now ? sent.content : undefined
    : stored && !stored.isReplaced && !isExpired(stored, now) ? stored : undefined
  const isBegun = setting.saveUninitialized && kind === 'page' && !request.wasReplaced
  if (opened.exists !== (content !== undefined || isBegun))
    world.violate(content ? 'a session is not found' : 'a session is there that nobody began')
  const { shown } = request
  const { data, flash } = content ?? { data: {}, flash: {} }
  if (!isDeepStrictEqual({ ...shown.data }, { ...data }) || !isDeepStrictEqual({ ...shown.flash }, { ...flash }))
    world.violate(`${JSON.stringify({ data, flash })} is stored, ${JSON.stringify(shown)} is loaded`)
}
