import type { NitroConfig } from 'nitropack/types'
import type { RequestListener } from 'node:http'
import type { NitroBuild } from '../../support/nitro'
import type { Means, OpenPeer, Peer, PeerBuild, PeerStore } from './peer'
import { pathToFileURL } from 'node:url'
import { packOnce } from '../support/product'
import { DAY, SECRET } from './peer'

const bySetting: [name: string, store: PeerStore, configure: (means: Means) => NitroConfig][] = [
  ['unsession', 'encrypted cookie', () => withSession({ mode: 'cookie' })],
  ['unsession', 'signed cookie', () => withSession({ mode: 'cookie', encrypt: false })],
  ['unsession', 'memory', () => withSession({}, { driver: 'memory' })],
  ['unsession, autoload off', 'memory', () => withSession({ autoload: false }, { driver: 'memory' })],
  ['unsession', 'files', ({ folder }) => withSession({}, { driver: 'fs-lite', base: folder })],
  ['unsession', 'Redis', ({ redisUrl }) => withSession({ storage: { driver: 'redis', url: redisUrl } })],
]

/** The product where it is at home: production builds for Nitro 2. */
export const unsessionNitro: readonly Peer[] = bySetting.map(([name, store, configure]) => ({
  name,
  store,
  framework: 'Nitro 2',
  packages: ['nitropack', 'h3', 'unstorage', ...store === 'Redis' ? ['ioredis'] : []],
  build: means => build(configure(means)),
  open: means => open(means, configure(means)),
}))

function withSession(session: object, storage?: object): NitroConfig {
  return { session: { maxAge: DAY, ...session }, ...storage && { storage: { session: storage } } } as NitroConfig
}

/** Without sessions all settings are the same. */
let sharedBare: Promise<NitroBuild> | undefined

async function build(config: NitroConfig): Promise<PeerBuild> {
  await packOnce()
  // What builds is no part of a server that was built.
  const { buildNitro } = await import('../../support/nitro')
  sharedBare ??= buildNitro('nitro-bench', { preset: 'node-listener', srcDir: 'bare' })
  const bare = await sharedBare
  const app = await buildNitro('nitro-bench', { preset: 'node-listener', srcDir: 'sessions', modules: ['unsession'], ...config })
  return {
    entries: { app: app.entry, bare: bare.entry },
    async remove() {
      sharedBare = undefined
      await app.remove()
      await bare.remove()
    },
  }
}

async function open(means: Means, config: NitroConfig): Promise<OpenPeer> {
  const built = means.entries ? undefined : await build(config)
  const { app, bare } = means.entries ?? built!.entries
  process.env.NITRO_SESSION_SECRET = SECRET
  return {
    app: await load(app),
    bare: await load(bare),
    // Its connections live as long as the process: the build exports nothing that ends them.
    close: async () => built?.remove(),
  }
}

const TRAPS = ['uncaughtException', 'unhandledRejection'] as const

/** The app of a build, running in this process. */
async function load(entry: string): Promise<RequestListener> {
  const before = TRAPS.map(name => process.rawListeners(name))
  const { listener } = await import(pathToFileURL(entry).href) as { listener: RequestListener }
  // A server survives what nobody handled. Here it has to be seen.
  for (const [index, name] of TRAPS.entries()) {
    for (const trap of process.rawListeners(name).filter(each => !before[index]!.includes(each)))
      process.removeListener(name, trap as () => void)
  }
  return listener
}
