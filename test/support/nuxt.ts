import { execFile } from 'node:child_process'
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
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

/** Waits until no other process holds the lock; one that died holds nothing. */
async function lock(path: string): Promise<() => Promise<void>> {
  await mkdir(join(path, '..'), { recursive: true })
  while (true) {
    const file = await open(path, 'wx').catch(() => undefined)
    if (file) {
      await file.writeFile(String(process.pid))
      await file.close()
      return () => rm(path)
    }
    if (!isAlive(Number(await readFile(path, 'utf8').catch(() => ''))))
      await rm(path, { force: true })
    else
      await new Promise(resolve => setTimeout(resolve, 200))
  }
}

function isAlive(pid: number): boolean {
  // Still being written.
  if (pid === 0)
    return true
  try {
    process.kill(pid, 0)
    return true
  }
  catch {
    return false
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path)).isDirectory()
}

async function mtimeOf(path: string): Promise<number> {
  return (await stat(path)).mtimeMs
}
