import type { ResolvedSessionOptions } from '../../core/options'
import type { SessionOptions } from './types'
import { developmentSecret } from '#unsession/host'
import { testing } from '#unsession/testing'
import { CALL } from '../../http/managers'
import { randomBytes } from '../../core/crypto/index'
import { toBase64Url } from '../../core/encoding'
import { unknownOptions } from '../../core/option-names'
import { OPTIONS } from '../../core/options'
import { type OptionIssue, resolveOptions } from '../../core/resolve-options'
import { checkNitroOptions, SECRET_REMEDY } from './check-options'
import { checkConfiguredMigration } from './migrate'

/** Prerendering answers no visitor; a secret of the moment spares the build the real one. */
const PRERENDER_SECRET = import.meta.prerender ? toBase64Url(randomBytes(32)) : undefined

/** The options that a session of its own can have; the others are one for all. */
const { mode: _mode, secret: _secret, timeout: _timeout, expose: _expose, ...CALL_OPTIONS } = OPTIONS

/**
 * Checks what runtime config holds when the server starts, or with what a call lays over it.
 *
 * @param ofCall what is wrong with the names of the call's options
 * @throws SessionError `CONFIG_ERROR`
 */
export function resolveRuntimeOptions(config: SessionOptions, ofCall?: OptionIssue[]): ResolvedSessionOptions {
  const secret = PRERENDER_SECRET ?? (config.secret || developmentSecret || testing?.secret)
  return resolveOptions({ ...config, secret }, {
    isProduction: !import.meta.dev,
    secretRemedy: testing?.secretRemedy ?? SECRET_REMEDY,
    issues: [...checkNitroOptions(config), ...checkConfiguredMigration(config), ...ofCall ?? []],
    subject: ofCall && CALL,
  })
}

/** What is wrong with the names of a call's options. */
export function checkOverrides(config: SessionOptions, overrides: object): OptionIssue[] {
  return unknownOptions(overrides, CALL_OPTIONS).map(found =>
    Object.hasOwn(config, found.path) ? { ...found, problem: 'It is one for all sessions.', remedy: 'Set it in the config.' } : found)
}
