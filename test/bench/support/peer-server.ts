/**
 * Serves one side of a peer, as a process of its own. Its only argument is a {@link ServerOrder}
 * in JSON. It ends with the program that started it.
 */
import './production'
import type { AddressInfo } from 'node:net'
import type { Means } from '../peers/peer'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { PEERS } from '../peers/index'
import { BenchVisitor } from './bench-visitor'
import { checkPeer } from './check'
import { InProcessServer } from './in-process'
import { labelOf } from './results'

export interface ServerOrder {
  /** The label of the peer. */
  label: string
  side: 'app' | 'bare'
  means: Means
}

/** What the process tells: first where it listens, then, each time it is asked, what it did until then. */
export type ServerMessage = { port: number } | Usage

export interface Usage {
  /** Microseconds of processor time, of all threads. */
  cpu: number
  requests: number
}

/** Microseconds of processor time until the code is compiled; a bare framework has less of it. */
const WARM_UP = { app: 3_000_000, bare: 1_500_000 }

const { label, side, means } = JSON.parse(process.argv[2]!) as ServerOrder
let requests = 0

process.once('disconnect', () => process.exit())
const opened = await PEERS.find(peer => labelOf(peer) === label)!.open(means)
if (side === 'app')
  await checkPeer(opened)
await warmUp()
const listener = opened[side]
const server = createServer((req, res) => {
  requests++
  return listener(req, res)
})
await once(server.listen(0, '127.0.0.1'), 'listening')
process.on('message', () => {
  tell({ cpu: readCpu(), requests })
})
tell({ port: (server.address() as AddressInfo).port })

/** Asks for everything that is measured, without the network: it needs no compiling. */
async function warmUp(): Promise<void> {
  const visitor = new BenchVisitor(new InProcessServer(opened[side]))
  await visitor.visit('/new')
  const start = readCpu()
  while (readCpu() - start < WARM_UP[side]) {
    for (const path of ['/read', '/write', '/untouched'])
      await visitor.visit(path)
  }
  visitor.leave()
}

function readCpu(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

function tell(message: ServerMessage): void {
  process.send!(message)
}
