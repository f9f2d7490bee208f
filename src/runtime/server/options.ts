import type { ResolvedSessionOptions } from '../../core/options'
import type { SessionOptions } from './types'
import { developmentSecret } from '#unsession/host'
import { randomBytes } from '../../core/crypto/index'
import { toBase64Url } from '../../core/encoding'
import { issue, resolveOptions, trueOrFalse } from '../../core/resolve-options'
import { checkMigrate } from './migrate'

const SECRET_REMEDY = 'Set NITRO_SESSION_SECRET (in Nuxt also NUXT_SESSION_SECRET) to at least 32 random characters, for example the output of `openssl rand -base64 32`.'

/** Prerendering answers no visitor; a secret of the moment spares the build the real one. */
const PRERENDER_SECRET = import.meta.prerender ? toBase64Url(randomBytes(32)) : undefined

/**
 * Checks what runtime config holds when the server starts.
 *
 * @throws SessionError `CONFIG_ERROR`
 */
export function resolveRuntimeOptions(config: SessionOptions): ResolvedSessionOptions {
  const secret = PRERENDER_SECRET ?? (config.secret || developmentSecret)
  return resolveOptions({ ...config, secret }, {
    isProduction: !import.meta.dev,
    secretRemedy: SECRET_REMEDY,
    issues: [
      ...trueOrFalse('autoload', config.autoload ?? true),
      ...(['string', 'object', 'undefined'].includes(typeof config.storage) ? [] : [issue('storage', config.storage, 'Use the name of a mount, or { driver }.')]),
      ...checkMigrate(config),
    ],
  })
}
