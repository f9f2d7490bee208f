import type { Circumstances } from './document'
import type { HttpCost, HttpResult } from './http-results'
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
    ...results.flatMap(result => Object.entries(result.workloads).map(([workload, cost]) => toRow([...toHeads(result), workload, ...toCells(cost)]))),
  ].join('\n')
}

function toCells({ rate, bareRate, rateShare, cpu, bareCpu, cpuShare }: HttpCost): number[] {
  return [rate, bareRate, rateShare, cpu, bareCpu, cpuShare].map(round)
}
