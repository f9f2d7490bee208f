import type { NitroMajor } from './nitro'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { configError } from '../core/resolve-options'
import { UTILS } from './auto-imports'
import { hookOf } from './hooks'

/** The part of unstorage 2 that is used, which v1 does not have. */
interface Unstorage {
  builtinDrivers: Record<string, string>
  builtinDriverDependencies: Record<string, Record<string, { name: string, import?: string }>>
}

/** Nitro 3: the package nitro. */
export const nitro3: NitroMajor = {
  dir: 'nitro3',
  keepInServer({ options }, paths) {
    const withExternals = options as { noExternals?: boolean | (string | RegExp)[] }
    if (withExternals.noExternals !== true)
      withExternals.noExternals = [...withExternals.noExternals || [], ...paths]
  },
  /** `false` takes a rule of a wider route back, and reaches no server. */
  keepRouteRules({ options, hooks }) {
    const rewrite = (): void => Object.values(options.routeRules as Record<string, { session?: unknown }>).forEach((rules) => {
      if (typeof rules.session === 'boolean')
        rules.session = { autoload: rules.session }
    })
    rewrite()
    hookOf(hooks)('rollup:reload', rewrite)
  },
  /** Nitro 3 has no auto-imports; who asks for them gets ours. */
  async addAutoImports({ options, hooks }, from) {
    if (!options.session?.autoImports)
      return
    const { default: unimport } = await import('unimport/unplugin').catch((cause) => {
      throw configError([{ path: 'autoImports', problem: `The package \`unimport\` cannot be loaded (${cause.message}).`, remedy: 'Install it with `npm install -D unimport`, or import the utils from `unsession/server`.' }])
    })
    hookOf(hooks)('rollup:before', (_, { plugins }) => {
      plugins.push(unimport.rollup({ imports: UTILS.map(name => ({ name, from })) }))
    })
  },
  /** With the libraries that the driver loads: it finds them in the build only where it is handed them. */
  async writeDriverExport({ options: { rootDir } }, name) {
    const fromRoot = createRequire(join(rootDir, 'package.json'))
    // The app has the unstorage of Nitro 3, and need not be able to see it.
    const fromNitro = createRequire(fromRoot.resolve('nitro/package.json'))
    const { builtinDrivers, builtinDriverDependencies } = await import(pathToFileURL(fromNitro.resolve('unstorage')).href) as Unstorage
    const builtin = builtinDrivers[name]
    const libraries = Object.entries(builtinDriverDependencies[name] ?? {})
      .filter(([option, { name }]) => /(?:^l|L)ib$/.test(option) && isInstalled(fromRoot, name))
      .map(([option, { name, import: path = name }]) => `${option}: () => import(${JSON.stringify(path)})`)
    return [
      `import driver from ${JSON.stringify(builtin ? fromNitro.resolve(builtin) : name)}`,
      `export const createDriver = options => driver({ ${[...libraries, '...options'].join(', ')} })`,
    ].join('\n')
  },
}

function isInstalled(from: NodeRequire, name: string): boolean {
  return from.resolve.paths(name)?.some(path => existsSync(join(path, name))) ?? false
}
