import type { NitroMajor } from './nitro'
import { createRequire } from 'node:module'
import { configError } from '../core/resolve-options'
import { UTILS } from './auto-imports'
import { hookOf } from './hooks'
import { isInstalled, requireFrom } from './installed'
import { type Library, loadUnstorage } from './unstorage'

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
  async findDrivers({ options: { rootDir } }) {
    const { builtinDrivers, builtinDriverDependencies = {} } = await loadUnstorage(requireFromNitro(rootDir).resolve('unstorage'))
    const from = requireFrom(rootDir)
    return {
      names: Object.keys(builtinDrivers),
      librariesOf: driver => librariesOf(builtinDriverDependencies[driver]).filter(([, { optional: isOptional }]) => !isOptional).map(([, { name }]) => name),
      hasPackage: name => isInstalled(from, name),
    }
  },
  /** With the libraries that the driver loads: it finds them in the build only where it is handed them. */
  async writeDriverExport({ options: { rootDir } }, name) {
    const fromNitro = requireFromNitro(rootDir)
    const { builtinDrivers, builtinDriverDependencies = {} } = await loadUnstorage(fromNitro.resolve('unstorage'))
    const from = requireFrom(rootDir)
    const builtin = builtinDrivers[name]
    const libraries = librariesOf(builtinDriverDependencies[name])
      .filter(([, { name }]) => isInstalled(from, name))
      .map(([option, { name, import: path = name }]) => `${option}: () => import(${JSON.stringify(path)})`)
    return [
      `import driver from ${JSON.stringify(builtin ? fromNitro.resolve(builtin) : name)}`,
      `export const createDriver = options => driver({ ${[...libraries, '...options'].join(', ')} })`,
    ].join('\n')
  },
}

/** Finds what Nitro depends on, such as its unstorage, which the app need not see. */
function requireFromNitro(rootDir: string): NodeRequire {
  return createRequire(requireFrom(rootDir).resolve('nitro/package.json'))
}

function librariesOf(dependencies: Readonly<Record<string, Library>> = {}): [option: string, Library][] {
  return Object.entries(dependencies).filter(([option]) => /(?:^l|L)ib$/.test(option))
}
