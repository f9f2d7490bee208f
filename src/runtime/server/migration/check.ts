import type { OptionIssue } from '../../../core/resolve-options'
import type { CheckContext } from '../check-context'
import type { MigrateOptions, SessionOptions } from '../types'
import { checkCookieAddress, issue, withoutUnset } from '../../../core/resolve-options'

/** What is wrong with `migrate`. */
export function checkMigrate(migrate: unknown, mode: SessionOptions['mode'], { migrations, migrationRemedy, stage }: CheckContext): OptionIssue[] {
  if (!migrate)
    return []
  if (typeof migrate !== 'object' || Array.isArray(migrate))
    return [issue('migrate', migrate, migrationRemedy)]
  const { from, cookie = {} } = migrate as MigrateOptions
  const check = Object.hasOwn(migrations, String(from)) ? migrations[from] : undefined
  if (!check)
    return [issue('migrate.from', from, migrationRemedy)]
  return [...checkCookie(cookie), ...check(migrate as never, mode, stage)]
}

function checkCookie(cookie: MigrateOptions['cookie']): OptionIssue[] {
  if (typeof cookie !== 'object' || Array.isArray(cookie))
    return [issue('migrate.cookie', cookie, 'Use an object of name, path and domain.')]
  return checkCookieAddress('migrate.cookie', withoutUnset(cookie ?? {}))
}
