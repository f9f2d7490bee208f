import type { Nitro } from './build/nitro'
import { createHash } from 'node:crypto'
import { homedir, hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { checkConfig, checkShape } from './build/check-config'
import { addCleanup, needsCleanup, needsCleanupTimer } from './build/cleanup'
import { configFilesOf } from './build/config-files'
import { addDevtools } from './build/devtools'
import { isWorker } from './build/hosts'
import { leaveOut } from './build/left-out'
import { majorOf } from './build/major'
import { addMigration } from './build/migration'
import { addPageRoute, hasPages, warnOfStatic } from './build/pages'
import { addRuntimeConfig, configKeyOf, configOf, kindsOf } from './build/runtime-config'
import { addStorage } from './build/storage'
import { addTesting } from './build/testing'
import { configError, type OptionIssue } from './core/resolve-options'

export type * from './runtime/server/types'
export type { CoreSessionOptions, SessionCookieOptions, SessionMode } from './core/options'

const packageDir = fileURLToPath(new URL('.', import.meta.url))

/** Where the code is that becomes part of the server. */
const runtimeDir = fileURLToPath(new URL('./runtime/server', import.meta.url))

/** What the server code imports. Beside a bundle, each would be there as a whole, and not minified. */
const LIBRARIES = ['nanoid/']

/**
 * The Nitro module: `modules: ['unsession']` in nitro.config, options under `session`.
 *
 * @throws SessionError `CONFIG_ERROR` with all that is wrong with the options: names that do not
 * exist, bad values, a driver that cannot be loaded, and a host without a file system where
 * neither a storage driver nor cookie mode was chosen
 */
const module = {
  name: 'unsession',
  async setup(nitro: Nitro, configFiles = configFilesOf(nitro), issues: readonly OptionIssue[] = []): Promise<void> {
    await addOptions(nitro, configFiles, issues)
    await addStorage(nitro)
    await addMigration(nitro, `${runtimeDir}/migration`)
    addCleanup(nitro, `${runtimeDir}/tasks/cleanup`)
    await addServerCode(nitro)
    addDevtools(nitro, `${runtimeDir}/devtools`)
    if (hasPages(nitro)) {
      addPageRoute(nitro, `${runtimeDir}/routes/session`)
      warnOfStatic(nitro)
    }
    await majorOf(nitro).addAutoImports(nitro, `${runtimeDir}/index`)
  },
}

/** `nitro` makes it a plugin of Vite as well, which Nitro 3 finds beside its own. */
export default { ...module, nitro: module }

async function addOptions(nitro: Nitro, configFiles: readonly string[], more: readonly OptionIssue[]): Promise<void> {
  const subject = ['the session options', ...configFiles.length > 0 ? [`in ${configFiles.join(' and ')}`] : []].join(' ')
  const misshapen = checkShape(nitro)
  if (misshapen.length > 0)
    throw configError(misshapen, subject)
  addRuntimeConfig(nitro, nitro.options.session ?? {})
  const issues = [...await checkConfig(nitro), ...more]
  if (issues.length > 0)
    throw configError(issues, subject)
}

async function addServerCode(nitro: Nitro): Promise<void> {
  const { options } = nitro
  const major = majorOf(nitro)
  options.plugins.unshift(`${runtimeDir}/${major.dir}/plugin`)
  // Scanned before the app's own folder: the session is there when the app's middleware runs.
  options.scanDirs.unshift(`${runtimeDir}/scan`)
  options.virtual['#unsession/server'] = `export * from ${JSON.stringify(`${runtimeDir}/${major.dir}/host`)}`
  options.virtual['#unsession/host'] = () => hostModule(nitro)
  addTesting(nitro, `${runtimeDir}/testing`)
  major.keepRouteRules?.(nitro)
  major.keepInServer(nitro, [packageDir, 'unsession', ...LIBRARIES])
  await leaveOut(nitro, packageDir)
}

/** What the server code has to know of the build. */
function hostModule(nitro: Nitro): string {
  const { preset, dev, rootDir, experimental, features } = nitro.options
  return [
    `export const isConfiguredPerRequest = ${isWorker(preset)}`,
    `export const hasSockets = ${Boolean(features?.websocket ?? experimental.websocket)}`,
    `export const configKey = ${JSON.stringify(configKeyOf(nitro))}`,
    `export const optionKinds = ${JSON.stringify(kindsOf(configOf(nitro)))}`,
    `export const hasPages = ${hasPages(nitro)}`,
    `export const hasCleanup = ${needsCleanup(nitro)}`,
    `export const hasCleanupTimer = ${needsCleanupTimer(nitro)}`,
    `export const developmentSecret = ${JSON.stringify(dev ? createDevelopmentSecret(rootDir) : '')}`,
  ].join('\n')
}

/** The same after a restart, another one for each project and machine, and written nowhere. */
function createDevelopmentSecret(rootDir: string): string {
  return createHash('sha256').update(JSON.stringify(['unsession', rootDir, hostname(), homedir()])).digest('base64url')
}
