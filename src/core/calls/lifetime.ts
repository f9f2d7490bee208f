import type { SessionLifetime } from '../types'
import { SessionError } from '../errors'
import { unknownOptions } from '../option-names'
import { MAX_LIFETIME_SECONDS } from '../record/record'
import { isPlainObject } from '../record/value'
import { misuse } from './misuse'

const LIFETIME = { maxAge: '', idleTimeout: '', persistent: '' }

/**
 * The limits of one session, checked.
 *
 * @param name what takes them
 * @throws SessionError `INVALID_VALUE`
 */
export function checkLifetime(lifetime: unknown, name = 'session.setLifetime'): SessionLifetime {
  if (typeof lifetime !== 'object' || lifetime === null || !isPlainObject(lifetime))
    throw misuse(`${name}(lifetime)`, 'an object of seconds', lifetime, `${name}({ maxAge: 3600 })`)
  const [unknown] = unknownOptions(lifetime, LIFETIME)
  if (unknown)
    throw new SessionError('INVALID_VALUE', `\`${name}\` knows no \`${unknown.path}\`. ${unknown.remedy}`)
  const { maxAge, idleTimeout, persistent } = lifetime as Record<keyof SessionLifetime, unknown>
  if (!isWhole(maxAge, 1) || !isWhole(idleTimeout, 0) || !(persistent === undefined || typeof persistent === 'boolean'))
    throw new SessionError('INVALID_VALUE', `\`${name}\` takes whole seconds: maxAge of 1 or more, idleTimeout of 0 or more; and persistent as true or false.`)
  return {
    ...(maxAge !== undefined && { maxAge: Math.min(maxAge, MAX_LIFETIME_SECONDS) }),
    ...(idleTimeout !== undefined && { idleTimeout }),
    ...(persistent !== undefined && { persistent }),
  }
}

function isWhole(value: unknown, least: number): value is number | undefined {
  return value === undefined || (Number.isSafeInteger(value) && value as number >= least)
}
