import type { Migrator } from '../../../core/manager'
import type { CookieSessionMigrateOptions } from '../types'
import { fromCookieSession } from '../../../core/migration/cookie-session'
import { createMigrator } from '../../../core/migration/old-cookie'
import { keysOf } from './check-cookie-session'

export { checkMigration } from './check-cookie-session'

/** Without a secret, as in development, there is nobody to let in. */
export function createMigration({ cookie, secret }: CookieSessionMigrateOptions): Migrator | undefined {
  const keys = keysOf(secret) as string[]
  return keys.length > 0 ? createMigrator(fromCookieSession({ cookie, keys })) : undefined
}
