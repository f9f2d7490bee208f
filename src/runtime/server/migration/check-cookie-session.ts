import type { OptionIssue } from '../../../core/resolve-options'
import type { Stage } from '../check-context'
import type { CookieSessionMigrateOptions } from '../types'

const SECRET_REMEDY = 'Set NITRO_SESSION_MIGRATE_SECRET to the `secret` of the other package, or to its `keys`, an array as JSON.'

export function checkMigration({ secret }: CookieSessionMigrateOptions, _mode: string | undefined, stage: Stage): OptionIssue[] {
  const problem = problemOf(keysOf(secret), stage)
  return problem ? [{ path: 'migrate.secret', problem, remedy: SECRET_REMEDY }] : []
}

export function keysOf(secret: unknown): unknown[] {
  return [secret ?? []].flat().filter(item => item !== '')
}

function problemOf(keys: unknown[], stage: Stage): string | undefined {
  if (keys.length === 0)
    return stage === 'production' ? 'It is missing.' : undefined
  return keys.every(key => typeof key === 'string') ? undefined : 'It is not a string.'
}
