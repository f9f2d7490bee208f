import type { Peer } from './peer'
import { byHand } from './by-hand'
import { cookieSessionPeer } from './cookie-session'
import { expressSession } from './express-session'
import { fastifySecureSession } from './fastify-secure-session'
import { fastifySession } from './fastify-session'
import { h3V1 } from './h3-v1'
import { h3V2 } from './h3-v2'
import { honoSession } from './hono-session'
import { ironSession } from './iron-session'
import { unsessionH3V1 } from './unsession-h3-v1'
import { unsessionH3V2 } from './unsession-h3-v2'
import { unsessionNitro } from './unsession-nitro'

/** All that are compared; ours first. */
export const PEERS: readonly Peer[] = [
  ...unsessionNitro,
  ...unsessionH3V1,
  ...unsessionH3V2,
  ...byHand,
  h3V1,
  h3V2,
  ironSession,
  fastifySecureSession,
  honoSession,
  cookieSessionPeer,
  ...expressSession,
  fastifySession,
]
