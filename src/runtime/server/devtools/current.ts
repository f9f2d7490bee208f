import type { Manager } from '../../../core/manager'
import type { RejectReason, SessionRecord } from '../../../core/types'
import type { ServerEvent } from '../app'
import { readCookies } from '../../../core/cookie/header'
import { toStorageKey } from '../../../core/id'
import { describeFailure, toHandle } from './shorten'

/** The session of the browser that asks, or a sentence that says why there is none. */
export interface CurrentSession {
  handle?: string
  record?: SessionRecord
  /** Bytes of the cookie's value. */
  cookieBytes?: number
  note?: string
}

type Reason = RejectReason | 'expired'

const OTHER_APP = 'Browsers do not tell ports apart: another app on this host may use the same name, and then each logs the other out. Give this one a name of its own with the option cookie.name, or NITRO_SESSION_COOKIE_NAME.'

const REASONS: Record<Reason, string> = {
  malformed: `The browser sent a cookie of this name that is none of ours, so it counts as no cookie. ${OTHER_APP}`,
  signature: `The browser sent a cookie that the present secret did not sign, so it counts as no cookie. ${OTHER_APP}`,
  unknown: 'The browser sent a cookie, but its session was destroyed, deleted or replaced, or it has expired.',
  corrupt: 'The browser sent a cookie, but what storage holds for it is no record that can be read.',
  expired: 'The session of this browser has expired.',
}

/** Reads the session without a trace: it is not prolonged, no hook is called and no cookie is set. */
export async function readCurrent(event: ServerEvent, manager: Manager): Promise<CurrentSession> {
  let reason: Reason | undefined
  const cookie = event.headers.get('cookie') ?? undefined
  const { name, path } = manager.options.cookie
  const session = manager.open(
    // To a response that was sent nothing can be added.
    { cookieHeader: cookie, isSent: true, address: { host: undefined, path: '/' }, setCookies() {}, close() {}, holdResponse() {} },
    {
      session: name => reason = name === 'expired' ? name : reason,
      rejected: rejected => reason = rejected,
    },
  )
  try {
    await session.load()
  }
  catch (error) {
    return { note: describeFailure(error) }
  }
  if (session.exists) {
    const [{ length } = ''] = readCookies(cookie, name)
    return { handle: toHandle(toStorageKey(session.session.id)), record: session.session.content.base, cookieBytes: length }
  }
  if (reason)
    return { note: REASONS[reason] }
  return { note: path === '/'
    ? 'No session yet: nothing was written to one for this browser.'
    : `The browser sends the cookie to paths below '${path}' only, so this page does not see its session.` }
}
