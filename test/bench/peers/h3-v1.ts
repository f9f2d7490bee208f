import type { Peer, PeerData } from './peer'
import { createApp, createRouter, eventHandler, toNodeListener, useSession } from 'h3'
import { BIG_TEXT, DAY, PATHS, SECRET, TEXT } from './peer'

export const h3V1: Peer = {
  name: 'h3 `useSession`',
  store: 'encrypted cookie',
  framework: 'h3 v1',
  packages: ['h3'],
  async open() {
    const config = { password: SECRET, maxAge: DAY }
    const start = (text: string) => eventHandler(async (event) => {
      const session = await useSession<PeerData>(event, config)
      await session.update({ count: 1, text })
      return { count: 1 }
    })
    const router = createRouter()
      .get('/new', start(TEXT))
      .get('/new-big', start(BIG_TEXT))
      .get('/read', eventHandler(async event => ({ count: (await useSession<PeerData>(event, config)).data.count ?? null })))
      .get('/write', eventHandler(async (event) => {
        const session = await useSession<PeerData>(event, config)
        await session.update(data => ({ count: data.count! + 1 }))
        return { count: session.data.count }
      }))
      .get('/text', eventHandler(async event => ({ text: (await useSession<PeerData>(event, config)).data.text ?? null })))
      .get('/untouched', eventHandler(() => ({ count: 0 })))
    return { app: toNodeListener(createApp().use(router)), bare: createBareH3V1(), close: async () => {} }
  },
}

/** An app of h3 v1 with the same routes and without sessions. */
export function createBareH3V1(): ReturnType<typeof toNodeListener> {
  const router = createRouter()
  for (const path of PATHS)
    router.get(path, eventHandler(() => ({ count: 0 })))
  return toNodeListener(createApp().use(router))
}
