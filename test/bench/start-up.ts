/**
 * What the package costs before the first request: `npm run bench:start -- --rounds 40 --json start.json`.
 */
import type { NitroConfig } from 'nitropack/types'
import type { Row } from './support/report'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { buildNitro, environment, TEST_SECRET } from '../support/nitro'
import { setup as packPackage } from '../support/package'
import { machineFacts, printTable, round } from './support/report'
import { quantile } from './support/stats'

/** Runs one process and resolves to what it took, in milliseconds. */
type Measure = () => Promise<Times>

interface Times {
  process: number
  /** The part that the process itself measured. */
  own: number
}

/** What is measured, by name. The others are compared with the first. */
type Contest = [name: string, measure: Measure][]

const { values: args } = parseArgs({
  options: {
    /** How often each process is started. */
    rounds: { type: 'string', default: '40' },
    json: { type: 'string' },
  },
})
const rounds = Number(args.rounds)
if (!(rounds > 0))
  throw new TypeError('Usage: npm run bench:start -- [--rounds 40] [--json <file>]')

const PACKAGE = join(import.meta.dirname, '../node_modules/unsession/dist')
/** Begins the line in which a process says what it measured. */
const OWN = 'own milliseconds:'
const SAY_OWN = `console.log(${JSON.stringify(OWN)}, performance.now() - start)`

await packPackage()
const machine = machineFacts()
printTable('Machine', [machine])

const imports = await compare([
  ['nothing', measureImport('node:path')],
  ['unsession/core', measureImport(fileIn('core/index.js'))],
  ['unsession/h3', measureImport(fileIn('h3.js'))],
])
printTable('Importing: a process to its end, and the import alone; milliseconds', imports)

const servers = await compareServers()
printTable('A Nitro server until it listens, and its sessions alone; milliseconds', servers)

if (args.json)
  await writeFile(args.json, `${JSON.stringify({ machine, rounds, imports, servers }, null, 2)}\n`)

/** All take turns, so that what else the machine does hits them alike. */
async function compare(contest: Contest): Promise<Row[]> {
  const times = contest.map((): Times[] => [])
  // The first one reads the files from the disk.
  for (const [, measure] of contest)
    await measure()
  for (let index = 0; index < rounds; index++) {
    for (const [place, [, measure]] of contest.entries())
      times[place]!.push(await measure())
  }
  return contest.map(([name], place) => toRow(name, times[place]!, times[0]!))
}

function toRow(name: string, times: readonly Times[], first: readonly Times[]): Row {
  const processes = times.map(({ process }) => process)
  const firsts = first.map(({ process }) => process)
  const own = times.map(({ own }) => own)
  return {
    name,
    'min': round(quantile(processes, 0)),
    'p10': round(quantile(processes, 0.1)),
    'median': round(quantile(processes, 0.5)),
    'added min': round(quantile(processes, 0) - quantile(firsts, 0)),
    'added p10': round(quantile(processes, 0.1) - quantile(firsts, 0.1)),
    // Of the difference in each round: slow times of the machine hit both.
    'added median': round(quantile(processes.map((time, index) => time - firsts[index]!), 0.5)),
    'own min': round(quantile(own, 0)),
    'own p10': round(quantile(own, 0.1)),
    'own median': round(quantile(own, 0.5)),
  }
}

function fileIn(path: string): string {
  return pathToFileURL(join(PACKAGE, path)).href
}

function measureImport(module: string): Measure {
  const code = `const start = performance.now(); await import(${JSON.stringify(module)}); ${SAY_OWN}`
  return () => measureProcess(['--input-type=module', '--eval', code], output => !output)
}

/** One app with and without the module, built as `nitropack build` does. */
async function compareServers(): Promise<Row[]> {
  const builds = [
    { name: 'without the module', built: await buildNitro('nitro-size/without', { sourceMap: false }) },
    { name: 'with it, files', built: await buildNitro('nitro-size/with', { ...timed() }) },
    { name: 'with it, cookie mode', built: await buildNitro('nitro-size/with', { ...timed(), session: { mode: 'cookie' } }) },
  ]
  try {
    return await compare(builds.map(({ name, built }) => [name, () => measureProcess([built.entry], output => output?.includes('127.0.0.1:') ?? false)]))
  }
  finally {
    await Promise.all(builds.map(({ built }) => built.remove()))
  }
}

/** Lets the plugin say how long it took to read the config, to derive the keys and to open storage. */
function timed(): NitroConfig {
  const call = 'startSessions(nitroApp)'
  const transform = (code: string, id: string): string | undefined => {
    if (!/[\\/]nitro2[\\/]plugin\.js$/.test(id))
      return undefined
    if (!code.includes(call))
      throw new Error(`The plugin has no \`${call}\` to measure.`)
    return code.replace(call, `(() => { const start = performance.now(); const sessions = ${call}; ${SAY_OWN}; return sessions })()`)
  }
  return { sourceMap: false, hooks: { 'rollup:before': (_, { plugins }) => void (plugins as unknown[]).unshift({ name: 'timed', transform }) } }
}

/**
 * From its start until its output tells that it is ready, or until its end.
 *
 * @param isReady is asked with `undefined` at the end
 */
async function measureProcess(command: string[], isReady: (output: string | undefined) => boolean): Promise<Times> {
  const start = performance.now()
  const child = spawn(process.execPath, command, {
    env: { ...environment(), HOST: '127.0.0.1', PORT: '0', NITRO_SESSION_SECRET: TEST_SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  let output = ''
  let end: number | undefined
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk
    if (end === undefined && isReady(output)) {
      end = performance.now()
      child.kill()
    }
  })
  await closed
  if (end === undefined && !isReady(undefined))
    throw new Error(`The process ended too early:\n${output}`)
  const own = output.split('\n').find(line => line.startsWith(OWN))
  return { process: (end ?? performance.now()) - start, own: own ? Number(own.slice(OWN.length)) : 0 }
}
