import type { Cell } from './matrix'
import type { RuntimeName } from './runtimes'
import { join } from 'node:path'
import { readMarked, toRow, writeMarked } from '../support/markdown'
import { RUNTIMES } from './runtimes'

const README = join(import.meta.dirname, '../../README.md')

/** What marks the table there. */
const MARK = 'matrix'

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
export function readTable(): Promise<string> {
  return readMarked(README, MARK)
}

/** Puts a table between the markers of the README. */
export function writeTable(table: string): Promise<void> {
  return writeMarked(README, MARK, table)
}

function toTitle({ app, version }: Cell): string {
  return app.title(version)
}
