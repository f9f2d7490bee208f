import type { Peer } from './peer'
import { randomBytes } from 'node:crypto'
import secureSession from '@fastify/secure-session'
import { openFastify } from './fastify'
import { DAY } from './peer'

export const fastifySecureSession: Peer = {
  name: '@fastify/secure-session',
  store: 'encrypted cookie',
  framework: 'Fastify 5',
  packages: ['@fastify/secure-session', 'fastify'],
  open: () => openFastify(app => void app.register(secureSession, { key: randomBytes(32), expiry: DAY, cookie: { path: '/', maxAge: DAY } })),
}
