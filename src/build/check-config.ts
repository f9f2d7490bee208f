import type { Nitro } from './nitro'
import type { OptionIssue } from '../core/resolve-options'
import type { CheckContext } from '../runtime/server/check-context'
import type { SessionOptions } from '../runtime/server/types'
import { checkOptions, issue, trueOrFalse } from '../core/resolve-options'
import { checkNitroOptions, SECRET_REMEDY } from '../runtime/server/check-options'
import { checkMigrate } from '../runtime/server/migration/check'
import { checkMigration as checkCookieSessionMigration } from '../runtime/server/migration/check-cookie-session'
import { checkMigration as checkExpressMigration } from '../runtime/server/migration/check-express-session'
import { checkMigration as checkH3Migration } from '../runtime/server/migration/check-h3'
import { checkMigration as checkIronMigration } from '../runtime/server/migration/check-iron-session'
import { checkDriver } from './drivers'
import { checkRouteRules } from './route-rules'
import { checkNames, configOf } from './runtime-config'
import { checkPlace } from './storage'

const CONTEXT: CheckContext = {
  migrations: {
    'express-session': checkExpressMigration,
    'h3': checkH3Migration,
    'iron-session': checkIronMigration,
    'cookie-session': checkCookieSessionMigration,
  },
  migrationRemedy: 'Use { from: \'express-session\' }, { from: \'h3\' }, { from: \'iron-session\' } or { from: \'cookie-session\' }.',
  stage: 'build',
}

/**
 * Everything that is wrong with the options of a build, by the rules of the server's start. What
 * is missing may still come from the environment.
 */
export async function checkConfig(nitro: Nitro): Promise<OptionIssue[]> {
  const merged = configOf(nitro)
  const config = nitro.options.experimental.envExpansion ? withoutPlaceholders(merged) as SessionOptions : merged
  return [
    ...checkNames(nitro),
    ...trueOrFalse('autoImports', nitro.options.session?.autoImports ?? false),
    ...('autoImports' in merged ? [{ path: 'runtimeConfig.session.autoImports', problem: 'It is for the build.', remedy: 'Set it under `session`.' }] : []),
    ...checkOptions(config, {
      // In development, too, the environment may still make the cookie secure.
      isProduction: true,
      isSecretNeeded: false,
      secretRemedy: SECRET_REMEDY,
      issues: [...checkNitroOptions(config), ...checkMigrate(config.migrate, config.mode, CONTEXT)],
    }),
    ...checkPlace(nitro),
    ...await checkDriver(nitro, 'storage', config.storage),
    ...await checkDriver(nitro, 'migrate.storage', (config.migrate as { storage?: unknown } | undefined)?.storage),
    ...checkRouteRules(nitro),
  ]
}

/** What is wrong with what should be the options. */
export function checkShape({ options: { session, runtimeConfig } }: Nitro): OptionIssue[] {
  const given = { session, 'runtimeConfig.session': (runtimeConfig as { session?: unknown }).session }
  return Object.entries(given).flatMap(([path, value]) =>
    value === undefined || value === null || (typeof value === 'object' && !Array.isArray(value)) ? [] : [issue(path, value, 'Use an object of options.')])
}

/** Texts such as `{{SECRET}}`, which the environment replaces where Nitro is told so, are not set yet. */
function withoutPlaceholders(value: unknown): unknown {
  if (typeof value === 'string')
    return /\{\{[^{}]*\}\}/.test(value) ? '' : value
  if (Array.isArray(value))
    return value.map(withoutPlaceholders)
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutPlaceholders(part)]))
    : value
}
