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
  /** Where its routes are. */
  routes: string
  /** The command `nitro`, which Node runs. */
  cli: string
  /** What its folder holds after a while of development. */
  files: string[]
  build(config?: Pick<NitroConfig, 'session' | 'storage' | 'prerender' | 'preset'>): Promise<NitroBuild>
}

export const MAJORS: Major[] = [
  {
    name: 'Nitro 2',
    fixture: 'nitro-bare',
    routes: 'routes',
    cli: join(packages, 'nitropack/dist/cli/index.mjs'),
    files: ['.data', '.nitro', 'nitro.config.ts', 'routes'],
    build: config => buildNitro('nitro-bare', config),
  },
  {
    name: 'Nitro 3',
    fixture: 'nitro3-bare',
    routes: 'server/routes',
    cli: join(packages, 'nitro/dist/cli/index.mjs'),
    files: ['.data', 'nitro.config.ts', 'node_modules', 'server'],
    build: config => buildNitro3('nitro3-bare', config as object),
  },
]
