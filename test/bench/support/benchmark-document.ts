import type { Row } from './report'
import type { Result } from './results'
import type { Workload } from './workloads'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toRow, writeMarked } from '../../support/markdown'
import { round } from './report'
import { compareWithProduct } from './results'
import { WORKLOADS } from './workloads'

const root = join(import.meta.dirname, '../../..')
const DOCUMENT = join(root, 'docs/benchmarks.md')

export interface Run {
  machine: Row
  rounds: number
  /** By the name under which each is installed. */
  versions: Record<string, string>
  /** In the order of the tables. */
  results: readonly Result[]
}

/** Puts the tables of a run into the document. */
export function writeDocument(run: Run): Promise<void> {
  return writeMarked(DOCUMENT, 'bench', toTables(run))
}

/** The versions of installed packages; one that is installed under another name has its own. */
export async function readVersions(packages: Iterable<string>): Promise<Record<string, string>> {
  const versions: Record<string, string> = {}
  for (const name of [...new Set(packages)].sort())
    versions[name] = (JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version
  return versions
}

function toTables({ machine, rounds, versions, results }: Run): string {
  const { node, platform, cpu, cores, load } = machine
  return [
    `Node ${node} on ${platform}, ${cores} cores (${cpu}), load ${load}, ${rounds} rounds. ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')}.`,
    '### What sessions add to a request',
    'Microseconds: 10th percentile / median.',
    toTable(results, WORKLOADS, ({ overheads }, { name }) => toText(overheads[name], ({ p10, median }) => `${round(p10)} / ${round(median)}`)),
    '### Compared with unsession',
    'How many times as much as `unsession` on Nitro 2 with the same kind of storage, by the 10th percentile.',
    toTable(results, WORKLOADS, (result, { name }) => toText(compareWithProduct(result, name, results), times => `${round(times)}`)),
    '### Processor time',
    'Microseconds that sessions add, of all threads of the process, median. What Redis itself does is not in it.',
    toTable(results, WORKLOADS, ({ overheads }, { name }) => toText(overheads[name], ({ cpu }) => `${round(cpu)}`)),
    '### Beside time',
    [
      toRow(['', 'storage', 'lost of 64 updates at once', '3,000 bytes', '`Set-Cookie` of a new session', 'of a read', 'of a read without a session']),
      toRow(['---', '---', '--:', '---', '--:', '--:', '--:']),
      ...results.map(result => toRow([...toHeads(result), result.checked.lost, result.checked.big, result.checked.setCookie.new, result.checked.setCookie.read, result.checked.setCookie.visitor])),
    ].join('\n'),
  ].join('\n\n')
}

function toTable<W extends Workload>(results: readonly Result[], workloads: readonly W[], toCell: (result: Result, workload: W) => string): string {
  return [
    toRow(['', 'storage', ...workloads.map(({ name }) => name)]),
    toRow(['---', '---', ...workloads.map(() => '--:')]),
    ...results.map(result => toRow([...toHeads(result), ...workloads.map(workload => toCell(result, workload))])),
  ].join('\n')
}

function toHeads({ name, framework, store }: Result): string[] {
  return [`${name} (${framework})`, store]
}

function toText<T>(value: T | undefined, text: (value: T) => string): string {
  return value === undefined ? '' : text(value)
}
