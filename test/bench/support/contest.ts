import type { OpenPeer, Peer } from '../peers/peer'
import type { Checked } from './check'
import type { Answer } from './in-process'
import type { Samples } from './overhead'
import type { Shuffle } from './shuffle'
import type { BenchWorkload } from './workloads'
import { getHeapStatistics } from 'node:v8'
import { BenchVisitor } from './bench-visitor'
import { setCookiesOf } from './cookie-jar'
import { InProcessServer, readJson } from './in-process'

/** A peer that runs and has been found right. */
export interface Participant {
  peer: Peer
  opened: OpenPeer
  checked: Checked
}

/** A workload on one app, and what its requests took. */
export interface Lane extends Samples {
  participant: Participant
  workload: BenchWorkload
  side: 'app' | 'bare'
}

/** What one batch of requests may take, in microseconds. */
const BATCH_TIME = 5000
/** A batch that takes longer, because one request alone does, is not for every round. */
const MAX_BATCH_TIME = 20_000
const MAX_BATCH = 20
/** However slow, as long as there are as many rounds. */
const MIN_SAMPLES = 5
const WARM_UP_TIME = 100_000
const WARM_UP_REQUESTS = 1500

/** Requests of one workload by visitors who come back. */
class Crowd {
  readonly lane: Lane
  /** Requests in a batch. */
  size = 1
  /** It takes part in one of so many rounds. */
  every = 1
  readonly #visitors: BenchVisitor[]
  readonly #counts: number[]
  /** The cookies of those who take turns on one connection. */
  #waiting: string[] = []

  constructor(lane: Lane) {
    this.lane = lane
    const { app, bare } = lane.participant.opened
    const server = new InProcessServer(lane.side === 'app' ? app : bare)
    this.#visitors = Array.from({ length: lane.workload.parallel }, () => new BenchVisitor(server))
    this.#counts = this.#visitors.map(() => 1)
  }

  /** Gives the visitors their sessions; those of a bare app carry the same cookies. */
  async start(): Promise<void> {
    const { start, visitors = 0, isShared } = this.lane.workload
    if (!start)
      return
    const server = new InProcessServer(this.lane.participant.opened.app)
    const begin = async (): Promise<string> => {
      const host = new BenchVisitor(server)
      await host.visit(start)
      host.leave()
      return host.jar.header!
    }
    for (let count = 0; count < visitors; count++)
      this.#waiting.push(await begin())
    const shared = isShared ? await begin() : undefined
    for (const visitor of this.#visitors)
      visitor.jar.header = shared ?? await begin()
  }

  /** Runs until the code is compiled, and finds out how many requests make a batch. */
  async warmUp(): Promise<void> {
    let spent = 0
    const recent: number[] = []
    for (let done = 0; done < WARM_UP_REQUESTS && spent < WARM_UP_TIME; done += this.#visitors.length) {
      const time = await this.#ask()
      spent += time
      recent.unshift(time)
    }
    const cost = recent.slice(0, 20).sort((a, b) => a - b)[Math.floor(Math.min(recent.length, 20) / 2)]!
    const turns = Math.max(1, Math.min(Math.ceil(MAX_BATCH / this.#visitors.length), Math.floor(BATCH_TIME / cost)))
    this.size = turns * this.#visitors.length
    this.every = Math.max(1, Math.round(turns * cost / MAX_BATCH_TIME))
  }

  /** One batch. */
  async run(): Promise<void> {
    const { times, cpu, garbage } = this.lane
    let time = 0
    // Too dear to be asked for at every request.
    const heap = getHeapStatistics().used_heap_size
    const used = process.cpuUsage()
    for (let done = 0; done < this.size; done += this.#visitors.length)
      time += await this.#ask()
    const { user, system } = process.cpuUsage(used)
    times.push(time / this.size)
    cpu.push((user + system) / this.size)
    // Less than nothing where it was collected meanwhile, which happens to few batches.
    garbage.push((getHeapStatistics().used_heap_size - heap) / this.size)
  }

  /** One request of every visitor; answers how many microseconds passed until the last was answered. */
  async #ask(): Promise<number> {
    const { path } = this.lane.workload
    this.#seat()
    const visitors = this.#visitors
    const [first] = visitors
    const start = performance.now()
    const answers = visitors.length === 1 ? [await first!.ask(path)] : await Promise.all(visitors.map(visitor => visitor.ask(path)))
    const time = (performance.now() - start) * 1000
    answers.forEach((answer, index) => this.#keep(answer, index))
    return time
  }

  /** The next one of many asks. */
  #seat(): void {
    const header = this.#waiting.shift()
    if (header === undefined)
      return
    this.#waiting.push(header)
    this.#visitors[0]!.jar.header = header
  }

  /** An answer that is wrong is worth nothing, however fast. */
  #keep(answer: Answer, index: number): void {
    const { workload: { path, start, isCounting, isShared }, participant: { peer }, side } = this.lane
    if (side === 'app' && isCounting)
      this.#counts[index]! += 1
    const { count } = Object(readJson(answer)) as { count?: unknown }
    // What others added to the same session, and what of it was lost, is not known here.
    const expected = side === 'bare' || path === '/untouched' ? 0 : isShared && Number(count) > 1 ? count : this.#counts[index]
    if (answer.status !== 200 || count !== expected)
      throw new Error(`${peer.name} (${peer.store}) answered ${path} with ${answer.status} ${answer.body.slice(0, 200)} in place of a count of ${String(expected)}`)
    if (side === 'app' && start)
      this.#visitors[index]!.jar.keep(setCookiesOf(answer.head))
  }
}

/** Other packages read every cookie anew, so it is all the same to them who comes. */
function remembers({ peer }: Participant): boolean {
  return peer.name.startsWith('unsession')
}

function isFor(participant: Participant, { start, visitors, isShared }: BenchWorkload): boolean {
  return (start !== '/new-big' || participant.checked.big === 'kept')
    && (!visitors || remembers(participant))
    && (!isShared || !participant.peer.store.endsWith('cookie'))
}

/**
 * Measures all workloads of all participants. Everything takes turns, in an order that changes
 * with every round, so that what else the machine does hits all alike.
 */
export async function compete(participants: readonly Participant[], rounds: number, shuffle: Shuffle, workloads: readonly BenchWorkload[]): Promise<Lane[]> {
  const crowds = participants.flatMap(participant => workloads
    .filter(workload => isFor(participant, workload))
    .flatMap(workload => (['app', 'bare'] as const).map(side => new Crowd({ participant, workload, side, times: [], cpu: [], garbage: [] }))))
  for (const crowd of crowds) {
    await crowd.start()
    await crowd.warmUp()
  }
  const rarest = Math.ceil(rounds / MIN_SAMPLES)
  for (let round = 0; round < rounds; round++) {
    for (const crowd of shuffle(crowds)) {
      if (round % Math.min(crowd.every, rarest) === 0)
        await crowd.run()
    }
  }
  return crowds.map(({ lane }) => lane)
}
