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
    rounds: { type: 'string', default: '4' },
    json: { type: 'string' },
    /** Puts the table into docs/benchmarks.md. */
    write: { type: 'boolean', default: false },
  },
})

/** One of each kind: all would take too long. */
const USUAL = [
  /^unsession.*, Nitro 2,/,
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
let ending: Promise<void> | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void end().finally(() => process.exit(1)))

try {
  // Once, before processes that look for it run at the same time.
  await packOnce()
  await compare(await enterAll())
}
finally {
  await end()
}
process.exit()

/** Once, also when a signal comes first and the run then fails for want of its servers. */
function end(): Promise<void> {
  ending ??= clear()
  return ending
}

async function clear(): Promise<void> {
  await Promise.all([...servers].map(server => server.stop()))
  await Promise.all(builds.map(build => build.remove()))
  await grounds.close()
}

/** Starts all peers; while one gets ready the next is built. */
async function enterAll(): Promise<HttpParticipant[]> {
  const participants: HttpParticipant[] = []
  let starting: Promise<unknown> = Promise.resolve()
  for (const [index, peer] of peers.entries()) {
    const means = grounds.means[index]!
    const [build] = await Promise.all([buildPeer(peer, means), starting])
    const participant = serve(peer, { ...means, entries: build?.entries })
    starting = Promise.all([participant.app.start(), participant.bare.start()])
    participants.push(participant)
  }
  await starting
  return participants
}

async function buildPeer(peer: Peer, means: Means): Promise<PeerBuild | undefined> {
  const build = await peer.build?.(means)
  if (build)
    builds.push(build)
  return build
}

/** Runs a peer, and its framework where it is the first that needs it. */
function serve(peer: Peer, means: Means): HttpParticipant {
  const order = { label: labelOf(peer), means }
  const app = new ServedPeer({ ...order, side: 'app' })
  const bare = bares.get(peer.framework) ?? new ServedPeer({ ...order, side: 'bare' })
  servers.add(app).add(bare)
  bares.set(peer.framework, bare)
  return { peer, app, bare }
}

async function compare(participants: readonly HttpParticipant[]): Promise<void> {
  const machine = machineFacts()
  printTable('Machine', [machine])
  const lanes = await competeOverHttp(participants, rounds, createShuffle())
  const results = participants.map(participant => toHttpResult(participant, lanes.filter(lane => lane.participant === participant)))
  printTable('Over HTTP: requests a second, and microseconds of the server\'s processor time for each', results.flatMap(toRows))
  printTable('Goals', judgeHttpGoals(results))
  const run = { machine, rounds, versions: await readVersions(['autocannon', ...peers.flatMap(({ packages }) => packages)]), results }
  if (args.json)
    await writeFile(args.json, `${JSON.stringify(run, null, 2)}\n`)
  if (args.write)
    await writeHttpDocument(run)
}

function toRows({ name, store, framework, workloads }: HttpResult): Row[] {
  return Object.entries(workloads).map(([request, { rate, bareRate, rateShare, cpu, bareCpu, cpuShare }]) => ({
    'peer': name,
    store,
    framework,
    request,
    'requests/s': round(rate),
    'bare': round(bareRate),
    'with/bare': round(rateShare),
    'cpu': round(cpu),
    'bare cpu': round(bareCpu),
    'bare/with': round(cpuShare),
  }))
}
