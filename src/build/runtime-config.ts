import type { Nitro } from './nitro'
import type { MigrateOptions, SessionOptions } from '../runtime/server/types'
import type { OptionIssue } from '../core/resolve-options'
import { OPTIONS } from '../core/options'
import { unknownOptions } from '../core/option-names'
import { configError, trueOrFalse } from '../core/resolve-options'
import { definedOf } from '../core/value'

/** Every option that the environment can reach; Nitro overrides only keys that exist. */
const KEYS = { ...OPTIONS, storage: 'session', autoload: true, migrate: '' }

/** The options of `migrate`, by what it reads. */
const MIGRATE_KEYS = {
  'express-session': { from: '', cookie: {}, secret: '', storage: '' },
  'h3': { from: '', cookie: {}, password: '', maxAge: '' },
}

const MIGRATE_COOKIE_KEYS = { name: '', path: '', domain: '' }

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
export function addRuntimeConfig(nitro: Nitro, { autoImports, ...options }: SessionOptions): void {
  const issues = [...unknownOptions(options, KEYS), ...unknownMigrateOptions(options.migrate), ...trueOrFalse('autoImports', autoImports ?? false)]
  if (issues.length > 0)
    throw configError(issues)
  const config = configOf(nitro)
  const given = { ...definedOf(config), ...definedOf(options) }
  const { storage = KEYS.storage } = given
  Object.assign(nitro.options.runtimeConfig, {
    [configKeyOf(nitro)]: {
      ...KEYS,
      ...given,
      cookie: { ...KEYS.cookie, ...definedOf(config.cookie ?? {}), ...definedOf(options.cookie ?? {}) },
      storage: withUrl(storage),
      ...(given.migrate && { migrate: fillMigrate(given.migrate) }),
    },
  })
}

function unknownMigrateOptions(migrate: MigrateOptions | undefined): OptionIssue[] {
  const known = MIGRATE_KEYS[migrate?.from as MigrateOptions['from']]
  return migrate && known ? unknownOptions(migrate, { ...known, cookie: MIGRATE_COOKIE_KEYS }, 'migrate.') : []
}

function fillMigrate(migrate: MigrateOptions): object {
  const filled = { ...MIGRATE_KEYS[migrate.from], ...definedOf(migrate), cookie: { ...MIGRATE_COOKIE_KEYS, ...definedOf(migrate.cookie ?? {}) } }
  return 'storage' in filled ? { ...filled, storage: withUrl(filled.storage) } : filled
}

/** The address of a driver's storage is what differs between the places where an app runs. */
function withUrl<T>(storage: T): T {
  return typeof storage === 'object' ? { url: '', ...storage } : storage
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
