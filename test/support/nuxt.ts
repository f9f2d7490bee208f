import { execFile } from 'node:child_process'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { lock } from './lock'
import { environment } from './nitro'

const run = promisify(execFile)
const test = join(import.meta.dirname, '..')

/**
 * The production build of a Nuxt fixture, made once for all files that use it: anew only when
 * the fixture or the package has changed since.
 *
 * @returns the entry of its server
 */
export async function buildNuxt(fixture: string): Promise<string> {
  const rootDir = join(test, 'fixtures', fixture)
  const entry = join(rootDir, '.output/server/index.mjs')
  const unlock = await lock(join(test, 'node_modules', `.${fixture}.lock`))
  try {
    if (!await isBuilt(entry, rootDir)) {
      // A build that fails leaves none behind that looks finished.
      await rm(entry, { force: true })
      await run('npx', ['nuxt', 'build', rootDir], { env: environment(), maxBuffer: 2 ** 26 })
    }
  }
  finally {
    await unlock()
  }
  return entry
}

async function isBuilt(entry: string, rootDir: string): Promise<boolean> {
  const names = (await readdir(rootDir)).filter(name => !/^(?:\.|node_modules$)/.test(name))
  const files = await Promise.all(names.map(async name => (await isFolder(join(rootDir, name)))
    ? (await readdir(join(rootDir, name), { recursive: true })).map(file => join(rootDir, name, file))
    : [join(rootDir, name)]))
  const sources = [...files.flat(), join(test, 'node_modules/unsession')]
  const times = await Promise.all(sources.map(mtimeOf))
  return Math.max(...times) < await mtimeOf(entry).catch(() => 0)
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory()
}

async function mtimeOf(path: string): Promise<number> {
  return (await stat(path)).mtimeMs
}
