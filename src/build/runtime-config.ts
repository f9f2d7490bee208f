import type { Nitro } from './nitro'
import type { SessionOptions } from '../runtime/server/types'
import { OPTIONS } from '../core/options'
import { configError, trueOrFalse, unknownOptions } from '../core/resolve-options'

/** Every option that the environment can reach; Nitro overrides only keys that exist. */
const KEYS = { ...OPTIONS, storage: 'session', autoload: true }

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
  const issues = [...unknownOptions(options, KEYS), ...trueOrFalse('autoImports', autoImports ?? false)]
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
      storage: typeof storage === 'object' ? { url: '', ...storage } : storage,
    },
  })
}

function definedOf<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>
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
