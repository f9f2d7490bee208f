import type { TestProject } from 'vitest/node'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

declare module 'vitest' {
  interface ProvidedContext {
    /** The package as npm would publish it. */
    tarball: string
  }
}

/** Packs the package once for all test files of the project. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { tarball, remove } = await packTarball()
  project.provide('tarball', tarball)
  return remove
}

/** The package as npm would publish it, in a folder of its own. */
export async function packTarball(): Promise<{ tarball: string, remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'unsession-tarball-'))
  const args = ['pack', '--json', '--loglevel=error', '--pack-destination', dir]
  // `prepack` builds, and prints before the answer.
  const { stdout } = await promisify(execFile)('npm', args, { cwd: join(import.meta.dirname, '../..') })
  const [{ filename }] = JSON.parse(stdout.slice(stdout.search(/^\[/m))) as [{ filename: string }]
  return { tarball: join(dir, filename), remove: () => rm(dir, { recursive: true, force: true }) }
}
