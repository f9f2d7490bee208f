import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { OpenPeer } from './peer'
import fastify from 'fastify'
import { BIG_TEXT, PATHS, TEXT } from './peer'

/** What the sessions of both packages have; their types describe the same property of requests. */
interface FastifySession {
  get(key: string): unknown
  set(key: string, value: unknown): void
}

function sessionOf(req: FastifyRequest): FastifySession {
  return req.session as unknown as FastifySession
}

/** An app of Fastify with sessions of one package, and one without. */
export async function openFastify(addSessions: (app: FastifyInstance) => void): Promise<OpenPeer> {
  const app = fastify()
  const bare = fastify()
  addSessions(app)
  for (const [path, text] of [['/new', TEXT], ['/new-big', BIG_TEXT]] as const) {
    app.get(path, async (req) => {
      const session = sessionOf(req)
      session.set('count', 1)
      session.set('text', text)
      return { count: 1 }
    })
  }
  app.get('/read', async req => ({ count: sessionOf(req).get('count') ?? null }))
  app.get('/write', async (req) => {
    const session = sessionOf(req)
    const count = Number(session.get('count')) + 1
    session.set('count', count)
    return { count }
  })
  app.get('/text', async req => ({ text: sessionOf(req).get('text') ?? null }))
  app.get('/untouched', async () => ({ count: 0 }))
  for (const path of PATHS)
    bare.get(path, async () => ({ count: 0 }))
  await Promise.all([app.ready(), bare.ready()])
  return {
    app: (req, res) => app.routing(req, res),
    bare: (req, res) => bare.routing(req, res),
    async close() {
      await Promise.all([app.close(), bare.close()])
    },
  }
}
