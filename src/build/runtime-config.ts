import type { Nitro } from './nitro'
import type { MigrateOptions, SessionOptions } from '../runtime/server/types'
import type { OptionIssue } from '../core/resolve-options'
import { unknownOptions } from '../core/option-names'
import { OPTIONS } from '../core/options'
import { definedOf, isPlainObject } from '../core/record/value'
import { isUnset } from '../runtime/server/check-options'

/** Every option that the environment can reach; Nitro overrides only keys that exist. */
const KEYS = { ...OPTIONS, storage: 'session', autoload: true, migrate: '' }

/** The options of `migrate`, by what it reads. */
const MIGRATE_KEYS = {
  'express-session': { from: '', cookie: { name: '', path: '', domain: '' }, secret: '', storage: '' },
  'h3': { from: '', cookie: { name: '', path: '', domain: '' }, password: '', maxAge: '', idleTimeout: '' },
  'iron-session': { from: '', cookie: { name: '', path: '', domain: '' }, password: '' },
  'cookie-session': { from: '', cookie: { name: '', path: '', domain: '' }, secret: '' },
}

/**
 * The key in runtime config. Where another module keeps a password under `session`
 * (nuxt-auth-utils, which hands all of it to h3), ours has a name that the same environment
 * variables reach, and neither sees the options of the other.
 */
export function configKeyOf({ options: { runtimeConfig } }: Nitro): 'session' | 'Session' {
  const { session } = runtimeConfig as { session?: object }
  return session && 'password' in session ? 'Session' : 'session'
}

/** The options as the server will find them in runtime config. */
export function configOf(nitro: Nitro): SessionOptions {
  return (nitro.options.runtimeConfig as Record<string, SessionOptions>)[configKeyOf(nitro)] ?? {}
}

/** The `session` key of the config becomes `runtimeConfig.session`, which the server reads at its start. */
export function addRuntimeConfig(nitro: Nitro, { autoImports: _ofTheBuild, ...options }: SessionOptions): void {
  const config = configOf(nitro)
  const given = { ...definedOf(config), ...definedOf(options) }
  Object.assign(nitro.options.runtimeConfig, {
    [configKeyOf(nitro)]: {
      ...KEYS,
      ...given,
      cookie: layOver(layOver(KEYS.cookie, config.cookie), options.cookie),
      storage: withUrl(isUnset(given.storage) ? KEYS.storage : given.storage),
      ...(given.migrate && { migrate: fillMigrate(given.migrate) }),
    },
  })
}

/** What is wrong with the names of the options that a build has, wherever they came from. */
export function checkNames(nitro: Nitro): OptionIssue[] {
  const config = configOf(nitro)
  const { migrate } = config
  const known = migrateKeys(migrate)
  return [
    ...unknownOptions(config, { ...KEYS, autoImports: '' }),
    ...(migrate && known ? unknownOptions(migrate, known, 'migrate.') : []),
  ]
}

function migrateKeys(migrate: MigrateOptions | undefined): typeof MIGRATE_KEYS[MigrateOptions['from']] | undefined {
  return isGroup(migrate) && Object.hasOwn(MIGRATE_KEYS, String(migrate.from)) ? MIGRATE_KEYS[migrate.from] : undefined
}

/** What is no object of options stays as it is: the checks refuse it. */
function layOver<T extends object>(options: T, given: object | undefined): T {
  return isUnset(given) ? options : isGroup(options) && isGroup(given) ? { ...options, ...definedOf(given) } : given as T
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && isPlainObject(value)
}

function fillMigrate(migrate: MigrateOptions): unknown {
  const keys = migrateKeys(migrate)
  if (!keys)
    return migrate
  const filled = { ...keys, ...definedOf(migrate), cookie: layOver(keys.cookie, migrate.cookie) }
  return 'storage' in filled ? { ...filled, storage: withUrl(filled.storage) } : filled
}

/** The address of a driver's storage is what differs between the places where an app runs. */
function withUrl<T>(storage: T): T {
  return isGroup(storage) ? { url: '', ...storage } : storage
}

/** What each option is in the build, without its value: the environment of Nitro 3 has texts only. */
export function kindsOf(config: object): object {
  return Object.fromEntries(Object.entries(config).map(([option, value]) => [option, kindOf(value)]))
}

function kindOf(value: unknown): unknown {
  if (Array.isArray(value))
    return 'list'
  return typeof value === 'object' && value !== null ? kindsOf(value) : typeof value
}
