import type { RequestListener } from 'node:http'

export type PeerStore = 'encrypted cookie' | 'signed cookie' | 'memory' | 'files' | 'Redis'

/** What the apps of peers may use. */
export interface Means {
  /** A Redis that is empty, as `redis://127.0.0.1:port`. */
  redisUrl: string
  /** An empty folder. */
  folder: string
}

/**
 * One way to keep sessions, in the web framework that it is made for. Its app answers these
 * with JSON, everything else with 404:
 *
 * - `GET /new` begins a session that holds a count of 1 and a text of 200 bytes: `{ count: 1 }`
 * - `GET /new-big` does the same with a text of 3,000 bytes
 * - `GET /read` answers `{ count }`, `null` without a session
 * - `GET /write` adds 1 to the count and answers it, as `/read` does
 * - `GET /untouched` answers `{ count: 0 }` and does not ask for the session
 *
 * What it would do in an app of its users it does here: their documentation's way, the defaults
 * of the package, a cookie that lives for a day.
 */
export interface Peer {
  /** For example `express-session`. */
  name: string
  store: PeerStore
  /** The web framework, with its major version where that matters. */
  framework: string
  /** The npm packages that its numbers depend on. */
  packages: readonly string[]
  open(means: Means): Promise<OpenPeer>
}

export interface OpenPeer {
  /** The app with sessions. */
  app: RequestListener
  /** The same framework without them; answers every path with `{ count: 0 }`. */
  bare: RequestListener
  close(): Promise<void>
}
