import type { Nitro } from './nitro'
import { replaceDriverCode } from './driver-code'
import { hookOf } from './hooks'
import { isNode, isWorker, speaksHttp1Only } from './hosts'
import { hasPages } from './pages'
import { configOf } from './runtime-config'

/**
 * Keeps code out of production servers that their host or framework never runs. Without the
 * module, such as in `unsession/h3` alone, all of it is there and chosen at run time.
 *
 * @param dir the folder of this package's code, with a slash at its end
 */
export async function leaveOut(nitro: Nitro, dir: string): Promise<void> {
  if (nitro.options.dev)
    return
  const replacements = await replacementsFor(nitro)
  const base = toSlashes(dir)
  hookOf(nitro.hooks)('rollup:before', (_, { plugins }) => void plugins.unshift({
    name: 'unsession:left-out',
    load(id: string) {
      const path = toSlashes(id)
      return path.startsWith(base) ? replacements.get(path.slice(base.length).replace(/\.[jt]s$/, '')) : undefined
    },
  }))
}

/** The environment may have changed the mode since. */
const NO_STORAGE = `
import { configError } from '../../core/resolve-options'
export const releaseStorage = async () => {}
export const createNitroStore = () => {
  throw configError([{ path: 'mode', problem: 'This build is for cookie mode: it has no code for storage.', remedy: "Build with \`mode: 'storage'\`." }])
}`

/** Encryption is for cookie mode alone, and half of the cryptography. */
const NO_ENCRYPTION = `
import { configError } from '../resolve-options'
export const createPureAesGcm = () => {
  throw configError([{ path: 'mode', problem: 'This build is for storage: it has no encryption in JavaScript, and this host has no other.', remedy: "Build with \`mode: 'cookie'\`." }])
}`

/** What takes the place of our own modules, by their path. */
async function replacementsFor(nitro: Nitro): Promise<Map<string, string>> {
  const { preset } = nitro.options
  const { mode, migrate } = configOf(nitro)
  return new Map([
    ...await replaceDriverCode(nitro),
    // Nobody reads the messages of production to learn the options.
    ['core/option-hints', 'export const hintFor = () => undefined, nearest = () => undefined'] as const,
    ...isNode(preset)
      ? [['core/crypto/pure', 'export const createPureBackend = () => { throw new Error("This server was built for Node, and `node:crypto` does not work here.") }'] as const]
      : [],
    ...isWorker(preset)
      ? [
          ['core/stores/files', 'export const createFileStorage = () => undefined'] as const,
          ['http/held-response/index', 'export const holdNodeResponse = undefined'] as const,
        ]
      : [],
    // Nobody to take over sessions from.
    ...migrate
      ? []
      : [['core/session/migrating', 'export const oldCookieToLoad = () => undefined, migrate = undefined, expireOldCookie = undefined'] as const],
    ...speaksHttp1Only(nitro)
      ? [['http/held-response/http2', 'export const isHttp2 = () => false, holdHttp2 = undefined'] as const]
      : [],
    ...isWorker(preset) && mode !== 'cookie'
      ? [['core/crypto/pure-aes', NO_ENCRYPTION] as const]
      : [],
    // Such a build mounts nothing to keep records in; sessions that move in may be in a storage of their own.
    ...mode === 'cookie' && !migrate
      ? [
          ['core/storage/stored-records', 'export const StoredRecords = undefined'] as const,
          ['runtime/server/storage', NO_STORAGE] as const,
        ]
      : [],
    ...hasPages(nitro)
      ? []
      : [['core/session/page', 'export const createPageSession = undefined, changesOf = undefined'] as const],
  ])
}

function toSlashes(path: string): string {
  return path.replaceAll('\\', '/')
}
