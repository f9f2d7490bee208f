import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readlink, rename, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const installed = join(root, 'test/node_modules/unsession')

/**
 * Puts the package, packed as it is published, where the fixtures find it by its name. Skipped
 * while the sources have not changed since.
 */
export async function setup(): Promise<void> {
  await linkH3V2()
  if (existsSync(installed) && await newest(join(root, 'src')) < (await stat(installed)).mtimeMs)
    return
  const packed = join(root, 'test/node_modules/.packed')
  await rm(packed, { recursive: true, force: true })
  await mkdir(packed, { recursive: true })
  // `prepack` builds.
  const { stdout } = await run('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', packed], { cwd: root })
  const [{ filename }] = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)))
  await run('tar', ['-xzf', join(packed, filename), '-C', packed])
  await rm(installed, { recursive: true, force: true })
  await rename(join(packed, 'package'), installed)
  // Writes the tsconfig that Vite and the type tests of this fixture read.
  await run('npx', ['nuxt', 'prepare', 'test/fixtures/nuxt'], { cwd: root })
}

/** npm knows it under another name, beside v1; the apps of this fixture call it as users do. */
async function linkH3V2(): Promise<void> {
  const modules = join(root, 'test/fixtures/h3-v2/node_modules')
  const link = join(modules, 'h3')
  const target = join(root, 'node_modules/h3-v2')
  // Left alone where it is right: another process may be using it.
  if (await readlink(link).catch(() => undefined) === target)
    return
  await mkdir(modules, { recursive: true })
  await rm(link, { recursive: true, force: true })
  await symlink(target, link)
}

async function newest(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true })
  const stats = await Promise.all([...files.map(file => join(folder, file)), join(root, 'package.json'), join(root, 'build.config.ts')].map(file => stat(file)))
  return Math.max(...stats.map(({ mtimeMs }) => mtimeMs))
}
