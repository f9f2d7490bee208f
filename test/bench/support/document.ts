import type { Row } from './report'
import type { PeerKey } from './results'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toRow, writeMarked } from '../../support/markdown'

const root = join(import.meta.dirname, '../../..')
const DOCUMENT = join(root, 'docs/benchmarks.md')

/** What the numbers of a run depend on. */
export interface Circumstances {
  machine: Row
  rounds: number
  /** By the name under which each is installed. */
  versions: Record<string, string>
}

/** Puts paragraphs and tables between the document's markers of that name. */
export function writeSection(name: 'bench' | 'bench-http', parts: readonly string[]): Promise<void> {
  return writeMarked(DOCUMENT, name, parts.join('\n\n'))
}

/** The versions of installed packages; one that is installed under another name has its own. */
export async function readVersions(packages: Iterable<string>): Promise<Record<string, string>> {
  const versions: Record<string, string> = {}
  for (const name of [...new Set(packages)].sort())
    versions[name] = (JSON.parse(await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version
  return versions
}

export function toSentence({ machine, rounds, versions }: Circumstances): string {
  const { node, platform, cpu, cores, load } = machine
  return `Node ${node} on ${platform}, ${cores} cores (${cpu}), load ${load}, ${rounds} rounds. ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')}.`
}

/** A row for each peer; a cell for each column, aligned to the right. */
export function toPeerTable<R extends PeerKey, C extends { name: string }>(results: readonly R[], columns: readonly C[], toCell: (result: R, column: C) => string): string {
  return [
    toRow(['', 'storage', ...columns.map(({ name }) => name)]),
    toRow(['---', '---', ...columns.map(() => '--:')]),
    ...results.map(result => toRow([...toHeads(result), ...columns.map(column => toCell(result, column))])),
  ].join('\n')
}

export function toHeads({ name, framework, store }: PeerKey): string[] {
  return [`${name} (${framework})`, store]
}

/** A cell that is empty where there is nothing to tell. */
export function toText<T>(value: T | undefined, text: (value: T) => string): string {
  return value === undefined ? '' : text(value)
}
