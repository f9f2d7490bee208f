import type { NitroConfig } from 'nitro/types'
import type { NitroBuild } from './nitro'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build, copyPublicAssets, createNitro, prepare, prerender } from 'nitro/builder'

const fixtures = join(import.meta.dirname, '../fixtures')

/** Builds for production as `nitro build` of Nitro 3 does, into a folder of its own. */
export async function buildNitro3(fixture: string, config: NitroConfig = {}): Promise<NitroBuild> {
  const rootDir = join(fixtures, fixture)
  const outputDir = await mkdtemp(join(rootDir, '.output-'))
  const nitro = await createNitro({ logLevel: 1, builder: 'rolldown', ...config, rootDir, buildDir: join(outputDir, 'build'), output: { dir: outputDir } })
  await prepare(nitro)
  await copyPublicAssets(nitro)
  await prerender(nitro)
  await build(nitro)
  await nitro.close()
  return {
    entry: join(outputDir, 'server/index.mjs'),
    outputDir,
    remove: () => rm(outputDir, { recursive: true, force: true }),
  }
}
