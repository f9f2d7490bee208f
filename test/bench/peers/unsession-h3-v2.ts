import type { OpenPeer, Peer, PeerData, PeerStore } from './peer'
import { H3 } from 'h3-v2'
import { importPacked } from '../support/product'
import { createBareH3V2, toListener } from './h3-v2'
import { BIG_TEXT, DAY, SECRET, TEXT } from './peer'

type Product = Awaited<ReturnType<typeof importPacked>>
type Options = Parameters<Product['sessionMiddleware']>[0]

const bySetting: [store: PeerStore, configure: (product: Product) => Omit<Options, 'secret'> | Promise<Omit<Options, 'secret'>>][] = [
  ['encrypted cookie', () => ({ mode: 'cookie' })],
  ['memory', async ({ createUnstorageStore }) => ({ store: await createUnstorageStore({ type: 'memory' }) })],
]

export const unsessionH3V2: readonly Peer[] = bySetting.map(([store, configure]) => ({
  name: 'unsession/h3',
  store,
  framework: 'h3 v2',
  packages: ['h3-v2', 'unstorage'],
  async open() {
    const product = await importPacked()
    return open(product, { secret: SECRET, maxAge: DAY, ...await configure(product) })
  },
}))

function open({ sessionMiddleware, updateSession, getSession }: Product, options: Options): OpenPeer {
  const app = new H3()
  app.use(sessionMiddleware(options))
  for (const [path, text] of [['/new', TEXT], ['/new-big', BIG_TEXT]] as const) {
    app.get(path, async (event) => {
      await updateSession(event, { count: 1, text })
      return { count: 1 }
    })
  }
  app.get('/read', event => ({ count: getSession<PeerData>(event)?.count ?? null }))
  app.get('/write', async (event) => {
    const { count } = await updateSession<PeerData>(event, data => ({ count: data.count + 1 }))
    return { count }
  })
  app.get('/text', event => ({ text: getSession<PeerData>(event)?.text ?? null }))
  app.get('/untouched', () => ({ count: 0 }))
  return { app: toListener(app), bare: createBareH3V2(), close: async () => {} }
}
