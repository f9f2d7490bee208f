import type { Treatment } from './response-driver'
import type { Observation } from './response-log'
import type { ResponseProcess } from './response-process'
import type { Scenario } from './response-scenario'
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { scenarios } from './response-arbitrary'
import { toCode } from './response-scenario'

/** Where a response may differ from a plain one, and why it may. */
export interface KnownDifference {
  reason: string
  /** The observation without it. */
  without(observation: Observation, scenario: Scenario): Observation
}

export interface Search {
  process: ResponseProcess
  treatment: Treatment
  known: readonly KnownDifference[]
  seed: number
  runs: number
}

/** How many runs are on their way at once: each mostly waits. */
const AT_ONCE = 400

/** So many scenarios share a seed. */
const BLOCK = 1000

/** How often a plain response is asked for an outcome that was seen. Clocks and sockets make some rare. */
const ATTEMPTS = 8

/** How often a difference has to show. */
const CONFIRMATIONS = 3

/** So many suspects end a search. */
const ENOUGH = 20

/** Runs random scenarios until one shows a difference; gives it in words, as small as possible. */
export async function findDifference(search: Search): Promise<string | undefined> {
  for (let done = 0, { seed } = search; done < search.runs; done += BLOCK, seed++) {
    const numRuns = Math.min(BLOCK, search.runs - done)
    const index = await findIn(fc.sample(scenarios, { seed, numRuns }), search)
    if (index !== undefined)
      return shrink(search, seed, index)
  }
}

async function findIn(block: Scenario[], search: Search): Promise<number | undefined> {
  const suspects: number[] = []
  let next = 0
  const work = async (): Promise<void> => {
    while (next < block.length && suspects.length < ENOUGH) {
      const index = next++
      if (await compare(block[index]!, search))
        suspects.push(index)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  for (const index of suspects.sort((a, b) => a - b)) {
    if (await confirm(block[index]!, search))
      return index
  }
}

/** What a busy machine made happen once does not happen again when it is alone. */
async function confirm(scenario: Scenario, search: Search): Promise<string | undefined> {
  let difference: string | undefined
  for (let time = 0; time < CONFIRMATIONS; time++) {
    difference = await compare(scenario, search)
    if (!difference)
      return
  }
  return difference
}

async function shrink(search: Search, seed: number, index: number): Promise<string> {
  let smallest = ''
  await fc.check(fc.asyncProperty(scenarios, async (scenario) => {
    const difference = await confirm(scenario, search)
    if (difference)
      smallest = `${toCode(scenario)}\n\n${difference}`
    return !difference
  }), { seed, path: String(index), numRuns: 1 })
  return `${smallest}\n\nAgain: HELD_SEED=${seed} HELD_RUNS=${index + 1}`
}

/** What the treatment shows and a plain response does not, whenever it is asked. */
async function compare(scenario: Scenario, { process, treatment, known }: Search): Promise<string | undefined> {
  const observe = async (treatment: Treatment): Promise<Observation> =>
    known.reduce((seen, { without }) => without(seen, scenario), await process.run(scenario, treatment))
  const treated = await observe(treatment)
  let plain: Observation | undefined
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const next = await observe('plain')
    if (isDeepStrictEqual(next, treated))
      return
    plain ??= next
  }
  return describe(toLines(plain!), toLines(treated), treatment)
}

function describe(plain: string[], treated: string[], treatment: Treatment): string {
  const isSame = (index: number): boolean => index < plain.length && plain[index] === treated[index]
  let at = 0
  while (isSame(at))
    at++
  const rest = (lines: string[], others: string[]): string => lines.slice(at, at + 5).map((line, index) => `\n    ${shorten(line, others[at + index])}`).join('')
  return `after ${at} equal entries\n  plain:${rest(plain, treated)}\n  ${treatment}:${rest(treated, plain)}`
}

/** Leaves out the properties that are the same. */
function shorten(line: string, other = ''): string {
  const parts = line.split(STATE)
  const others = other.split(STATE)
  return parts.filter((part, index) => index === 0 || !others.includes(part)).join(' ').slice(0, 400)
}

const STATE = ' \u00B7 '

function toLines({ log, ...others }: Observation): string[] {
  return [
    ...log.map(({ kind, name, with: outcome, during, state = {} }) => [
      `${kind} ${name} -> ${outcome}${during === undefined ? '' : ` at once in ${during}`}`,
      ...Object.entries(state).map(([property, value]) => `${property}: ${String(value)}`),
    ].join(STATE)),
    ...Object.entries(others).flatMap(([name, lines]) => lines.map(line => `${name}: ${line}`)),
  ]
}
