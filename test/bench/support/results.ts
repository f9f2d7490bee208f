import type { Peer } from '../peers/peer'
import type { Checked } from './check'
import type { Lane, Participant } from './contest'
import type { Overhead } from './overhead'
import type { WorkloadName } from './workloads'
import { overheadOf } from './overhead'

/** What a peer is told apart by. */
export type PeerKey = Pick<Peer, 'name' | 'store' | 'framework'>

/** A peer as options and errors name it. */
export function labelOf({ name, store, framework }: PeerKey): string {
  return `${name}, ${framework}, ${store}`
}

/** All that a run found out about a peer. */
export interface Result extends PeerKey {
  checked: Checked
  /** A workload that it cannot do is missing. */
  overheads: Partial<Record<WorkloadName, Overhead>>
}

export function toResult({ peer: { name, store, framework }, checked }: Participant, lanes: readonly Lane[]): Result {
  const overheads: Result['overheads'] = {}
  for (const [workload, { app, bare }] of pair(lanes))
    overheads[workload.name] = overheadOf(app, bare)
  return { name, store, framework, checked, overheads }
}

/** Less than this is noise, in microseconds: nothing can be compared with it. */
const MIN_COMPARED = 5

/**
 * How many times as much as the product with the same storage, in its main framework, a peer
 * adds to a request.
 */
export function compareWithProduct(result: Result, workload: WorkloadName, results: readonly Result[]): number | undefined {
  const own = result.overheads[workload]
  const product = findResult(results, { name: 'unsession', store: result.store, framework: 'Nitro 2' })?.overheads[workload]
  return own && product && product.p10 >= MIN_COMPARED ? own.p10 / product.p10 : undefined
}

export function findResult<R extends PeerKey>(results: readonly R[], key: PeerKey): R | undefined {
  return results.find(({ name, store, framework }) => name === key.name && store === key.store && framework === key.framework)
}

function pair(lanes: readonly Lane[]): Map<Lane['workload'], Record<Lane['side'], Lane>> {
  const pairs = new Map<Lane['workload'], Record<Lane['side'], Lane>>()
  for (const lane of lanes)
    pairs.set(lane.workload, { ...pairs.get(lane.workload), [lane.side]: lane } as Record<Lane['side'], Lane>)
  return pairs
}
