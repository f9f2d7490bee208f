import type { Peer, PeerData } from './peer'
import cookieSession from 'cookie-session'
import express from 'express'
import { createBareExpress } from './express-session'
import { BIG_TEXT, DAY, SECRET, TEXT } from './peer'

export const cookieSessionPeer: Peer = {
  name: 'cookie-session',
  store: 'signed cookie',
  framework: 'Express 5',
  packages: ['cookie-session', 'express'],
  async open() {
    const app = express()
    app.use(cookieSession({ keys: [SECRET], maxAge: DAY * 1000 }))
    const start = (text: string): express.RequestHandler => (req, res) => {
      Object.assign(sessionOf(req), { count: 1, text })
      res.json({ count: 1 })
    }
    app.get('/new', start(TEXT))
    app.get('/new-big', start(BIG_TEXT))
    app.get('/read', (req, res) => void res.json({ count: sessionOf(req).count ?? null }))
    app.get('/write', (req, res) => {
      const session = sessionOf(req)
      session.count! += 1
      res.json({ count: session.count })
    })
    app.get('/text', (req, res) => void res.json({ text: sessionOf(req).text ?? null }))
    app.get('/untouched', (_, res) => void res.json({ count: 0 }))
    return { app, bare: createBareExpress(), close: async () => {} }
  },
}

/** Its types and those of express-session name the same property. */
function sessionOf(req: express.Request): Partial<PeerData> {
  return req.session as Partial<PeerData>
}
