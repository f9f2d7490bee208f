import type { Maybe } from '../maybe'
import { SessionError } from '../errors'
import { andThen } from '../maybe'

/** How often a write may lose the race for a record before it gives up. */
const MAX_ATTEMPTS = 30

/** Milliseconds of the longest pause between two attempts. */
const MAX_PAUSE = 50

/**
 * Runs an attempt again until it answers something, with pauses that grow and differ, so
 * that processes which lost to each other do not meet again.
 *
 * @returns undefined when every attempt lost
 */
export function retry<T>(attempt: () => Maybe<T | undefined>, random: () => number = Math.random): Maybe<T | undefined> {
  return andThen(attempt(), result => result === undefined ? retryLater(attempt, random) : result)
}

async function retryLater<T>(attempt: () => Maybe<T | undefined>, random: () => number): Promise<T | undefined> {
  for (let count = 1; count < MAX_ATTEMPTS; count++) {
    await new Promise(resolve => setTimeout(resolve, random() * Math.min(2 ** (count - 1), MAX_PAUSE)))
    const result = await attempt()
    if (result !== undefined)
      return result
  }
  return undefined
}

/**
 * As {@link retry}.
 *
 * @throws SessionError `CONFLICT_ERROR` when every attempt lost
 */
export function untilWon<T>(attempt: () => Maybe<T | undefined>): Maybe<T> {
  return andThen(retry(attempt), result => result ?? conflict())
}

export function conflict(): never {
  throw new SessionError('CONFLICT_ERROR', 'The session was changed by others again and again while this change was made. Try again.')
}
