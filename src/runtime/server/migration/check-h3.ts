import type { OptionIssue } from '../../../core/resolve-options'
import type { Stage } from '../check-context'
import type { H3MigrateOptions } from '../types'
import { MIN_PASSWORD_LENGTH } from '../../../core/migration/iron'
import { issue } from '../../../core/resolve-options'
import { isUnset } from '../check-options'

const PASSWORD_REMEDY = 'Set NITRO_SESSION_MIGRATE_PASSWORD to the password that sealed the cookies, an array as JSON.'

export function checkMigration({ password, maxAge, idleTimeout }: H3MigrateOptions, _mode: string | undefined, stage: Stage): OptionIssue[] {
  const problem = problemOf(passwordsOf(password), stage)
  return [
    ...(problem ? [{ path: 'migrate.password', problem, remedy: PASSWORD_REMEDY }] : []),
    ...checkSeconds('migrate.maxAge', maxAge),
    ...checkSeconds('migrate.idleTimeout', idleTimeout),
  ]
}

function checkSeconds(path: string, value: number | undefined): OptionIssue[] {
  return isUnset(value) || (Number.isSafeInteger(value) && value! > 0) ? [] : [issue(path, value, 'Use a whole number of seconds, 1 or more.')]
}

export function passwordsOf(password: unknown): unknown[] {
  return [password ?? []].flat().filter(item => item !== '')
}

function problemOf(passwords: unknown[], stage: Stage): string | undefined {
  if (passwords.length === 0)
    return stage === 'production' ? 'It is missing.' : undefined
  if (!passwords.every(password => typeof password === 'string'))
    return 'It is not a string.'
  return passwords.every(password => password.length >= MIN_PASSWORD_LENGTH) ? undefined : `It has fewer than the ${MIN_PASSWORD_LENGTH} characters that h3 demands.`
}
