import type { NitroConfig } from 'nitropack/types'
import type { NitroBuild } from './nitro'
import { join } from 'node:path'
import { buildNitro } from './nitro'
import { buildNitro3 } from './nitro3'

const packages = join(import.meta.dirname, '../../node_modules')

/** A major version of Nitro with an app that has nothing but the module: `/visit` counts, `/who` reads. */
export interface Major {
  name: string
  fixture: string
  /** The command `nitro`, which Node runs. */
  cli: string
  build(config?: Pick<NitroConfig, 'session' | 'storage' | 'prerender' | 'preset'>): Promise<NitroBuild>
}

export const MAJORS: Major[] = [
  { name: 'Nitro 2', fixture: 'nitro-bare', cli: join(packages, 'nitropack/dist/cli/index.mjs'), build: config => buildNitro('nitro-bare', config) },
  { name: 'Nitro 3', fixture: 'nitro3-bare', cli: join(packages, 'nitro/dist/cli/index.mjs'), build: config => buildNitro3('nitro3-bare', config as object) },
]
