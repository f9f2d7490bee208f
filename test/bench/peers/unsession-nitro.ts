import type { NitroConfig } from 'nitropack/types'
import type { RequestListener } from 'node:http'
import type { Means, OpenPeer, Peer, PeerStore } from './peer'
import { pathToFileURL } from 'node:url'
import { buildNitro } from '../../support/nitro'
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
  open: means => open(configure(means)),
}))

function withSession(session: object, storage?: object): NitroConfig {
  return { session: { maxAge: DAY, ...session }, ...storage && { storage: { session: storage } } } as NitroConfig
}

interface BuiltApp {
  listener: RequestListener
  remove(): Promise<void>
}

/** Without sessions all settings are the same. */
let sharedBare: Promise<BuiltApp> | undefined

async function open(config: NitroConfig): Promise<OpenPeer> {
  await packOnce()
  process.env.NITRO_SESSION_SECRET = SECRET
  sharedBare ??= build({ srcDir: 'bare' })
  const bare = await sharedBare
  const app = await build({ srcDir: 'sessions', modules: ['unsession'], ...config })
  return {
    app: app.listener,
    bare: bare.listener,
    // Its connections live as long as the process: the build exports nothing that ends them.
    async close() {
      sharedBare = undefined
      await app.remove()
      await bare.remove()
    },
  }
}

const TRAPS = ['uncaughtException', 'unhandledRejection'] as const

/** The app of a build, running in this process. */
async function build(config: NitroConfig): Promise<BuiltApp> {
  const { entry, remove } = await buildNitro('nitro-bench', { preset: 'node-listener', ...config })
  const before = TRAPS.map(name => process.rawListeners(name))
  const { listener } = await import(pathToFileURL(entry).href) as Pick<BuiltApp, 'listener'>
  // A server survives what nobody handled. Here it has to be seen.
  for (const [index, name] of TRAPS.entries()) {
    for (const trap of process.rawListeners(name).filter(each => !before[index]!.includes(each)))
      process.removeListener(name, trap as () => void)
  }
  return { listener, remove }
}
