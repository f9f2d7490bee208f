import type { Nitro } from './nitro'
import { needsCleanup } from './cleanup'
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

const NO_NODE_CRYPTO = 'export const createPureBackend = () => { throw new Error("This server was built for Node, and `node:crypto` does not work here.") }'

/** What takes the place of our own modules, by their path. */
async function replacementsFor(nitro: Nitro): Promise<Map<string, string>> {
  return new Map([...await replaceDriverCode(nitro), ...withoutHost(nitro), ...withoutOptions(nitro)])
}

type Replacements = [path: string, code: string][]

/** For what the host cannot run. */
function withoutHost(nitro: Nitro): Replacements {
  const { preset } = nitro.options
  const replacements: Replacements = []
  if (isNode(preset))
    replacements.push(['core/crypto/pure', NO_NODE_CRYPTO])
  if (isWorker(preset))
    replacements.push(['core/stores/files', 'export const createFileStorage = () => undefined'], ['core/tracing', 'export const createTracer = () => undefined'], ['http/held-response/index', 'export const holdNodeResponse = undefined'])
  if (speaksHttp1Only(nitro))
    replacements.push(['http/held-response/http2', 'export const isHttp2 = () => false, holdHttp2 = undefined'])
  return replacements
}

/** For what the config does not ask for. */
function withoutOptions(nitro: Nitro): Replacements {
  const { mode, migrate } = configOf(nitro)
  // Nobody reads the messages of production to learn the options.
  const replacements: Replacements = [['core/option-hints', 'export const hintFor = () => undefined, nearest = () => undefined']]
  // Such a build mounts nothing to keep records in; sessions that move in may be in a storage of their own.
  if (mode === 'cookie' && !migrate)
    replacements.push(['core/storage/stored-records', 'export const StoredRecords = undefined'], ['runtime/server/storage', NO_STORAGE])
  if (!needsCleanup(nitro))
    replacements.push(['core/stores/listing', 'export const listKeys = undefined'])
  if (!hasPages(nitro))
    replacements.push(['core/session/page', 'export const createPageSession = undefined, changesOf = undefined'])
  return replacements
}

function toSlashes(path: string): string {
  return path.replaceAll('\\', '/')
}
