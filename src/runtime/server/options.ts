import type { ResolvedSessionOptions } from '../../core/options'
import type { SessionOptions } from './types'
import { developmentSecret } from '#unsession/host'
import { randomBytes } from '../../core/crypto/index'
import { toBase64Url } from '../../core/encoding'
import { resolveOptions } from '../../core/resolve-options'
import { checkNitroOptions, SECRET_REMEDY } from './check-options'
import { migrationContext } from './migrate'

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
    issues: checkNitroOptions(config, migrationContext),
  })
}
