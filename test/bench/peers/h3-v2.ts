import type { Peer, PeerData } from './peer'
import type { RequestListener } from 'node:http'
import { H3, useSession } from 'h3-v2'
import { toNodeHandler } from 'h3-v2/node'
import { BIG_TEXT, DAY, PATHS, SECRET, TEXT } from './peer'

export const h3V2: Peer = {
  name: 'h3 `useSession`',
  store: 'encrypted cookie',
  framework: 'h3 v2',
  packages: ['h3-v2'],
  async open() {
    const config = { password: SECRET, maxAge: DAY }
    const app = new H3()
    for (const [path, text] of [['/new', TEXT], ['/new-big', BIG_TEXT]] as const) {
      app.get(path, async (event) => {
        const session = await useSession<PeerData>(event, config)
        await session.update({ count: 1, text })
        return { count: 1 }
      })
    }
    app.get('/read', async event => ({ count: (await useSession<PeerData>(event, config)).data.count ?? null }))
    app.get('/write', async (event) => {
      const session = await useSession<PeerData>(event, config)
      await session.update(data => ({ count: data.count! + 1 }))
      return { count: session.data.count }
    })
    app.get('/text', async event => ({ text: (await useSession<PeerData>(event, config)).data.text ?? null }))
    app.get('/untouched', () => ({ count: 0 }))
    return { app: toListener(app), bare: createBareH3V2(), close: async () => {} }
  },
}

export function toListener(app: H3): RequestListener {
  return toNodeHandler(app) as RequestListener
}

/** An app of h3 v2 with the same routes and without sessions. */
export function createBareH3V2(): RequestListener {
  const app = new H3()
  for (const path of PATHS)
    app.get(path, () => ({ count: 0 }))
  return toListener(app)
}
