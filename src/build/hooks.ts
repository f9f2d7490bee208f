import type { Nitro } from './nitro'

/** What the module uses of the hooks of Nitro's build. */
interface BuildHooks {
  (name: 'rollup:before', callback: (nitro: Nitro, config: BundlerConfig) => void): void
  (name: 'rollup:reload', callback: () => void): void
}

/** The config of Rollup or Rolldown. */
export interface BundlerConfig {
  plugins: unknown[]
}

export function hookOf(hooks: object): BuildHooks {
  const { hook } = hooks as { hook: BuildHooks }
  return hook.bind(hooks)
}
