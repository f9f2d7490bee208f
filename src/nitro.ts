import type { Nitro } from 'nitropack/types'
import type { SessionOptions } from './runtime/server/types'
import { createHash } from 'node:crypto'
import { homedir, hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { addAutoImports } from './build/auto-imports'
import { addCleanup, needsCleanupTimer } from './build/cleanup'
import { addDevtools } from './build/devtools'
import { addPageRoute, hasPages } from './build/pages'
import { addRuntimeConfig, configKeyOf } from './build/runtime-config'
import { addStorage } from './build/storage'

export type * from './runtime/server/types'
export type { CoreSessionOptions, SessionCookieOptions, SessionMode } from './core/options'

/** Where the code is that becomes part of the server. */
const runtimeDir = fileURLToPath(new URL('./runtime/server', import.meta.url))

/**
 * The Nitro module: `modules: ['unsession']` in nitro.config, options under `session`.
 *
 * @throws SessionError `CONFIG_ERROR` for options that do not exist, and for a host without a
 * file system where neither a storage driver nor cookie mode was chosen
 */
const unsession = {
  name: 'unsession',
  setup(nitro: Nitro): void {
    const options: SessionOptions = nitro.options.session ?? {}
    addRuntimeConfig(nitro, options)
    addStorage(nitro)
    addCleanup(nitro, `${runtimeDir}/tasks/cleanup`)
    addServerCode(nitro)
    addDevtools(nitro, `${runtimeDir}/devtools`)
    if (hasPages(nitro))
      addPageRoute(nitro, `${runtimeDir}/routes/session`)
    addAutoImports(nitro, `${runtimeDir}/index`)
  },
}

export default unsession

function addServerCode(nitro: Nitro): void {
  const { options } = nitro
  options.plugins.unshift(`${runtimeDir}/plugin`)
  // Scanned before the app's own folder: the session is there when the app's middleware runs.
  options.scanDirs.unshift(`${runtimeDir}/scan`)
  options.virtual['#unsession/host'] = hostModule(nitro)
  // The server code imports Nitro's virtual modules, so it cannot stay in node_modules.
  const externals = (options.externals ?? {}) as Partial<NonNullable<Nitro['options']['externals']>>
  const inline = [...externals.inline ?? [], fileURLToPath(new URL('.', import.meta.url)), 'unsession']
  options.externals = { ...externals, inline } as typeof options.externals
}

/** What the server code has to know of the build. */
function hostModule(nitro: Nitro): string {
  const { preset, dev, rootDir } = nitro.options
  // Workers get their environment with each request.
  const isConfiguredPerRequest = /^(?:cloudflare|base-worker|service-worker|winterjs)/.test(preset)
  return [
    `export const isConfiguredPerRequest = ${isConfiguredPerRequest}`,
    `export const configKey = ${JSON.stringify(configKeyOf(nitro))}`,
    `export const hasPages = ${hasPages(nitro)}`,
    `export const hasCleanupTimer = ${needsCleanupTimer(nitro)}`,
    `export const developmentSecret = ${JSON.stringify(dev ? createDevelopmentSecret(rootDir) : '')}`,
  ].join('\n')
}

/** The same after a restart, another one for each project and machine, and written nowhere. */
function createDevelopmentSecret(rootDir: string): string {
  return createHash('sha256').update(JSON.stringify(['unsession', rootDir, hostname(), homedir()])).digest('base64url')
}
