import type { OptionIssue } from '../../core/resolve-options'
import type { SessionOptions } from './types'
import { issue, trueOrFalse } from '../../core/resolve-options'

export const SECRET_REMEDY = 'Set NITRO_SESSION_SECRET (in Nuxt also NUXT_SESSION_SECRET) to at least 32 random characters, for example the output of `openssl rand -base64 32`.'

/** What is wrong with the options that only Nitro has, apart from `migrate`; the same when a server is built and when it starts. */
export function checkNitroOptions({ autoload, storage }: SessionOptions): OptionIssue[] {
  return [
    ...trueOrFalse('autoload', isUnset(autoload) ? true : autoload),
    ...checkStorage('storage', storage),
  ]
}

/** What is wrong with a storage mount or a driver. */
export function checkStorage(path: string, storage: unknown): OptionIssue[] {
  if (isUnset(storage) || typeof storage === 'string')
    return []
  if (typeof storage !== 'object' || Array.isArray(storage))
    return [issue(path, storage, 'Use the name of a mount, or { driver }.')]
  const { driver } = storage as { driver?: unknown }
  return typeof driver === 'string' && driver !== ''
    ? []
    : [isUnset(driver) ? { path: `${path}.driver`, problem: 'It is missing.', remedy: NAME_DRIVER } : issue(`${path}.driver`, driver, NAME_DRIVER)]
}

const NAME_DRIVER = 'Name a driver of unstorage, such as \'redis\'.'

/** Empty where only the environment may fill it. */
export function isUnset(value: unknown): value is undefined {
  return value === undefined || value === null || value === ''
}
