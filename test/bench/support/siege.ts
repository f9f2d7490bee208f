import type { Means, Peer } from '../peers/peer'
import type { Row } from './report'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { HOSTILE_HEADERS } from '../../support/hostile-cookies'
import { setCookiesOf } from './cookie-jar'
import { round } from './report'
import { labelOf } from './results'
import { ServedPeer } from './served-peer'
import { quantile } from './stats'

const SIZE = 60_000
const ATTACKS_A_SECOND = 200
const SAMPLES = 1500

/** Node takes no longer headers than this, unless it is told to. */
const NODE_ARGUMENTS = ['--max-http-header-size=65536']

/**
 * Asks each peer as a visitor who has a session: first alone, then while somebody sends hostile
 * headers of all shapes. Each server is a process of its own.
 */
export async function besiege(peers: readonly Peer[], means: readonly Means[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const [index, peer] of peers.entries()) {
    const build = await peer.build?.(means[index]!)
    const server = new ServedPeer({ label: labelOf(peer), side: 'app', means: { ...means[index]!, entries: build?.entries } }, NODE_ARGUMENTS)
    try {
      await server.start()
      rows.push({ peer: labelOf(peer), ...await measure(new URL(server.origin)) })
    }
    finally {
      await server.stop()
      await build?.remove()
    }
  }
  return rows
}

async function measure({ hostname, port }: URL): Promise<Row> {
  const visitor = await RawConnection.open(hostname, port)
  const [cookie] = setCookiesOf(await visitor.ask('/new')).map(line => line.split(';', 1)[0]!)
  const sample = async (): Promise<number> => {
    const times: number[] = []
    for (let count = 0; count < SAMPLES; count++) {
      const start = performance.now()
      const head = await visitor.ask('/read', cookie)
      if (!head.startsWith('HTTP/1.1 200'))
        throw new Error(`A visitor was answered ${head.slice(0, 40)}`)
      times.push(performance.now() - start)
      // Not in step with the attack.
      await new Promise(resolve => setTimeout(resolve, Math.random() * 4))
    }
    return quantile(times, 0.5)
  }
  await sample()
  const alone = await sample()
  const attacker = await RawConnection.open(hostname, port)
  const headers = Object.values(HOSTILE_HEADERS).map(create => create(SIZE, cookie!.split('=', 1)[0]!).slice(0, SIZE))
  let sent = 0
  const attack = setInterval(() => attacker.send('/read', headers[sent++ % headers.length]), 1000 / ATTACKS_A_SECOND)
  const besieged = await sample()
  clearInterval(attack)
  if (attacker.isClosed)
    throw new Error(`The attack ended after ${attacker.answers} answers.`)
  visitor.close()
  attacker.close()
  return { alone: round(alone), besieged: round(besieged), ratio: round(besieged / alone), attacks: sent, answered: attacker.answers }
}

/** A keep-alive connection that spends nothing on what it sends. */
class RawConnection {
  answers = 0
  readonly #socket: Socket
  #received = ''
  #waiting: ((head: string) => void) | undefined

  private constructor(socket: Socket) {
    this.#socket = socket.on('data', chunk => this.#read(chunk.toString('latin1')))
  }

  get isClosed(): boolean {
    return this.#socket.destroyed
  }

  static async open(host: string, port: string): Promise<RawConnection> {
    const socket = connect(Number(port), host).setNoDelay()
    await once(socket, 'connect')
    return new RawConnection(socket)
  }

  send(path: string, cookie?: string): void {
    this.#socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n${cookie === undefined ? '' : `cookie: ${cookie}\r\n`}\r\n`, 'latin1')
  }

  ask(path: string, cookie?: string): Promise<string> {
    const answer = new Promise<string>(resolve => this.#waiting = resolve)
    this.send(path, cookie)
    return answer
  }

  close(): void {
    this.#socket.destroy()
  }

  /** The answers of all peers end with a body of JSON, in one piece or in chunks. */
  #read(text: string): void {
    this.#received += text
    if (!/\}(?:\r\n0\r\n\r\n)?$/.test(this.#received))
      return
    this.answers += this.#received.split('HTTP/1.1 ').length - 1
    this.#waiting?.(this.#received)
    this.#waiting = undefined
    this.#received = ''
  }
}
