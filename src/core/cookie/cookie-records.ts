import type { Limits } from '../record/record'
import type { Records } from '../session/ports'

/** Records in cookie mode: the cookie that goes out with a change is the stored session. */
export function createCookieRecords(limits: Limits, now: () => number): Records {
  return {
    load: ({ record }) => record ?? 'unknown',
    write: ({ content }) => ({ record: content.record(now(), limits), isChanged: true }),
    remove: () => 'gone',
    wasReplaced: () => false,
  }
}
