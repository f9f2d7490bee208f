import type { RejectReason } from '../types'
import type { OldCookieOptions, OldSession, SessionMigration } from './migration'
import { MAX_COOKIE_BYTES } from '../cookie/set-cookie'
import { isPlainObject } from '../record/value'
import { H3_WAYS, isSeal, unseal, type Unsealed } from './iron'
import { decodeCookieValue } from './migration'
import { createSealOpener } from './seal-opener'

/** The name that h3 gives its cookie. */
export const H3_COOKIE = 'h3'

export interface H3SessionOptions {
  cookie?: OldCookieOptions
  /** That of the other package, or an array of all that may have sealed. */
  password: string | readonly string[]
  /**
   * Seconds from creation, as the other package had them: older sessions are refused, as it
   * would have done. Without it only the expiry in the seal counts.
   */
  maxAge?: number | undefined
  /** Seconds from the last use, as h3 v2 had them beside `maxAge`: sessions idle for longer are refused. */
  idleTimeout?: number | undefined
}

/** How long a session may last there. */
type Limits = Pick<H3SessionOptions, 'maxAge' | 'idleTimeout'>

/** h3 v2 cuts a long seal into cookies `name.1`, `name.2`, ... and says how many in the first. */
const CHUNKED = /^__chunked__(\d{1,2})$/

/** The sessions of h3 v1 and v2, and of nuxt-auth-utils: all data sealed in the cookie. */
export function fromH3Session({ cookie, password, ...limits }: H3SessionOptions): SessionMigration {
  const name = cookie?.name ?? H3_COOKIE
  const passwords = [password].flat()
  const openSeal = createSealOpener(seal => unseal(seal, passwords, H3_WAYS))
  return {
    cookie: { ...cookie, name },
    // Opening costs much. Where one was planted beside the real one, that is refused now and passed over the next time.
    maxOpened: 1,
    recognize(value, readCookie) {
      const pieces = piecesOf(name, value)
      const values = pieces.length > 0 ? pieces.map(readCookie) : [value]
      if (!values.every(piece => piece !== undefined && piece.length <= MAX_COOKIE_BYTES))
        return undefined
      const seal = decodeCookieValue(values.join(''))
      const open = seal !== undefined && isSeal(seal) ? openSeal(seal, unsealed => toOldSession(unsealed, limits)) : undefined
      return open && { names: [name, ...pieces], open }
    },
  }
}

/** The names of the cookies that a cut seal is in. */
function piecesOf(name: string, value: string): string[] {
  const count = Number(CHUNKED.exec(value)?.[1] ?? 0)
  return Array.from({ length: count }, (_, index) => `${name}.${index + 1}`)
}

function toOldSession({ value, expiresAt }: Unsealed, { maxAge, idleTimeout }: Limits): OldSession | RejectReason {
  if (typeof value !== 'object' || value === null)
    return 'corrupt'
  const { id, createdAt, lastSeenAt, data } = value as { [key: string]: unknown }
  if (typeof id !== 'string' || !id || typeof createdAt !== 'number' || typeof data !== 'object' || !data || !isPlainObject(data))
    return 'corrupt'
  const ends = [
    expiresAt,
    maxAge ? createdAt + maxAge * 1000 : undefined,
    idleTimeout ? (typeof lastSeenAt === 'number' ? lastSeenAt : createdAt) + idleTimeout * 1000 : undefined,
  ].filter(end => end !== undefined)
  // Apps may make ids of their own there, which only have to be there: of a counter, or all the same.
  return { id: `${createdAt}:${id}`, data: data as Record<string, unknown>, ...(ends.length > 0 && { expiresAt: Math.min(...ends) }) }
}
