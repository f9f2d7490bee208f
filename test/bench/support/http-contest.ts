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

/** What the slices of one kind of request came to. */
export interface HttpSamples {
  /** Requests a second. */
  rates: number[]
  /** Microseconds of the server's processor time for a request. */
  cpu: number[]
}

/** Requests of one kind to one server. */
export interface HttpLane extends HttpSamples {
  server: ServedPeer
  /** `undefined` for a bare framework, whose routes all do the same. */
  workload: HttpWorkload | undefined
}

const CONNECTIONS = 32
/** Milliseconds of a slice. */
const SLICE = 250
/** Bare frameworks have more turns in a round: several results depend on each. */
const BARE_TURNS = 2
const FIRST_REQUESTS = 10 * CONNECTIONS
/** Requests until the code is compiled. */
const WARM_UP_REQUESTS = 5000
/** However slow, in milliseconds. */
const MAX_WARM_UP = 6000
const PATHS: Record<HttpWorkload, string> = { 'read': '/read', 'read and write': '/write', 'carried, untouched': '/untouched' }

/** Who asks for one kind of request, slice after slice. */
class Battery {
  readonly lane: HttpLane
  readonly #path: string
  readonly #shooters: readonly Shooter[]
  /** Requests a second, as it was last. */
  #rate = 0

  constructor(lane: HttpLane, shooters: readonly Shooter[]) {
    this.lane = lane
    this.#path = PATHS[lane.workload ?? 'read']
    this.#shooters = shooters
  }

  /** Runs until the code is compiled. */
  async warmUp(): Promise<void> {
    const start = performance.now()
    for (let amount = FIRST_REQUESTS, done = 0; done < WARM_UP_REQUESTS && performance.now() - start < MAX_WARM_UP; amount = this.#amount) {
      await this.#fire(amount)
      done += amount
    }
  }

  /** One slice. */
  async run(): Promise<void> {
    const { server, rates, cpu } = this.lane
    const amount = this.#amount
    const before = await server.readUsage()
    await this.#fire(amount)
    const after = await server.readUsage()
    const requests = after.requests - before.requests
    if (requests !== amount)
      throw new Error(`${server.name} was asked ${requests} times, not ${amount}`)
    rates.push(this.#rate)
    cpu.push((after.cpu - before.cpu) / requests)
  }

  /** Requests of the next slice. */
  get #amount(): number {
    return CONNECTIONS * Math.max(1, Math.round(this.#rate * SLICE / 1000 / CONNECTIONS))
  }

  async #fire(amount: number): Promise<void> {
    const { server } = this.lane
    try {
      this.#rate = await fire(server.origin, this.#path, this.#shooters, amount)
    }
    catch (cause) {
      throw new Error(`${server.name} is wrong`, { cause })
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
    const isFirst = batteries.every(({ lane }) => lane.server !== participant.bare)
    const own = await Promise.all([...isFirst ? [undefined] : [], ...workloadsOf(participant.peer)].map(workload => createBattery(participant, workload)))
    await Promise.all(own.map(battery => battery.warmUp()))
    batteries.push(...own)
  }
  const turns = batteries.flatMap(battery => battery.lane.workload ? [battery] : Array.from({ length: BARE_TURNS }, () => battery))
  for (let round = 0; round < rounds; round++) {
    for (const battery of shuffle(turns))
      await battery.run()
  }
  return batteries.map(({ lane }) => lane)
}

/** Without autoload a peer differs from itself only where the session is left alone. */
function workloadsOf({ name }: Peer): HttpWorkload[] {
  return name.includes('autoload off') ? ['carried, untouched'] : ['read', 'read and write']
}

/** Gives each shooter a session; those of a bare framework carry the same cookies. */
async function createBattery({ peer, app, bare }: HttpParticipant, workload: HttpWorkload | undefined): Promise<Battery> {
  const shooters: Shooter[] = []
  for (let index = 0; index < CONNECTIONS; index++)
    shooters.push({ cookie: await beginSession(app.origin), expect: createCounter(workload, peer.store) })
  return new Battery({ server: workload ? app : bare, workload, rates: [], cpu: [] }, shooters)
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
