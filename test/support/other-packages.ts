import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RedisStore } from 'connect-redis'
import { createServer } from 'node:http'
import Redis from 'ioredis'
import { createRequire } from 'node:module'
import { createApp, defineEventHandler, toWebHandler, updateSession } from 'h3'
import { H3, updateSession as updateSessionV2 } from 'h3-v2'

/** What express-session puts on a request. */
type SessionRequest = IncomingMessage & { session: Record<string, unknown>, sessionID: string }
type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void

/** It has no types of its own. */
const expressSession = createRequire(import.meta.url)('express-session') as ((options: object) => Middleware) & { MemoryStore: new () => MemoryStore }

/** The records as every store of express-session writes them, by id. */
interface MemoryStore {
  readonly sessions: Record<string, string>
  get(id: string, callback: (error: unknown, session?: unknown) => void): void
  destroy(id: string, callback: (error?: unknown) => void): void
}

export function createMemoryStore(): MemoryStore {
  return new expressSession.MemoryStore()
}

/** Everything is sealed or signed by these. */
export const PASSWORD = 'a password of the other package, long enough'

/** A cookie as it is sent back: name and raw value. */
export type CookiePair = [name: string, value: string]

export interface OldExpressApp {
  /** The records as every store of express-session writes them, by id. */
  readonly records: Record<string, string>
  /** A visitor whose session holds this data. */
  login(data: Record<string, unknown>): Promise<{ id: string, cookie: CookiePair }>
}

/** A server with express-session as its documentation shows it. */
export function createOldExpressApp(options: object = {}): OldExpressApp {
  const store = new expressSession.MemoryStore()
  return {
    records: store.sessions,
    async login(data) {
      const server = await serveExpressSession({ store, ...options }, (session, id) => {
        for (const [key, value] of Object.entries(data))
          session[key] = value
        return id
      })
      const response = await fetch(server.url)
      const id = await response.text()
      server.stop()
      return { id, cookie: pairsOf(response)[0]! }
    },
  }
}

/** A server with express-session and connect-redis: `/login` logs ada in, and all else tells who is. */
export async function startOldExpressServer(redisUrl: string, secret: string | string[]): Promise<{ url: string, stop(): void }> {
  const client = new Redis(redisUrl)
  client.on('error', () => {})
  const server = await serveExpressSession({ store: new RedisStore({ client }), secret, cookie: { maxAge: 3_600_000 } }, (session, _, url) => {
    if (url === '/login')
      session.user = { name: 'ada' }
    return JSON.stringify(session.user ?? null)
  })
  return {
    url: server.url,
    stop() {
      client.disconnect()
      server.stop()
    },
  }
}

async function serveExpressSession(options: object, handler: (session: Record<string, unknown>, id: string, url: string | undefined) => string): Promise<{ url: string, stop(): void }> {
  const middleware = expressSession({ secret: 'keyboard cat', resave: false, saveUninitialized: false, ...options })
  const server = createServer((req, res) => middleware(req, res, () => {
    const { session, sessionID } = req as SessionRequest
    res.end(handler(session, sessionID, req.url))
  }))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** The cookies that h3 sends to a visitor with this data, by its major version. */
export const H3_VERSIONS = [
  {
    version: 'h3 v1',
    seal: async (config: object, data: object): Promise<CookiePair[]> => {
      const app = createApp().use(defineEventHandler(async (event) => {
        await updateSession(event, { password: PASSWORD, ...config }, data)
        return 'ok'
      }))
      return pairsOf(await toWebHandler(app)(new Request('http://localhost/')))
    },
  },
  {
    version: 'h3 v2',
    seal: async (config: object, data: object): Promise<CookiePair[]> => {
      const app = new H3().get('/', async (event) => {
        await updateSessionV2(event, { password: PASSWORD, ...config }, data)
        return 'ok'
      })
      return pairsOf(await app.request('/'))
    },
  },
]

/** The cookies of a response, the last of each name. */
function pairsOf(response: Response): CookiePair[] {
  const pairs = response.headers.getSetCookie().map((line): CookiePair => {
    const pair = line.split(';')[0]!
    return [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
  })
  return [...new Map(pairs)]
}
