import type { SessionError } from '../errors'
import type { SessionStore } from '../types'
import type { BuiltinDriverName, BuiltinDriverOptions, Driver } from 'unstorage'
import { builtinDrivers } from 'unstorage'
import { nearest } from '../option-hints'
import { DEFAULTS } from '../options'
import { configError } from '../resolve-options'
import { withDefaults } from './driver'
import { createMountedStore } from './mounted'

/** A built-in driver of unstorage and its own options. */
export type UnstorageDriver = { [K in BuiltinDriverName]: {
  /** The driver's name, for example `redis` or `fs`. */
  type: K
  options?: K extends keyof BuiltinDriverOptions ? BuiltinDriverOptions[K] : object
} }[BuiltinDriverName]

/** A driver, and how long one operation on it may take. */
export type UnstorageStoreConfig = UnstorageDriver & {
  /**
   * Milliseconds.
   *
   * @default 5000
   */
  timeout?: number
}

/** A store that has connections of its own. */
export interface UnstorageStore extends SessionStore {
  /** Ends its connections, which would keep the process alive; a later use connects again. */
  dispose(): Promise<void>
}

/**
 * A store over a built-in unstorage driver, which is imported at its first use. In an app
 * that is bundled, import the driver yourself and give its storage to `createStorageStore`.
 *
 * @throws SessionError `CONFIG_ERROR` for a driver that unstorage does not have, and at its
 * first use for one whose client is not installed
 */
export function createUnstorageStore({ type, options = {}, timeout = DEFAULTS.timeout }: UnstorageStoreConfig): UnstorageStore {
  const path = Object.hasOwn(builtinDrivers, type) ? builtinDrivers[type] : undefined
  if (!path) {
    const names = Object.keys(builtinDrivers)
    const near = nearest(String(type).toLowerCase(), names)
    throw configError([{ path: 'type', problem: `unstorage has no driver '${String(type)}'.`, remedy: `${near ? `Did you mean '${near}'? ` : ''}Use one of ${names.join(', ')}.` }])
  }
  let driver: Driver | Promise<Driver> | undefined
  const load = (): Driver | Promise<Driver> => {
    if (driver)
      return driver
    const loading = importDriver(type, path, withDefaults(type, options))
    const replaceBy = (loaded?: Driver): void => {
      if (driver === loading)
        driver = loaded
    }
    loading.then(replaceBy, () => replaceBy())
    driver = loading
    return loading
  }
  return {
    ...createMountedStore({ getMount: () => ({ base: '', driver: load() }) }, { base: '', timeout }),
    async dispose() {
      const used = driver
      driver = undefined
      await (await used)?.dispose?.()
    },
  }
}

async function importDriver(type: string, path: string, options: object): Promise<Driver> {
  const { default: createDriver } = await import(/* @vite-ignore */ path).catch((error: unknown) => {
    throw missingLibrary(type, error) ?? error
  }) as { default: (options: object) => Driver }
  return createDriver(options)
}

/** Says what to install where the client of a driver is missing. */
function missingLibrary(type: string, error: unknown): SessionError | undefined {
  const [, name = ''] = /Cannot find (?:package|module) ['"]([^'"]+)['"]/.exec(error instanceof Error ? error.message : '') ?? []
  return /^(?:@[\w.-]+\/)?[\w-][\w.-]*(?:\/|$)/.test(name)
    ? configError([{ path: 'type', problem: `The driver '${type}' needs the package \`${name}\`, which is not installed.`, remedy: `Install it, for example by \`npm install ${name}\`.` }])
    : undefined
}
