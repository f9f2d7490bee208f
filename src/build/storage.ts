import type { Nitro } from './nitro'
import type { OptionIssue } from '../core/resolve-options'
import type { SessionOptions } from '../runtime/server/types'
import { resolve } from 'node:path'
import { isServerless } from './hosts'
import { majorOf } from './major'
import { configOf } from './runtime-config'

/** Makes sure that the records have a place: the app's own mount, a driver, or the file system. */
export async function addStorage(nitro: Nitro): Promise<void> {
  const { storage = 'session' } = configOf(nitro)
  nitro.options.virtual['#unsession/driver'] = await writeDriverModule(nitro, storage)
  if (needsFileSystem(nitro))
    mountFileSystem(nitro, storage as string)
}

/** What is wrong with the place that the options choose. */
export function checkPlace(nitro: Nitro): OptionIssue[] {
  const { options } = nitro
  const { storage } = configOf(nitro)
  if (typeof storage === 'object' && isMounted(nitro, 'session'))
    return [{ path: 'storage', problem: 'The app mounts `storage.session` as well.', remedy: 'Keep one of the two.' }]
  if (!needsFileSystem(nitro) || options.dev || options.static || !isServerless(options.preset))
    return []
  return [{
    path: 'storage',
    problem: `The host '${options.preset}' has no lasting file system to keep sessions in.`,
    remedy: `Name a driver, for example \`session: { storage: { driver: 'redis' } }\`, mount your own at \`storage.${storage}\`, or use \`mode: 'cookie'\`.`,
  }]
}

/** True where the options name a mount that the app does not have. */
function needsFileSystem(nitro: Nitro): boolean {
  const { mode, storage = 'session' } = configOf(nitro)
  return typeof storage === 'string' && mode !== 'cookie' && !isMounted(nitro, storage)
}

/** A module of the driver that options name, if they name one. */
export async function writeDriverModule(nitro: Nitro, storage: NonNullable<SessionOptions['storage']>): Promise<string> {
  if (typeof storage === 'string')
    return 'export const createDriver = undefined, driverName = undefined'
  const { driver } = storage
  // The module that imports it has no folder of its own.
  const name = driver.startsWith('.') ? resolve(nitro.options.rootDir, driver) : driver
  return [
    await majorOf(nitro).writeDriverExport(nitro, name),
    `export const driverName = ${JSON.stringify(driver)}`,
  ].join('\n')
}

function isMounted({ options: { storage, devStorage, dev } }: Nitro, base: string): boolean {
  const mounts = Object.keys({ ...storage, ...(dev && devStorage) }).map(mount => mount.split(/[/\\:]/).filter(Boolean).join(':'))
  return mounts.some(mount => base === mount || base.startsWith(`${mount}:`))
}

function mountFileSystem({ options }: Nitro, base: string): void {
  // As Nitro does for its own data: next to the project in development, to the server in production.
  options.storage[base] = {
    driver: 'fsLite',
    base: options.dev ? resolve(options.rootDir, '.data/session') : './.data/session',
  }
}
