import type { Peer, PeerStore } from '../peers/peer'
import type { Shooter } from './cannon'
import type { ServedPeer } from './served-peer'
import type { Shuffle } from './shuffle'
import { fire } from './cannon'
import { CookieJar } from './cookie-jar'
import { labelOf } from './results'

/** A peer whose sides both run. */
export interface HttpParticipant {
  peer: Peer
  app: ServedPeer
  bare: ServedPeer
}

export type HttpWorkload = 'read' | 'read and write' | 'carried, untouched'

/** What the slices of one kind of request came to. */
export interface HttpSamples {
  /** Requests a second. */
  rates: number[]
  /** Microseconds of the server's processor time for a request. */
  cpu: number[]
}

/** Requests of one kind to one server. */
export interface HttpLane extends HttpSamples {
  participant: HttpParticipant
  /** `undefined` for the bare framework, whose routes all do the same. */
  workload: HttpWorkload | undefined
}

const CONNECTIONS = 32
/** Milliseconds of a slice. */
const SLICE = 250
const FIRST_REQUESTS = 10 * CONNECTIONS
/** Requests until the code is compiled. */
const WARM_UP_REQUESTS = 3000
/** However slow, in milliseconds. */
const MAX_WARM_UP = 4000
const PATHS: Record<HttpWorkload, string> = { 'read': '/read', 'read and write': '/write', 'carried, untouched': '/untouched' }

/** Who asks for one kind of request, slice after slice. */
class Battery {
  readonly lane: HttpLane
  readonly #path: string
  readonly #shooters: Shooter[] = []
  /** Requests a second, as it was last. */
  #rate = 0

  constructor(lane: HttpLane) {
    this.lane = lane
    this.#path = PATHS[lane.workload ?? 'read']
  }

  /** Gives each shooter a session, and runs until the code is compiled. */
  async warmUp(): Promise<void> {
    const { participant: { app, peer: { store } }, workload } = this.lane
    for (let index = 0; index < CONNECTIONS; index++)
      this.#shooters.push({ cookie: await beginSession(app.origin), expect: createCounter(workload, store) })
    const start = performance.now()
    for (let amount = FIRST_REQUESTS, done = 0; done < WARM_UP_REQUESTS && performance.now() - start < MAX_WARM_UP; amount = this.#amount) {
      await this.#fire(amount)
      done += amount
    }
  }

  /** One slice. */
  async run(): Promise<void> {
    const { rates, cpu } = this.lane
    const amount = this.#amount
    const before = await this.#server.readUsage()
    await this.#fire(amount)
    const after = await this.#server.readUsage()
    const requests = after.requests - before.requests
    if (requests !== amount)
      throw new Error(`${labelOf(this.lane.participant.peer)} was asked ${requests} times, not ${amount}`)
    rates.push(this.#rate)
    cpu.push((after.cpu - before.cpu) / requests)
  }

  /** Requests of the next slice. */
  get #amount(): number {
    return CONNECTIONS * Math.max(1, Math.round(this.#rate * SLICE / 1000 / CONNECTIONS))
  }

  get #server(): ServedPeer {
    const { participant: { app, bare }, workload } = this.lane
    return workload ? app : bare
  }

  async #fire(amount: number): Promise<void> {
    try {
      this.#rate = await fire(this.#server.origin, this.#path, this.#shooters, amount)
    }
    catch (cause) {
      throw new Error(`${labelOf(this.lane.participant.peer)} is wrong`, { cause })
    }
  }
}

/**
 * Measures all participants. Their servers take turns, in an order that changes with every round,
 * so that what else the machine does hits all alike.
 */
export async function competeOverHttp(participants: readonly HttpParticipant[], rounds: number, shuffle: Shuffle): Promise<HttpLane[]> {
  const batteries: Battery[] = []
  for (const participant of participants) {
    const own = [undefined, ...workloadsOf(participant.peer)].map(workload => new Battery({ participant, workload, rates: [], cpu: [] }))
    await Promise.all(own.map(battery => battery.warmUp()))
    batteries.push(...own)
  }
  for (let round = 0; round < rounds; round++) {
    for (const battery of shuffle(batteries))
      await battery.run()
  }
  return batteries.map(({ lane }) => lane)
}

/** Without autoload a peer differs from itself only where the session is left alone. */
function workloadsOf({ name }: Peer): HttpWorkload[] {
  return name.includes('autoload off') ? ['carried, untouched'] : ['read', 'read and write']
}

async function beginSession(origin: string): Promise<string> {
  const response = await fetch(`${origin}/new`)
  await response.arrayBuffer()
  const jar = new CookieJar()
  jar.keep(response.headers.getSetCookie())
  return jar.header!
}

/** What answers count. Load generators keep the cookie that they began with: a session inside of it stays as it was. */
function createCounter(workload: HttpWorkload | undefined, store: PeerStore): () => number {
  if (workload === 'read')
    return () => 1
  if (workload !== 'read and write')
    return () => 0
  let count = 1
  return store.endsWith('cookie') ? () => 2 : () => ++count
}
