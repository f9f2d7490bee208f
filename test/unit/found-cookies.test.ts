import type { TokenCodec } from '../../src/core/cookie/token'
import type { TokenContent } from '../../src/core/session/found-token'
import { describe, expect, it } from 'vitest'
import { findCookies } from '../../src/core/cookie/found-cookies'
import { createRecord } from '../../src/core/record/record'

/** Reads `malformed` and `signature` as these faults, and any other text as an id. */
function codecOf(contentOf: (text: string) => TokenContent = id => ({ id }), holdsRecord = false): TokenCodec & { texts: string[] } {
  const texts: string[] = []
  return {
    texts,
    holdsRecord,
    write: ({ id }) => id,
    read(text) {
      texts.push(text)
      return text === 'malformed' || text === 'signature' ? text : { content: contentOf(text), isOutdated: text.startsWith('old') }
    },
  }
}

const found = (text: string): object => ({ text, content: { id: text }, isOutdated: text.startsWith('old') })

describe('the cookies of our name in a request', () => {
  it.each<[what: string, header: string | undefined, count: number, tokens: string[], fault: string | undefined]>([
    ['none without a header', undefined, 0, [], undefined],
    ['none of another name', 'a=b; sessions=x', 0, [], undefined],
    ['one that verifies', 'a=b; session=x', 1, ['x'], undefined],
    ['one of an older secret', 'session=old', 1, ['old'], undefined],
    ['several, as the browser sent them', 'session=x; session=a; session=m', 3, ['x', 'a', 'm'], undefined],
    ['each once, however it is spelled', 'session=a.b; session="a.b"; session=a%2Eb', 3, ['a.b'], undefined],
    ['one that is malformed', 'session=malformed', 1, [], 'malformed'],
    ['one that is badly encoded', 'session=%zz', 1, [], 'malformed'],
    ['one that is forged', 'session=signature', 1, [], 'signature'],
    ['a forgery first of all', 'session=malformed; session=signature; session=%zz', 3, [], 'signature'],
    ['one that verifies beside others', 'session=malformed; session=x', 2, ['x'], 'malformed'],
    ['one that browsers would just keep', `session=${'x'.repeat(4096)}`, 1, ['x'.repeat(4096)], undefined],
    ['one that no browser would keep', `session=${'x'.repeat(4097)}`, 1, [], 'malformed'],
  ])('are %s', (_, header, count, tokens, fault) => {
    expect(findCookies(header, 'session', codecOf())).toEqual({ count, tokens: tokens.map(found), fault })
  })

  it('are not verified where their length or encoding tells enough', () => {
    const codec = codecOf()
    findCookies(`session=${'x'.repeat(4097)}; session=%zz; session=a; session=a`, 'session', codec)
    expect(codec.texts).toEqual(['a'])
  })

  it('are in the order of their records where they hold these, the newest first', () => {
    const recordAt = (createdAt: number, lastSeenAt: number): TokenContent => ({ id: 'id', record: { ...createRecord(createdAt, { maxAge: 1000, idleTimeout: 0 }), lastSeenAt } })
    const contents: Record<string, TokenContent> = { oldest: recordAt(1, 5), younger: recordAt(2, 5), newest: recordAt(0, 6), first: recordAt(9, 1) }
    const codec = codecOf(text => contents[text]!, true)
    const header = Object.keys(contents).map(text => `session=${text}`).join('; ')
    expect(findCookies(header, 'session', codec).tokens.map(({ text }) => text)).toEqual(['newest', 'younger', 'oldest', 'first'])
    expect(findCookies(header, 'session', { ...codec, holdsRecord: false }).tokens.map(({ text }) => text)).toEqual(Object.keys(contents))
  })
})
