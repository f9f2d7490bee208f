import type { DefaultData } from '../types'
/** @ts-ignore An app need not have unstorage; without it these types are `any`. */
import type { BuiltinDriverName, BuiltinDriverOptions, Driver, Storage } from 'unstorage'
import { beginAt, siteOf } from '../calls/caller'
import { SessionError } from '../errors'
import { nearest } from '../option-hints'
import { configError, issue } from '../resolve-options'
import { withDefaults } from './driver'

/** A built-in driver of unstorage and its own options. */
export type UnstorageDriver = { [K in BuiltinDriverName]: {
  /** The driver's name, for example `redis` or `fs`. */
  type: K
  options?: K extends keyof BuiltinDriverOptions ? BuiltinDriverOptions[K] : object
} }[BuiltinDriverName]

/**
 * A storage of unstorage over one of its built-in drivers: `store` of the options takes it, and
 * the promise of it too. `dispose` ends its connections, which would keep the process alive.
 *
 * What sessions keep in it are their records, under keys of their own. In an app that is bundled,
 * import the driver yourself and give its storage to `store`.
 *
 * The app installs the package `unstorage`, version 1 or 2.
 *
 * @param driver the driver's name as `type`, and its `options`
 * @throws SessionError `CONFIG_ERROR` without unstorage, for a driver that it does not have, and
 * for one whose client is not installed; with unstorage 2 the first operation says so
 */
export async function createUnstorageStore<T extends object = DefaultData>(driver: UnstorageDriver): Promise<Storage<T>> {
  const site = siteOf(createUnstorageStore, true)
  try {
    const { builtinDrivers, createStorage } = await import('unstorage').catch(unstorageIsMissing)
    const { type, options = {} } = checkDriver(driver, builtinDrivers)
    return createStorage<T>({ driver: await importDriver(type, builtinDrivers[type], withDefaults(type, options)) })
  }
  catch (error) {
    throw beginAt(error, createUnstorageStore, site)
  }
}

function unstorageIsMissing(cause: unknown): never {
  throw new SessionError('CONFIG_ERROR', 'unsession: `createUnstorageStore` needs the package `unstorage`, which cannot be loaded. Install it, for example by `npm install unstorage`.', { cause })
}

function checkDriver(driver: UnstorageDriver, known: Readonly<Record<string, string>>): UnstorageDriver {
  if (typeof driver !== 'object' || driver === null)
    throw configError([issue('driver', driver, 'Pass an object, such as `{ type: \'redis\', options: { url } }`.')], SUBJECT)
  const { type, options } = driver
  if (typeof type !== 'string' || !Object.hasOwn(known, type)) {
    const names = Object.keys(known)
    const near = nearest(String(type).toLowerCase(), names)
    throw configError([{ path: 'type', problem: `unstorage has no driver '${String(type)}'.`, remedy: `${near ? `Did you mean '${near}'? ` : ''}Use one of ${names.join(', ')}.` }], SUBJECT)
  }
  if (options !== undefined && (typeof options !== 'object' || options === null))
    throw configError([issue('options', options, 'Use an object of the driver\'s options.')], SUBJECT)
  return driver
}

/** What messages are about. */
const SUBJECT = 'the options of `createUnstorageStore`'

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
    ? configError([{ path: 'type', problem: `The driver '${type}' needs the package \`${name}\`, which is not installed.`, remedy: `Install it, for example by \`npm install ${name}\`.` }], SUBJECT)
    : undefined
}
