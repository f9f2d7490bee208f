/**
 * What sessions add to a request, here and in other packages, within one process:
 * `npm run bench -- --only 'unsession|express' --rounds 60 --json compare.json`.
 */
import './support/production'
import type { Peer } from './peers/peer'
import type { Participant } from './support/contest'
import type { Row } from './support/report'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createRandom } from '../support/mutations'
import { startRedis } from '../support/redis'
import { PEERS } from './peers/index'
import { checkPeer } from './support/check'
import { compete } from './support/contest'
import { overheadOf } from './support/overhead'
import { machineFacts, printTable, round } from './support/report'
import { WORKLOADS } from './support/workloads'

const { values: args } = parseArgs({
  options: {
    /** Peers and workloads whose label matches. */
    only: { type: 'string', default: '' },
    workloads: { type: 'string', default: '' },
    rounds: { type: 'string', default: '60' },
    json: { type: 'string' },
  },
})

const rounds = Number(args.rounds)
const peers = PEERS.filter(peer => new RegExp(args.only, 'i').test(labelOf(peer)))
const workloads = WORKLOADS.filter(({ name }) => new RegExp(args.workloads, 'i').test(name))
if (!(rounds > 0) || peers.length === 0)
  throw new TypeError('Usage: npm run bench -- [--only <regex>] [--workloads <regex>] [--rounds <number>] [--json <file>]')

const random = createRandom(1)
const redis = await startRedis()
const folder = await mkdtemp(join(tmpdir(), 'unsession-bench-'))
const participants: Participant[] = []
try {
  for (const [index, peer] of peers.entries())
    participants.push(await enter(peer, index))
  const machine = machineFacts()
  printTable('Machine', [machine])
  printTable('Before the clock', participants.map(toCheckedRow))
  const lanes = await compete(participants, rounds, shuffled, workloads)
  const results = participants.flatMap(participant => workloads.flatMap((workload) => {
    const [app, bare] = (['app', 'bare'] as const).map(side => lanes.find(lane => lane.participant === participant && lane.workload === workload && lane.side === side)?.times)
    return app && bare ? [{ participant, workload, overhead: overheadOf(app, bare) }] : []
  }))
  for (const { name } of workloads)
    printTable(`${name}: microseconds more than without sessions`, results.filter(({ workload }) => workload.name === name).map(({ participant: { peer }, overhead }) => roundAll({ peer: peer.name, store: peer.store, framework: peer.framework, ...overhead })))
  if (args.json)
    await writeFile(args.json, `${JSON.stringify({ machine, checked: participants.map(toCheckedRow), results: results.map(({ participant: { peer }, workload, overhead }) => ({ peer: peer.name, store: peer.store, framework: peer.framework, workload: workload.name, ...overhead })) }, null, 2)}\n`)
}
finally {
  for (const { opened } of participants)
    await opened.close()
  await redis.stop()
  await rm(folder, { recursive: true, force: true })
}
// Built apps keep their connections for as long as they live.
process.exit()

/** Opens a peer and makes sure that it works. */
async function enter(peer: Peer, index: number): Promise<Participant> {
  const opened = await peer.open({ redisUrl: `${redis.url}/${index}`, folder: join(folder, String(index)) })
  try {
    return { peer, opened, checked: await checkPeer(opened) }
  }
  catch (cause) {
    await opened.close()
    throw new Error(`${labelOf(peer)} is wrong`, { cause })
  }
}

function labelOf({ name, store, framework }: Peer): string {
  return `${name}, ${framework}, ${store}`
}

function toCheckedRow({ peer, checked: { big, lost, setCookie } }: Participant): Row {
  return { 'peer': peer.name, 'store': peer.store, 'framework': peer.framework, 'lost of 64': lost, '3,000 bytes': big, 'Set-Cookie: new': setCookie.new, 'write': setCookie.write, 'read': setCookie.read, 'visitor reads': setCookie.visitor }
}

function roundAll(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'number' ? round(value) : value]))
}

function shuffled<T>(items: readonly T[]): T[] {
  return items.map(item => ({ item, order: random(2 ** 30) })).sort((a, b) => a.order - b.order).map(({ item }) => item)
}
