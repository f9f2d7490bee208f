import type { Migrator } from '../../../core/manager'
import type { IronMigrateOptions } from '../types'
import { fromIronSession, type IronSessionOptions } from '../../../core/migration/iron-session'
import { createMigrator } from '../../../core/migration/old-cookie'
import { hasPassword } from './check-iron-session'

export { checkMigration } from './check-iron-session'

/** Without a password, as in development, there is nobody to let in. */
export function createMigration({ cookie, password }: IronMigrateOptions): Migrator | undefined {
  return hasPassword(password) ? createMigrator(fromIronSession({ cookie, password } as IronSessionOptions)) : undefined
}
