import type { Circumstances } from './document'
import type { Result } from './results'
import { toRow } from '../../support/markdown'
import { toHeads, toPeerTable, toSentence, toText, writeSection } from './document'
import { round } from './report'
import { compareWithProduct } from './results'
import { WORKLOADS } from './workloads'

export interface Run extends Circumstances {
  /** In the order of the tables. */
  results: readonly Result[]
}

/** Puts the tables of a run into the document. */
export function writeDocument({ results, ...circumstances }: Run): Promise<void> {
  return writeSection('bench', [
    toSentence(circumstances),
    '### What sessions add to a request',
    'Microseconds: 10th percentile / median.',
    toPeerTable(results, WORKLOADS, ({ overheads }, { name }) => toText(overheads[name], ({ p10, median }) => `${round(p10)} / ${round(median)}`)),
    '### Compared with unsession',
    'How many times as much as `unsession` on Nitro 2 with the same kind of storage, by the 10th percentile.',
    toPeerTable(results, WORKLOADS, (result, { name }) => toText(compareWithProduct(result, name, results), times => `${round(times)}`)),
    '### Processor time',
    'Microseconds that sessions add, of all threads of the process, median. What Redis itself does is not in it.',
    toPeerTable(results, WORKLOADS, ({ overheads }, { name }) => toText(overheads[name], ({ cpu }) => `${round(cpu)}`)),
    '### Beside time',
    toCheckedTable(results),
  ])
}

function toCheckedTable(results: readonly Result[]): string {
  return [
    toRow(['', 'storage', 'lost of 64 updates at once', '3,000 bytes', '`Set-Cookie` of a new session', 'of a read', 'of a read without a session']),
    toRow(['---', '---', '--:', '---', '--:', '--:', '--:']),
    ...results.map(result => toRow([...toHeads(result), result.checked.lost, result.checked.big, result.checked.setCookie.new, result.checked.setCookie.read, result.checked.setCookie.visitor])),
  ].join('\n')
}
