import type { OldCookieOpener } from '../../../core/manager'
import type { IronMigrateOptions } from '../types'
import { fromIronSession, type IronSessionOptions } from '../../../core/migration/iron-session'
import { createOldCookieOpener } from '../../../core/migration/old-cookie'
import { hasPassword } from './check-iron-session'

export { checkMigration } from './check-iron-session'

/** Without a password, as in development, there is nobody to let in. */
export function createMigration({ cookie, password }: IronMigrateOptions): OldCookieOpener | undefined {
  return hasPassword(password) ? createOldCookieOpener(fromIronSession({ cookie, password } as IronSessionOptions)) : undefined
}
