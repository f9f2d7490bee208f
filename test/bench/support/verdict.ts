import type { LoadCounts } from './load'
import { mean } from './stats'

/** What the process of the server holds; see the fixture's route. */
export interface ServerState {
  heapUsed: number
  rss: number
  resources: Record<string, number>
  timers: number
  promises: number
}

export interface Sample extends ServerState {
  seconds: number
  requests: number
  /** Records that the sweep before removed; `NaN` when it failed. */
  swept: number
  counts: Record<string, number>
}

/** All that is known of a soak at its end. */
export interface Soak {
  /** At rest, when everything was used once. */
  before: Sample
  samples: readonly Sample[]
  /** Those after the warm-up. */
  measured: readonly Sample[]
  /** At rest again. */
  after: Sample
  counts: LoadCounts
  /** What the server printed. */
  output: string
  connections: number
}

/** A request that was aborted may still be at work when the load stands still, a module may be loaded late. */
const ALLOWED = 20

/** Answers what is wrong. */
export function judge(soak: Soak): string[] {
  return [
    ...judgeMemory(soak.measured),
    ...judgeLoad(soak),
    ...judgeAnswers(soak.counts),
    ...judgeRest(soak.before, soak.after),
    ...judgeOutput(soak.output),
  ]
}

function judgeMemory(samples: readonly Sample[]): string[] {
  const [first, last] = thirds(samples)
  return last > first * 1.1 + 2 * 2 ** 20 ? [`the heap grew from ${megabytes(first)} to ${megabytes(last)} MB`] : []
}

/** Between requests a server holds what it held before, and one timer for each open connection. */
function judgeLoad({ before, samples, connections }: Soak): string[] {
  const failedSweeps = samples.filter(({ swept }) => Number.isNaN(swept)).length
  const timers = Math.max(...samples.map(({ timers }) => timers))
  const promises = Math.max(...samples.map(({ promises }) => promises))
  return [
    ...(failedSweeps > 0 ? [`${failedSweeps} sweeps failed`] : []),
    ...(timers > before.timers + connections + ALLOWED ? [`timers: ${timers} between requests, ${before.timers} at the start`] : []),
    ...(promises > before.promises + ALLOWED ? [`promises: ${promises} between requests, ${before.promises} at the start`] : []),
  ]
}

function judgeAnswers({ statuses, wrong }: LoadCounts): string[] {
  const failed = Object.entries(statuses).filter(([status]) => status.startsWith('5')).map(([status, count]) => [`a response with ${status}`, count])
  return [...failed, ...Object.entries(wrong)].map(([what, count]) => `${count} times: ${what}`)
}

/** What Nitro and Node print about errors that nobody handled. */
function judgeOutput(output: string): string[] {
  const lines = output.split('\n').filter(line => /unhandled|uncaught/i.test(line))
  return lines.length > 0 ? [`${lines.length} lines of output like '${lines[0]}'`] : []
}

function judgeRest(before: Sample, after: Sample): string[] {
  const held = ({ resources, timers, counts }: Sample): Record<string, number> => ({ ...resources, 'timers of any kind': timers, 'storage connections': counts.connections ?? 0 })
  const [was, is] = [held(before), held(after)]
  return Object.entries(is).filter(([name, count]) => count > (was[name] ?? 0)).map(([name, count]) => `${name}: ${count} at the end, ${was[name] ?? 0} at the start`)
}

/** The mean heap of the first and of the last third. */
export function thirds(samples: readonly Sample[]): [first: number, last: number] {
  const size = Math.ceil(samples.length / 3)
  const heaps = samples.map(({ heapUsed }) => heapUsed)
  return [mean(heaps.slice(0, size)), mean(heaps.slice(-size))]
}

export function megabytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}
