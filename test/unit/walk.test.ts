import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { walks } from './support/walk/commands'
import { World } from './support/walk/world'

const { WALK_STEPS = '200000', WALK_SEED = '1', WALK_PATH, WALK_REPLAY } = process.env

/** How many commands run, at least. */
const STEPS = Number(WALK_STEPS)

/** How many commands one walk has, at most. */
const LENGTH = 100

/** So many walks have one seed. */
const BATCH = 200

// A write that lost a race is made again after a pause, which is over when the walk says so.
beforeAll(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  vi.spyOn(Math, 'random').mockReturnValue(0)
})

afterAll(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

it('a random walk over everything that can be done to sessions breaks no rule', async () => {
  const count = { steps: 0 }
  const property = fc.asyncProperty(walks(LENGTH, count, WALK_REPLAY), async ([setting, commands]) => {
    const world = new World(setting)
    await fc.asyncModelRun(() => ({ model: { world }, real: world }), commands)
    await world.finish()
  })
  if (WALK_PATH !== undefined)
    return fc.assert(property, { seed: Number(WALK_SEED), path: WALK_PATH, endOnFailure: true })
  const firstSeed = Number(WALK_SEED)
  for (let seed = firstSeed; count.steps < STEPS; seed++)
    await fc.assert(property, { seed, numRuns: BATCH })
  console.info(`${count.steps} steps from seed ${firstSeed} on.`)
  expect(count.steps).toBeGreaterThanOrEqual(STEPS)
})
