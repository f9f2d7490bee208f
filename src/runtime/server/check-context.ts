import type { OptionIssue } from '../../core/resolve-options'
import type { MigrateOptions, SessionOptions } from './types'

/** What is known of a server when its options are checked: at its start, or before that while it is built. */
export interface CheckContext {
  /** The checks of the packages whose cookies it can read. */
  migrations: { readonly [from in MigrateOptions['from']]?: CheckMigration }
  /** How to name one that it can read. */
  migrationRemedy: string
  stage: Stage
}

/**
 * In `build` the environment has not filled in anything yet. In `trial`, which is development,
 * tests and prerendering, nobody comes who has a cookie of another package.
 */
export type Stage = 'build' | 'trial' | 'production'

/** What is wrong with the options of one package's sessions, apart from its cookie. */
export type CheckMigration = (options: never, mode: SessionOptions['mode'], stage: Stage) => OptionIssue[]
