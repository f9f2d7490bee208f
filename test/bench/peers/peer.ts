import type { RequestListener } from 'node:http'

export type PeerStore = 'encrypted cookie' | 'signed cookie' | 'memory' | 'files' | 'Redis'

/** What the apps of peers may use. */
export interface Means {
  /** A Redis database that is empty, as `redis://127.0.0.1:port/number`. */
  redisUrl: string
  /** An empty folder. */
  folder: string
  /** What the peer's `build` has made; without, `open` builds for itself. */
  entries?: Entries
}

/** The files that apps are imported from. */
export interface Entries {
  app: string
  bare: string
}

/** Apps that were built for production. */
export interface PeerBuild {
  entries: Entries
  remove(): Promise<void>
}

/**
 * One way to keep sessions, in the web framework that it is made for. Its app answers these
 * with JSON, everything else with 404:
 *
 * - `GET /new` begins a session that holds a count of 1 and {@link TEXT}: `{ count: 1 }`
 * - `GET /new-big` does the same with {@link BIG_TEXT}
 * - `GET /read` answers `{ count }`, `null` without a session
 * - `GET /write` adds 1 to the count and answers it, as `/read` does
 * - `GET /text` answers `{ text }`, `null` without a session
 * - `GET /untouched` answers `{ count: 0 }` and does not ask for the session
 *
 * What it would do in an app of its users it does here: their documentation's way, the defaults
 * of the package except where its documentation advises against them, a cookie that lives for a day.
 */
export interface Peer {
  /** For example `express-session`. */
  name: string
  store: PeerStore
  /** The web framework, with its major version where that matters. */
  framework: string
  /** The npm packages that its numbers depend on. */
  packages: readonly string[]
  /** Builds once what several processes then open. Peers without it run as they are. */
  build?(means: Means): Promise<PeerBuild>
  open(means: Means): Promise<OpenPeer>
}

export interface OpenPeer {
  /** The app with sessions. */
  app: RequestListener
  /** The same framework without them; answers every path with `{ count: 0 }`. */
  bare: RequestListener
  close(): Promise<void>
}

/** All that an app answers. */
export const PATHS = ['/new', '/new-big', '/read', '/write', '/text', '/untouched'] as const

/** What `/new` keeps: 200 bytes of JSON with the count. */
export const TEXT = textOf(200 - JSON.stringify({ count: 1, text: '' }).length)

/** What `/new-big` keeps: 3,000 bytes. */
export const BIG_TEXT = textOf(3000)

/** What sessions hold. */
export interface PeerData {
  count: number
  text: string
}

/** Long enough for all of them. */
export const SECRET = 'a secret of the benchmark, not of anybody else'

/** How long cookies live, in seconds. */
export const DAY = 24 * 60 * 60

/** No two stretches of it are the same, and all of it is plain letters and digits. */
function textOf(length: number): string {
  let text = ''
  for (let index = 0; text.length < length; index++)
    text += (index * 2654435761 % 2 ** 32).toString(36)
  return text.slice(0, length)
}
