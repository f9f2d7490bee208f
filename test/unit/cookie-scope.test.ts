import type { ResolvedCookieOptions } from '../../src/core/options'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildRemoval } from '../../src/core/cookie/set-cookie'
import { identityOf, otherScopes, parseScopeText, scopeTextOf } from '../../src/core/cookie/scope'

const COOKIE: ResolvedCookieOptions = { name: 'session', path: '/', httpOnly: true, secure: true, sameSite: 'lax' }

/** Domain, Path and whether it is partitioned, as one text. */
function scopesFor(options: Partial<ResolvedCookieOptions>, host: string | undefined, path: string): string[] {
  return otherScopes({ ...COOKIE, ...options }, { host, path }).map(({ domain = '-', path, partitioned }) => `${domain} ${path}${partitioned ? ' partitioned' : ''}`)
}

describe('the other scopes that a cookie of a request can have', () => {
  it.each<[what: string, options: Partial<ResolvedCookieOptions>, host: string | undefined, path: string, scopes: string[]]>([
    ['one host, no folder', { secure: false }, 'example.com', '/', ['example.com /']],
    ['a port', { secure: false }, 'example.com:3000', '/', ['example.com /']],
    ['capital letters', { secure: false }, 'Example.COM', '/', ['example.com /']],
    ['domains above the host', { secure: false }, 'a.b.example.com', '/', ['a.b.example.com /', 'b.example.com /', 'example.com /']],
    ['localhost', { secure: false }, 'localhost:3000', '/', ['localhost /']],
    ['an address', { secure: false }, '127.0.0.1:3000', '/', []],
    ['an address of IPv6', { secure: false }, '[::1]:3000', '/', []],
    ['no host', { secure: false }, undefined, '/', []],
    ['a folder', { secure: false }, '127.0.0.1', '/api/', ['- /api', '- /api/']],
    ['folders and a file', { secure: false }, '127.0.0.1', '/a/b', ['- /a', '- /a/', '- /a/b']],
    ['a query', { secure: false }, '127.0.0.1', '/a?x=/b/c', ['- /a']],
    ['a secure cookie, which may be partitioned', {}, '127.0.0.1', '/', ['- / partitioned']],
    ['a partitioned cookie', { partitioned: true }, '127.0.0.1', '/a', ['- /', '- /a partitioned', '- /a']],
    ['a domain in the options', { secure: false, domain: 'example.com' }, 'example.com', '/', ['- /']],
    ['a domain with a dot in the options', { secure: false, domain: '.Example.com' }, undefined, '/', ['- /']],
    ['a path in the options, which a proxy takes off', { secure: false, path: '/app' }, '127.0.0.1', '/', ['- /']],
    ['a host with many labels', { secure: false }, 'a.b.c.d.e.example.com', '/', ['b.c.d.e.example.com /', 'c.d.e.example.com /', 'd.e.example.com /', 'e.example.com /', 'example.com /']],
    ['a host with dots too many', { secure: false }, '.a..example.com.', '/', ['a.example.com /', 'example.com /']],
    ['many folders', { secure: false }, '127.0.0.1', '/1/2/3/4/5/6/7/8', ['- /1', '- /1/', '- /1/2', '- /1/2/', '- /1/2/3', '- /1/2/3/', '- /1/2/3/4', '- /1/2/3/4/', '- /1/2/3/4/5', '- /1/2/3/4/5/', '- /1/2/3/4/5/6', '- /1/2/3/4/5/6/']],
    ['slashes too many', { secure: false }, '127.0.0.1', '//a//', ['- //', '- //a', '- //a/', '- //a//']],
    ['a name that only looks bound to the host', { secure: false, name: 'my__Host-session' }, 'example.com', '/', ['example.com /']],
    ['a name that is bound to the host in small letters', { name: '__host-session' }, 'a.example.com', '/a', ['- / partitioned']],
    ['a host of which the name says that it is bound to it', { name: '__Host-session' }, 'a.example.com', '/a/b', ['- / partitioned']],
  ])('%s', (_, options, host, path, scopes) => {
    expect(scopesFor(options, host, path)).toEqual(scopes)
  })

  it('those come first that differ in one attribute only', () => {
    const scopes = otherScopes(COOKIE, { host: 'a.b.c.example.com', path: '/a/b/c/d/e/f' })
    const differences = scopes.map(({ domain, path, partitioned }) => [domain !== undefined, path !== '/', partitioned].filter(Boolean).length)
    expect(differences).toEqual(differences.toSorted((a, b) => a - b))
  })

  it('are few, fit into a response, and are never the own one, whatever the request', () => {
    const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.webPath(), fc.domain(), fc.stringMatching(/^[a-z.:/;%\r\n -]{0,200}$/))
    fc.assert(fc.property(fc.option(text, { nil: undefined }), text, fc.boolean(), (host, path, partitioned) => {
      const options = { ...COOKIE, partitioned }
      const removals = otherScopes(options, { host, path }).map(scope => buildRemoval({ ...options, ...scope }))
      expect(removals.length).toBeLessThanOrEqual(40)
      expect(removals.filter(line => !/^session=; Max-Age=0(?:; Domain=[a-z\d.-]+)?; Path=\/[\x21-\x3A\x3C-\x7E]*; HttpOnly; Secure; SameSite=Lax(?:; Partitioned)?$/.test(line))).toEqual([])
      expect(removals).not.toContain(buildRemoval(options))
      expect(new Set(removals).size).toBe(removals.length)
    }), { numRuns: 2000 })
  })

  it('cost no more for a long path and a long host', () => {
    const scopes = otherScopes(COOKIE, { host: `${'a.'.repeat(10_000)}example.com`, path: '/a'.repeat(10_000) })
    expect(scopes.length).toBeLessThanOrEqual(40)
  })
})

describe('the text of a scope', () => {
  it.each<[Partial<ResolvedCookieOptions>, string]>([
    [{}, ''],
    [{ partitioned: false }, ''],
    [{ domain: '.Example.com' }, 'example.com;/;'],
    [{ path: '/app' }, ';/app;'],
    [{ partitioned: true }, ';/;1'],
    [{ domain: 'example.com', path: '/app/', partitioned: true }, 'example.com;/app/;1'],
  ])('of %j is %j', (options, text) => {
    const { domain, path, partitioned } = parseScopeText(text)
    expect(scopeTextOf({ ...COOKIE, ...options })).toBe(text)
    expect(scopeTextOf({ ...COOKIE, path, partitioned, ...domain && { domain } })).toBe(text)
  })
})

describe('the identity of a Set-Cookie header', () => {
  const isSame = (a: string, b: string, path = '/api/login'): boolean => identityOf(a, path) === identityOf(b, path)

  it.each<[string, string]>([
    ['session=a; Path=/', 'session=b; Path=/; HttpOnly; Secure; Max-Age=5'],
    ['session=a; Path=/; Domain=Example.com', 'session=; path=/; domain=.example.com; expires=Thu, 01 Jan 1970 00:00:00 GMT'],
    ['session=a;Path=/x;Partitioned;Secure', 'session=a; partitioned ; path = /x'],
    ['session=a', 'session=b; Path=/api'],
    ['session=a; Path=relative', 'session=b; Path=/api'],
    ['session=a=b; Path=/', 'session=; Path=/'],
    ['session=a; Path=/x; Path=/', 'session=b; Path=/'],
    ['session =a; Path=/', ' session=b; Path=/'],
    ['session=a; Path=/; Domain=', 'session=b; Path=/'],
    ['session=a; Path=relative/', 'session=b; Path=/api'],
  ])('is the same for %j and %j', (a, b) => {
    expect(isSame(a, b)).toBe(true)
  })

  it.each<[string, string]>([
    ['session=a; Path=/', 'sessions=a; Path=/'],
    ['session=a; Path=/', 'Session=a; Path=/'],
    ['session=a; Path=/', 'session=a; Path=/old'],
    ['session=a; Path=/old', 'session=a; Path=/old/'],
    ['session=a; Path=/', 'session=a; Path=/; Domain=example.com'],
    ['session=a; Path=/; Domain=example.com', 'session=a; Path=/; Domain=app.example.com'],
    ['session=a; Path=/', 'session=a; Path=/; Partitioned'],
    ['session=a', 'session=a; Path=/'],
    ['session=a', 'session=a; Path=/old'],
    ['session=a; Path=/; Domain=x', 'sessionx=a; Path=/'],
  ])('is not the same for %j and %j', (a, b) => {
    expect(isSame(a, b)).toBe(false)
  })

  it.each([
    ['/', '/'],
    ['/login', '/'],
    ['/login?to=/a/b', '/'],
    ['/api/', '/api'],
    ['/api/v1/login?to=/a', '/api/v1'],
    ['', '/'],
  ])('has the folder of the request where it names no path: %j is in %j', (requestPath, folder) => {
    expect(isSame('session=a', `session=b; Path=${folder}`, requestPath)).toBe(true)
  })
})
