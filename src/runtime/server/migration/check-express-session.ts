import type { OptionIssue } from '../../../core/resolve-options'
import type { ExpressMigrateOptions } from '../types'
import type { Stage } from '../check-context'
import { checkStorage, isUnset } from '../check-options'

const SECRET_REMEDY = 'Set NITRO_SESSION_MIGRATE_SECRET to the secret of the other package, an array as JSON, or leave it out where both have the same.'

export function checkMigration({ secret, storage }: ExpressMigrateOptions, mode: string | undefined, stage: Stage): OptionIssue[] {
  const isSecret = [secret ?? []].flat().every(item => typeof item === 'string')
  return [
    ...(isSecret ? [] : [{ path: 'migrate.secret', problem: 'It is not a string.', remedy: SECRET_REMEDY }]),
    ...checkStorage('migrate.storage', storage),
    ...(stage !== 'build' && isUnset(storage) && mode === 'cookie' ? [{ path: 'migrate.storage', problem: 'It is missing.', remedy: 'Name the mount or the driver where the other package keeps its records.' }] : []),
  ]
}
