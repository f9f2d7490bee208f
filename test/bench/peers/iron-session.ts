import type { Peer, PeerData } from './peer'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { IronSession } from 'iron-session'
import { getIronSession } from 'iron-session'
import { BIG_TEXT, DAY, PATHS, SECRET, TEXT } from './peer'

type Handler = (req: IncomingMessage, res: ServerResponse) => object | Promise<object>

/** It belongs to no framework. */
export const ironSession: Peer = {
  name: 'iron-session',
  store: 'encrypted cookie',
  framework: 'node:http',
  packages: ['iron-session'],
  async open() {
    const options = { cookieName: 'session', password: SECRET, ttl: DAY }
    const sessionOf = (req: IncomingMessage, res: ServerResponse): Promise<IronSession<Partial<PeerData>>> => getIronSession(req, res, options)
    const start = (text: string): Handler => async (req, res) => {
      const session = await sessionOf(req, res)
      Object.assign(session, { count: 1, text })
      await session.save()
      return { count: 1 }
    }
    const app = createApp({
      '/new': start(TEXT),
      '/new-big': start(BIG_TEXT),
      '/read': async (req, res) => ({ count: (await sessionOf(req, res)).count ?? null }),
      async '/write'(req, res) {
        const session = await sessionOf(req, res)
        session.count! += 1
        await session.save()
        return { count: session.count }
      },
      '/text': async (req, res) => ({ text: (await sessionOf(req, res)).text ?? null }),
      '/untouched': () => ({ count: 0 }),
    })
    const bare = createApp(Object.fromEntries(PATHS.map(path => [path, () => ({ count: 0 })])))
    return { app, bare, close: async () => {} }
  },
}

/** As little as answers requests. */
function createApp(handlers: Record<string, Handler>): RequestListener {
  return (req, res) => {
    const handler = handlers[req.url ?? '']
    if (!handler) {
      res.writeHead(404).end()
      return
    }
    Promise.resolve(handler(req, res)).then(
      answer => res.setHeader('content-type', 'application/json').end(JSON.stringify(answer)),
      (error: Error) => res.writeHead(500).end(error.message),
    )
  }
}
