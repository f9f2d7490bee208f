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
  const dir = await mkdtemp(join(tmpdir(), 'unsession-tarball-'))
  const args = ['pack', '--json', '--loglevel=error', '--pack-destination', dir]
  // `prepack` builds, and prints before the answer.
  const { stdout } = await promisify(execFile)('npm', args, { cwd: join(import.meta.dirname, '../..') })
  const [{ filename }] = JSON.parse(stdout.slice(stdout.search(/^\[/m))) as [{ filename: string }]
  project.provide('tarball', join(dir, filename))
  return () => rm(dir, { recursive: true, force: true })
}
