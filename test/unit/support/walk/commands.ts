import type { AsyncCommand } from 'fast-check'
import type { Operation } from './request'
import type { Fault, Step } from './store'
import type { Setting, World } from './world'
import * as fc from 'fast-check'

/** Nothing is planned ahead: what can be done shows in the world. */
interface Model {
  world: World
}

type Command = AsyncCommand<Model, World>

/** How long others run after a command: so many microtasks, or until all is still. */
type Pause = number | 'idle'

async function pause(turns: Pause): Promise<void> {
  if (turns === 'idle')
    return new Promise(resolve => setImmediate(resolve))
  for (let turn = 0; turn < turns; turn++)
    await Promise.resolve()
}

/** A command of the walk, by what it is called. */
function command(name: string, isPossible: (world: World) => boolean, act: (world: World) => unknown, turns: Pause): Command {
  return {
    check: ({ world }) => isPossible(world),
    async run(_, world) {
      act(world)
      await pause(turns)
      world.check()
    },
    toString: () => `${name}${turns === 0 ? '' : `, then ${turns}`}`,
  }
}

const pauses: fc.Arbitrary<Pause> = fc.oneof({ weight: 3, arbitrary: fc.constant<Pause>(0) }, { weight: 3, arbitrary: fc.integer({ min: 1, max: 14 }) }, { weight: 4, arbitrary: fc.constant<Pause>('idle') })
const slots = fc.integer({ min: 0, max: 2 })

const names: fc.Arbitrary<Operation['name']> = fc.oneof(
  ...([['set', 6], ['delete', 2], ['clear', 1], ['flash', 3], ['readFlash', 3], ['update', 4], ['updateByFunction', 2], ['updateNothing', 1], ['regenerate', 4], ['destroy', 2], ['reload', 1], ['save', 3], ['setLifetime', 1], ['read', 3]] as const)
    .map(([name, weight]) => ({ weight, arbitrary: fc.constant<Operation['name']>(name) })),
)

const operations: fc.Arbitrary<Operation> = fc.record({
  name: names,
  key: fc.constantFrom('a', 'b', 'user'),
  options: fc.record({
    keep: fc.constantFrom(true, true, false, ['a'], []),
    lifetime: fc.constantFrom('new' as const, 'same' as const),
  }),
  hasPatch: fc.boolean(),
})

function describe({ name, key, options, hasPatch }: Operation): string {
  return name === 'regenerate' ? `regenerate(${hasPatch ? key : ''}, ${JSON.stringify(options)})` : `${name}(${key})`
}

const commands: fc.Arbitrary<Command>[] = [
  fc.tuple(slots, fc.integer({ min: 0, max: 9 }), pauses).map(([slot, kind, turns]) => command(
    `open(${slot}${kind === 0 ? ', socket' : ''})`,
    ({ slots }) => slots[slot]?.status !== 'open' && slots[slot]?.status !== 'ending',
    world => world.open(slot, kind === 0),
    turns,
  )),
  ...Array.from({ length: 5 }, () => fc.tuple(slots, operations, pauses).map(([slot, operation, turns]) => command(
    `${slot}.${describe(operation)}`,
    ({ slots }) => slots[slot] !== undefined,
    world => world.act(world.slots[slot]!, operation),
    turns,
  ))),
  fc.tuple(slots, fc.integer({ min: 0, max: 9 }), pauses).map(([slot, kind, turns]) => command(
    `${slot}.end(${kind === 0 ? 'lost' : ''})`,
    ({ slots }) => slots[slot]?.status === 'open',
    world => world.end(world.slots[slot]!, kind === 0),
    turns,
  )),
  fc.tuple(fc.constantFrom(1, 9, 11, 40, 100), pauses).map(([seconds, turns]) => command(`wait(${seconds})`, () => true, world => world.wait(seconds), turns)),
  fc.tuple(fc.constantFrom<Step>('read', 'write', 'write'), fc.constantFrom<Fault>('before', 'after'), fc.integer({ min: 1, max: 3 }), pauses).map(([step, fault, count, turns]) => command(`fail(${step}, ${fault}, ${count})`, () => true, world => world.fail(step, fault, count), turns)),
  pauses.map(turns => command('repair()', () => true, ({ store }) => store.repair(), turns)),
  fc.tuple(fc.boolean(), pauses).map(([isSlow, turns]) => command(`slow(${isSlow})`, ({ store }) => store.isSlow !== isSlow, ({ store }) => store.isSlow = isSlow, turns)),
  fc.tuple(fc.integer({ min: 1, max: 3 }), pauses).map(([count, turns]) => command(`release(${count})`, ({ store }) => store.isWaiting, ({ store }) => store.release(count), turns)),
  fc.tuple(fc.integer({ min: 1, max: 3 }), pauses).map(([count, turns]) => command(`release(${count})`, ({ store }) => store.isWaiting, ({ store }) => store.release(count), turns)),
  pauses.map(turns => command('the second browser gets the cookies of the first', () => true, ({ browsers: [first, second] }) => {
    second.jar.clear()
    first.jar.forEach((value, name) => second.jar.set(name, value))
  }, turns)),
]

/**
 * Walks, each with its setting.
 *
 * @param replayPath what fast-check prints beside a walk that failed
 */
export const walks = (maxCommands: number, replayPath?: string): fc.Arbitrary<[Setting, Iterable<Command>]> => fc.tuple(
  fc.record({
    mode: fc.constantFrom('storage' as const, 'storage' as const, 'storage' as const, 'cookie' as const),
    saveUninitialized: fc.boolean(),
    idleTimeout: fc.constantFrom(0 as const, 60 as const),
    userKey: fc.constantFrom('user' as const, undefined),
    canCompare: fc.boolean(),
    hooks: fc.dictionary(fc.constantFrom('created', 'loaded', 'saved', 'regenerated', 'destroyed'), fc.record({ operation: operations, isAwaited: fc.boolean() }), { maxKeys: 2 }),
  }),
  fc.commands(commands, { maxCommands, size: 'max', ...(replayPath !== undefined && { replayPath }) }),
)
