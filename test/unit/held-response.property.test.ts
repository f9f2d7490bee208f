import process from 'node:process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findDifference } from './support/response-comparison'
import { KNOWN_DIFFERENCES as known } from './support/response-known'
import { ResponseProcess } from './support/response-process'

/** For a longer search, from a seed of its own: `HELD_RUNS=100000 npx vitest run --project unit test/unit/held-response.property.test.ts`. */
const { HELD_RUNS, HELD_SEED } = process.env
const runs = Number(HELD_RUNS ?? 1500)
const seed = Number(HELD_SEED ?? (HELD_RUNS ? Math.floor(Math.random() * 0x7FFF_FFFF) : 1))

let servers: ResponseProcess
beforeAll(() => void (servers = new ResponseProcess()))
afterAll(() => servers.stop())

it('a held response cannot be told from a plain one', async () => {
  console.info(`${runs} sequences of calls, seed ${seed}`)
  expect(await findDifference({ process: servers, treatment: 'held', known, seed, runs })).toBeUndefined()
}, 3_600_000)

it('two plain responses cannot be told apart', async () => {
  expect(await findDifference({ process: servers, treatment: 'plain', known, seed, runs: Math.min(runs, 300) })).toBeUndefined()
})

it('a response whose calls are recorded and made later is told from a plain one', async () => {
  expect(await findDifference({ process: servers, treatment: 'recorded', known, seed, runs: 50 })).toContain('recorded:')
})
