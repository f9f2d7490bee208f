/**
 * What hostile `Cookie` headers cost a server with sessions, here and in other packages:
 * `npm run bench:hostile -- --only 'memory' --rounds 100`.
 */
import './support/production'
import type { OpenPeer, Peer } from './peers/peer'
import type { Row } from './support/report'
import { parseArgs } from 'node:util'
import { HARMLESS_HEADER, HOSTILE_HEADERS } from '../support/hostile-cookies'
import { PEERS } from './peers/index'
import { setCookiesOf } from './support/cookie-jar'
import { openGrounds } from './support/grounds'
import { Connection, InProcessServer } from './support/in-process'
import { packOnce } from './support/product'
import { machineFacts, printTable, round } from './support/report'
import { labelOf } from './support/results'
import { createShuffle } from './support/shuffle'
import { besiege } from './support/siege'
import { quantile } from './support/stats'

const { values: args } = parseArgs({
  options: {
    /** Peers whose name, framework or storage matches. */
    only: { type: 'string', default: 'unsession/h3, h3 v1|express-session.*memory|h3 `useSession`, h3 v1|iron-session' },
    rounds: { type: 'string', default: '60' },
  },
})

/** Bytes of a header; Node takes 16 kB of all headers. */
const SIZE = 15_000

/** Requests in a row, so that what is measured is longer than what the clock can tell. */
const BATCH = 5

const rounds = Number(args.rounds)
const peers = PEERS.filter(peer => new RegExp(args.only, 'i').test(labelOf(peer)))
if (!(rounds > 0) || peers.length === 0)
  throw new TypeError('Usage: npm run bench:hostile -- [--only <regex>] [--rounds <number>]')

const grounds = await openGrounds(peers.length)
const opened: OpenPeer[] = []
try {
  await packOnce()
  printTable('Machine', [machineFacts()])
  for (const [index, peer] of peers.entries())
    opened.push(await peer.open(grounds.means[index]!))
  await compareHeaders()
  printTable('200 hostile requests a second, headers of 60 kB: milliseconds of other requests', await besiege(peers, grounds.means))
}
finally {
  await Promise.all(opened.map(({ close }) => close()))
  await grounds.close()
}
process.exit()

/** Each shape against a harmless header of the same length, by peer. */
async function compareHeaders(): Promise<void> {
  const shuffle = createShuffle()
  const lanes = (await Promise.all(peers.map((peer, index) => lanesOf(peer, opened[index]!)))).flat()
  for (const lane of lanes)
    await lane.run(50)
  lanes.forEach(({ times }) => void times.splice(0))
  for (let count = 0; count < rounds; count++) {
    for (const lane of shuffle(lanes))
      await lane.run(BATCH)
  }
  printTable('One request with a header of 15 kB: times of a harmless one', Object.keys(HOSTILE_HEADERS).map(shape => ({
    shape,
    ...Object.fromEntries(peers.map((peer) => {
      const cost = (wanted: string): number => quantile(lanes.find(lane => lane.peer === peer && lane.shape === wanted)!.times, 0.5)
      return [labelOf(peer), round(cost(shape) / cost('harmless'))]
    })),
  }) satisfies Row))
}

interface Lane {
  peer: Peer
  shape: string
  /** Microseconds of a request. */
  times: number[]
  run(requests: number): Promise<void>
}

/** A connection for each header that is sent. */
async function lanesOf(peer: Peer, { app }: OpenPeer): Promise<Lane[]> {
  const server = new InProcessServer(app)
  const name = await nameOfCookie(server)
  return Object.entries({ harmless: HARMLESS_HEADER, ...HOSTILE_HEADERS }).map(([shape, create]) => {
    const header = create(SIZE, name).slice(0, SIZE + name.length)
    const connection = new Connection(server)
    const times: number[] = []
    return {
      peer,
      shape,
      times,
      async run(requests) {
        const start = performance.now()
        for (let count = 0; count < requests; count++)
          await connection.ask('/read', header)
        times.push((performance.now() - start) * 1000 / requests)
      },
    }
  })
}

async function nameOfCookie(server: InProcessServer): Promise<string> {
  const connection = new Connection(server)
  const { head } = await connection.ask('/new', undefined)
  connection.close()
  return setCookiesOf(head)[0]!.split('=', 1)[0]!
}
