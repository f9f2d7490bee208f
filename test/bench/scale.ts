/**
 * What a request costs with many sessions in storage, and what a sweep costs the others:
 * `npm run bench:scale -- --sizes 1000,100000,1000000 --json scale.json`.
 */
import type { Contender } from './support/contenders'
import type { Row } from './support/report'
import type { Watched } from './support/watch'
import { writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createRandom } from '../support/mutations'
import { fillFiles, fillMemory, fillRedis } from './support/contenders'
import { machineFacts, printTable, round } from './support/report'
import { arrive, handle } from './support/sessions'
import { createShuffle } from './support/shuffle'
import { quantile } from './support/stats'
import { REQUEST_INTERVAL, watchDuring } from './support/watch'

type Operation = 'read' | 'read and write'

interface Sweep {
  sweep: Row
  /** Before it and during it. */
  watched: Row[]
}

const { values: args } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,100000,1000000' },
    /** Operations of each kind that are measured at each size. */
    operations: { type: 'string', default: '10000' },
    /** Records of the sweeps; a tenth has expired. */
    swept: { type: 'string', default: '1000000' },
    files: { type: 'string', default: '20000' },
    json: { type: 'string' },
  },
})
const sizes = args.sizes.split(',').map(Number).sort((a, b) => a - b)
if (sizes.some(size => !(size > 0)))
  throw new TypeError('Usage: npm run bench:scale -- [--sizes 1000,100000] [--json <file>]')

/** Sizes take turns this often, so that what else the machine does hits all alike. */
const ROUNDS = 100
const WARM_UP = 2000
/** Milliseconds of reading to compare a sweep with. */
const BEFORE_SWEEP = 5000
/** One in so many records of a sweep has expired. */
const EXPIRED = 10

const random = createRandom(1)
const shuffle = createShuffle()
const machine = machineFacts()
printTable('Machine', [machine])

const cost = [...await compareSizes(fillMemory), ...await compareSizes(fillRedis)]
printTable('Cost of a request by stored sessions, microseconds', cost)

const sweeps = [await measureSweep(fillMemory, Number(args.swept)), await measureSweep(fillFiles, Number(args.files))]
printTable(`Sweeps, with a request every ${REQUEST_INTERVAL} ms`, sweeps.map(({ sweep }) => sweep))
printTable('Requests and event loop around the sweeps, milliseconds', sweeps.flatMap(({ watched }) => watched))

if (args.json)
  await writeFile(args.json, `${JSON.stringify({ machine, cost, sweeps }, null, 2)}\n`)

async function compareSizes(fill: (size: number) => Promise<Contender>): Promise<Row[]> {
  const contenders: Contender[] = []
  for (const size of sizes)
    contenders.push(await fill(size))
  const entries = contenders.flatMap(contender => (['read', 'read and write'] as const).map(operation => ({ contender, operation, times: [] as number[] })))
  for (const { contender, operation } of entries)
    await time(contender, operation, WARM_UP)
  for (let count = 0; count < ROUNDS; count++) {
    for (const { contender, operation, times } of shuffle(entries))
      times.push(...await time(contender, operation, Number(args.operations) / ROUNDS))
  }
  await Promise.all(contenders.map(contender => contender.close()))
  const rows = entries.map(({ contender: { store, size }, operation, times }) => ({ store, operation, size, p10: round(quantile(times, 0.1)), median: round(quantile(times, 0.5)) }))
  return rows.map(row => ({ ...row, ratio: round(row.median / rows.find(({ operation }) => operation === row.operation)!.median) }))
    .sort((a, b) => a.operation === b.operation ? 0 : a.operation < b.operation ? -1 : 1)
}

/** The microseconds of each of a number of operations on random sessions. */
async function time({ manager, size }: Contender, operation: Operation, count: number): Promise<number[]> {
  const times: number[] = []
  for (let done = 0; done < count; done++) {
    const arrival = arrive(random(size))
    const start = performance.now()
    await handle(manager, arrival, operation === 'read' ? undefined : start)
    times.push((performance.now() - start) * 1000)
  }
  return times
}

async function measureSweep(fill: (size: number, isExpired: (index: number) => boolean) => Promise<Contender>, size: number): Promise<Sweep> {
  const contender = await fill(size, isExpired)
  const { store, manager } = contender
  const read = (): Promise<void> => handle(manager, arrive(toLiving(random(size))))
  // A heap that was just filled is collected first.
  await watchDuring(read, () => wait(BEFORE_SWEEP))
  const before = await watchDuring(read, () => wait(BEFORE_SWEEP))
  const start = performance.now()
  let removed = 0
  const during = await watchDuring(read, async () => removed = await manager.sweep())
  const seconds = round((performance.now() - start) / 1000)
  const left = await contender.count()
  await contender.close()
  if (removed !== Math.floor(size / EXPIRED) || removed !== size - left)
    throw new Error(`The sweep of ${store} removed ${removed} of ${size} records, and left ${left}.`)
  return { sweep: { store, records: size, removed, seconds }, watched: [toRow(store, 'before', before), toRow(store, 'during', during)] }
}

function isExpired(index: number): boolean {
  return index % EXPIRED === EXPIRED - 1
}

function toLiving(index: number): number {
  return isExpired(index) ? index - 1 : index
}

function toRow(store: string, when: string, { latencies, longestGap, longestWork, longestDelay, longestCollection }: Watched): Row {
  return {
    store,
    when,
    'requests': latencies.length,
    'median': round(quantile(latencies, 0.5)),
    'p99': round(quantile(latencies, 0.99)),
    'longest': round(quantile(latencies, 1)),
    'longest gap': round(longestGap),
    'of it computing': round(longestWork),
    'longest delay': round(longestDelay),
    'longest gc': round(longestCollection),
  }
}
