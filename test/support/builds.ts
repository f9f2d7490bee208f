import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { lock } from './lock'

const fixtures = join(import.meta.dirname, '../fixtures')

/** Names a folder with a file for each build that the test files of this run share; what it holds is the folder of the build. */
const LIST = 'VITEST_SHARED_BUILDS'

/** A production build of a Nitro fixture. */
export interface NitroBuild {
  entry: string
  outputDir: string
  remove(): Promise<void>
}

/** For vitest: the files of a run share their builds, which end with it. */
export async function setup(): Promise<() => Promise<void>> {
  const list = await mkdtemp(join(tmpdir(), 'unsession-builds-'))
  process.env[LIST] = list
  return async () => {
    for (const name of await readdir(list))
      await rm(await readFile(join(list, name), 'utf8'), { recursive: true, force: true })
    await rm(list, { recursive: true })
  }
}

/**
 * A build in a folder of the caller's own. In a run of vitest each is made once: whoever asks for
 * the same fixture with the same config gets a copy.
 *
 * @param kind tells apart builders that get the same config
 */
export async function provideBuild(kind: string, fixture: string, config: object, build: (outputDir: string) => Promise<void>): Promise<NitroBuild> {
  const list = process.env[LIST]
  const outputDir = list && isShareable(fixture, config)
    ? await newOutput(fixture, async dir => cp(await buildOnce(list, kind, fixture, config, build), dir, { recursive: true, verbatimSymlinks: true }))
    : await newOutput(fixture, build)
  return {
    entry: join(outputDir, 'server/index.mjs'),
    outputDir,
    remove: () => rm(outputDir, { recursive: true, force: true }),
  }
}

let running = 0
let before: string | undefined

/** What a task builds is for production, and not for the test that runs it. */
export async function asProduction<T>(task: () => Promise<T>): Promise<T> {
  if (running++ === 0)
    before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  try {
    return await task()
  }
  finally {
    if (--running === 0) {
      delete process.env.NODE_ENV
      Object.assign(process.env, before !== undefined && { NODE_ENV: before })
    }
  }
}

/** Folders that a test makes for itself may change between two builds, and a config that is more than JSON has no name. */
function isShareable(fixture: string, config: object): boolean {
  return !fixture.startsWith('.') && isDeepStrictEqual(JSON.parse(JSON.stringify(config)), config)
}

async function buildOnce(list: string, kind: string, fixture: string, config: object, build: (outputDir: string) => Promise<void>): Promise<string> {
  const entry = join(list, createHash('sha256').update(JSON.stringify([kind, fixture, config])).digest('hex'))
  const unlock = await lock(`${entry}.lock`)
  try {
    const built = await readFile(entry, 'utf8').catch(() => undefined)
    if (built)
      return built
    const outputDir = await newOutput(fixture, build)
    await writeFile(entry, outputDir)
    return outputDir
  }
  finally {
    await unlock()
  }
}

/** A folder of its own below the fixture, where a build finds what the fixture finds. A build that fails leaves none. */
async function newOutput(fixture: string, fill: (dir: string) => Promise<void>): Promise<string> {
  const dir = await mkdtemp(join(fixtures, fixture, '.output-'))
  try {
    await fill(dir)
    return dir
  }
  catch (error) {
    await rm(dir, { recursive: true, force: true })
    throw error
  }
}
