import type { AppKind } from './apps/kind'
import type { RuntimeName } from './runtimes'
import type { StoreName } from './stores'
import { h3 } from './apps/h3'
import { nitro2, nitro3 } from './apps/nitro'
import { nuxt } from './apps/nuxt'
import { RUNTIMES } from './runtimes'

/** An app of one version on one runtime. */
export interface Cell {
  app: AppKind
  version: string
  runtime: RuntimeName
  /** Where it keeps its sessions, one build each. Cookie mode runs the first of them. */
  stores: readonly [StoreName, ...StoreName[]]
}

const NODE = { node20: ['files', 'redis'], node24: ['files', 'redis'] } as const
const WEB = { bun: ['files', 'redis'], deno: ['files', 'redis'] } as const
const WORKERS = { workerd: ['kv'], workerdNode: ['kv'] } as const
/** Nitro 3 reads its runtime config by way of `process`, whose polyfill needs `nodejs_compat`. */
const NODE_WORKERS = { workerdNode: ['kv'] } as const

/** Every combination that has to work. */
export const CELLS: readonly Cell[] = [
  ...cells(nitro2, '2.11.0', { node20: ['files'] }),
  ...cells(nitro2, '2.13.6', { ...NODE, ...WEB, ...WORKERS }),
  ...cells(nitro3, '3.0.260903-beta', { ...NODE, ...WEB, ...NODE_WORKERS }),
  ...cells(nuxt, '3.21.11', { node20: ['files'] }),
  ...cells(nuxt, '4.4.5', { node20: ['files'], bun: ['files'], ...NODE_WORKERS }),
  ...cells(nuxt, '4.5.2', { node24: ['files'] }),
  ...cells(h3('toNodeListener'), '1.15.11', { ...NODE, ...WEB }),
  ...cells(h3('toWebHandler'), '1.15.11', WEB),
  ...cells(h3('serve'), '2.0.8', { ...NODE, ...WEB }),
  ...cells(h3('toNodeHandler'), '2.0.8', NODE),
  ...cells(h3('appFetch'), '2.0.8', WEB),
  ...cells(h3('toWebHandler'), '2.0.8', WEB),
]

/** The name that `--only` is matched with. */
export function nameOf({ app, version, runtime }: Cell): string {
  return `${app.title(version)} on ${RUNTIMES[runtime].title}`.replaceAll('`', '')
}

function cells(app: AppKind, version: string, runtimes: Partial<Record<RuntimeName, Cell['stores']>>): Cell[] {
  return Object.entries(runtimes).map(([runtime, stores]) => ({ app, version, runtime: runtime as RuntimeName, stores }))
}
