/**
 * Changes the pure files of the core in every way that Stryker knows, and runs the unit tests
 * against each change: `npm run mutate -- --only 'state|patch' --concurrency 1`.
 */
import type { Row } from '../bench/support/report'
import { readdirSync } from 'node:fs'
import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'
import { printTable } from '../bench/support/report'
import { isSame, mutantAt, SURVIVORS } from './survivors'

type Mutants = Awaited<ReturnType<Stryker['runMutationTest']>>

/** Of a hundred mutants of all files, so many have to die. */
const WANTED = 95

/** What needs nothing but its arguments. */
const FILES = [
  ...['state', 'guards', 'cookie-of'].map(name => `src/core/session/${name}.ts`),
  ...filesIn('src/core/record'),
  ...filesIn('src/core/cookie').filter(file => !file.endsWith('/session-cookie.ts')),
]

const { values: args } = parseArgs({
  options: {
    /** Files whose path matches. */
    only: { type: 'string', default: '' },
    concurrency: { type: 'string' },
  },
})

const files = FILES.filter(file => new RegExp(args.only, 'i').test(file))
if (files.length === 0)
  throw new TypeError('Usage: npm run mutate -- [--only <regex>] [--concurrency <number>]')

const mutants = await new Stryker({
  mutate: files,
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts' },
  coverageAnalysis: 'perTest',
  // What a busy machine takes long for is not killed by that.
  timeoutMS: 20_000,
  reporters: ['progress-append-only'],
  // Nothing that these tests need; each run works on a copy of the rest.
  ignorePatterns: ['/dist', '/docs', '/playground', '/test/bench', '/test/e2e', '/test/fixtures', '/test/package', '/test/runtimes', '/test/types'],
  ...args.concurrency && { concurrency: Number(args.concurrency) },
}).runMutationTest()

const survivors = mutants.filter(isAlive).map(({ fileName, location, replacement = '' }) => mutantAt(relative('.', fileName), location, replacement))
const unknown = survivors.filter(survivor => !SURVIVORS.some(known => isSame(known, survivor)))
const dead = SURVIVORS.filter(known => files.includes(known.file) && !survivors.some(survivor => isSame(known, survivor)))

printTable('Mutants', [...files.map(file => rowOf(file, mutants.filter(({ fileName }) => relative('.', fileName) === file))), rowOf('all', mutants)])
if (dead.length > 0)
  console.log(`\nDead, and to be taken out of test/mutation/survivors.json:\n${JSON.stringify(dead, undefined, 2)}`)
if (unknown.length > 0)
  console.log(`\nAlive, and without a reason in test/mutation/survivors.json:\n${JSON.stringify(unknown, undefined, 2)}`)
process.exit(unknown.length > 0 || (!args.only && scoreOf(mutants) < WANTED) ? 1 : 0)

function filesIn(folder: string): string[] {
  return readdirSync(folder).map(name => `${folder}/${name}`)
}

function isAlive({ status }: Mutants[number]): boolean {
  return status === 'Survived' || status === 'NoCoverage'
}

/** How many of a hundred are dead. */
function scoreOf(mutants: Mutants): number {
  return 100 * (1 - mutants.filter(isAlive).length / mutants.length)
}

function rowOf(file: string, mutants: Mutants): Row {
  const alive = mutants.filter(isAlive).length
  return { file, mutants: mutants.length, killed: mutants.length - alive, alive, score: `${scoreOf(mutants).toFixed(1)} %` }
}
