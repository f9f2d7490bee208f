import type { OptionIssue } from '../../../core/resolve-options'
import type { OldCookieOpener } from '../../../core/migration/old-cookie'
import type { H3MigrateOptions } from '../types'
import { fromH3Session } from '../../../core/migration/h3-session'
import { createOldCookieOpener } from '../../../core/migration/old-cookie'
import { issue } from '../../../core/resolve-options'

/** h3 takes no shorter one. */
const MIN_PASSWORD_LENGTH = 32

const PASSWORD_REMEDY = 'Set NITRO_SESSION_MIGRATE_PASSWORD to the password that sealed the cookies, an array as JSON.'

export function checkMigration({ password, maxAge }: H3MigrateOptions): OptionIssue[] {
  const problem = problemOf(passwordsOf(password))
  return [
    // A build that prerenders, and development, have nobody to let in.
    ...(problem && !(isOptional && !password) ? [{ path: 'migrate.password', problem, remedy: PASSWORD_REMEDY }] : []),
    ...(isUnset(maxAge) || (Number.isSafeInteger(maxAge) && maxAge! > 0) ? [] : [issue('migrate.maxAge', maxAge, 'Use a whole number of seconds, 1 or more.')]),
  ]
}

export function createMigration({ cookie, password, maxAge }: H3MigrateOptions): OldCookieOpener | undefined {
  const passwords = passwordsOf(password) as string[]
  return passwords.length > 0 ? createOldCookieOpener(fromH3Session({ cookie, password: passwords, maxAge: isUnset(maxAge) ? undefined : maxAge })) : undefined
}

const isOptional = import.meta.dev === true || import.meta.prerender === true

function passwordsOf(password: unknown): unknown[] {
  return [password ?? []].flat().filter(item => item !== '')
}

function problemOf(passwords: unknown[]): string | undefined {
  if (passwords.length === 0)
    return 'It is missing.'
  if (!passwords.every(password => typeof password === 'string'))
    return 'It is not a string.'
  return passwords.every(password => password.length >= MIN_PASSWORD_LENGTH) ? undefined : `It has fewer than the ${MIN_PASSWORD_LENGTH} characters that h3 demands.`
}

/** Empty where only the environment may fill it. */
function isUnset(value: unknown): value is undefined {
  return value === undefined || value === ''
}
