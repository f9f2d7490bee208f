import type { Records } from '../../src/core/session/ports'
import { beforeEach, describe, expect, it } from 'vitest'
import { createCookieRecords } from '../../src/core/cookie/cookie-records'
import { Content } from '../../src/core/record/content'
import { patchOf } from '../../src/core/record/patch'
import { createLive } from '../../src/core/session/state'
import { EMPTY_RECORD } from './support/records'

describe('records in cookie mode', () => {
  let records: Records

  beforeEach(() => {
    records = createCookieRecords({ maxAge: 1000, idleTimeout: 0 }, () => 5000)
  })

  it('come with the cookie', () => {
    expect([records.load({ id: 'id', record: EMPTY_RECORD }), records.load({ id: 'id' })]).toEqual([EMPTY_RECORD, 'unknown'])
  })

  it('are stored with the cookie that goes out', () => {
    const changes = patchOf({ data: new Map([['a', 1]]) })
    const session = { ...createLive('id', EMPTY_RECORD, false), content: new Content(EMPTY_RECORD).with(changes, false) }
    expect(records.write(session, changes)).toEqual({ record: { ...EMPTY_RECORD, data: { a: 1 }, lastSeenAt: 5000 }, isChanged: true })
  })

  it('are gone with the cookie, and under no other id', () => {
    expect([records.remove('id'), records.wasReplaced('id')]).toEqual(['gone', false])
  })
})
