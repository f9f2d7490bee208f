import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SessionStore as FastifySessionStore } from '@fastify/session'
import type { FastifyInstance } from 'fastify'
import type { ConnectStore } from '../../src/core/index'
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import { RedisStore } from 'connect-redis'
import cookieSession from 'cookie-session'
import fastify from 'fastify'
import { getIronSession, type SessionOptions as IronOptions } from 'iron-session'
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
      return { id, cookie: pairsOf(response.headers.getSetCookie())[0]! }
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

/** A server with `@fastify/session` as its documentation shows it. */
export function createOldFastifyApp(options: object = {}, cookie: object = {}): {
  /** What its store holds: the sessions themselves, by id. */
  readonly sessions: Map<string, unknown>
  readonly store: ConnectStore
  login(data: Record<string, unknown>): Promise<{ id: string, cookie: CookiePair }>
  /** Who the visitor with this cookie is there. */
  read(cookie: CookiePair): Promise<Record<string, unknown>>
} {
  const sessions = new Map<string, unknown>()
  // Its types do not say that it is a class.
  const store = new (fastifySession.MemoryStore as unknown as new (sessions: Map<string, unknown>) => FastifySessionStore & ConnectStore)(sessions)
  const open = async (handler: (session: FastifySession) => unknown): Promise<FastifyInstance> => {
    const app = fastify()
    await app.register(fastifyCookie)
    await app.register(fastifySession, { secret: PASSWORD, store, saveUninitialized: false, ...options, cookie: { secure: false, ...cookie } })
    app.get('/', async req => handler(req.session as unknown as FastifySession))
    return app
  }
  return {
    sessions,
    store,
    async login(data) {
      const app = await open((session) => {
        for (const [key, value] of Object.entries(data))
          session.set(key, value)
        return { id: session.sessionId }
      })
      const response = await app.inject('/')
      await app.close()
      return { id: response.json<{ id: string }>().id, cookie: pairsOf([response.headers['set-cookie'] as string])[0]! }
    },
    async read([name, value]) {
      const app = await open(session => ({ ...session, cookie: undefined }))
      const response = await app.inject({ url: '/', headers: { cookie: `${name}=${value}` } })
      await app.close()
      return response.json()
    },
  }
}

/** What `@fastify/session` puts on a request. */
interface FastifySession {
  [key: string]: unknown
  readonly sessionId: string
  set(key: string, value: unknown): void
}

/** Both cookies that cookie-session sends to a visitor with this data. */
export async function signByCookieSession(options: CookieSessionInterfaces.CookieSessionOptions, data: object): Promise<CookiePair[]> {
  const middleware = cookieSession(options) as unknown as Middleware
  const server = await serve((req, res) => middleware(req, res, () => {
    (req as SessionRequest).session = data as Record<string, unknown>
    res.end()
  }))
  const response = await fetch(server.url)
  server.stop()
  return pairsOf(response.headers.getSetCookie())
}

/** The cookie that iron-session sends to a visitor with this data. */
export async function sealByIronSession(options: Partial<IronOptions>, data: object): Promise<CookiePair> {
  const response = new Response()
  const session = await getIronSession(new Request('http://localhost/'), response, { cookieName: 'app', password: PASSWORD, ...options })
  Object.assign(session, data)
  await session.save()
  return pairsOf(response.headers.getSetCookie())[0]!
}

async function serveExpressSession(options: object, handler: (session: Record<string, unknown>, id: string, url: string | undefined) => string): Promise<{ url: string, stop(): void }> {
  const middleware = expressSession({ secret: 'keyboard cat', resave: false, saveUninitialized: false, ...options })
  return serve((req, res) => middleware(req, res, () => {
    const { session, sessionID } = req as SessionRequest
    res.end(handler(session, sessionID, req.url))
  }))
}

async function serve(listener: RequestListener): Promise<{ url: string, stop(): void }> {
  const server = createServer(listener)
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
      return pairsOf((await toWebHandler(app)(new Request('http://localhost/'))).headers.getSetCookie())
    },
  },
  {
    version: 'h3 v2',
    seal: async (config: object, data: object): Promise<CookiePair[]> => {
      const app = new H3().get('/', async (event) => {
        await updateSessionV2(event, { password: PASSWORD, ...config }, data)
        return 'ok'
      })
      return pairsOf((await app.request('/')).headers.getSetCookie())
    },
  },
]

/** The cookies of `Set-Cookie` headers, the last of each name. */
function pairsOf(lines: readonly string[]): CookiePair[] {
  const pairs = lines.map((line): CookiePair => {
    const pair = line.split(';')[0]!
    return [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
  })
  return [...new Map(pairs)]
}
