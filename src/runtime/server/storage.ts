import type { SessionStore } from '../../core/types'
import type { SessionOptions } from './types'
import { createDriver, driverName } from '#unsession/driver'
import { useStorage } from '#unsession/server'
import { configError } from '../../core/resolve-options'
import { createStorageStore } from '../../core/stores/unstorage'

/** Where a driver given as an object is mounted. */
export const MOUNT = 'session'

/** The store over Nitro's storage. A driver given as an object is mounted now. */
export function createNitroStore(storage: NonNullable<SessionOptions['storage']>, timeout: number): SessionStore {
  const nitroStorage = useStorage()
  if (typeof storage === 'string') {
    // Nitro keeps what has no mount in memory, where sessions would silently be lost.
    if (nitroStorage.getMount(`${storage}:`).base === '')
      throw configError([{ path: 'storage', problem: `This build mounts nothing at '${storage}'.`, remedy: `Mount a driver at \`storage.${storage}\` in the config, and build with \`mode: 'storage'\`.` }])
    return createStorageStore(nitroStorage, { base: storage, timeout })
  }
  const { driver, ...options } = storage
  if (!createDriver || driver !== driverName) {
    throw configError([{
      path: 'storage.driver',
      problem: `This build holds ${driverName ? `the driver '${driverName}'` : 'no driver of its own'}, not '${driver}'.`,
      remedy: 'Name the driver in the config and build again; the environment can change its options only.',
    }])
  }
  nitroStorage.mount(MOUNT, createDriver(withoutEmpty(options)))
  return createStorageStore(nitroStorage, { base: MOUNT, timeout })
}

/** Ends what a driver that was mounted here keeps open, such as a connection: it would keep the process alive. */
export async function releaseStorage(): Promise<void> {
  if (createDriver)
    await useStorage().unmount(MOUNT)
}

/** Options that only exist so that the environment can fill them are left out when it did not. */
function withoutEmpty(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== ''))
}
