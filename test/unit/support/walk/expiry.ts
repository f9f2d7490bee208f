import type { WalkRequest } from './request'
import type { World } from './world'
import { toStorageKey } from '../../../../src/core/id'
import { isExpired } from '../../../../src/core/record/record'

/** Notes that time may have ended the session of a request: then it may begin anew, without what it held. */
export function noteExpired({ setting, store, clock: { now } }: World, request: WalkRequest): void {
  const isThere = request.isLoaded && request.opened.exists
  const id = isThere ? request.session.id : request.arrival.id
  const stored = setting.mode === 'storage' && id !== undefined ? store.find(toStorageKey(id)) : undefined
  const lasted = now - request.arrival.time
  // What it replaced, or has not stored yet, may have ended as well.
  const isLong = lasted > 0 && (request.hasOwnLifetime || (setting.idleTimeout > 0 && lasted >= setting.idleTimeout * 1500))
  const isOver = isLong || (stored && isExpired(stored, now)) || (isThere && request.session.expiresAt.getTime() <= now)
  // Nothing tells when a session ends that was not read yet, that is being written, or that is in a cookie.
  const isWritten = request.underWay > 0 || request.status === 'ending'
  if (!isOver && request.isLoaded && !isWritten && setting.mode === 'storage')
    return
  request.mayHaveExpired = true
  request.expected.forget()
}
