import { readFileSync } from 'node:fs'
import survivors from './survivors.json'

/** A mutant, by the texts that it changes: lines move. */
export interface Mutant {
  readonly file: string
  /** The line that it begins in, without what that is indented by. */
  readonly line: string
  /** What it changes, of that line. */
  readonly original: string
  readonly replacement: string
}

/** A mutant that tests cannot kill, or need not. */
export interface Survivor extends Mutant {
  readonly reason: string
}

export const SURVIVORS: readonly Survivor[] = survivors

interface Position {
  readonly line: number
  readonly column: number
}

/** The mutant at a place of a file; lines and columns begin with 1. */
export function mutantAt(file: string, { start, end }: { start: Position, end: Position }, replacement: string): Mutant {
  const line = readFileSync(file, 'utf8').split('\n')[start.line - 1]!
  return { file, line: line.trim(), original: line.slice(start.column - 1, start.line === end.line ? end.column - 1 : undefined), replacement }
}

export function isSame(a: Mutant, b: Mutant): boolean {
  return a.file === b.file && a.line === b.line && a.original === b.original && a.replacement === b.replacement
}
