import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const require = createRequire(import.meta.url)
const fixtures = join(import.meta.dirname, '../fixtures')

const COMPILERS = { 'tsc': 'typescript/bin/tsc', 'vue-tsc': 'vue-tsc/bin/vue-tsc.js' }

/** What a line of a fixture promises: `// @ts-expect-error TS2322 the reason`. */
const PROMISE = /\/\/ @ts-expect-error (?<code>TS\d+) (?<reason>.+)$/

/** The start of a compiler's message; without a file it is about the command line. */
const MESSAGE = /^(?:(?<file>[^\s(].*)\((?<line>\d+),\d+\): )?error (?<code>TS\d+): (?<text>.*)$/gm

/** A line that a compiler refuses. */
export interface Refusal {
  file: string
  line: number
  code: string
  text: string
}

export interface TypesFixture {
  /** A folder of test/fixtures. */
  fixture: string
  title?: string
  /** Writes the generated types: the arguments of `npx`. */
  prepare?: string[]
  compiler: keyof typeof COMPILERS
  args?: string[]
}

/**
 * Compiles a fixture as it is, and again with its `@ts-expect-error` lines uncovered: each is
 * refused with the code that it names, and no other line is.
 */
export function checkTypes({ fixture, title = fixture, prepare, compiler, args = [] }: TypesFixture): void {
  const promises = readPromises(join(fixtures, fixture))
  const compile = (dir: string): Promise<Refusal[]> => runCompiler(compiler, [...args, '--noEmit', '--pretty', 'false'], dir)

  describe(`types of ${title}`, () => {
    let dir: string
    beforeAll(async () => {
      // Next to the fixtures, where `unsession` is found.
      dir = await mkdtemp(join(fixtures, `.output-${fixture}-`))
      await cp(join(fixtures, fixture), dir, { recursive: true })
      if (prepare)
        await run('npx', prepare, { cwd: dir })
    })
    afterAll(() => rm(dir, { recursive: true, force: true }))

    it('finds the packed package', () => {
      expect(packedFrom(dir)).toBe(join(fixtures, '../node_modules/unsession/package.json'))
    })

    it('compiles without errors', async () => {
      expect(await compile(dir)).toEqual([])
    })

    describe('with its wrong lines uncovered', () => {
      let refusals: Refusal[]
      beforeAll(async () => {
        await uncover(dir)
        refusals = await compile(dir)
      })

      it.each(promises)('$file line $line: $text', ({ file, line, code }) => {
        expect(refusals.filter(refusal => refusal.file === file && refusal.line === line)).toMatchObject([{ code }])
      })

      it('refuses no other line', () => {
        const promised = new Set(promises.map(toPlace))
        expect(refusals.filter(refusal => !promised.has(toPlace(refusal)))).toEqual([])
      })
    })
  })
}

/** Runs a compiler of this project's node_modules; answers what it refuses in our files and in the fixture's. */
export async function runCompiler(compiler: TypesFixture['compiler'], args: string[], cwd: string): Promise<Refusal[]> {
  const output = await run(process.execPath, [require.resolve(COMPILERS[compiler]), ...args], { cwd, maxBuffer: 2 ** 26 }).then(
    ({ stdout }) => stdout,
    (error: Error & { stdout?: string }) => {
      // A compiler that refuses something prints it and ends with 1 or 2.
      if (!error.stdout?.includes('error TS'))
        throw error
      return error.stdout
    },
  )
  const refusals = [...output.matchAll(MESSAGE)].map(({ groups = {} }): Refusal => ({
    file: groups.file ?? '',
    line: Number(groups.line ?? 0),
    code: groups.code ?? '',
    text: groups.text ?? '',
  }))
  // A file may belong to several projects.
  return refusals.filter((refusal, index) => !isForeign(refusal.file)
    && refusals.findIndex(({ code, ...place }) => code === refusal.code && toPlace(place) === toPlace(refusal)) === index)
}

/** The package.json of the `unsession` that a folder sees. */
export function packedFrom(dir: string): string {
  return createRequire(join(dir, 'index.js')).resolve('unsession/package.json')
}

function isForeign(file: string): boolean {
  return file.includes('node_modules/') && !file.includes('node_modules/unsession/')
}

function toPlace({ file, line }: Pick<Refusal, 'file' | 'line'>): string {
  return `${file}:${line}`
}

function readPromises(dir: string): Refusal[] {
  return sourceFiles(dir).flatMap(file => readFileSync(join(dir, file), 'utf8').split('\n').flatMap((line, index) => {
    if (!line.includes('@ts-expect-error'))
      return []
    const { code, reason } = PROMISE.exec(line)?.groups ?? {}
    if (!code || !reason)
      throw new Error(`${file}:${index + 1} names no code and reason.`)
    // Lines count from 1, and the promise is about the next one.
    return { file, line: index + 2, code, text: reason }
  }))
}

async function uncover(dir: string): Promise<void> {
  await Promise.all(sourceFiles(dir).map(async (file) => {
    const text = readFileSync(join(dir, file), 'utf8')
    await writeFile(join(dir, file), text.replaceAll('// @ts-expect-error', '//'))
  }))
}

/** The fixture's own files; generated ones lie in folders whose names begin with a dot. */
function sourceFiles(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter(file => /\.(?:ts|vue)$/.test(file) && !/(?:^|[/\\])(?:\.|node_modules)/.test(file))
}
