import type { Peer } from './peer'
import { expressSession } from './express-session'
import { unsessionH3V1 } from './unsession-h3-v1'
import { unsessionNitro } from './unsession-nitro'

/** All that are compared; ours first. */
export const PEERS: readonly Peer[] = [
  ...unsessionNitro,
  ...unsessionH3V1,
  ...expressSession,
]
