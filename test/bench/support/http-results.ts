import type { HttpLane, HttpParticipant, HttpSamples, HttpWorkload } from './http-contest'
import type { Row } from './report'
import type { PeerKey } from './results'
import type { Subject } from './goals'
import { toGoalRow } from './goals'
import { findResult } from './results'
import { quantile } from './stats'

/** What a request over HTTP costs in the best tenth of the slices, when the machine did little else. */
export interface HttpCost {
  /** Requests a second. */
  rate: number
  /** Microseconds of the server's processor time. */
  cpu: number
}

/** What a peer makes of its framework. */
export interface HttpResult extends PeerKey {
  bare: HttpCost
  /** A workload that was not measured is missing. */
  workloads: Partial<Record<HttpWorkload, HttpShare>>
}

export interface HttpShare extends HttpCost {
  /** Requests a second with sessions to those without. */
  rateShare: number
  /** Processor time of a request without sessions to that with them: 1 when sessions cost nothing. */
  cpuShare: number
}

export function toHttpResult({ peer: { name, store, framework }, app, bare }: HttpParticipant, lanes: readonly HttpLane[]): HttpResult {
  const bareCost = toCost(lanes.find(({ server }) => server === bare)!)
  const workloads: HttpResult['workloads'] = {}
  for (const lane of lanes) {
    if (lane.server === app && lane.workload)
      workloads[lane.workload] = toShare(toCost(lane), bareCost)
  }
  return { name, store, framework, bare: bareCost, workloads }
}

function toCost({ rates, cpu }: HttpSamples): HttpCost {
  return { rate: quantile(rates, 0.9), cpu: quantile(cpu, 0.1) }
}

function toShare(app: HttpCost, bare: HttpCost): HttpShare {
  return { ...app, rateShare: app.rate / bare.rate, cpuShare: bare.cpu / app.cpu }
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
