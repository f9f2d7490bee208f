import type { Cell } from './matrix'
import type { RuntimeName } from './runtimes'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RUNTIMES } from './runtimes'

const README = join(import.meta.dirname, '../../README.md')

/** What stands before and after the table in the README. */
const MARKERS = ['<!-- matrix -->', '<!-- /matrix -->'] as const

/** The apps below each other, the runtimes side by side, as Markdown. */
export function toMarkdown(cells: readonly Cell[], isGreen: (cell: Cell) => boolean): string {
  const runtimes = (Object.keys(RUNTIMES) as RuntimeName[]).filter(name => cells.some(({ runtime }) => runtime === name))
  const titles = [...new Set(cells.map(toTitle))]
  const toMark = (title: string, name: RuntimeName): string => {
    const cell = cells.find(cell => toTitle(cell) === title && cell.runtime === name)
    return cell ? isGreen(cell) ? '✓' : '✗' : ''
  }
  return [
    toRow(['', ...runtimes.map(name => RUNTIMES[name].title)]),
    toRow(['---', ...runtimes.map(() => ':-:')]),
    ...titles.map(title => toRow([title, ...runtimes.map(name => toMark(title, name))])),
  ].join('\n')
}

/** The table that the README shows. */
export async function readTable(): Promise<string> {
  return splitReadme(await readFile(README, 'utf8')).table
}

/** Puts a table between the markers of the README. */
export async function writeTable(table: string): Promise<void> {
  const { before, after } = splitReadme(await readFile(README, 'utf8'))
  await writeFile(README, `${before}\n${table}\n${after}`)
}

function splitReadme(text: string): { before: string, table: string, after: string } {
  const [start, end] = MARKERS.map(marker => text.indexOf(marker)) as [number, number]
  if (start < 0 || end < start)
    throw new Error(`The README has no table between ${MARKERS.join(' and ')}.`)
  const from = start + MARKERS[0].length
  return { before: text.slice(0, from), table: text.slice(from, end).trim(), after: text.slice(end) }
}

function toTitle({ app, version }: Cell): string {
  return app.title(version)
}

function toRow(texts: string[]): string {
  return `| ${texts.join(' | ')} |`
}
