import type { OptionIssue } from '../../../core/resolve-options'
import type { Stage } from '../check-context'
import type { IronMigrateOptions } from '../types'
import { passwordProblem, passwordsById } from '../../../core/migration/iron-passwords'
import { isUnset } from '../check-options'

const NAME_REMEDY = 'Name the cookie in the config as `cookieName` did in iron-session, or set NITRO_SESSION_MIGRATE_COOKIE_NAME.'
const PASSWORD_REMEDY = 'Set NITRO_SESSION_MIGRATE_PASSWORD to the password that sealed the cookies, several as JSON: {"1":"...","2":"..."}.'

export function checkMigration({ cookie, password }: IronMigrateOptions, _mode: string | undefined, stage: Stage): OptionIssue[] {
  const isNameMissing = stage !== 'build' && typeof (cookie ?? {}) === 'object' && isUnset(cookie?.name)
  const problem = hasPassword(password) ? passwordProblem(password) : stage === 'production' && 'It is missing.'
  return [
    ...(isNameMissing ? [{ path: 'migrate.cookie.name', problem: 'It is missing.', remedy: NAME_REMEDY }] : []),
    ...(problem ? [{ path: 'migrate.password', problem, remedy: PASSWORD_REMEDY }] : []),
  ]
}

/** False where only the environment may fill it. */
export function hasPassword(password: IronMigrateOptions['password']): boolean {
  return typeof password === 'object' && password !== null && !Array.isArray(password) ? passwordsById(password).size > 0 : !isUnset(password)
}
