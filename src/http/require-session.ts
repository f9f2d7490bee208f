import type { DataKey, DeepReadonly, DefaultData } from '../core/types'
import type { EventLike } from './utils'
import { beginAt, ofUser, type Site, siteOf } from '../core/calls/caller'
import { misuse } from '../core/calls/misuse'
import { SessionError } from '../core/errors'
import { sessionsOwnedBy } from './find-sessions'
import { dataOf, loadSession } from './utils'

/** Session data in which a key has a value. */
export type DataWith<T extends object, K extends keyof T> = K extends unknown ? DeepReadonly<T> & { readonly [P in K]-?: DeepReadonly<NonNullable<T[P]>> } : never

/** What lets a visitor in: `true` does, and what is falsy does not. Of all else nobody knows what it says. */
export type Verdict = boolean | null | undefined | 0 | ''

/** {@link requireSession} for what has sessions. */
export interface RequireSession<E> {
  /**
   * The data of the session, only where the key has a value: `null` is none; `0`, `''` and `false` are.
   *
   * @throws SessionError `INVALID_SESSION` (401) without a session or the value; `STORAGE_ERROR`, `CACHED_RESPONSE`
   */
  <K extends DataKey<DefaultData>>(event: E, key: K): Promise<DataWith<DefaultData, K>>
  /**
   * The data of the session, only where a function of it says true; one that tells types apart
   * narrows them.
   *
   * @throws SessionError `INVALID_SESSION` (401) without a session, `FORBIDDEN` (403) when the
   * function says no, `INVALID_VALUE` when it says neither true nor anything falsy
   */
  <N extends DeepReadonly<DefaultData>>(event: E, allows: (data: DeepReadonly<DefaultData>) => data is N): Promise<N>
  <T extends object = DefaultData>(event: E, allows: (data: DeepReadonly<NoInfer<T>>) => Verdict | Promise<Verdict>): Promise<DeepReadonly<T>>
  /**
   * The data of the session, whatever it holds: that of a visitor who chose a theme, too.
   *
   * @throws SessionError `INVALID_SESSION` (401) without a session
   */
  <T extends object = DefaultData>(event: E): Promise<DeepReadonly<T>>
}

type Allows = (data: object) => unknown

const CALL = 'await requireSession(event, \'userId\')'

/** The errors that mean no more than that this visitor may not go on. */
const refusals = new WeakSet<object>()

/** True for an error by which {@link requireSession} refused a visitor. */
export function isRefusal(error: unknown): error is SessionError {
  return typeof error === 'object' && error !== null && refusals.has(error)
}

/**
 * The data of a session that has to be there: with a value under a key, or allowed by a function.
 * Await it, or everybody gets in. Creates no session.
 */
export const requireSession: RequireSession<EventLike> = async (event: EventLike, ...given: unknown[]): Promise<never> => {
  let site: Site | undefined
  try {
    assertRequirement(given)
    const loading = loadSession(event, undefined, CALL)
    if (loading instanceof Promise)
      site = siteOf(requireSession)
    const session = await loading
    const [required] = given
    const data = dataOf(session) ?? refuse('INVALID_SESSION', 'This needs a session: sign in first.')
    if (typeof required === 'string')
      requireKey(data, required)
    else if (required)
      await requireVerdict(data, ofUser(required as Allows))
    // The function may itself have ended the session.
    return (session.exists ? data : refuse('INVALID_SESSION', 'The session has ended: sign in again.')) as never
  }
  catch (error) {
    if (isRefusal(error))
      sessionsOwnedBy(event)?.refuse()
    throw beginAt(error, requireSession, site)
  }
}

/**
 * A key that is `undefined`, because of a slip, asks for something; so does a second one.
 *
 * @throws SessionError `INVALID_VALUE`
 */
function assertRequirement(given: readonly unknown[]): void {
  const [required, ...others] = given
  if (given.length > 0 && typeof required !== 'string' && typeof required !== 'function')
    throw misuse(CALL, 'a key or a function after the event', required, CALL)
  if (others.length > 0)
    throw misuse(CALL, 'one key or one function', others[0], 'await requireSession(event, ({ userId, role }) => userId !== undefined && role === \'admin\')')
}

function requireKey(data: object, key: string): void {
  if (!Object.hasOwn(data, key) || ((data as Record<string, unknown>)[key] ?? undefined) === undefined)
    refuse('INVALID_SESSION', `This needs a session with \`${key}\`: sign in first.`, { key })
}

/** A promise, a list or an object would always say yes. */
async function requireVerdict(data: object, allows: Allows): Promise<void> {
  const verdict = await allows(data)
  if (!verdict)
    refuse('FORBIDDEN', 'This session is not allowed to do that: sign in as somebody who is.')
  if (verdict !== true)
    throw misuse('await requireSession(event, allows)', 'a function that says true or false', verdict, 'await requireSession(event, ({ role }) => role === \'admin\')')
}

function refuse(code: 'INVALID_SESSION' | 'FORBIDDEN', message: string, details?: Record<string, unknown>): never {
  const error = new SessionError(code, message, details && { details })
  refusals.add(error)
  throw error
}
