import type { Nitro } from 'nitropack/types'
import type { SessionOptions } from '../runtime/server/types'
import { DEFAULTS } from '../core/options'
import { configError } from '../core/resolve-options'

/** Every option that the environment can reach; Nitro overrides only keys that exist. */
const KEYS = {
  ...DEFAULTS,
  secret: '',
  storage: 'session',
  autoload: true,
  cookie: { ...DEFAULTS.cookie, domain: '', partitioned: '', priority: '' },
}

/** The `session` key of the config becomes `runtimeConfig.session`, which the server reads at its start. */
export function addRuntimeConfig({ options: nitro }: Nitro, options: SessionOptions): void {
  assertKnown(options)
  const config = nitro.runtimeConfig as { session?: SessionOptions }
  // The options of the module win: other modules have defaults of their own under `runtimeConfig.session`.
  const given = { ...definedOf(config.session ?? {}), ...definedOf(options) }
  const { storage = KEYS.storage } = given
  config.session = {
    ...KEYS,
    ...given,
    cookie: { ...KEYS.cookie, ...definedOf(config.session?.cookie ?? {}), ...definedOf(options.cookie ?? {}) },
    storage: typeof storage === 'object' ? { url: '', ...storage } : storage,
  } as SessionOptions
}

function assertKnown(options: object): void {
  const { cookie = {} } = options as { cookie?: object }
  const unknown = [
    ...Object.keys(options).filter(key => !Object.hasOwn(KEYS, key)),
    ...Object.keys(cookie).filter(key => !Object.hasOwn(KEYS.cookie, key)).map(key => `cookie.${key}`),
  ]
  if (unknown.length > 0)
    throw configError(unknown.map(path => ({ path, problem: 'There is no such option.', remedy: 'Check its spelling.' })))
}

function definedOf<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>
}
