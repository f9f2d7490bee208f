import type { Circumstances } from './document'
import type { HttpWorkload } from './http-contest'
import type { HttpResult } from './http-results'
import { toRow } from '../../support/markdown'
import { toHeads, toSentence, writeSection } from './document'
import { round } from './report'

export interface HttpRun extends Circumstances {
  /** In the order of the table. */
  results: readonly HttpResult[]
}

/** Puts the table of a run into the document. */
export function writeHttpDocument({ results, ...circumstances }: HttpRun): Promise<void> {
  return writeSection('bench-http', [toSentence(circumstances), toTable(results)])
}

function toTable(results: readonly HttpResult[]): string {
  return [
    toRow(['', 'storage', 'request', 'requests a second', 'bare', 'with / bare', 'processor time', 'bare', 'bare / with']),
    toRow(['---', '---', '---', '--:', '--:', '--:', '--:', '--:', '--:']),
    ...results.flatMap(result => Object.keys(result.workloads).map(workload => toRow([...toHeads(result), workload, ...toCells(result, workload as HttpWorkload)]))),
  ].join('\n')
}

function toCells({ bare, workloads }: HttpResult, workload: HttpWorkload): number[] {
  const { rate, rateShare, cpu, cpuShare } = workloads[workload]!
  return [rate, bare.rate, rateShare, cpu, bare.cpu, cpuShare].map(round)
}
