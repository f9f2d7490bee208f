import type { OldCookieOpener } from '../../core/migration/old-cookie'
import type { ResolvedSessionOptions } from '../../core/options'
import type { OptionIssue } from '../../core/resolve-options'
import type { SessionStore } from '../../core/types'
import type { MigrateOptions, SessionOptions } from './types'
import { from, source } from '#unsession/migration'
import { checkCookieAddress, issue, withoutUnset } from '../../core/resolve-options'

/** What a migration may take from our own options. */
export interface MigrationContext {
  secrets: readonly string[]
  /** Missing in cookie mode. */
  store: SessionStore | undefined
  timeout: number
}

/** The code that the build chose for `migrate.from`. */
interface MigrationSource {
  checkMigration(options: MigrateOptions, mode: SessionOptions['mode']): OptionIssue[]
  /** Missing where an option is not given that may be missing here. */
  createMigration(options: MigrateOptions, context: MigrationContext): OldCookieOpener | undefined
}

const { checkMigration, createMigration } = (source ?? {}) as Partial<MigrationSource>

/** What is wrong with `migrate`. */
export function checkMigrate({ migrate, mode }: SessionOptions): OptionIssue[] {
  if (!migrate)
    return []
  const remedy = `This build reads ${from ? `the cookies of '${from}'` : 'no cookies of other packages'}. Name the package in the config and build again; the environment can change its options only.`
  if (typeof migrate !== 'object')
    return [issue('migrate', migrate, remedy)]
  if (migrate.from !== from)
    return [issue('migrate.from', migrate.from, remedy)]
  if (typeof (migrate.cookie ?? {}) !== 'object')
    return [issue('migrate.cookie', migrate.cookie, 'Use an object of name, path and domain.')]
  const { name, path, domain } = withoutUnset(migrate.cookie ?? {})
  return [
    ...checkCookieAddress('migrate.cookie', { name, path, domain }),
    ...checkMigration!(migrate, mode),
  ]
}

/** The migration that the options ask for. */
export function createConfiguredMigration(migrate: SessionOptions['migrate'], { secrets, timeout }: ResolvedSessionOptions, store: SessionStore | undefined): OldCookieOpener | undefined {
  if (!migrate || import.meta.prerender)
    return undefined
  return createMigration!({ ...migrate, cookie: withoutUnset(migrate.cookie ?? {}) }, { secrets, timeout, store })
}
