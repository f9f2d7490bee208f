import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { walks } from './support/walk/commands'
import { World } from './support/walk/world'

/** For a longer walk: `WALKS=20000 npx vitest run --project unit test/unit/walk.test.ts`. */
const WALKS = Number(process.env.WALKS ?? 500)

/** The most steps that one walk takes. */
const STEPS = 100

// A write that lost a race is made again without a pause.
beforeAll(() => void vi.spyOn(Math, 'random').mockReturnValue(0))
afterAll(() => void vi.restoreAllMocks())

it('a random walk over everything that can be done to sessions breaks no rule', async () => {
  let steps = 0
  await fc.assert(fc.asyncProperty(walks(STEPS, process.env.WALK_REPLAY), async ([setting, commands]) => {
    const world = new World(setting)
    await fc.asyncModelRun(() => ({ model: { world }, real: world }), commands)
    await world.finish()
    steps += [...commands].length
  }), { numRuns: WALKS, ...(process.env.SEED && { seed: Number(process.env.SEED) }), ...(process.env.WALK_PATH && { path: process.env.WALK_PATH, endOnFailure: true }) })
  console.info(`${WALKS} walks took ${steps} steps.`)
  expect(steps).toBeGreaterThan(WALKS * 10)
})
