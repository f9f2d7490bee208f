import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { forbidCaching, isForSharedCaches, varyByCookie } from '../../src/http/caching'

type Given = Record<string, string>

const FUTURE = 'Thu, 01 Jan 2099 00:00:00 GMT'
const PAST = 'Thu, 01 Jan 1970 00:00:00 GMT'

/** What is left of a personal response. */
function leavesOf(given: Given): Given {
  const headers = new Headers(given)
  forbidCaching(headers)
  return Object.fromEntries(headers)
}

/** Responses that shared caches may keep, and what is left of their headers when they are personal. */
const MARKED: [given: Given, left?: Given][] = [
  // RFC 9111, sections 3 and 5.2.2.
  [{ 'cache-control': 'public' }],
  [{ 'cache-control': 'max-age=60' }],
  [{ 'cache-control': 'MAX-AGE=60, PUBLIC' }],
  [{ 'cache-control': 's-maxage=60' }],
  [{ 'cache-control': 's-maxage="60"' }],
  [{ 'cache-control': 'must-revalidate' }],
  [{ 'cache-control': 'immutable,, ,max-age=60,' }],
  [{ 'cache-control': '' }],
  [{ 'cache-control': 'private, s-maxage=60' }],
  [{ 'cache-control': 'public, no-cache' }],
  [{ 'cache-control': 'no-store, public' }],
  // Qualified: about the named headers alone (sections 5.2.2.4 and 5.2.2.7).
  [{ 'cache-control': 'public, no-cache="Set-Cookie"' }],
  [{ 'cache-control': 'max-age=60, no-cache="Set-Cookie"' }],
  [{ 'cache-control': 'private="x-user, x-name", max-age=60' }],
  [{ 'cache-control': 'private=x-user' }],
  [{ 'cache-control': 'private = "x-user"' }],
  [{ 'cache-control': 'private=""' }],
  // Words within others, within quotes, and after what is no space of HTTP.
  [{ 'cache-control': 'x-private' }],
  [{ 'cache-control': 'no-store-remote' }],
  [{ 'cache-control': 'private;x' }],
  [{ 'cache-control': '"private"' }],
  [{ 'cache-control': 'extension="a, private, b"' }],
  [{ 'cache-control': 'extension="a\\", private, \\"b"' }],
  [{ 'cache-control': 'extension="a, private' }],
  [{ 'cache-control': 'max-age=60, private\u00A0' }],
  // Section 5.3: three forms of a date.
  [{ expires: FUTURE }],
  [{ expires: 'Friday, 01-Jan-49 00:00:00 GMT' }],
  [{ expires: 'Thu Jan  1 00:00:00 2099' }],
  [{ 'expires': FUTURE, 'cache-control': 'max-age=60' }],
  // RFC 9213.
  [{ 'cdn-cache-control': 'max-age=60' }],
  [{ 'cdn-cache-control': 'max-age=60', 'cache-control': 'private, max-age=5' }, { 'cache-control': 'private, max-age=5' }],
  [{ 'cdn-cache-control': 'max-age=60', 'cache-control': 'no-store' }],
  [{ 'cdn-cache-control': 'no-store', 'cache-control': 'public' }, { 'cdn-cache-control': 'no-store', 'cache-control': 'no-store' }],
  [{ 'cdn-cache-control': 'private=?0' }],
  ...['cloudflare-cdn', 'vercel-cdn', 'netlify-cdn', 'akamai', 'x-litespeed', 'any-other'].map((host): [Given] => [{ [`${host}-cache-control`]: 'public, max-age=60' }]),
  // What hosts call it.
  [{ 'surrogate-control': 'max-age=60' }],
  [{ 'surrogate-control': 'max-age=60+30, content="ESI/1.0"' }],
  [{ 'edge-control': '!no-store' }],
  [{ 'edge-control': '!no-store, cache-maxage=1d', 'cache-control': 'no-store' }],
  [{ 'edge-control': 'cache-maxage=1d' }],
  [{ 'edge-control': 'downstream-ttl=1h' }],
  [{ 'x-accel-expires': '60', 'cache-control': 'private' }, { 'cache-control': 'private' }],
  [{ 'x-accel-expires': '@4070908800' }],
]

/** Headers that let no shared cache keep a response. A personal response keeps them. */
const UNMARKED: Given[] = [
  { 'cache-control': 'private' },
  { 'cache-control': 'private, max-age=60' },
  { 'cache-control': ' \tPrivate\t ,max-age=60' },
  { 'cache-control': ',, private' },
  { 'cache-control': 'no-store' },
  { 'cache-control': 'no-cache' },
  { 'cache-control': 'no-cache, private="x"' },
  { 'cache-control': 'no-store, extension="public"' },
  { 'cache-control': 'no-store, extension="\\", public"' },
  { 'cache-control': 'private', 'expires': FUTURE },
  { 'expires': PAST, 'cache-control': 'no-cache' },
  { 'pragma': 'public', 'cache-control': 'private' },
  { 'cdn-cache-control': 'private', 'cache-control': 'private' },
  { 'cdn-cache-control': 'no-store, max-age=60', 'cache-control': 'no-store' },
  { 'x-litespeed-cache-control': 'shared, private, no-vary, max-age=60, esi=on', 'cache-control': 'private' },
  { 'surrogate-control': 'no-store, content="ESI/1.0"', 'cache-control': 'private' },
  { 'surrogate-control': 'content="ESI/1.0"', 'cache-control': 'private' },
  { 'edge-control': 'no-store', 'cache-control': 'private' },
  { 'edge-control': 'bypass-cache, dca=esi', 'cache-control': 'private' },
  { 'x-accel-expires': '0', 'cache-control': 'private' },
  { 'access-control-allow-origin': '*', 'cache-control': 'private' },
]

describe('what shared caches may keep', () => {
  it.each(MARKED)('%j is marked for them, and not when it is personal', (given, left = { 'cache-control': 'no-store' }) => {
    expect(isForSharedCaches(new Headers(given))).toBe(true)
    expect(leavesOf(given)).toEqual({ vary: 'Cookie', ...left })
  })

  it.each(UNMARKED)('%j is not marked, and stays', (given) => {
    expect(isForSharedCaches(new Headers(given))).toBe(false)
    expect(leavesOf(given)).toEqual({ vary: 'Cookie', ...Object.fromEntries(new Headers(given)) })
  })

  it.each<Given>([{}, { pragma: 'no-cache' }, { etag: '"a"' }, { expires: PAST }, { 'cdn-cache-control': 'no-store' }, { 'x-accel-expires': '0' }])('%j says nothing to them; a personal response forbids to keep it', (given) => {
    expect(isForSharedCaches(new Headers(given))).toBe(false)
    expect(leavesOf(given)).toEqual({ ...given, 'cache-control': 'no-store', 'vary': 'Cookie' })
  })

  it.each(['0', '-1', '', '4070908800', '2099-01-01T00:00:00Z', 'never', 'Thursday', 'Thu, 01 Foo 2099 00:00:00 GMT'])('Expires: %s is no date and lies in the past', (expires) => {
    expect(isForSharedCaches(new Headers({ expires }))).toBe(false)
  })
})

describe('Vary', () => {
  it.each([
    [undefined, 'Cookie'],
    ['', 'Cookie'],
    ['Accept-Encoding', 'Accept-Encoding, Cookie'],
    ['x-cookie, cookie-x', 'x-cookie, cookie-x, Cookie'],
    ['COOKIE', 'COOKIE'],
    ['Accept, cookie', 'Accept, cookie'],
    ['accept ,\tCookie\t,,', 'accept ,\tCookie\t,,'],
    ['*', '*'],
  ])('%s becomes %s', (given, vary) => {
    const headers = new Headers(given === undefined ? {} : { vary: given })
    varyByCookie(headers)
    expect(headers.get('vary')).toBe(vary)
  })
})

interface Directive { name: string, argument?: string | undefined }

const token = fc.stringMatching(/^[\w!#$%&'*+.^`|~-]{1,12}$/)
const directive: fc.Arbitrary<Directive> = fc.record({
  name: fc.oneof(fc.constantFrom('public', 'private', 'no-store', 'no-cache', 's-maxage', 'max-age', 'must-revalidate'), token),
  argument: fc.option(fc.oneof(token, fc.string(), fc.constantFrom('private', ', private, ', '", public, "', '\\')), { nil: undefined }),
}, { requiredKeys: ['name'] })

const spaces = fc.stringMatching(/^[ \t]{0,3}$/)

/** A list of directives and one of the ways to write it (RFC 9110, section 5.6). */
const list = fc.array(directive, { maxLength: 5 }).chain(directives => fc.record({
  directives: fc.constant(directives),
  text: fc.tuple(...directives.map(each => fc.record({
    before: spaces,
    after: spaces,
    isUpper: fc.boolean(),
    isQuoted: fc.boolean(),
    empty: fc.constantFrom('', ',', ' ,'),
  }).map(({ before, after, isUpper, isQuoted, empty }) => {
    const name = isUpper ? each.name.toUpperCase() : each.name
    return `${empty}${before}${name}${writeArgument(each, isQuoted)}${after}`
  }))).map(members => members.join(',')),
}))

function writeArgument({ argument }: Directive, isQuoted: boolean): string {
  if (argument === undefined)
    return ''
  return isQuoted || !/^[\w!#$%&'*+.^`|~-]+$/.test(argument) ? `="${argument.replaceAll(/["\\]/g, '\\$&')}"` : `=${argument}`
}

/** The rule, applied to what was meant instead of to what was written. */
function isOpen(directives: readonly Directive[]): boolean {
  const names = new Set(directives.map(({ name }) => name.toLowerCase()))
  const bare = new Set(directives.filter(({ argument }) => argument === undefined).map(({ name }) => name.toLowerCase()))
  return names.has('public') || names.has('s-maxage') || !['private', 'no-store', 'no-cache'].some(name => bare.has(name))
}

const name = fc.constantFrom('cache-control', 'cdn-cache-control', 'vercel-cdn-cache-control', 'surrogate-control', 'edge-control', 'expires', 'x-accel-expires', 'vary', 'etag', 'x-other')
const value = fc.oneof(list.map(({ text }) => text), fc.constantFrom('0', '60', FUTURE, PAST, 'Cookie', '*', '!no-store'))
const headerList = fc.dictionary(name, value)

describe('any list of directives', () => {
  it('is understood, however it is written', () => {
    fc.assert(fc.property(list, ({ directives, text }) => {
      expect(isForSharedCaches(new Headers({ 'cache-control': text }))).toBe(isOpen(directives))
    }))
  })

  it('leaves no mark on a personal response, in whatever headers it stands', () => {
    fc.assert(fc.property(headerList, (given) => {
      const headers = new Headers(given)
      forbidCaching(headers)
      expect(isForSharedCaches(headers)).toBe(false)
      expect(['no-store', given['cache-control']?.trim()]).toContain(headers.get('cache-control'))
      expect([headers.get('etag'), headers.get('x-other')]).toEqual([given.etag?.trim() ?? null, given['x-other']?.trim() ?? null])
      const left = Object.fromEntries(headers)
      forbidCaching(headers)
      expect(Object.fromEntries(headers)).toEqual(left)
    }))
  })
})
