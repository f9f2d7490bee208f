import type { OpenPeer, Peer, PeerData } from './peer'
import type { SessionOptions } from 'express-session'
import { RedisStore } from 'connect-redis'
import express from 'express'
import session from 'express-session'
import Redis from 'ioredis'
import { BIG_TEXT, DAY, PATHS, SECRET, TEXT } from './peer'

declare module 'express-session' {
  interface SessionData extends Partial<PeerData> {}
}

export const expressSession: readonly Peer[] = [
  {
    name: 'express-session',
    store: 'memory',
    framework: 'Express 5',
    packages: ['express-session', 'express'],
    open: async () => ({ ...open({}), close: async () => {} }),
  },
  {
    name: 'express-session, connect-redis',
    store: 'Redis',
    framework: 'Express 5',
    packages: ['express-session', 'connect-redis', 'express', 'ioredis'],
    async open({ redisUrl }) {
      const client = new Redis(redisUrl)
      return { ...open({ store: new RedisStore({ client }) }), close: async () => client.disconnect() }
    },
  },
]

function open(options: Partial<SessionOptions>): Omit<OpenPeer, 'close'> {
  const app = express()
  // What its documentation advises in place of the defaults.
  app.use(session({ secret: SECRET, resave: false, saveUninitialized: false, cookie: { maxAge: DAY * 1000 }, ...options }))
  const start = (text: string): express.RequestHandler => (req, res) => {
    req.session.count = 1
    req.session.text = text
    res.json({ count: 1 })
  }
  app.get('/new', start(TEXT))
  app.get('/new-big', start(BIG_TEXT))
  app.get('/read', (req, res) => void res.json({ count: req.session.count ?? null }))
  app.get('/write', (req, res) => {
    req.session.count = req.session.count! + 1
    res.json({ count: req.session.count })
  })
  app.get('/text', (req, res) => void res.json({ text: req.session.text ?? null }))
  app.get('/untouched', (_, res) => void res.json({ count: 0 }))
  return { app, bare: createBareExpress() }
}

/** An app of Express with the same routes and without sessions. */
export function createBareExpress(): OpenPeer['bare'] {
  const app = express()
  for (const path of PATHS)
    app.get(path, (_, res) => void res.json({ count: 0 }))
  return app
}
