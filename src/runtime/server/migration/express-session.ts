import type { OptionIssue } from '../../../core/resolve-options'
import type { OldCookieOpener } from '../../../core/migration/old-cookie'
import type { SessionStore } from '../../../core/types'
import type { ExpressMigrateOptions } from '../types'
import type { MigrationContext } from '../migrate'
import { createDriver, driverName } from '#unsession/migration'
import { fromExpressSession } from '../../../core/migration/express-session'
import { createOldCookieOpener } from '../../../core/migration/old-cookie'
import { issue } from '../../../core/resolve-options'
import { createDriverStore, createMountStore } from '../storage'

const SECRET_REMEDY = 'Set NITRO_SESSION_MIGRATE_SECRET to the secret of the other package, an array as JSON, or leave it out where both have the same.'

export function checkMigration({ secret, storage }: ExpressMigrateOptions, mode: string | undefined): OptionIssue[] {
  const isSecret = [secret ?? []].flat().every(item => typeof item === 'string')
  const isStorage = typeof storage === 'object' ? !Array.isArray(storage) : ['string', 'undefined'].includes(typeof storage)
  return [
    ...(isSecret ? [] : [{ path: 'migrate.secret', problem: 'It is not a string.', remedy: SECRET_REMEDY }]),
    ...(isStorage ? [] : [issue('migrate.storage', storage, 'Use the name of a mount, or { driver }.')]),
    ...(!storage && mode === 'cookie' ? [{ path: 'migrate.storage', problem: 'It is missing.', remedy: 'Name the mount or the driver where the other package keeps its records.' }] : []),
  ]
}

/** Without a secret and a storage of its own, the other package had those of ours. */
export function createMigration({ cookie, secret, storage }: ExpressMigrateOptions, { secrets, store, timeout }: MigrationContext): OldCookieOpener {
  const given = [secret ?? []].flat().filter(item => item !== '')
  return createOldCookieOpener(fromExpressSession({
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
