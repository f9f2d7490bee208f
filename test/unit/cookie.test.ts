import type { CoreSessionOptions, ResolvedCookieOptions, SessionCookieOptions } from '../../src/core/options'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertCookieFits, buildRemoval, buildSetCookie } from '../../src/core/cookie/set-cookie'
import { normalizeValue, readCookies, readPieces } from '../../src/core/cookie/header'
import { App, Browser, MODES, returning } from './support/app'
import { caught } from './support/errors'
import { parseSetCookie } from './support/exchange'

const DEFAULTS: ResolvedCookieOptions = { name: 'session', path: '/', httpOnly: true, secure: true, sameSite: 'lax' }

/** The pairs of a `Cookie` header. */
function pairsOf(header: string): { name: string, value: string }[] {
  const trim = (text: string): string => text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')
  return header.split(';').filter(pair => pair.includes('=')).map(pair => ({ name: trim(pair.split('=', 1)[0]!), value: trim(pair.slice(pair.indexOf('=') + 1)) }))
}

describe('reading the Cookie header', () => {
  it.each<[what: string, header: string | undefined, values: string[]]>([
    ['no header', undefined, []],
    ['an empty header', '', []],
    ['one cookie', 'session=a', ['a']],
    ['ours among others', 'a=1; session=b; c=2', ['b']],
    ['two of our name, in their order', 'session=a; session=b', ['a', 'b']],
    ['a value with equals signs', 'session=a=b==', ['a=b==']],
    ['no space after the semicolon', 'a=1;session=b', ['b']],
    ['spaces around name and value', ' session = a ; x=1', ['a']],
    ['an empty value', 'session=', ['']],
    ['no equals sign', 'session', []],
    ['another case', 'Session=a; SESSION=b', []],
    ['a longer name that ends like ours', 'mysession=a', []],
    ['a longer name that starts like ours', 'session2=a; session.x=b', []],
    ['our name inside a value', 'a=session=b', []],
    ['quotes, which stay', 'session="a"', ['"a"']],
    ['percent-encoding, which stays', 'session=%41', ['%41']],
    ['nonsense around it', ';;=;= ;session=a;;', ['a']],
  ])('finds the right values with %s', (_, header, values) => {
    expect(readCookies(header, 'session')).toEqual(values)
  })

  it.each(['s', 'a name of some length'.replaceAll(' ', '-')])('finds what RFC 6265, section 5.2 finds, whatever is around it: %s', (name) => {
    const header = fc.array(fc.constantFrom(name, 'x', '=', ';', ' ', '\t', '"', '; '), { maxLength: 40 }).map(parts => parts.join(''))
    fc.assert(fc.property(header, (header) => {
      const values = pairsOf(header).filter(pair => pair.name === name).map(({ value }) => value)
      expect(readCookies(header, name)).toEqual(values.slice(0, 8))
    }), { numRuns: 1000 })
  })

  it.each(['s', 'session'])('looks at eight at most: %s', (name) => {
    expect(readCookies(Array.from({ length: 20 }, (_, n) => `${name}=${n}`).join('; '), name)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
  })

  it('finds nothing where no name is given', () => {
    expect(readCookies('=a; b=c', '')).toEqual([])
  })

  it('takes nothing but space and tab away from a value', () => {
    expect(readCookies('session=\u00A0a\u00A0', 'session')).toEqual(['\u00A0a\u00A0'])
  })
})

describe('the value of a cookie', () => {
  it.each<[raw: string, value: string | undefined]>([
    ['', ''],
    ['a', 'a'],
    ['"a"', 'a'],
    ['""', ''],
    ['"', '"'],
    ['"a', '"a'],
    ['a"', 'a"'],
    ['""a""', '"a"'],
    ['a%2Eb', 'a.b'],
    ['%22a%22', 'a'],
    ['%C3%A9', 'é'],
    ['"%', undefined],
    ['%zz', undefined],
    ['%E0%A4%A', undefined],
    ['a+b', 'a+b'],
  ])('%j spells %j', (raw, value) => {
    expect(normalizeValue(raw)).toBe(value)
  })
})

describe('reading the pieces of a cookie that was cut', () => {
  it('finds those of its name, the first of each', () => {
    const header = fc.array(fc.constantFrom('h3.', 'h3.1', 'h3.2', 'h3', 'x', '=', ';', ' ', '\t', '; '), { maxLength: 40 }).map(parts => parts.join(''))
    fc.assert(fc.property(header, (header) => {
      const pairs = pairsOf(header).filter(({ name }) => name.startsWith('h3.')).map(({ name, value }): [string, string] => [name, value])
      expect(readPieces(header, 'h3')).toEqual(new Map(pairs.toReversed()))
    }), { numRuns: 1000 })
  })

  it.each<[what: string, header: string | undefined, pieces: Record<string, string>]>([
    ['no header', undefined, {}],
    ['no pieces', 'h3=__chunked__2; h33.1=x; h3', {}],
    ['pieces among others', 'a=1; h3.1=one; h3=__chunked__2; h3.2=two;h3.3', { 'h3.1': 'one', 'h3.2': 'two' }],
    ['blanks', ' h3.1 = one ;\th3.2=\ttwo', { 'h3.1': 'one', 'h3.2': 'two' }],
    ['two of one name, of which the first counts', 'h3.1=one; h3.1=planted', { 'h3.1': 'one' }],
    ['a value with equals signs', 'h3.1=a=b=', { 'h3.1': 'a=b=' }],
    ['an empty value', 'h3.1=;h3.2', { 'h3.1': '' }],
  ])('finds %s', (_, header, pieces) => {
    expect(Object.fromEntries(readPieces(header, 'h3'))).toEqual(pieces)
  })

  it('looks at a hundred at most', () => {
    expect(readPieces(Array.from({ length: 5000 }, (_, n) => `h3.${n}=x`).join(';'), 'h3').size).toBe(100)
  })
})

describe('the Set-Cookie header', () => {
  it('has the default attributes', () => {
    expect(buildSetCookie(DEFAULTS, 'x', 60)).toBe('session=x; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax')
  })

  it('has no Max-Age for a cookie that ends with the browser', () => {
    expect(parseSetCookie(buildSetCookie(DEFAULTS, 'x', undefined)).attributes.has('max-age')).toBe(false)
  })

  it.each<[SessionCookieOptions, string]>([
    [{ name: 'id' }, 'id=x; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ path: '/app' }, 'session=x; Path=/app; HttpOnly; Secure; SameSite=Lax'],
    [{ domain: 'example.com' }, 'session=x; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ httpOnly: false }, 'session=x; Path=/; Secure; SameSite=Lax'],
    [{ secure: false }, 'session=x; Path=/; HttpOnly; SameSite=Lax'],
    [{ sameSite: 'strict' }, 'session=x; Path=/; HttpOnly; Secure; SameSite=Strict'],
    [{ sameSite: 'none' }, 'session=x; Path=/; HttpOnly; Secure; SameSite=None'],
    [{ partitioned: true }, 'session=x; Path=/; HttpOnly; Secure; SameSite=Lax; Partitioned'],
    [{ partitioned: false }, 'session=x; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [{ priority: 'high' }, 'session=x; Path=/; HttpOnly; Secure; SameSite=Lax; Priority=High'],
  ])('shows %j', (options, header) => {
    expect(buildSetCookie({ ...DEFAULTS, ...options } as ResolvedCookieOptions, 'x', undefined)).toBe(header)
  })

  it('that removes has every attribute of the one it removes', () => {
    const options: ResolvedCookieOptions = { ...DEFAULTS, path: '/app', domain: 'example.com', sameSite: 'none', partitioned: true, priority: 'low' }
    const [set, removal] = [buildSetCookie(options, 'x', 60), buildRemoval(options)].map(parseSetCookie)
    set?.attributes.set('max-age', '0')
    expect(removal).toEqual({ name: 'session', value: '', attributes: set?.attributes })
  })
})

describe('the size of a cookie', () => {
  it('may be 4096 bytes with its attributes', () => {
    expect(() => assertCookieFits('x'.repeat(4096), { data: {}, flash: {} })).not.toThrow()
  })

  it('may not be 4097 bytes; the error gives the size and the largest keys first', async () => {
    const data = { small: 1, large: 'y'.repeat(3000), middle: 'y'.repeat(300), tiny: '' }
    expect(await caught(() => assertCookieFits('x'.repeat(4097), { data, flash: {} }))).toMatchObject({
      code: 'COOKIE_ERROR',
      message: expect.stringMatching(/4097 bytes.*`large` \(3002 bytes\), `middle` \(302 bytes\)/),
      details: { size: 4097, limit: 4096, largest: [{ key: 'large', bytes: 3002 }, { key: 'middle', bytes: 302 }, { key: 'tiny', bytes: 2 }] },
    })
  })

  it('is counted in bytes, not in characters', async () => {
    const error = await caught(() => assertCookieFits('x'.repeat(4097), { data: { ascii: 'x'.repeat(200) }, flash: { euros: '€'.repeat(100) } }))
    expect(error.details.largest).toEqual([{ key: 'euros', bytes: 302 }, { key: 'ascii', bytes: 202 }])
  })
})

describe.each(MODES)('the session cookie in $mode', ({ options }) => {
  async function cookieOf(changes: CoreSessionOptions): Promise<ReturnType<typeof parseSetCookie>> {
    const visit = await new Browser().visit(new App({ ...options, ...changes }))
    visit.session.set('a', 1)
    await visit.end()
    return parseSetCookie(visit.setCookies[0] ?? '')
  }

  it('is HttpOnly, Secure, SameSite=Lax, for the whole site and for a week', async () => {
    const { name, attributes } = await cookieOf({})
    expect([name, Object.fromEntries(attributes)]).toEqual(['session', { 'max-age': '604800', 'path': '/', 'httponly': '', 'secure': '', 'samesite': 'Lax' }])
  })

  it('shows what was configured', async () => {
    const { name, attributes } = await cookieOf({ maxAge: 60, cookie: { name: 'id', path: '/app', domain: 'example.com', httpOnly: false, secure: true, sameSite: 'none', partitioned: true, priority: 'low' } })
    expect([name, Object.fromEntries(attributes)]).toEqual(['id', { 'max-age': '60', 'domain': 'example.com', 'path': '/app', 'secure': '', 'samesite': 'None', 'partitioned': '', 'priority': 'Low' }])
  })

  it('never lives longer than 400 days', async () => {
    const { attributes } = await cookieOf({ maxAge: 999_999_999 })
    expect(attributes.get('max-age')).toBe('34560000')
  })

  it('needs no quotes or escapes in a header', async () => {
    const { value } = await cookieOf({})
    expect(value).toMatch(/^[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]+$/)
  })

  it('is removed with the attributes it was set with', async () => {
    const app = new App({ ...options, cookie: { path: '/app', domain: 'example.com', sameSite: 'strict' } })
    const visit = await (await returning(app)).visit(app)
    await visit.session.destroy()
    const { value, attributes } = parseSetCookie(visit.setCookies[0] ?? '')
    expect([value, Object.fromEntries(attributes)]).toEqual(['', { 'max-age': '0', 'domain': 'example.com', 'path': '/app', 'httponly': '', 'secure': '', 'samesite': 'Strict' }])
  })
})
