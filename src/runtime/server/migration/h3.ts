import type { Migrator } from '../../../core/manager'
import type { H3MigrateOptions } from '../types'
import { fromH3Session } from '../../../core/migration/h3-session'
import { createMigrator } from '../../../core/migration/old-cookie'
import { isUnset } from '../check-options'
import { passwordsOf } from './check-h3'

export { checkMigration } from './check-h3'

/** Without a password, as in development, there is nobody to let in. */
export function createMigration({ cookie, password, maxAge, idleTimeout }: H3MigrateOptions): Migrator | undefined {
  const secondsOf = (value: number | undefined): number | undefined => isUnset(value) ? undefined : value
  const passwords = passwordsOf(password) as string[]
  return passwords.length > 0 ? createMigrator(fromH3Session({ cookie, password: passwords, maxAge: secondsOf(maxAge), idleTimeout: secondsOf(idleTimeout) })) : undefined
}
