import type { Migrator } from '../../core/manager'
import type { ResolvedSessionOptions } from '../../core/options'
import type { SessionStore } from '../../core/types'
import type { CheckMigration } from './check-context'
import type { OptionIssue } from '../../core/resolve-options'
import type { MigrateOptions, SessionOptions } from './types'
import { from, source } from '#unsession/migration'
import { testing } from '#unsession/testing'
import { issue, withoutUnset } from '../../core/resolve-options'
import { checkMigrate } from './migration/check'

/** What a migration may take from our own options. */
export interface MigrationContext {
  secrets: readonly string[]
  /** Missing in cookie mode. */
  store: SessionStore | undefined
  timeout: number
}

/** The code that the build chose for `migrate.from`. */
interface MigrationSource {
  checkMigration: CheckMigration
  /** Missing where an option is not given that may be missing here. */
  createMigration(options: MigrateOptions, context: MigrationContext): Migrator | undefined
}

const { checkMigration, createMigration } = (source ?? {}) as Partial<MigrationSource>

const REMEDY = `This build reads ${from ? `the cookies of '${from}'` : 'no cookies of other packages'}. Name the package in the config and build again; the environment can change its options only.`

/** What is wrong with `migrate` when the server starts. */
export function checkConfiguredMigration({ migrate, mode }: SessionOptions): OptionIssue[] {
  if (!from)
    return migrate ? [issue('migrate', migrate, REMEDY)] : []
  return checkMigrate(migrate, mode, {
    migrations: { [from]: checkMigration },
    migrationRemedy: REMEDY,
    stage: import.meta.dev === true || import.meta.prerender === true || testing?.isActive ? 'trial' : 'production',
  })
}

/** The migration that the options ask for. */
export function createConfiguredMigration(migrate: SessionOptions['migrate'], { secrets, timeout }: ResolvedSessionOptions, store: SessionStore | undefined): Migrator | undefined {
  if (!from || !migrate || import.meta.prerender)
    return undefined
  return createMigration!({ ...migrate, cookie: withoutUnset(migrate.cookie ?? {}) }, { secrets, timeout, store })
}
