import type { Peer, PeerStore } from '../peers/peer'
import type { Shooter } from './cannon'
import type { ServedPeer } from './served-peer'
import type { Shuffle } from './shuffle'
import { fire } from './cannon'
import { CookieJar } from './cookie-jar'

/** A peer that runs and has been found right. */
export interface HttpParticipant {
  peer: Peer
  app: ServedPeer
  /** Peers of one framework have one: what it answers is the same for all. */
  bare: ServedPeer
}

export type HttpWorkload = 'read' | 'read and write' | 'carried, untouched'

/** What the slices of one kind of request came to, one in each round. */
export interface HttpSamples {
  /** Requests a second. */
  rates: number[]
  /** Microseconds of the server's processor time for a request. */
  cpu: number[]
}

/** Requests of one kind to a peer. */
export interface HttpLane extends HttpSamples {
  participant: HttpParticipant
  /** `undefined` for its bare framework, whose routes all do the same. */
  workload: HttpWorkload | undefined
}

const CONNECTIONS = 32
/** Milliseconds of a slice: in much shorter ones servers that took turns are not yet warm again. */
const SLICE = 1000
const FIRST_REQUESTS = 10 * CONNECTIONS
/** Rounds that do not count: the first finds out how many requests make a slice. */
const REHEARSALS = 2
const PATHS: Record<HttpWorkload, string> = { 'read': '/read', 'read and write': '/write', 'carried, untouched': '/untouched' }

/** Who asks for one kind of request, slice after slice. */
class Battery {
  readonly lane: HttpLane
  readonly #server: ServedPeer
  readonly #path: string
  readonly #shooters: readonly Shooter[]
  /** Requests a second, as it was last. */
  #rate = 0

  constructor(lane: HttpLane, shooters: readonly Shooter[]) {
    const { app, bare } = lane.participant
    this.lane = lane
    this.#server = lane.workload ? app : bare
    this.#path = PATHS[lane.workload ?? 'read']
    this.#shooters = shooters
  }

  /** One slice; answers what it came to. */
  async run(): Promise<{ rate: number, cpu: number }> {
    const amount = this.#amount
    const before = await this.#server.readUsage()
    await this.#fire(amount)
    const after = await this.#server.readUsage()
    const requests = after.requests - before.requests
    if (requests !== amount)
      throw new Error(`${this.#server.name} was asked ${requests} times, not ${amount}`)
    return { rate: this.#rate, cpu: (after.cpu - before.cpu) / requests }
  }

  /** Requests of the next slice. */
  get #amount(): number {
    if (this.#rate === 0)
      return FIRST_REQUESTS
    return CONNECTIONS * Math.max(1, Math.round(this.#rate * SLICE / 1000 / CONNECTIONS))
  }

  async #fire(amount: number): Promise<void> {
    try {
      this.#rate = await fire(this.#server.origin, this.#path, this.#shooters, amount)
    }
    catch (cause) {
      throw new Error(`${this.#server.name} is wrong`, { cause })
    }
  }
}

/**
 * Measures all participants. They take turns, in an order that changes with every round; each is
 * measured right beside its bare framework, so that what else the machine does hits both alike.
 */
export async function competeOverHttp(participants: readonly HttpParticipant[], rounds: number, shuffle: Shuffle): Promise<HttpLane[]> {
  const teams: Battery[][] = []
  for (const participant of participants)
    teams.push(await Promise.all([undefined, ...workloadsOf(participant.peer)].map(workload => createBattery(participant, workload))))
  for (let round = -REHEARSALS; round < rounds; round++) {
    for (const battery of shuffle(teams).flatMap(shuffle)) {
      const { rate, cpu } = await battery.run()
      if (round >= 0) {
        battery.lane.rates.push(rate)
        battery.lane.cpu.push(cpu)
      }
    }
  }
  return teams.flat().map(({ lane }) => lane)
}

/** Without autoload a peer differs from itself only where the session is left alone. */
function workloadsOf({ name }: Peer): HttpWorkload[] {
  return name.includes('autoload off') ? ['carried, untouched'] : ['read', 'read and write']
}

/** Gives each shooter a session; those of a bare framework carry the same cookies. */
async function createBattery(participant: HttpParticipant, workload: HttpWorkload | undefined): Promise<Battery> {
  const { peer, app } = participant
  const shooters: Shooter[] = []
  for (let index = 0; index < CONNECTIONS; index++)
    shooters.push({ cookie: await beginSession(app.origin), expect: createCounter(workload, peer.store) })
  return new Battery({ participant, workload, rates: [], cpu: [] }, shooters)
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
