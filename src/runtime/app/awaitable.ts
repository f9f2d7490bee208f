import type { ClientSession } from './types'

/** The session, and the promise of it once its data is known. */
export function toAwaitable(session: ClientSession, known: Promise<void> = Promise.resolve()): ClientSession & Promise<ClientSession> {
  const promise = known.then(() => session)
  // Only who awaits it wants to hear of a failure.
  promise.catch(() => {})
  return Object.assign(promise, session)
}

export function toDate(time: number | undefined): Date | undefined {
  return time === undefined ? time : new Date(time)
}
