import type { HttpLane, HttpParticipant, HttpSamples, HttpWorkload } from './http-contest'
import type { Row } from './report'
import type { PeerKey } from './results'
import type { Subject } from './goals'
import { toGoalRow } from './goals'
import { findResult } from './results'
import { quantile } from './stats'

/** What a request over HTTP costs, here and in the bare framework: medians of the rounds. */
export interface HttpCost {
  /** Requests a second. */
  rate: number
  bareRate: number
  /** Requests a second with sessions to those without. */
  rateShare: number
  /** Microseconds of the server's processor time. */
  cpu: number
  bareCpu: number
  /** Processor time of a request without sessions to that with them: 1 when sessions cost nothing. */
  cpuShare: number
}

export interface HttpResult extends PeerKey {
  /** A workload that was not measured is missing. */
  workloads: Partial<Record<HttpWorkload, HttpCost>>
}

export function toHttpResult({ peer: { name, store, framework } }: HttpParticipant, lanes: readonly HttpLane[]): HttpResult {
  const bare = lanes.find(({ workload }) => workload === undefined)!
  const workloads: HttpResult['workloads'] = {}
  for (const lane of lanes) {
    if (lane.workload)
      workloads[lane.workload] = toHttpCost(lane, bare)
  }
  return { name, store, framework, workloads }
}

/** Shares are taken within each round, whose slices follow each other, before the median is. */
export function toHttpCost(app: HttpSamples, bare: HttpSamples): HttpCost {
  return {
    rate: median(app.rates),
    bareRate: median(bare.rates),
    rateShare: median(app.rates.map((rate, round) => rate / bare.rates[round]!)),
    cpu: median(app.cpu),
    bareCpu: median(bare.cpu),
    cpuShare: median(app.cpu.map((cpu, round) => bare.cpu[round]! / cpu)),
  }
}

function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

const GOALS = [
  { store: 'encrypted cookie', atLeast: 0.55 },
  { store: 'signed cookie', atLeast: 0.55 },
  { store: 'memory', atLeast: 0.55 },
  { store: 'Redis', atLeast: 0.4 },
] as const

/** Each goal with what was measured, as far as the run has it. */
export function judgeHttpGoals(results: readonly HttpResult[]): Row[] {
  const shareOf = ({ name, framework }: Subject, store: PeerKey['store']): number | undefined =>
    findResult(results, { name, framework, store })?.workloads.read?.cpuShare
  return GOALS.map(({ store, atLeast }) =>
    toGoalRow(`read over HTTP, ${store}: processor time of bare`, `at least ${atLeast}`, subject => shareOf(subject, store), value => value >= atLeast))
}
