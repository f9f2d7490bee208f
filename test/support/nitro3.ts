import type { NitroConfig } from 'nitro/types'
import type { NitroBuild } from './builds'
import { join } from 'node:path'
import { build, copyPublicAssets, createNitro, prepare, prerender } from 'nitro/builder'
import { asProduction, provideBuild } from './builds'

const fixtures = join(import.meta.dirname, '../fixtures')

/** Builds for production as `nitro build` of Nitro 3 does, into a folder of its own. Without source maps, as for Nitro 2. */
export function buildNitro3(fixture: string, config: NitroConfig = {}): Promise<NitroBuild> {
  return provideBuild('nitro', fixture, config, outputDir => asProduction(() => buildTo(outputDir, fixture, config)))
}

/** The same as a test of an app builds it. */
export function buildNitro3ForTests(fixture: string, config: NitroConfig = {}): Promise<NitroBuild> {
  return provideBuild('nitro for tests', fixture, config, outputDir => buildTo(outputDir, fixture, config))
}

async function buildTo(outputDir: string, fixture: string, config: NitroConfig): Promise<void> {
  const nitro = await createNitro({ logLevel: 1, builder: 'rolldown', sourcemap: false, ...config, rootDir: join(fixtures, fixture), buildDir: join(outputDir, 'build'), output: { dir: outputDir } })
  await prepare(nitro)
  await copyPublicAssets(nitro)
  await prerender(nitro)
  await build(nitro)
  await nitro.close()
}
