import type { Nitro as Nitro2 } from 'nitropack/types'
import type { Nitro, NitroMajor, NitroOptions } from './nitro'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { UTILS } from './auto-imports'
import { isInstalled, packageOf, requireFrom } from './installed'
import { loadUnstorage } from './unstorage'

/** Below the default of 1: the app's own util of the same name wins, and nobody is warned of it. */
const PRIORITY = -1

/** Nitro 2: the package nitropack. */
export const nitro2: NitroMajor = {
  dir: 'nitro2',
  keepInServer({ options }, paths) {
    const withExternals = options as { externals?: Partial<NonNullable<Nitro2['options']['externals']>> }
    const { externals } = withExternals
    withExternals.externals = { ...externals, inline: [...externals?.inline ?? [], ...paths] }
  },
  /** h3's utils of the same names leave Nitro's preset. */
  addAutoImports({ options }, from) {
    const { imports } = options as Partial<Pick<Nitro2['options'], 'imports'>>
    if (!imports || options.session?.autoImports === false)
      return
    const presets = (imports.presets ?? []).map((preset) => {
      const isH3 = typeof preset === 'object' && 'from' in preset && preset.from === 'h3'
      return isH3 ? { ...preset, imports: preset.imports.filter(name => !UTILS.includes(name as string)) } : preset
    })
    imports.presets = [...presets, { from, imports: UTILS, priority: PRIORITY }]
  },
  async findDrivers(nitro) {
    const { builtinDrivers } = await loadUnstorage(resolveAsNitro(nitro, 'unstorage'))
    const fileOf = (driver: string): string => resolveAsNitro(nitro, builtinDrivers[driver]!).replace(/\.cjs$/, '.mjs')
    const places = [requireFrom(nitro.options.rootDir), createRequire(fileOf('memory'))]
    return {
      names: Object.keys(builtinDrivers),
      librariesOf(driver) {
        const imports = readFileSync(fileOf(driver), 'utf8').matchAll(/^import\b[^"']*["']([^"'.][^"']*)["']/gm)
        return [...imports].map(([, specifier]) => packageOf(specifier!))
      },
      hasPackage: name => places.some(from => isInstalled(from, name)),
    }
  },
  async writeDriverExport(nitro, name) {
    const { builtinDrivers } = await loadUnstorage(resolveAsNitro(nitro, 'unstorage'))
    return `export { default as createDriver } from ${JSON.stringify(builtinDrivers[name] ?? name)}`
  },
}

/** Looks where Nitro looks for what it bundles: the app need not see what nitropack depends on. */
function resolveAsNitro({ options }: Nitro, name: string): string {
  const { nodeModulesDirs } = options as NitroOptions & Pick<Nitro2['options'], 'nodeModulesDirs'>
  return requireFrom(options.rootDir).resolve(name, { paths: nodeModulesDirs })
}
