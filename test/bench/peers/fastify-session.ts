import type { Peer } from './peer'
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import { openFastify } from './fastify'
import { DAY, SECRET } from './peer'

export const fastifySession: Peer = {
  name: '@fastify/session',
  store: 'memory',
  framework: 'Fastify 5',
  packages: ['@fastify/session', '@fastify/cookie', 'fastify'],
  open: () => openFastify((app) => {
    void app.register(cookie)
    // By default it stores a session for everybody and sends its cookie with every response.
    void app.register(session, { secret: SECRET, saveUninitialized: false, rolling: false, cookie: { maxAge: DAY * 1000, secure: false } })
  }),
}
