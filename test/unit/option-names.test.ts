import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearest } from '../../src/core/option-hints'
import { unknownOptions } from '../../src/core/option-names'
import { OPTIONS } from '../../src/core/options'

/** The options of Nitro, as the module knows them. */
const NITRO = { ...OPTIONS, storage: 'session', autoload: true, autoImports: '', migrate: '' }
/** The options of `unsession/h3`. */
const H3 = { ...OPTIONS, store: '', generate: '', migrate: '' }

/** An object with one option, at a path. */
function withOption(path: string): object {
  return path.split('.').reduceRight<unknown>((value, name) => ({ [name]: value }), 1) as object
}

function hint(path: string, known = NITRO as Parameters<typeof unknownOptions>[1]): string | undefined {
  const issues = unknownOptions(withOption(path), known)
  expect(issues.map(issue => issue.path)).toEqual([path])
  return issues[0]!.remedy
}

const PATHS = Object.entries(NITRO).flatMap(([name, value]) => [name, ...name === 'cookie' ? Object.keys(value).map(key => `cookie.${key}`) : []])

describe('an option that does not exist', () => {
  it.each([
    ['maxage', 'maxAge'],
    ['max_age', 'maxAge'],
    ['max-age', 'maxAge'],
    ['MAXAGE', 'maxAge'],
    ['mxAge', 'maxAge'],
    ['maxAgee', 'maxAge'],
    ['idletimeout', 'idleTimeout'],
    ['idle_timeout', 'idleTimeout'],
    ['autolod', 'autoload'],
    ['autoimport', 'autoImports'],
    ['secrte', 'secret'],
    ['stroage', 'storage'],
    ['expsoe', 'expose'],
    ['modes', 'mode'],
    ['Cookie', 'cookie'],
    ['cookies', 'cookie'],
    ['saveUninitialised', 'saveUninitialized'],
    ['cookie.samesite', 'cookie.sameSite'],
    ['cookie.same_site', 'cookie.sameSite'],
    ['cookie.same-site', 'cookie.sameSite'],
    ['cookie.sameSit', 'cookie.sameSite'],
    ['cookie.httponly', 'cookie.httpOnly'],
    ['cookie.htpOnly', 'cookie.httpOnly'],
    ['cookie.Secure', 'cookie.secure'],
    ['cookie.pth', 'cookie.path'],
    ['cookie.domian', 'cookie.domain'],
    ['cookie.nme', 'cookie.name'],
    ['samesit', 'cookie.sameSite'],
    ['pasword', 'secret'],
  ])('%s: did you mean %s?', (path, meant) => {
    expect(hint(path)).toBe(`Did you mean \`${meant}\`?`)
  })

  it.each<[from: string, names: Record<string, string>]>([
    ['express-session', { 'name': 'cookie.name', 'rolling': 'idleTimeout', 'store': 'storage', 'cookie.maxAge': 'maxAge', 'cookie.expires': 'maxAge' }],
    ['cookie-session', { keys: 'secret', expires: 'maxAge', path: 'cookie.path', domain: 'cookie.domain', sameSite: 'cookie.sameSite', secure: 'cookie.secure', httpOnly: 'cookie.httpOnly', partitioned: 'cookie.partitioned', priority: 'cookie.priority' }],
    ['iron-session', { 'cookieName': 'cookie.name', 'password': 'secret', 'ttl': 'maxAge', 'cookieOptions': 'cookie' }],
    ['h3', { 'password': 'secret', 'name': 'cookie.name', 'cookie.maxAge': 'maxAge' }],
    ['@davaux/session', { cookieName: 'cookie.name', httpOnly: 'cookie.httpOnly', secure: 'cookie.secure', sameSite: 'cookie.sameSite', path: 'cookie.path' }],
    ['@analog-tools/session', { store: 'storage', name: 'cookie.name' }],
    ['@fastify/session', { 'cookieName': 'cookie.name', 'store': 'storage', 'rolling': 'idleTimeout', 'cookie.secret': 'secret' }],
    ['@fastify/secure-session', { key: 'secret', sessionName: 'cookie.name', expiry: 'maxAge' }],
    ['@hono/session', { duration: 'maxAge' }],
    ['hono-sessions', { encryptionKey: 'secret', sessionCookieName: 'cookie.name', expireAfterSeconds: 'maxAge', autoExtendExpiration: 'idleTimeout', cookieOptions: 'cookie' }],
    ['koa-session', { key: 'secret', renew: 'idleTimeout' }],
    ['Remix', { 'cookie.secrets': 'secret' }],
    ['others', { driver: 'storage', lifetime: 'maxAge', age: 'maxAge', sessionMaxAge: 'maxAge', expiresIn: 'maxAge', updateAge: 'idleTimeout', idle: 'idleTimeout', sessionTimeout: 'idleTimeout', maxAgeSeconds: 'maxAge', cookieMaxAge: 'maxAge', sessionLifetime: 'maxAge', cookieSecret: 'secret', authSecret: 'secret', signingSecret: 'secret', signingKey: 'secret', secrets: 'secret', cookieSameSite: 'cookie.sameSite' }],
  ])('of %s is named as it is called here', (_, names) => {
    for (const [path, target] of Object.entries(names))
      expect(hint(path), path).toMatch(new RegExp(`^(?:Use|Did you mean) \`${target.replace('.', '\\.')}\`(?:, in seconds)?[.?]$`))
  })

  it.each(['resave', 'proxy', 'unset', 'genid', 'idGenerator', 'generateId', 'sessionHeader', 'seal', 'crypto', 'legacySealFallback', 'salt', 'signed', 'cookie.signed', 'cookie.encode', 'cookie.overwrite', 'overwrite', 'autoCommit', 'cookiePrefix', 'cookie.originalMaxAge', 'algorithm'])('%s is not needed', (path) => {
    expect(hint(path)).toMatch(/^Leave it out: .+\.$/)
  })

  it('says that lifetimes are in seconds, which elsewhere are in milliseconds', () => {
    expect([hint('cookie.maxAge'), hint('ttl'), hint('rolling')]).toEqual(['Use `maxAge`, in seconds.', 'Use `maxAge`, in seconds.', 'Use `idleTimeout`, in seconds.'])
  })

  it('is named as the host calls it', () => {
    expect([hint('store'), hint('driver')]).toEqual(['Use `storage`.', 'Use `storage`.'])
    expect([hint('storage', H3), hint('driver', H3)]).toEqual(['Use `store`.', 'Use `store`.'])
    expect(hint('autoload', H3)).toBe('Leave it out: `sessionMiddleware` loads the session.')
    expect(hint('generate')).toContain('`session:created`')
  })

  it('is named below what it is part of', () => {
    const known = { from: '', cookie: { name: '', path: '', domain: '' }, password: '', maxAge: '' }
    expect(unknownOptions({ secret: 'x', nme: 'y', cookie: { pth: '/' } }, known, 'migrate.').map(({ path, remedy }) => `${path}: ${remedy}`)).toEqual([
      'migrate.secret: Use `migrate.password`.',
      'migrate.nme: Did you mean `migrate.cookie.name`?',
      'migrate.cookie.pth: Did you mean `migrate.cookie.path`?',
    ])
  })

  it('of `migrate` is told where the other package says how long a session lasts', () => {
    const known = { from: '', cookie: { name: '', path: '', domain: '' }, password: '' }
    const issues = unknownOptions({ ttl: 60, maxAge: 60, cookieName: 'app', secret: 'x' }, known, 'migrate.')
    expect(issues.map(({ path, remedy }) => `${path}: ${remedy}`)).toEqual([
      'migrate.ttl: Leave it out: the session of the other package says itself when it ends, if it does.',
      'migrate.maxAge: Leave it out: the session of the other package says itself when it ends, if it does.',
      'migrate.cookieName: Did you mean `migrate.cookie.name`?',
      'migrate.secret: Use `migrate.password`.',
    ])
  })

  it.each(['foo', 'x', 'cookie.zzz', 'userAgent', 'constructor', 'toString', 'cookie.hasOwnProperty', 'database', ''])('%j has no likely name, and gets no guess', (path) => {
    expect(hint(path)).toBe('Check its spelling.')
  })

  it('is found whatever is beside it, and the existing ones are not', () => {
    expect(unknownOptions({ ...NITRO, cookie: { ...OPTIONS.cookie } }, NITRO)).toEqual([])
    expect(unknownOptions({ ...NITRO, tll: 1, cookie: { ...OPTIONS.cookie, tll: 1 } }, NITRO).map(({ path }) => path)).toEqual(['tll', 'cookie.tll'])
    expect(unknownOptions({ cookie: 'x', storage: { driver: 'redis', url: '' }, expose: ['user'] }, NITRO)).toEqual([])
  })

  it('that is one slip away from an option is taken for it', () => {
    fc.assert(fc.property(fc.constantFrom(...PATHS.filter(path => path.length - path.lastIndexOf('.') > 6)), fc.nat(), fc.constantFrom('leave out', 'double', 'swap'), (path, at, slip) => {
      const start = path.lastIndexOf('.') + 1
      const name = path.slice(start)
      const index = at % (name.length - 1)
      const slipped = {
        'leave out': name.slice(0, index) + name.slice(index + 1),
        'double': name.slice(0, index) + name[index] + name.slice(index),
        'swap': name.slice(0, index) + name[index + 1] + name[index] + name.slice(index + 2),
      }[slip]!
      fc.pre(!PATHS.includes(path.slice(0, start) + slipped))
      expect(hint(path.slice(0, start) + slipped)).toBe(`Did you mean \`${path}\`?`)
    }))
  })

  it('costs little however long its name is', () => {
    expect(hint('a'.repeat(100_000))).toBe('Check its spelling.')
  })
})

describe('the nearest name', () => {
  it('is the first of several that are as near', () => {
    expect([nearest('ab', ['ac', 'ad']), nearest('ab', ['xy']), nearest('abcdefghi', ['abcxyzghi'])]).toEqual(['ac', undefined, 'abcxyzghi'])
  })
})
