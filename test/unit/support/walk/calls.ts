import type { Effect } from './expected'
import type { Operation } from './operations'
import type { WalkRequest } from './request'
import type { World } from './world'
import { toStorageKey } from '../../../../src/core/id'
import { isExpired } from '../../../../src/core/record/record'
import { isPromise } from '../../../../src/core/maybe'
import { noteExpired } from './expiry'
import { DATA_KEYS, emptied, KEYS } from './expected'
import { ACTIONS } from './operations'
import { checkError } from './rules/errors'
import { checkStored } from './rules/stored'
import { TOO_BIG } from './setting'

/** A call of the handle that is under way. */
export interface Call {
  readonly name: Operation['name'] | 'load' | 'settle' | 'save late'
  /** How often the request had ended its session when it was made. */
  readonly generation: number
  readonly key?: string
  readonly value?: string
  readonly effects?: readonly Effect[]
  /** False where the effects are only possible. */
  readonly isExact?: boolean
  /** The number of the call; no other was made since if it is still the last. */
  readonly number?: number
  /** True when nothing else was under way. */
  readonly isCalm?: boolean
}

/** Calls the handle of a request as a handler does, and follows what comes of it. */
export function call(world: World, request: WalkRequest, operation: Operation): Promise<void> | undefined {
  const { name, key } = operation
  const value = `v${world.givers.size + 1}${name.endsWith('TooBig') ? 'x'.repeat(TOO_BIG) : ''}`
  world.givers.set(value, { request, generation: request.generation })
  const isCalm = isCalmFor(world, request)
  request.isOrderly &&= isCalm
  const made: Call = { name, key, value, ...effectsOf(world, request, operation, value), generation: request.generation, number: ++request.calls, isCalm }
  request.nesting++
  try {
    const result = request.isLoaded ? perform(world, request, operation, made) : performUnloaded(world, request, operation, made)
    return isPromise(result) ? world.track(request, follow(world, request, made, Promise.resolve(result))) : undefined
  }
  catch (error) {
    checkError(world, request, made, error)
    return undefined
  }
  finally {
    request.nesting--
  }
}

/** As the utils do it: what is not awaited needs a session that is loaded. */
function performUnloaded(world: World, request: WalkRequest, operation: Operation, made: Call): unknown {
  const { name } = operation
  if (name.startsWith('update') || name.startsWith('regenerate'))
    return request.opened.whenLoaded(async () => {
      world.noteLoaded(request)
      return perform(world, request, operation, { ...made, isCalm: false })
    })
  if (name !== 'destroy') {
    request.opened.assertLoaded()
    world.noteLoaded(request)
  }
  return perform(world, request, operation, made)
}

function perform(world: World, request: WalkRequest, operation: Operation, made: Call): unknown {
  const { name, key } = operation
  const { session, expected } = request
  const { value = '', effects = [] } = made
  if (name === 'destroy')
    return destroy(world, request)
  request.renewals += Number(name.startsWith('regenerate'))
  if (isAwaited(name))
    spread(world, request, made)
  // To delete what is not shown is no change.
  const isNothing = name === 'delete' && !(request.opened.exists && session.has(key))
  const result = ACTIONS[name].run(session, { ...operation, value, look: data => look(world, request, made, data) })
  if (isPromise(result))
    return result
  if (name === 'readFlash')
    complain(world, 'a message', expected.findWrong({ data: {}, flash: { [key]: result } }, [['flash', key]]))
  if (isNothing || (name === 'readFlash' && result === undefined))
    return result
  spread(world, request, made)
  // What is under way may come after it.
  if (request.pending.size === 0 && request.nesting === 1)
    expected.change(effects)
  return result
}

/** The session ends at once, for everything that was asked of it. */
function destroy(world: World, request: WalkRequest): Promise<void> {
  const { mode } = world.setting
  const { arrival, opened } = request
  const isThere = request.isLoaded ? opened.exists : arrival.id !== undefined
  const id = request.isLoaded && isThere ? request.session.id : arrival.id
  if (mode === 'storage' || request.canSendCookie) {
    request.generation++
    request.isLoaded = true
    request.expected.restart()
    spread(world, request, { name: 'destroy', effects: [], generation: request.generation })
  }
  return request.session.destroy().then(() => {
    const left = mode === 'storage' && isThere && id !== undefined ? world.store.live(toStorageKey(id)) : undefined
    if (left && !isExpired(left, world.clock.now))
      world.violate('a session is there that was destroyed')
    if (isThere)
      request.due.destroyed++
  })
}

async function follow(world: World, request: WalkRequest, made: Call, result: Promise<unknown>): Promise<void> {
  const { generation, number, isCalm } = made
  const isLast = (): boolean => request.calls === number && request.generation === generation
  request.underWay++
  try {
    const value = await result
    if (isLast() && made.name !== 'destroy')
      succeed(world, request, made, value)
  }
  catch (error) {
    if (made.name === 'destroy')
      request.expected.forget()
    checkError(world, request, made, error)
  }
  request.underWay--
  // A successor may have a lifetime that is over.
  if (world.setting.mode === 'storage' && request.isLoaded && request.underWay === 0)
    noteExpired(world, request)
  // What is left of several possibilities shows when all is done.
  if (isCalm && request.isAlone && !request.faults.has('after') && request.isLoaded && request.calls === number && isCalmFor(world, request, 1)) {
    const { shown } = request
    complain(world, `after \`${made.name}\``, request.expected.findWrong(shown))
    if (request.expected.isKnown)
      request.expected.narrow(shown)
  }
}

/** A call has ended well, and no other was made meanwhile. */
function succeed(world: World, request: WalkRequest, { name, key = '', value, effects = [], isCalm = false, isExact }: Call, result: unknown): void {
  const isCertain = isCalm && isCalmFor(world, request, 1)
  if (name.endsWith('TooBig') || name === 'updateThrowing')
    world.violate(`\`${name}\` succeeded`)
  if (isCertain && isExact)
    request.expected.change(effects)
  if (name === 'update' || name === 'updateByFunction' || name === 'updateAway') {
    complain(world, `what \`${name}\` resolved to`, request.expected.findWrong({ data: (result ?? {}) as Record<string, unknown>, flash: {} }, DATA_KEYS))
    // Beside others it may be stored together with a change that replaces it.
    if (name !== 'updateAway' && world.setting.mode === 'storage' && request.isAlone && !world.stored.has(value))
      world.violate(`\`${name}\` resolved, but ${key} was never stored`)
  }
  if (isCertain && (name.startsWith('update') || name === 'save' || name === 'regenerate'))
    checkStored(world, request)
  if (name === 'regenerate' && request.opened.exists && !request.session.isNew)
    request.due.regenerated++
}

/** The function of an update sees the newest data. */
function look(world: World, request: WalkRequest, { generation }: Call, data: Readonly<Record<string, unknown>>): void {
  if (request.generation === generation)
    complain(world, 'the data of an update', request.expected.findWrong({ data, flash: {} }, DATA_KEYS))
}

/** What a call does may show from now on, in the request and in others. */
function spread(world: World, request: WalkRequest, { name, effects = [] }: Call): void {
  request.expected.mayChange(effects)
  // For who has the former id, all is gone.
  const seen = name === 'regenerate' || name === 'destroy' ? [...emptied(KEYS), ...effects] : effects
  request.effects.push(...seen)
  world.tellOthers(request, seen)
}

/** What a call does to the session; with `userKey` a renewal drops what was a former user's. */
function effectsOf({ setting: { userKey, mode }, store }: World, request: WalkRequest, operation: Operation, value: string): Pick<Call, 'effects' | 'isExact'> {
  const { name, key, hasPatch } = operation
  const effects = ACTIONS[name].effects({ ...operation, value, look: () => {} })
  if (name !== 'regenerate' || !userKey)
    return { effects, isExact: true }
  const [user, ...others] = request.expected.at(['data', userKey])
  const record = mode === 'storage' && request.isLoaded && request.opened.exists ? store.live(toStorageKey(request.session.id)) : undefined
  const isOther = hasPatch && key === userKey && user !== undefined
  // Where the request itself changed the user before, what stays depends on what it changed.
  const isExact = others.length === 0 && record !== undefined && record.data[userKey] === user
  return { effects: isOther || !isExact ? [...emptied(KEYS), ...effects] : effects, isExact }
}

/** True when nothing else is under way that could change the session. */
function isCalmFor(world: World, request: WalkRequest, own = 0): boolean {
  return request.pending.size <= own && request.nesting === 0 && world.othersOf(request).every(other => !other.isActive)
}

function isAwaited(name: Operation['name']): boolean {
  return /^(?:update|regenerate|destroy|reload|save)/.test(name)
}

function complain(world: World, where: string, wrong: string | undefined): void {
  if (wrong !== undefined)
    world.violate(`${where}: ${wrong}`)
}
