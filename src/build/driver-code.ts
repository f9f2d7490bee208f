import type { Nitro } from './nitro'
import { majorOf } from './major'
import { configOf } from './runtime-config'

/** Modules with code for single drivers of unstorage, what they export, and by which names builds know the drivers. */
const MODULES = [
  { path: 'core/stores/redis', create: 'createRedisStorage', names: ['redis'] },
  { path: 'core/stores/files', create: 'createFileStorage', names: ['fs', 'fs-lite', 'fsLite'] },
]

/**
 * What takes the place of code for drivers that a server is built without. Where an app mounts
 * such a driver at run time after all, that is an error, not a storage that can do less.
 */
export async function replaceDriverCode(nitro: Nitro): Promise<[path: string, code: string][]> {
  const drivers = driversOf(nitro)
  const { names: builtin } = await majorOf(nitro).findDrivers(nitro)
  return MODULES.filter(({ names }) => drivers.every(driver => driver !== undefined && builtin.includes(driver) && !names.includes(driver)))
    .map(({ path, create, names }) => [path, `export const ${create} = ({ name }) => {
  if (${JSON.stringify(names)}.includes(name))
    throw new Error('This server was built without the driver ' + name + '. Name it in the config.')
}`])
}

/** The drivers that may hold records, as the config names them; `undefined` for one that nobody knows. */
function driversOf(nitro: Nitro): (string | undefined)[] {
  const { storage = 'session', migrate } = configOf(nitro)
  const old = migrate && 'storage' in migrate ? migrate.storage : undefined
  return [storage, ...old ? [old] : []].flatMap(place => typeof place === 'object' ? [place.driver] : mountedDrivers(nitro))
}

/** Of all mounts: the environment may name another one than the config. */
function mountedDrivers({ options }: Nitro): (string | undefined)[] {
  return Object.values(options.storage).map(mount => (mount as { driver?: string }).driver)
}
