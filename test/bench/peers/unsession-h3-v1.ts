import type { Storage } from 'unstorage'
import type { Means, OpenPeer, Peer, PeerData, PeerStore } from './peer'
import { createApp, createRouter, eventHandler, toNodeListener } from 'h3'
import { importPacked } from '../support/product'
import { createBareH3V1 } from './h3-v1'
import { BIG_TEXT, DAY, SECRET, TEXT } from './peer'

type Product = Awaited<ReturnType<typeof importPacked>>
type Options = Parameters<Product['sessionMiddleware']>[0]

const bySetting: [store: PeerStore, configure: (means: Means, product: Product) => Omit<Options, 'secret'> | Promise<Omit<Options, 'secret'>>][] = [
  ['encrypted cookie', () => ({ mode: 'cookie' })],
  ['signed cookie', () => ({ mode: 'cookie', encrypt: false })],
  ['memory', async (_, { createUnstorageStore }) => ({ store: await createUnstorageStore({ type: 'memory' }) })],
  ['files', async ({ folder }, { createUnstorageStore }) => ({ store: await createUnstorageStore({ type: 'fs-lite', options: { base: folder } }) })],
  ['Redis', async ({ redisUrl }, { createUnstorageStore }) => ({ store: await createUnstorageStore({ type: 'redis', options: { url: redisUrl } }) })],
]

export const unsessionH3V1: readonly Peer[] = bySetting.map(([store, configure]) => ({
  name: 'unsession/h3',
  store,
  framework: 'h3 v1',
  packages: ['h3', 'unstorage', ...store === 'Redis' ? ['ioredis'] : []],
  async open(means) {
    const product = await importPacked()
    return open(product, { secret: SECRET, maxAge: DAY, ...await configure(means, product) })
  },
}))

function open({ sessionMiddleware, updateSession, getSession }: Product, options: Options): OpenPeer {
  const start = (text: string) => eventHandler(async (event) => {
    await updateSession(event, { count: 1, text })
    return { count: 1 }
  })
  const router = createRouter()
    .get('/new', start(TEXT))
    .get('/new-big', start(BIG_TEXT))
    .get('/read', eventHandler(event => ({ count: getSession<PeerData>(event)?.count ?? null })))
    .get('/write', eventHandler(async (event) => {
      const { count } = await updateSession<PeerData>(event, data => ({ count: data.count + 1 }))
      return { count }
    }))
    .get('/text', eventHandler(event => ({ text: getSession<PeerData>(event)?.text ?? null })))
    .get('/untouched', eventHandler(() => ({ count: 0 })))
  return {
    app: toNodeListener(createApp().use(sessionMiddleware(options)).use(router)),
    bare: createBareH3V1(),
    close: async () => (options.store as Partial<Storage> | undefined)?.dispose?.(),
  }
}
