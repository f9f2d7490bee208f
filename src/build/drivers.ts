import type { Drivers, Nitro } from './nitro'
import type { OptionIssue } from '../core/resolve-options'
import { statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { nearest } from '../core/option-hints'
import { isInstalled, packageOf, requireFrom } from './installed'
import { majorOf } from './major'
import { installLine } from './package-manager'

/** What keeps a driver out of the server: nobody knows it, or what it needs is not installed. */
export async function checkDriver(nitro: Nitro, path: string, storage: unknown): Promise<OptionIssue[]> {
  const { driver } = Object(storage) as { driver?: unknown }
  if (typeof driver !== 'string' || driver === '')
    return []
  const drivers = await majorOf(nitro).findDrivers(nitro)
  const builtin = driver.replace(/^unstorage\/drivers\//, '')
  const { names, librariesOf, hasPackage } = drivers
  if (!names.includes(builtin)) {
    const isOwn = builtin === driver && isKnown(nitro, driver) && ownerOf(driver, drivers) === undefined
    return isOwn ? [] : [{ path: `${path}.driver`, problem: `There is no driver '${driver}'.`, remedy: remedyFor(builtin, drivers) }]
  }
  const { rootDir, alias } = nitro.options
  const missing = librariesOf(builtin).filter(name => !Object.hasOwn(alias, name) && !hasPackage(name))
  return missing.length > 0
    ? [{ path: `${path}.driver`, problem: `The driver '${driver}' needs ${missing.map(name => `\`${name}\``).join(' and ')}, which is not installed.`, remedy: `Run \`${installLine(rootDir, missing)}\`.` }]
    : []
}

/** True for a driver of the app: a file, a package, or a module that Nitro makes. */
function isKnown({ options: { rootDir, alias, virtual } }: Nitro, driver: string): boolean {
  if (Object.hasOwn(virtual, driver) || driver.startsWith('#') || driver.includes('://'))
    return true
  const [start = ''] = driver.split(/[/\\]/, 1)
  const aliased = Object.hasOwn(alias, start) ? alias[start] + driver.slice(start.length) : driver
  if (isAbsolute(aliased) || aliased.startsWith('.'))
    return ['', ...ENDINGS].some(ending => statSync(resolve(rootDir, aliased) + ending, { throwIfNoEntry: false })?.isFile())
  return isInstalled(requireFrom(rootDir), packageOf(aliased))
}

/** What a bundler adds to the name of a file. */
const ENDINGS = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].flatMap(ending => [`.${ending}`, `/index.${ending}`])

/** The driver that a package is the client of, such as `redis` of `ioredis`. */
function ownerOf(driver: string, { names, librariesOf }: Drivers): string | undefined {
  return names.find(name => librariesOf(name).includes(driver))
}

function remedyFor(driver: string, drivers: Drivers): string {
  const name = driver.toLowerCase()
  // Some have a second name in camel case.
  const each = drivers.names.filter(name => name === name.toLowerCase())
  const near = ownerOf(driver, drivers) ?? nearest(name, each) ?? each.find(other => other.startsWith(name))
  return `${near ? `Did you mean '${near}'? ` : ''}Unstorage has ${each.join(', ')}; a driver of your own is named by its file or its package.`
}
