import type { ResolvedSessionOptions } from '../options'
import type { Exchange } from '../ports'
import type { Cookies, OldCookies, Records } from './ports'
import type { Tracer } from './tracer'

/** What every request of one manager shares. */
export interface RequestContext {
  readonly options: ResolvedSessionOptions
  readonly records: Records
  /** True where the cookie is the session. */
  readonly isCookieMode: boolean
  readonly now: () => number
  /** @param onRejected is told why a cookie of our name was refused */
  openCookies(exchange: Exchange, onRejected: (fault: 'malformed' | 'signature') => void): Cookies
  /** The cookies of another package, whose sessions become ours. */
  readonly openOldCookies: ((exchange: Exchange) => OldCookies) | undefined
  /** Missing where nobody can listen. */
  readonly tracer: Tracer | undefined
}
