import { cpus, loadavg, totalmem } from 'node:os'

export type Row = Record<string, string | number>

/** What the numbers depend on besides the code. */
export function machineFacts(): Row {
  const processors = cpus()
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGB: Math.round(totalmem() / 2 ** 30),
    // What other programs want of the machine; more than the cores makes every time longer.
    load: round(loadavg()[0] ?? 0),
  }
}

/** Prints rows of the same columns under each other, numbers to the right. */
export function printTable(title: string, rows: readonly Row[]): void {
  const columns = Object.keys(rows[0] ?? {})
  const widths = columns.map(column => Math.max(column.length, ...rows.map(row => String(row[column]).length)))
  const line = (cells: (string | number | undefined)[]): string => cells
    .map((cell, index) => typeof cell === 'number' ? String(cell).padStart(widths[index]!) : String(cell ?? '').padEnd(widths[index]!))
    .join('  ')
  const heads = columns.map((column, index) => typeof rows[0]?.[column] === 'number' ? column.padStart(widths[index]!) : column)
  console.log(`\n${[title, line(heads), ...rows.map(row => line(columns.map(column => row[column])))].join('\n')}`)
}

/** Rounds for people: three digits that count, all of a number above. */
export function round(number: number): number {
  return Math.abs(number) >= 100 ? Math.round(number) : Number(number.toPrecision(3))
}
