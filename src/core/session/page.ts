import type { RequestSession } from './request-session'
import type { PageSession } from '../ports'
import type { SessionRecord } from '../types'
import { isSessionError } from '../errors'
import { NO_CHANGES } from '../record/patch'
import { deepFreeze, isEqualValue } from '../record/value'

/** What the browser has to hear of: exposed data that changed, a message that was left. */
export type PageChange = 'data' | 'flash'

/** The part of a session that pages see: the keys in `expose`, and messages by key. */
export function createPageSession(session: RequestSession, expose: readonly string[], canTakeMessages: boolean, hasCookie: () => boolean): PageSession {
  return {
    keys: expose,
    canTakeMessages,
    get isLoaded() { return session.isLoaded },
    load: () => session.load(),
    get data() {
      session.assertLoaded()
      return session.exists ? pick(session.data, expose) : {}
    },
    get expiresAt() {
      session.assertLoaded()
      return session.exists ? session.record.expiresAt : undefined
    },
    get hasCookie() { return hasCookie() },
    get hasMessages() {
      session.assertLoaded()
      return session.exists && Object.keys(session.session.content.flash).length > 0
    },
    readMessage(key) {
      session.assertLoaded()
      return session.exists ? messageOf(session.session.content, key) : undefined
    },
    takeMessage(key, message) {
      if (message !== undefined && session.exists && isEqualValue(messageOf(session.session.content, key), message))
        take(session, key)
    },
    destroy: () => session.destroy(),
  }
}

/** In cookie mode one stays in the cookie when the head of the page has left: better shown again than no page. */
function take(session: RequestSession, key: string): void {
  try {
    session.handle.flash(key as never)
  }
  catch (error) {
    if (!isSessionError(error) || error.code !== 'COOKIE_ERROR')
      throw error
  }
}

/** What the request changed of what pages see. */
export function changesOf(session: RequestSession, expose: readonly string[]): PageChange[] {
  const { original } = session
  const current = session.exists ? session.session.content : undefined
  // A request that only read.
  if (original && current && current.base === original && current.changes === NO_CHANGES)
    return []
  const isUnknown = session.isOver && !original
  return [
    ...(session.hasNewId || isUnknown || !isEqualValue(pick(original?.data, expose), pick(current?.data, expose)) ? ['data' as const] : []),
    ...(current && hasNewMessage(current.flash, original?.flash) ? ['flash' as const] : []),
  ]
}

function messageOf({ flash }: Pick<SessionRecord, 'flash'>, key: string): unknown {
  return Object.hasOwn(flash, key) ? deepFreeze(flash[key]) : undefined
}

function hasNewMessage(flash: SessionRecord['flash'], before: SessionRecord['flash'] = {}): boolean {
  return Object.keys(flash).some(key => !Object.hasOwn(before, key) || !isEqualValue(flash[key], before[key]))
}

function pick(data: Readonly<Record<string, unknown>> = {}, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter(key => Object.hasOwn(data, key)).map(key => [key, data[key]]))
}
