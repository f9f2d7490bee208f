import type { WalkRequest } from '../request'
import type { Said } from '../visitors'
import type { World } from '../world'
import { toStorageKey } from '../../../../../src/core/id'
import { isExpired } from '../../../../../src/core/record/record'
import { idOf, parseSaid } from '../visitors'
import { checkStored } from './stored'
import { checkEvents } from './told'

/** What must be true when a response begins. */
export function checkAnswer(world: World, request: WalkRequest): void {
  const lines = [...request.exchange.cookies.values()].flat()
  if (lines.length > 1)
    world.violate('a response has two cookies of ours')
  const said = parseSaid(request.line)
  if (said && request.arrival.kind !== 'page')
    world.violate('a response has a cookie that can have none')
  const id = said && !said.isRemoval ? world.setting.mode === 'cookie' ? request.opened.exists ? request.session.id : undefined : idOf(said.token) : undefined
  if (world.setting.mode === 'storage' && id !== undefined)
    checkCookie(world, request, id)
  if (!request.hasFailed)
    checkSuccess(world, request, said, id)
  remember(world, request, said, id)
}

/** No cookie leads to nothing, also where the request failed. */
function checkCookie(world: World, request: WalkRequest, id: string): void {
  const key = toStorageKey(id)
  world.accounted.add(key)
  if (request.faults.has('after'))
    return
  const isThere = request.isAlone ? world.store.live(key) !== undefined : world.store.hasKnown(key)
  if (!isThere && !request.mayHaveExpired)
    world.violate('a cookie leads to nothing')
}

function checkSuccess(world: World, request: WalkRequest, said: Said | undefined, id: string | undefined): void {
  const { opened, arrival, expected } = request
  const { exists } = opened
  if (said && !said.isRemoval && !exists)
    world.violate('a cookie leads to a session that is not shown')
  if (id !== undefined && exists && request.session.id !== id)
    world.violate('a cookie leads to another session than the one that is shown')
  const arrivedId = world.setting.mode === 'cookie' ? world.visitors.sent.get(arrival.token)?.id : arrival.id
  if (exists && request.session.id !== (id ?? arrivedId))
    world.violate('a session has no cookie')
  if (exists && said?.isRemoval)
    world.violate('the cookie of a session is removed')
  if (!exists && expected.mustHoldSomething && request.isAlone && !request.mayHaveExpired)
    world.violate('what was set is lost with its session')
  if (exists && expected.mustBeEmpty && request.isAlone && !world.setting.saveUninitialized)
    world.violate('a session is there that holds nothing')
  const wrong = exists ? expected.findWrong(request.shown) : undefined
  if (wrong !== undefined)
    world.violate(`what is shown: ${wrong}`)
  checkFormer(world, request, said, id)
  checkStored(world, request)
  checkLifetime(world, request, said)
  checkEvents(world, request)
}

/** Where a cookie is replaced or removed, nothing is left behind it. */
function checkFormer(world: World, request: WalkRequest, said: Said | undefined, id: string | undefined): void {
  const { arrival } = request
  if (world.setting.mode === 'cookie' || !said || arrival.id === undefined || arrival.id === id || request.mayHaveExpired || request.faults.has('after'))
    return
  const former = world.store.live(toStorageKey(arrival.id))
  if (former && !isExpired(former, world.clock.now))
    world.violate('a session is left whose cookie was replaced')
}

/** The browser keeps the cookie as long as the session lives, and has it signed by the newest secret. */
function checkLifetime(world: World, request: WalkRequest, said: Said | undefined): void {
  const { arrival, opened } = request
  const { now } = world.clock
  if (!opened.exists || arrival.kind !== 'page' || !request.isAlone || request.faults.size > 0 || request.mayHaveExpired)
    return
  const sent = world.visitors.sent.get(arrival.token)
  if (!said && sent && sent.deployment < arrival.deployment)
    world.violate('a cookie of an old secret was not replaced')
  const left = request.session.expiresAt.getTime() - now
  const isPersistent = world.setting.mode === 'cookie' || world.store.live(toStorageKey(request.session.id))?.lifetime?.persistent !== false
  if (said && arrival.time === now && (said.maxAge === undefined ? isPersistent && world.setting.mode === 'storage' : !isPersistent || said.maxAge !== Math.ceil(left / 1000)))
    world.violate(`a cookie lives for ${said.maxAge} seconds, its session for ${left / 1000}`)
  if (!said && sent && !world.hasSilentChanges && sent.diesAt < request.session.expiresAt.getTime())
    world.violate('the browser drops the cookie of a session that goes on')
}

/** What the cookie of a response must lead to from now on. */
function remember(world: World, request: WalkRequest, said: Said | undefined, id: string | undefined): void {
  if (!said || said.isRemoval || id === undefined)
    return
  const { sent } = world.visitors
  const diesAt = said.maxAge === undefined ? Number.POSITIVE_INFINITY : world.clock.now + said.maxAge * 1000
  sent.set(said.token, {
    id,
    deployment: request.arrival.deployment,
    diesAt: Math.max(diesAt, sent.get(said.token)?.diesAt ?? 0),
    content: request.arrival.time === world.clock.now ? request.shown : undefined,
    expiresAt: request.opened.exists ? request.session.expiresAt.getTime() : 0,
  })
}
