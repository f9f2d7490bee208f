import type { SessionEnv } from '@hono/session'
import type { RequestListener } from 'node:http'
import type { Peer, PeerData } from './peer'
import { getRequestListener } from '@hono/node-server'
import { useSession } from '@hono/session'
import { Hono } from 'hono'
import { BIG_TEXT, DAY, PATHS, TEXT } from './peer'

/** In hexadecimal, as it asks for. */
const HONO_SECRET = '0123456789abcdef'.repeat(2)

export const honoSession: Peer = {
  name: '@hono/session',
  store: 'encrypted cookie',
  framework: 'Hono 4',
  packages: ['@hono/session', 'hono', '@hono/node-server'],
  async open() {
    const app = new Hono<SessionEnv<Partial<PeerData> & Record<string, unknown>>>()
    app.use(useSession({ secret: HONO_SECRET, duration: { absolute: DAY } }))
    for (const [path, text] of [['/new', TEXT], ['/new-big', BIG_TEXT]] as const) {
      app.get(path, async (c) => {
        await c.var.session.update({ count: 1, text })
        return c.json({ count: 1 })
      })
    }
    app.get('/read', async c => c.json({ count: (await c.var.session.get())?.count ?? null }))
    app.get('/write', async (c) => {
      await c.var.session.update(data => ({ count: data!.count! + 1 }))
      return c.json({ count: c.var.session.data!.count })
    })
    app.get('/text', async c => c.json({ text: (await c.var.session.get())?.text ?? null }))
    app.get('/untouched', c => c.json({ count: 0 }))
    const bare = new Hono()
    for (const path of PATHS)
      bare.get(path, c => c.json({ count: 0 }))
    return { app: toListener(app), bare: toListener(bare), close: async () => {} }
  },
}

function toListener(app: { fetch(request: Request): Response | Promise<Response> }): RequestListener {
  // The other apps of this process share its globals.
  return getRequestListener(request => app.fetch(request), { overrideGlobalObjects: false }) as RequestListener
}
