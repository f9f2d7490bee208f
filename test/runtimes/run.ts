/**
 * Every runtime and framework, from the packed package to answers over HTTP:
 * `npm run test:matrix -- [--only <pattern>] [--list] [--write]`.
 */
import type { Cell } from './matrix'
import type { Keeping, Workshop } from './workshop'
import { parseArgs } from 'node:util'
import { printTable } from '../bench/support/report'
import { packTarball } from '../support/tarball'
import { checksOf, toTitle } from './checks'
import { companionsOf, toText, travel } from './journey'
import { CELLS, nameOf } from './matrix'
import { toMarkdown, writeTable } from './table'
import { createWorkshop } from './workshop'

/** How a cell did, by what was checked. */
interface Report {
  cell: Cell
  /** What went wrong, or nothing. */
  outcomes: Map<string, string | undefined>
  seconds: number
}

const { values: args } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const cells = CELLS.filter(cell => new RegExp(args.only, 'i').test(nameOf(cell)))

if (args.write && args.only)
  throw new TypeError('The table is written from a whole run only: leave --only or --write out.')

if (args.list)
  console.log(cells.map(nameOf).join('\n'))
else
  process.exitCode = await main() ? 0 : 1

/** @returns true when all is as it has to be */
async function main(): Promise<boolean> {
  const packed = await packTarball()
  const workshop = createWorkshop(packed.tarball)
  const end = async (): Promise<void> => {
    await workshop.close()
    await packed.remove()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void end().finally(() => process.exit(1)))
  try {
    const reports: Report[] = []
    for (const cell of cells)
      reports.push(await examine(workshop, cell))
    for (const keeping of ['cookie', 'redis'] as const)
      await sendAround(workshop, reports, keeping)
    return await conclude(reports)
  }
  finally {
    await end()
  }
}

async function examine(workshop: Workshop, cell: Cell): Promise<Report> {
  const start = performance.now()
  const outcomes: Report['outcomes'] = new Map()
  for (const { title, run } of checksOf(cell)) {
    const problem = await run(workshop).then(() => undefined, (error: Error) => error.message)
    outcomes.set(title, problem)
    console.log(`${toMark(problem)} ${nameOf(cell)}: ${title}${problem ? `\n${problem}` : ''}`)
  }
  return { cell, outcomes, seconds: Math.round((performance.now() - start) / 1000) }
}

/** Visitors go only to and from cells that keep their own. */
async function sendAround(workshop: Workshop, reports: readonly Report[], keeping: Keeping): Promise<void> {
  const sound = reports.filter(({ outcomes }) => outcomes.get(toTitle(keeping)) === undefined).map(({ cell }) => cell)
  const companions = companionsOf(sound, keeping)
  const refusals = await travel(workshop, companions, keeping)
  for (const { cell, outcomes } of reports.filter(({ cell }) => companions.includes(cell))) {
    const own = refusals.filter(({ from, to }) => from === cell || to === cell).map(toText)
    outcomes.set(`visitors (${toTitle(keeping)})`, own.length > 0 ? own.join('\n') : undefined)
  }
  console.log(`${refusals.length > 0 ? '✗' : '✓'} visitors among ${companions.length} cells: ${toTitle(keeping)}${refusals.map(refusal => `\n${toText(refusal)}`).join('')}`)
}

async function conclude(reports: readonly Report[]): Promise<boolean> {
  const titles = new Set(reports.flatMap(({ outcomes }) => [...outcomes.keys()]))
  printTable('From the packed package, asked over HTTP', reports.map(({ cell, outcomes, seconds }) => ({
    cell: nameOf(cell),
    ...Object.fromEntries([...titles].map(title => [title, outcomes.has(title) ? toMark(outcomes.get(title)) : ''])),
    seconds,
  })))
  const isGreen = ({ outcomes }: Report): boolean => [...outcomes.values()].every(problem => problem === undefined)
  const table = toMarkdown(cells, cell => isGreen(reports.find(report => report.cell === cell)!))
  console.log(`\n${table}`)
  if (args.write)
    await writeTable(table)
  return reports.every(isGreen)
}

function toMark(problem: string | undefined): string {
  return problem === undefined ? '✓' : '✗'
}
