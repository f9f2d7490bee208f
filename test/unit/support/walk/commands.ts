import type { AsyncCommand } from 'fast-check'
import type { Kind } from './request'
import type { Setting } from './setting'
import type { Fault, Step } from './store'
import type { World } from './world'
import * as fc from 'fast-check'
import { describe, operations } from './operations'
import { settings } from './setting'
import { drain, idle } from './turns'

/** Nothing is planned ahead: what can be done shows in the world. */
interface Model {
  world: World
}

type Command = AsyncCommand<Model, World>

/** How long others run after a command: until it is done, until all is still, or so many microtasks. */
type Pause = number | 'awaited' | 'idle'

/** What one command does. */
interface Move {
  name: string
  isPossible?: (world: World) => boolean
  /** A promise is of what `awaited` waits for. */
  act: (world: World) => unknown
}

const pauses: fc.Arbitrary<Pause> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Pause>('awaited') },
  { weight: 2, arbitrary: fc.constant<Pause>(0) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 14 }) },
  { weight: 1, arbitrary: fc.constant<Pause>('idle') },
)

const slots = fc.integer({ min: 0, max: 2 })
const browsers = fc.constantFrom<(0 | 1)[]>(0, 0, 0, 1)
const kinds = fc.oneof({ weight: 12, arbitrary: fc.constant<Kind>('page') }, { weight: 1, arbitrary: fc.constant<Kind>('socket') }, { weight: 1, arbitrary: fc.constant<Kind>('shared') })
/** Which of its cookies a request comes with: mostly the newest. */
const ages = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) })
const isRare = fc.integer({ min: 0, max: 9 }).map(number => number === 9)

const open = fc.tuple(slots, browsers, kinds, ages).map(([slot, browser, kind, age]): Move => ({
  name: `${slot}.open(browser ${browser}${kind === 'page' ? '' : `, ${kind}`}${age === 0 ? '' : `, cookie -${age}`})`,
  isPossible: ({ slots }) => slot < slots.length && (slots[slot] === undefined || slots[slot].status === 'answered'),
  act: world => world.open(slot, browser, kind, age),
}))

const act = fc.tuple(slots, operations).map(([slot, operation]): Move => ({
  name: `${slot}.${describe(operation)}`,
  isPossible: ({ slots }) => slots[slot] !== undefined,
  act: world => world.act(world.slots[slot]!, operation),
}))

const end = fc.tuple(slots, isRare).map(([slot, isLost]): Move => ({
  name: `${slot}.end(${isLost ? 'lost' : ''})`,
  isPossible: ({ slots }) => slots[slot]?.status === 'open',
  act: world => world.end(world.slots[slot]!, isLost),
}))

const fail = fc.tuple(fc.constantFrom<Step[]>('read', 'write', 'write'), fc.constantFrom<Fault[]>('before', 'before', 'after'), fc.integer({ min: 1, max: 3 })).map(([step, fault, count]): Move => ({
  name: `fail(${step}, ${fault}, ${count})`,
  act: ({ store }) => store.fail(step, fault, count),
}))

const repair = fc.constant<Move>({ name: 'repair()', isPossible: ({ store }) => store.isFaulty, act: ({ store }) => store.repair() })

const slow = fc.boolean().map((isSlow): Move => ({
  name: `slow(${isSlow})`,
  isPossible: ({ store }) => store.isSlow !== isSlow,
  act: ({ store }) => store.isSlow = isSlow,
}))

const release = fc.integer({ min: 0, max: 2 }).map((number): Move => ({
  name: `release(${number})`,
  isPossible: ({ store }) => store.isWaiting,
  act: ({ store }) => store.release(number),
}))

const wait = fc.constantFrom(1, 9, 11, 40, 100).map((seconds): Move => ({ name: `wait(${seconds})`, act: world => world.wait(seconds) }))

const share = fc.constant<Move>({ name: 'share()', act: ({ visitors }) => visitors.share() })

const deploy = fc.constant<Move>({ name: 'deploy()', isPossible: ({ deployment }) => deployment === 0, act: world => world.deploy() })

/** Every move, with its weight. */
const moves = fc.oneof(...([[6, open], [24, act], [5, end], [1, fail], [1, repair], [1, slow], [3, release], [2, wait], [1, share], [1, deploy]] as const)
  .map(([weight, arbitrary]) => ({ weight, arbitrary })))

/**
 * Walks, each with its setting.
 *
 * @param maxCommands how many commands one walk has at most
 * @param count counts the commands that ran
 * @param replayPath what fast-check prints beside a walk that failed
 */
export function walks(maxCommands: number, count: { steps: number }, replayPath: string | undefined): fc.Arbitrary<[Setting, Iterable<Command>]> {
  const command = fc.tuple(moves, pauses).map(([move, turns]) => toCommand(move, turns, count))
  return fc.tuple(settings, fc.commands([command], { maxCommands, size: 'max', ...(replayPath !== undefined && { replayPath }) }))
}

function toCommand({ name, isPossible, act }: Move, turns: Pause, count: { steps: number }): Command {
  return {
    check: ({ world }) => isPossible?.(world) ?? true,
    async run(_, world) {
      await pause(world, turns, act(world))
      world.check()
      count.steps++
    },
    toString: () => turns === 0 ? name : `${name}, ${turns}`,
  }
}

async function pause(world: World, turns: Pause, done: unknown): Promise<void> {
  if (turns === 'idle')
    return idle()
  if (turns === 'awaited') {
    let isDone = !(done instanceof Promise)
    void Promise.resolve(done).then(() => isDone = true)
    return drain(world, () => isDone)
  }
  for (let turn = 0; turn < turns; turn++)
    await Promise.resolve()
}
