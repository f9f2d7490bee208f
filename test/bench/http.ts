/**
 * What sessions leave of the requests that a server can answer, here and in other packages, over
 * HTTP: `npm run bench:http -- --only 'nitro|express' --rounds 10 --json http.json`.
 */
import './support/production'
import type { Means, Peer, PeerBuild } from './peers/peer'
import type { HttpParticipant } from './support/http-contest'
import type { HttpResult } from './support/http-results'
import type { Row } from './support/report'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { PEERS } from './peers/index'
import { readVersions } from './support/document'
import { openGrounds } from './support/grounds'
import { competeOverHttp } from './support/http-contest'
import { writeHttpDocument } from './support/http-document'
import { judgeHttpGoals, toHttpResult } from './support/http-results'
import { packOnce } from './support/product'
import { machineFacts, printTable, round } from './support/report'
import { labelOf } from './support/results'
import { ServedPeer } from './support/served-peer'
import { createShuffle } from './support/shuffle'

const { values: args } = parseArgs({
  options: {
    /** Peers whose name, framework or storage matches, also such as are not measured otherwise. */
    only: { type: 'string' },
    rounds: { type: 'string', default: '6' },
    json: { type: 'string' },
    /** Puts the table into docs/benchmarks.md. */
    write: { type: 'boolean', default: false },
  },
})

/** One of each kind: a round takes a quarter of a second for each of their requests. */
const USUAL = [
  /^unsession.*, Nitro 2/,
  /^unsession\/h3, h3 v1, (?:encrypted cookie|memory|Redis)/,
  /^h3 `useSession`, h3 v1/,
  /^@fastify/,
  /^express-session/,
]

const rounds = Number(args.rounds)
const chosen = args.only === undefined ? USUAL : [new RegExp(args.only, 'i')]
const peers = PEERS.filter(peer => chosen.some(pattern => pattern.test(labelOf(peer))))
if (!(rounds > 0) || peers.length === 0)
  throw new TypeError('Usage: npm run bench:http -- [--only <regex>] [--rounds <number>] [--json <file>] [--write]')
if (args.write && args.only !== undefined)
  throw new TypeError('The table is written from a whole run only: leave --only, or --write, out.')

const grounds = await openGrounds(peers.length)
const builds: PeerBuild[] = []
const servers = new Set<ServedPeer>()
/** By framework. */
const bares = new Map<string, ServedPeer>()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void end().finally(() => process.exit(1)))

try {
  // Once, before processes that look for it run at the same time.
  await packOnce()
  const participants: HttpParticipant[] = []
  for (const [index, peer] of peers.entries())
    participants.push(await enter(peer, grounds.means[index]!))
  await compare(participants)
}
finally {
  await end()
}
process.exit()

async function end(): Promise<void> {
  await Promise.all([...servers].map(server => server.stop()))
  await Promise.all(builds.splice(0).map(build => build.remove()))
  await grounds.close()
}

/** Starts a peer, and its framework where it is the first that needs it. */
async function enter(peer: Peer, own: Means): Promise<HttpParticipant> {
  const build = await peer.build?.(own)
  if (build)
    builds.push(build)
  const order = { label: labelOf(peer), means: { ...own, entries: build?.entries } }
  const app = new ServedPeer({ ...order, side: 'app' })
  const bare = bares.get(peer.framework) ?? new ServedPeer({ ...order, side: 'bare' })
  servers.add(app).add(bare)
  bares.set(peer.framework, bare)
  await Promise.all([app.start(), bare.start()])
  return { peer, app, bare }
}

async function compare(participants: readonly HttpParticipant[]): Promise<void> {
  const machine = machineFacts()
  printTable('Machine', [machine])
  const lanes = await competeOverHttp(participants, rounds, createShuffle())
  const results = participants.map(participant => toHttpResult(participant, lanes))
  printTable('Over HTTP: requests a second, and microseconds of the server\'s processor time for each', results.flatMap(toRows))
  printTable('Goals', judgeHttpGoals(results))
  const run = { machine, rounds, versions: await readVersions(['autocannon', ...peers.flatMap(({ packages }) => packages)]), results }
  if (args.json)
    await writeFile(args.json, `${JSON.stringify(run, null, 2)}\n`)
  if (args.write)
    await writeHttpDocument(run)
}

function toRows({ name, store, framework, bare, workloads }: HttpResult): Row[] {
  return Object.entries(workloads).map(([request, { rate, rateShare, cpu, cpuShare }]) => ({
    'peer': name,
    store,
    framework,
    request,
    'requests/s': round(rate),
    'bare': round(bare.rate),
    'with/bare': round(rateShare),
    'cpu': round(cpu),
    'bare cpu': round(bare.cpu),
    'bare/with': round(cpuShare),
  }))
}
