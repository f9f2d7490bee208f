import type { SessionStore } from '../../core/types'
import type { SessionOptions, SessionStorageOptions } from './types'
import type { Driver } from 'unstorage'
import { createDriver, driverName } from '#unsession/driver'
import { hasCleanup, isConfiguredPerRequest } from '#unsession/host'
import { useStorage } from '#unsession/server'
import { configError } from '../../core/resolve-options'
import { withDefaults } from '../../core/stores/driver'
import { createMountedStore, giveUpMount, openMount } from '../../core/stores/mounted'

/** Where a driver given as an object is mounted. */
export const MOUNT = 'session'

/** What a build holds of a driver that options named. */
interface BuiltDriver {
  createDriver: ((options: object) => Driver) | undefined
  driverName: string | undefined
}

/**
 * The store over Nitro's storage. A driver given as an object is mounted now, and what connects
 * does so now: the operator is to hear at the start, not at the first login, that it cannot.
 */
export function createNitroStore(storage: NonNullable<SessionOptions['storage']>, timeout: number): SessionStore {
  const [store, base] = typeof storage === 'string'
    ? [createMountStore('storage', storage, timeout), storage]
    : [mountStore(storage, timeout), MOUNT]
  if (!isConfiguredPerRequest && !import.meta.prerender)
    void openMount(useStorage(), openedMount = base)
  return store
}

let openedMount: string | undefined

function mountStore(storage: SessionStorageOptions, timeout: number): SessionStore {
  const nitroStorage = useStorage()
  nitroStorage.mount(MOUNT, openDriver('storage', storage, { createDriver, driverName }))
  return createMountedStore(nitroStorage, { base: MOUNT, timeout })
}

/** Ends what would keep the process alive: the connection of a driver that was mounted here, the tries to reach what the app mounted. */
export async function releaseStorage(): Promise<void> {
  if (openedMount !== undefined)
    giveUpMount(useStorage(), openedMount)
  if (createDriver)
    await useStorage().unmount(MOUNT)
}

/**
 * The store over a mount of the app.
 *
 * @param path the option that names the mount
 */
export function createMountStore(path: string, mount: string, timeout: number): SessionStore {
  const nitroStorage = useStorage()
  assertSwept(path, mount)
  // Nitro keeps what has no mount in memory, where sessions would silently be lost.
  if (nitroStorage.getMount(`${mount}:`).base === '')
    throw configError([{ path, problem: `This build mounts nothing at '${mount}'.`, remedy: `Mount a driver at \`storage.${mount}\` in the config, and build with \`mode: 'storage'\`.` }])
  return createMountedStore(nitroStorage, { base: mount, timeout })
}

/** In place of a driver that drops what has expired, the environment may have named a mount of the app, where it would stay for ever. */
function assertSwept(path: string, mount: string): void {
  if (path === 'storage' && driverName !== undefined && !hasCleanup) {
    throw configError([{
      path,
      problem: `This build holds the driver '${driverName}', which removes by itself what has expired, and no code that would do so at '${mount}'.`,
      remedy: 'Name the mount in the config and build again; the environment can change the options of the driver only.',
    }])
  }
}

/** The store over a driver that nobody else uses. */
export function createDriverStore(path: string, storage: SessionStorageOptions, built: BuiltDriver, timeout: number): SessionStore {
  const driver = openDriver(path, storage, built)
  return createMountedStore({ getMount: () => ({ base: '', driver }) }, { base: '', timeout })
}

function openDriver(path: string, { driver, ...options }: SessionStorageOptions, { createDriver, driverName }: BuiltDriver): Driver {
  if (createDriver && driver === driverName)
    return createDriver(withDefaults(driver, withoutEmpty(options)))
  throw configError([{
    path: `${path}.driver`,
    problem: `This build holds ${driverName ? `the driver '${driverName}'` : 'no driver of its own'}, not '${driver}'.`,
    remedy: 'Name the driver in the config and build again; the environment can change its options only.',
  }])
}

/** Options that only exist so that the environment can fill them are left out when it did not. */
function withoutEmpty(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== ''))
}
