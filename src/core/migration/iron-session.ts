import type { RejectReason } from '../types'
import type { Unsealed } from './iron'
import type { OldCookieOptions, OldSession, SessionMigration } from './migration'
import { MAX_COOKIE_BYTES } from '../cookie/set-cookie'
import { configError } from '../resolve-options'
import { isPlainObject } from '../record/value'
import { IRON_SESSION_WAYS, isSeal, passwordIdOf, unseal } from './iron'
import { passwordProblem, passwordsById, type PasswordsById } from './iron-passwords'
import { decodeCookieValue } from './migration'
import { createSealOpener } from './seal-opener'

export interface IronSessionOptions {
  /** The name has no default there, so it must be given. */
  cookie: OldCookieOptions & { name: string }
  /** That of the other package, or all of them by their ids: `{ 1: '...', 2: '...' }`. A single one has the id 1. */
  password: string | PasswordsById
}

/** iron-session 6 and later write it behind every seal. It is not signed. */
const MARK = '~2'

/**
 * The sessions of iron-session 6 and later, and those that next-iron-session and iron-session 5
 * left: all data sealed in the cookie. A seal says itself when it ends, if it does, so there is no
 * `ttl` to give.
 *
 * @throws SessionError `CONFIG_ERROR` without the name of the cookie or without a password that iron-session takes
 */
export function fromIronSession({ cookie, password }: IronSessionOptions): SessionMigration {
  assertOptions(cookie, password)
  const passwords = passwordsById(password)
  const openSeal = createSealOpener(seal => unseal(seal, [passwords.get(passwordIdOf(seal))!], IRON_SESSION_WAYS))
  return {
    cookie: { ...cookie },
    recognize(value) {
      const text = value.length <= MAX_COOKIE_BYTES ? decodeCookieValue(value) : undefined
      const isMarked = text?.endsWith(MARK) === true
      // Anybody can take the mark away: copies with and without it are the same session.
      const seal = isMarked ? text.slice(0, -MARK.length) : text
      const open = seal !== undefined && isSeal(seal) && passwords.has(passwordIdOf(seal))
        ? openSeal(seal, (unsealed, hash) => toOldSession(unsealed, hash, isMarked))
        : undefined
      return open && { names: [cookie.name], open }
    },
  }
}

function assertOptions(cookie: unknown, password: unknown): void {
  const { name } = Object(cookie) as { name?: unknown }
  const problem = passwordProblem(password)
  const issues = [
    ...(typeof name === 'string' && name ? [] : [{ path: 'cookie.name', problem: 'It is missing.', remedy: 'Pass the `cookieName` of iron-session.' }]),
    ...(problem ? [{ path: 'password', problem, remedy: 'Pass the `password` of iron-session.' }] : []),
  ]
  if (issues.length > 0)
    throw configError(issues, 'the options of `fromIronSession`')
}

function toOldSession({ value, expiresAt }: Unsealed, hash: string, isMarked: boolean): OldSession | RejectReason {
  const data = isMarked ? value : dataOfOlderFormat(value)
  if (typeof data !== 'object' || data === null || !isPlainObject(data))
    return 'corrupt'
  // A session has no id there. Each time it was saved it got another seal, of which the browser has the last.
  return { id: hash, data: data as Record<string, unknown>, ...(expiresAt !== undefined && { expiresAt }) }
}

/**
 * The data in what iron-session 5 sealed, which is below `persistent` and `flash`. Anything else is
 * a later seal without its mark: a part of its data must not pass for all of it.
 */
function dataOfOlderFormat(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(value).sort().join() !== 'flash,persistent')
    return undefined
  return (value as { persistent: unknown }).persistent
}
