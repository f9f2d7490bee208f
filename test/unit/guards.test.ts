import type { Reach } from '../../src/core/session/guards'
import type { Slot } from '../../src/core/session/state'
import { describe, expect, it } from 'vitest'
import { Content } from '../../src/core/record/content'
import { NO_CHANGES } from '../../src/core/record/patch'
import { cookieRefusalOf, endedError, reachOf, refusalOf, sharedError } from '../../src/core/session/guards'
import { createDraft, createLive, UNREAD } from '../../src/core/session/state'
import { EMPTY_RECORD } from './support/records'

/** One of each kind. */
function slots(): Record<string, Slot> {
  const draft = createDraft('id', new Content(EMPTY_RECORD))
  return {
    none: UNREAD.slot,
    draft,
    live: createLive('id', EMPTY_RECORD, false),
    over: { kind: 'over', why: 'gone', unsaved: NO_CHANGES, shown: draft },
  }
}

const OPEN: Reach = { isShared: false, obstacle: undefined, remedy: 'before sending or streaming', isCookieMode: false }
const SENT: Reach = { ...OPEN, obstacle: 'The response has begun, so no cookie can follow.' }
const SHARED: Reach = { ...OPEN, isShared: true }

describe('what can still be said to the browser', () => {
  it('is everything while the response has not begun', () => {
    expect([false, true].map(isCookieMode => reachOf({ isSent: false }, isCookieMode))).toEqual([OPEN, { ...OPEN, isCookieMode: true }])
  })

  it('is no cookie once the response has begun', () => {
    expect([false, true].map(isCookieMode => reachOf({ isSent: true }, isCookieMode))).toEqual([SENT, { ...SENT, isCookieMode: true }])
  })

  it.each([false, true])('is no cookie where none can be sent, for the reason that the host gives, sent or not: %s', (isSent) => {
    const obstacle = 'A WebSocket has no cookies.'
    expect(reachOf({ isSent, cookieObstacle: obstacle }, false)).toEqual({ ...OPEN, obstacle, remedy: 'in a request over HTTP' })
  })

  it('is nothing in a response that is shown to everybody', () => {
    expect(reachOf({ isSent: false, isShared: true }, false)).toEqual(SHARED)
  })

  it('names what else keeps a response from beginning early', () => {
    expect(reachOf({ isSent: true, lateRemedy: 'or so' }, false)).toEqual({ ...SENT, remedy: 'before sending or streaming, or so' })
  })
})

describe('a change', () => {
  it.each<[what: string, reach: Reach, needsCookie: boolean, codes: Record<string, string | undefined>]>([
    ['without a cookie before the response', OPEN, false, { none: undefined, draft: undefined, live: undefined, over: 'EXPIRED_SESSION' }],
    ['with a cookie before the response', OPEN, true, { none: undefined, draft: undefined, live: undefined, over: 'EXPIRED_SESSION' }],
    ['without a cookie after it', SENT, false, { none: undefined, draft: undefined, live: undefined, over: 'EXPIRED_SESSION' }],
    ['with a cookie after it', SENT, true, { none: 'COOKIE_ERROR', draft: 'COOKIE_ERROR', live: 'COOKIE_ERROR', over: 'EXPIRED_SESSION' }],
    ['of what everybody sees', SHARED, false, { none: 'CACHED_RESPONSE', draft: 'CACHED_RESPONSE', live: 'CACHED_RESPONSE', over: 'CACHED_RESPONSE' }],
    ['of what everybody sees, after it', { ...SENT, isShared: true }, true, { none: 'CACHED_RESPONSE', draft: 'CACHED_RESPONSE', live: 'CACHED_RESPONSE', over: 'CACHED_RESPONSE' }],
  ])('%s is refused where it must be', (_, reach, needsCookie, codes) => {
    expect(Object.fromEntries(Object.entries(slots()).map(([name, slot]) => [name, refusalOf({ ...UNREAD, slot }, reach, needsCookie)?.code]))).toEqual(codes)
  })
})

describe('a refusal', () => {
  it.each<[reach: Partial<Reach>, what: string | undefined, message: string]>([
    [{}, undefined, 'The response has begun, so no cookie can follow. Begin the session before sending or streaming.'],
    [{}, 'its id', 'The response has begun, so no cookie can follow. Change its id before sending or streaming.'],
    [{ obstacle: 'No.', remedy: 'elsewhere' }, 'its lifetime', 'No. Change its lifetime elsewhere.'],
    [{ isCookieMode: true }, undefined, 'The response has begun, so no cookie can follow. In cookie mode the cookie is the session: change it before sending or streaming, or use `mode: \'storage\'`.'],
    [{ isCookieMode: true }, 'its id', 'The response has begun, so no cookie can follow. In cookie mode the cookie is the session: change it before sending or streaming, or use `mode: \'storage\'`.'],
  ])('for a cookie that cannot follow says why, and what to do instead: %j %s', (reach, what, message) => {
    const refusal = cookieRefusalOf({ ...SENT, ...reach }, what)
    expect([refusal?.code, refusal?.message]).toEqual(['COOKIE_ERROR', message])
    expect(cookieRefusalOf({ ...OPEN, ...reach, obstacle: undefined }, what)).toBeUndefined()
  })

  it('for what everybody sees says when', () => {
    expect(sharedError()).toMatchObject({ code: 'CACHED_RESPONSE', message: expect.stringMatching(/^A session was changed while prerendering\. /) })
  })

  it('for a session that ended says how it may have', () => {
    expect(endedError()).toMatchObject({ code: 'EXPIRED_SESSION', message: 'The session ended while this request ran: it was destroyed, replaced or it expired.' })
  })
})
