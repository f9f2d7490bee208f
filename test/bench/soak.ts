/**
 * Drives the production build at full load, and fails when memory grows or anything is left
 * over once the load is gone: `npm run soak -- --minutes 10 --storage redis`.
 */
import type { RunningServer } from '../support/nitro'
import type { LoadCounts } from './support/load'
import type { SoakStorage, SoakTarget } from './support/soak-storage'
import type { Sample, ServerState } from './support/verdict'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { buildNitro, startCommand, TEST_SECRET } from '../support/nitro'
import { setup as packPackage } from '../support/package'
import { Client } from './support/client'
import { Load } from './support/load'
import { machineFacts, printTable, round } from './support/report'
import { SOAK_STORAGES, startSoakTarget } from './support/soak-storage'
import { slope } from './support/stats'
import { judge, megabytes, thirds } from './support/verdict'

/** Longer than Node keeps an idle connection and than a storage operation may take. */
const REST_SECONDS = 7
const MAX_REST_SECONDS = 90

const { values: args } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    storage: { type: 'string', default: 'redis' },
    connections: { type: 'string', default: '32' },
    visitors: { type: 'string', default: '200' },
    interval: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
})
const duration = Number(args.minutes) * 60
/** The first minute warms up, of a shorter run the first fifth. */
const warmUp = Math.min(60, duration / 5)

if (!SOAK_STORAGES.includes(args.storage as SoakStorage) || !(duration > 0))
  throw new TypeError(`Usage: npm run soak -- [--minutes <number>] [--storage ${SOAK_STORAGES.join('|')}]`)

/** Ends what was started, the last first. */
const ends: (() => Promise<void>)[] = []
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void end().finally(() => process.exit(1)))

try {
  const problems = await run()
  console.log(problems.length > 0 ? `\nFailed:\n${problems.map(problem => `- ${problem}`).join('\n')}` : '\nPassed.')
  process.exitCode = problems.length > 0 ? 1 : 0
}
finally {
  await end()
}

async function end(): Promise<void> {
  for (const stop of ends.splice(0).toReversed())
    await stop()
}

/** Builds, starts and drives the server; answers what is wrong. */
async function run(): Promise<string[]> {
  await packPackage()
  const target = await startSoakTarget(args.storage as SoakStorage)
  ends.push(target.stop)
  const built = await buildNitro('nitro-soak', target.config)
  ends.push(built.remove)
  const server = await startCommand(process.execPath, ['--expose-gc', built.entry], { HOST: '127.0.0.1', PORT: '0', NITRO_SESSION_SECRET: TEST_SECRET, ...target.env }, target.cwd)
  ends.push(server.stop)
  try {
    return await soak(server, target)
  }
  finally {
    console.log(`\nThe last that the server printed:\n${server.output().slice(-1500)}`)
  }
}

async function soak(server: RunningServer, target: SoakTarget): Promise<string[]> {
  const admin = new Client(server.url, 1)
  const client = new Client(server.url, Number(args.connections))
  const load = new Load(client, { connections: Number(args.connections), visitors: Number(args.visitors), seed: Number(args.seed) })
  printTable(`Soak of ${args.minutes} minutes on ${args.storage}, ${args.connections} connections, ${args.visitors} visitors`, [machineFacts()])

  // Modules are loaded, storage is connected: from here on nothing may stay.
  await load.rehearse()
  const sweep = async (): Promise<number> => {
    const { status, body } = await admin.ask({ method: 'POST', path: '/cleanup' })
    return status === 200 ? (body as { result: { removed: number } }).result.removed : Number.NaN
  }
  await sweep()
  const look = (seconds = 0): Promise<Sample> => takeSample(admin, load, target, seconds)
  const before = await rest(look)
  printSample('at rest', before)

  const samples = await drive(load, before, look, sweep)

  client.close()
  const after = await rest(look)
  printSample('at rest', after)
  admin.close()
  const measured = samples.filter(({ seconds }) => seconds >= warmUp)
  printSummary(measured, load.counts)
  const leftovers = (await target.leftovers()).map(leftover => `${leftover} left over`)
  return [...judge({ before, samples, measured, after, counts: load.counts, output: server.output(), connections: Number(args.connections) }), ...leftovers]
}

/**
 * Full load. Every now and then the server sweeps its storage under it; then the load stands
 * still for a look at what the server holds.
 */
async function drive(load: Load, before: Sample, look: (seconds: number) => Promise<Sample>, sweep: () => Promise<number>): Promise<Sample[]> {
  const samples: Sample[] = []
  const start = performance.now()
  const elapsed = (): number => (performance.now() - start) / 1000
  while (elapsed() < duration) {
    load.start()
    const [swept] = await Promise.all([sweep(), wait(Math.min(Number(args.interval), duration - elapsed()) * 1000)])
    await load.pause()
    const sample = { ...await look(elapsed()), swept }
    printSample(`${Math.round(sample.seconds)} s`, sample, samples.at(-1) ?? before)
    samples.push(sample)
  }
  return samples
}

async function takeSample(admin: Client, load: Load, target: SoakTarget, seconds: number): Promise<Sample> {
  const { status, body } = await admin.ask({ method: 'GET', path: '/state' })
  if (status !== 200)
    throw new Error(`The server answered ${status} when asked for its state: ${JSON.stringify(body)}`)
  return { ...body as ServerState, swept: 0, seconds, requests: load.counts.requests, counts: await target.count() }
}

/** What is there when nothing has changed any more for a while. */
async function rest(look: () => Promise<Sample>): Promise<Sample> {
  const start = performance.now()
  let last = await look()
  let since = start
  while (performance.now() - since < REST_SECONDS * 1000) {
    if (performance.now() - start > MAX_REST_SECONDS * 1000)
      throw new Error(`The server came to no rest within ${MAX_REST_SECONDS} s: ${JSON.stringify(last)}`)
    await wait(1000)
    const next = await look()
    if (toActivity(next) !== toActivity(last))
      since = performance.now()
    last = next
  }
  return last
}

/** Records come and go by themselves: their number says nothing about rest. */
function toActivity({ resources, timers, counts: { connections } }: Sample): string {
  return JSON.stringify([Object.entries(resources).sort(), timers, connections])
}

function printSample(when: string, sample: Sample, last?: Sample): void {
  const { heapUsed, rss, swept, resources, timers, promises, counts } = sample
  const rate = last ? (sample.requests - last.requests) / (sample.seconds - last.seconds) : 0
  console.log(`${when.padEnd(8)} ${String(sample.requests).padStart(9)} requests ${String(Math.round(rate)).padStart(6)}/s  heap ${megabytes(heapUsed)} MB  rss ${megabytes(rss)} MB  swept ${swept}  timers ${timers}  promises ${promises}  ${list({ ...counts, ...resources })}`)
}

function printSummary(samples: readonly Sample[], { requests, actions, statuses }: LoadCounts): void {
  const [first, last] = thirds(samples)
  const growth = slope(samples.map(({ requests, heapUsed }) => [requests, heapUsed]))
  console.log(`
${requests} requests
heap after gc, the first ${Math.round(warmUp)} s left out: ${megabytes(first)} MB in the first third, ${megabytes(last)} MB in the last, ${round(growth)} bytes a request
responses: ${list(statuses)}
actions: ${list(actions)}`)
}

function list(counts: Record<string, number>): string {
  return Object.entries(counts).sort(([a], [b]) => a < b ? -1 : 1).map(([name, count]) => `${name} ${count}`).join(', ')
}
