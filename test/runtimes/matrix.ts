import type { AppKind } from './apps/kind'
import type { RuntimeName } from './runtimes'
import type { StoreName } from './stores'
import { nitro2 } from './apps/nitro-2'
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

const SERVERS = { node20: ['files', 'redis'], node24: ['files', 'redis'], bun: ['files', 'redis'], deno: ['files', 'redis'] } as const
const WORKERS = { workerd: ['kv'], workerdNode: ['kv'] } as const

/** Every combination that has to work. */
export const CELLS: readonly Cell[] = [
  ...cells(nitro2, '2.11.0', { node20: ['files'], node24: ['files'] }),
  ...cells(nitro2, '2.13.6', { ...SERVERS, ...WORKERS }),
  ...cells(nuxt, '3.21.11', { node20: ['files'] }),
  ...cells(nuxt, '4.4.5', { node20: ['files'] }),
  ...cells(nuxt, '4.5.2', { node24: ['files'] }),
]

/** The name that `--only` is matched with. */
export function nameOf({ app, version, runtime }: Cell): string {
  return `${app.title} ${version} on ${RUNTIMES[runtime].title}`.replaceAll('`', '')
}

function cells(app: AppKind, version: string, runtimes: Partial<Record<RuntimeName, Cell['stores']>>): Cell[] {
  return Object.entries(runtimes).map(([runtime, stores]) => ({ app, version, runtime: runtime as RuntimeName, stores }))
}
