import type { SessionRecord } from '../../src/core/types'
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createId } from '../../src/core/id'
import { decodePayload, encodePayload } from '../../src/core/cookie/payload'
import { createMigratedId } from '../../src/core/cookie/token'
import { NOON, SECRET } from './support/app'

const ID = createId()
const PLAIN: SessionRecord = { version: 1, data: { user: 'ada' }, flash: {}, createdAt: NOON, expiresAt: NOON + 1000, lastSeenAt: NOON + 1 }

describe('a session as bytes', () => {
  it.each<[what: string, id: string, record: SessionRecord]>([
    ['with data only', ID, PLAIN],
    ['without data', ID, { ...PLAIN, data: {} }],
    ['with messages', ID, { ...PLAIN, flash: { notice: 'Hello' } }],
    ['with a lifetime of its own', ID, { ...PLAIN, lifetime: { maxAge: 5, idleTimeout: 0, persistent: false } }],
    ['with an id that was made of another', createMigratedId([SECRET], 'session', 'old'), PLAIN],
    ['with text of every length in UTF-8', ID, { ...PLAIN, data: { text: 'aß€💥', 'ключ': '\u0000' } }],
    ['with a key that objects have anyway', ID, { ...PLAIN, data: JSON.parse('{"__proto__":1,"constructor":2}') }],
    ['that was seen before its beginning, by a clock that was set back', ID, { ...PLAIN, expiresAt: NOON - 1000, lastSeenAt: NOON - 5000 }],
    ['of the longest lifetime', ID, { ...PLAIN, expiresAt: NOON + 400 * 24 * 60 * 60 * 1000, lastSeenAt: NOON + 399 * 24 * 60 * 60 * 1000 }],
  ])('%s is the same when it is read', (_, id, record) => {
    expect(['', ';/app;', 'example.com;/;1'].map(scope => decodePayload(encodePayload({ id, record, scope })))).toEqual(['', ';/app;', 'example.com;/;1'].map(scope => ({ id, record, scope })))
  })

  it('takes 38 bytes more than its data', () => {
    expect(encodePayload({ id: ID, record: PLAIN })).toHaveLength(JSON.stringify(PLAIN.data).length + 38)
  })

  it('cut off anywhere is no session', () => {
    const bytes = encodePayload({ id: ID, record: PLAIN })
    expect(Array.from(bytes, (_, length) => decodePayload(bytes.subarray(0, length))).filter(Boolean)).toEqual([])
  })

  it.each<[what: string, id: string, record: SessionRecord]>([
    ['an id that is none', 'short123', PLAIN],
    ['a record of another version', ID, { ...PLAIN, version: 2 } as unknown as SessionRecord],
  ])('with %s is no session', (_, id, record) => {
    expect(decodePayload(encodePayload({ id, record }))).toBeUndefined()
  })

  it('never throws, whatever the bytes', () => {
    const read = Array.from({ length: 5000 }, (_, n) => decodePayload(randomBytes(n % 100)))
    expect(read.filter(Boolean)).toEqual([])
  })
})
