import type { RejectReason } from '../types'
import type { OldCookieOptions, OldSession, SessionMigration } from './migration'
import { MAX_COOKIE_BYTES } from '../cookie'
import { isPlainObject } from '../value'
import { isSeal, unseal } from './iron'
import { decodeCookieValue } from './migration'

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
}

/** h3 v2 cuts a long seal into cookies `name.1`, `name.2`, ... and says how many in the first. */
const CHUNKED = /^__chunked__(\d{1,2})$/

/** The sessions of h3 v1 and v2, and of nuxt-auth-utils: all data sealed in the cookie. */
export function fromH3Session({ cookie, password, maxAge }: H3SessionOptions): SessionMigration {
  const name = cookie?.name ?? H3_COOKIE
  const passwords = [password].flat()
  return {
    cookie: { ...cookie, name },
    recognize(value, readCookie) {
      const pieces = piecesOf(name, value)
      const values = pieces.length > 0 ? pieces.map(readCookie) : [value]
      if (!values.every(piece => piece !== undefined && piece.length <= MAX_COOKIE_BYTES))
        return undefined
      const seal = decodeCookieValue(values.join(''))
      return seal !== undefined && isSeal(seal) ? { names: [name, ...pieces], open: () => openSeal(seal, passwords, maxAge) } : undefined
    },
  }
}

/** The names of the cookies that a cut seal is in. */
function piecesOf(name: string, value: string): string[] {
  const count = Number(CHUNKED.exec(value)?.[1] ?? 0)
  return Array.from({ length: count }, (_, index) => `${name}.${index + 1}`)
}

async function openSeal(seal: string, passwords: readonly string[], maxAge: number | undefined): Promise<OldSession | RejectReason> {
  const unsealed = await unseal(seal, passwords)
  if (!unsealed)
    return 'signature'
  const { value } = unsealed
  if (typeof value !== 'object' || value === null)
    return 'corrupt'
  const { id, createdAt, data } = value as { [key: string]: unknown }
  if (typeof id !== 'string' || !id || typeof createdAt !== 'number' || typeof data !== 'object' || !data || !isPlainObject(data))
    return 'corrupt'
  const limits = [unsealed.expiresAt, maxAge ? createdAt + maxAge * 1000 : undefined].filter(limit => limit !== undefined)
  return { id, data: data as Record<string, unknown>, ...(limits.length > 0 && { expiresAt: Math.min(...limits) }) }
}
