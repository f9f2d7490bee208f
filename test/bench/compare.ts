/**
 * What sessions add to a request, here and in other packages, within one process:
 * `npm run bench -- --only 'unsession|express' --rounds 60 --json compare.json`.
 */
import './support/production'
import type { Peer } from './peers/peer'
import type { Participant } from './support/contest'
import type { Row } from './support/report'
import type { Result } from './support/results'
import type { WorkloadName } from './support/workloads'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { PEERS } from './peers/index'
import { writeDocument } from './support/benchmark-document'
import { checkPeer } from './support/check'
import { compete } from './support/contest'
import { readVersions } from './support/document'
import { judgeGoals } from './support/goals'
import { openGrounds } from './support/grounds'
import { quietly } from './support/quietly'
import { machineFacts, printTable, round } from './support/report'
import { compareWithProduct, labelOf, toResult } from './support/results'
import { createShuffle } from './support/shuffle'
import { WORKLOADS } from './support/workloads'

const { values: args } = parseArgs({
  options: {
    /** Peers whose name, framework or storage matches. */
    only: { type: 'string', default: '' },
    workloads: { type: 'string', default: '' },
    rounds: { type: 'string', default: '60' },
    json: { type: 'string' },
    /** Puts the tables into docs/benchmarks.md. */
    write: { type: 'boolean', default: false },
  },
})

const rounds = Number(args.rounds)
const peers = PEERS.filter(peer => new RegExp(args.only, 'i').test(labelOf(peer)))
const workloads = WORKLOADS.filter(({ name }) => new RegExp(args.workloads, 'i').test(name))
if (!(rounds > 0) || peers.length === 0 || workloads.length === 0)
  throw new TypeError('Usage: npm run bench -- [--only <regex>] [--workloads <regex>] [--rounds <number>] [--json <file>] [--write]')
if (args.write && (args.only || args.workloads))
  throw new TypeError('The tables are written from a whole run only: leave --only and --workloads, or --write, out.')

const grounds = await openGrounds(peers.length)
const participants: Participant[] = []
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void end().finally(() => process.exit(1)))

try {
  for (const [index, peer] of peers.entries())
    participants.push(await enter(peer, index))
  await compare()
}
finally {
  await end()
}
process.exit()

async function end(): Promise<void> {
  for (const { opened } of participants.splice(0))
    await opened.close()
  // Apps that are built keep their connections, and tell that they are lost.
  await quietly(() => grounds.close())
}

/** Opens a peer and makes sure that it works. */
async function enter(peer: Peer, index: number): Promise<Participant> {
  const opened = await peer.open(grounds.means[index]!)
  try {
    return { peer, opened, checked: await checkPeer(opened) }
  }
  catch (cause) {
    await opened.close()
    throw new Error(`${labelOf(peer)} is wrong`, { cause })
  }
}

async function compare(): Promise<void> {
  const machine = machineFacts()
  printTable('Machine', [machine])
  const lanes = await compete(participants, rounds, createShuffle(), workloads)
  const results = participants.map(participant => toResult(participant, lanes.filter(lane => lane.participant === participant)))
  for (const { name } of workloads)
    printTable(`${name}: microseconds more than without sessions`, results.flatMap(result => toOverheadRow(result, name, results)))
  printTable('Beside time', results.map(toCheckedRow))
  printTable('Goals', judgeGoals(results))
  const run = { machine, rounds, versions: await readVersions(peers.flatMap(({ packages }) => packages)), results }
  if (args.json)
    await writeFile(args.json, `${JSON.stringify(run, null, 2)}\n`)
  if (args.write)
    await writeDocument(run)
}

function toHeads({ name, store, framework }: Result): Row {
  return { peer: name, store, framework }
}

function toOverheadRow(result: Result, workload: WorkloadName, results: readonly Result[]): Row[] {
  const overhead = result.overheads[workload]
  if (!overhead)
    return []
  const { p10, median, cpu, garbage, ratio, bare, samples } = overhead
  const times = compareWithProduct(result, workload, results)
  return [{ ...toHeads(result), 'p10': round(p10), 'median': round(median), 'cpu': round(cpu), 'garbage, kB': round(garbage / 1000), 'times ours': times === undefined ? '' : round(times), 'bare': round(bare), 'app/bare': round(ratio), samples }]
}

function toCheckedRow(result: Result): Row {
  const { big, lost, setCookie } = result.checked
  return { ...toHeads(result), 'lost of 64': lost, '3,000 bytes': big, 'Set-Cookie: new': setCookie.new, 'write': setCookie.write, 'read': setCookie.read, 'visitor reads': setCookie.visitor }
}
