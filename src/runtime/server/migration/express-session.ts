import type { Migrator } from '../../../core/manager'
import type { SessionStore } from '../../../core/types'
import type { ExpressMigrateOptions } from '../types'
import type { MigrationContext } from '../migrate'
import { createDriver, driverName } from '#unsession/migration'
import { fromExpressSession } from '../../../core/migration/express-session'
import { createMigrator } from '../../../core/migration/old-cookie'
import { createDriverStore, createMountStore } from '../storage'

export { checkMigration } from './check-express-session'

/** Without a secret and a storage of its own, the other package had those of ours. */
export function createMigration({ cookie, secret, storage }: ExpressMigrateOptions, { secrets, store, timeout }: MigrationContext): Migrator {
  const given = [secret ?? []].flat().filter(item => item !== '')
  return createMigrator(fromExpressSession({
    cookie,
    secret: given.length > 0 ? given : secrets,
    store: storage ? openStore(storage, timeout) : store!,
  }))
}

function openStore(storage: NonNullable<ExpressMigrateOptions['storage']>, timeout: number): SessionStore {
  return typeof storage === 'string'
    ? createMountStore('migrate.storage', storage, timeout)
    : createDriverStore('migrate.storage', storage, { createDriver, driverName }, timeout)
}
