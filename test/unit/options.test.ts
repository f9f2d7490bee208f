import type { OptionIssue } from '../../src/core/resolve-options'
import type { CoreSessionOptions, SessionCookieOptions } from '../../src/core/options'
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSessionManager } from '../../src/core/session-manager'
import { resolveOptions } from '../../src/core/resolve-options'
import { SECRET } from './support/app'
import { caught } from './support/errors'

const DEV = { isProduction: false }
const PRODUCTION = { isProduction: true }

function resolve(options: object, context = PRODUCTION): ReturnType<typeof resolveOptions> {
  return resolveOptions({ secret: SECRET, ...options }, context)
}

async function issuesOf(options: object, context = PRODUCTION): Promise<OptionIssue[]> {
  return (await caught(() => resolve(options, context))).details.issues as OptionIssue[]
}

async function pathsOf(options: object, context = PRODUCTION): Promise<string[]> {
  return (await issuesOf(options, context)).map(({ path }) => path)
}

describe('options', () => {
  it('have the defaults of the contract', () => {
    expect(resolve({})).toEqual({
      mode: 'storage',
      secrets: [SECRET],
      maxAge: 604_800,
      idleTimeout: 0,
      encrypt: true,
      timeout: 5000,
      maxBytes: 1_048_576,
      saveUninitialized: false,
      expose: [],
      cookie: { name: '__Host-session', path: '/', httpOnly: true, secure: true, sameSite: 'lax' },
    })
  })

  it('make the cookie secure in production and not in development', () => {
    expect([resolve({}, PRODUCTION).cookie.secure, resolve({}, DEV).cookie.secure]).toEqual([true, false])
  })

  it.each<[string, boolean, SessionCookieOptions]>([
    ['__Host-session', true, {}],
    ['__Host-session', true, { name: 'auto' }],
    ['__Host-session', true, { name: '', domain: '', path: '' }],
    ['__Host-session', true, { path: '/', sameSite: 'none', partitioned: true }],
    ['__Host-session', false, { secure: true }],
    ['__Secure-session', true, { path: '/app' }],
    ['__Secure-session', true, { domain: 'example.com' }],
    ['__Secure-session', false, { secure: true, path: '/app', domain: 'example.com' }],
    ['session', false, {}],
    ['session', false, { path: '/app' }],
    ['session', true, { secure: false }],
    ['session', true, { secure: false, domain: 'example.com' }],
    ['sid', true, { name: 'sid' }],
    ['sid', true, { name: 'sid', domain: 'example.com' }],
  ])('name the cookie %s where production is %s and the attributes are %j', (name, isProduction, cookie) => {
    expect(resolve({ cookie }, { isProduction }).cookie.name).toBe(name)
  })

  it.each([{ path: 'app' }, { domain: 'exa mple.com' }, { secure: 'yes' }, { path: 5 }])('have nothing against an automatic name where the attributes are wrong: %j', async (cookie) => {
    expect(await pathsOf({ cookie })).toEqual([`cookie.${Object.keys(cookie)[0]}`])
  })

  it('keep secure as it is given', () => {
    expect([resolve({ cookie: { secure: false } }, PRODUCTION).cookie.secure, resolve({ cookie: { secure: true } }, DEV).cookie.secure]).toEqual([false, true])
  })

  it('take every other value over', () => {
    const given: CoreSessionOptions = {
      mode: 'cookie',
      maxAge: 60,
      idleTimeout: 30,
      encrypt: false,
      timeout: 1,
      maxBytes: 1,
      userKey: 'userId',
      saveUninitialized: true,
      expose: ['user'],
      cookie: { name: '__Secure-id', path: '/app', domain: 'example.com', httpOnly: false, secure: true, sameSite: 'none', partitioned: true, priority: 'high' },
    }
    expect(resolve(given)).toEqual({ ...given, secrets: [SECRET] })
  })

  it('take empty texts, which only the environment fills, for not set', () => {
    expect(resolve({ mode: '', cookie: { name: '', domain: '', path: '' } })).toEqual(resolve({}))
  })

  it('cap maxAge at 400 days', () => {
    expect(resolve({ maxAge: 34_560_001 }).maxAge).toBe(34_560_000)
  })

  it('take zero for no idle limit', () => {
    expect(resolve({ idleTimeout: 0 }).idleTimeout).toBe(0)
  })

  it('do not change what was given', () => {
    const given = Object.freeze({ secret: SECRET, cookie: Object.freeze({ name: 'x' }) })
    expect(resolveOptions(given, PRODUCTION).cookie.name).toBe('x')
  })

  it('accept several secrets, the first of which signs', () => {
    expect(resolve({ secret: [SECRET, SECRET.toUpperCase()] }).secrets).toEqual([SECRET, SECRET.toUpperCase()])
  })

  it('accept a secret of 32 characters and refuse one of 31', async () => {
    expect(resolve({ secret: 'abcdefgh'.repeat(4) }).secrets).toHaveLength(1)
    expect(await pathsOf({ secret: 'abcdefgh'.repeat(4).slice(1) })).toEqual(['secret'])
  })

  it.each([
    ['one letter', 'a'.repeat(32)],
    ['one letter, often', 'a'.repeat(500)],
    ['blanks', ' '.repeat(32)],
    ['white space of all kinds', ' \t\n\r\v\f\u00A0\u2003'.repeat(4)],
    ['a word that is repeated', 'changeme'.repeat(4)],
    ['a few digits', '0123456'.repeat(5)],
    ['seven different characters', 'abcdefg'.repeat(9)],
    ['a short one between white space', `  ${'abcdefgh'.repeat(3)}\n${' '.repeat(20)}`],
    ['31 characters and a line break', `${'abcdefgh'.repeat(4).slice(1)}\n`],
  ])('refuse a secret of %s, also among good ones', async (_, secret) => {
    expect(await pathsOf({ secret })).toEqual(['secret'])
    expect(await pathsOf({ secret: [SECRET, secret] })).toEqual(['secret[1]'])
    const [{ remedy }] = await issuesOf({ secret }) as [OptionIssue]
    expect(remedy).toContain('openssl rand -base64 32')
  })

  it('accept what random generators give', () => {
    for (const encoding of ['hex', 'base64', 'base64url'] as const) {
      for (let time = 0; time < 100; time++)
        expect(resolve({ secret: randomBytes(32).toString(encoding) }).secrets).toHaveLength(1)
    }
  })

  it('keep the white space around a secret, which is a part of the key', () => {
    expect(resolve({ secret: ` ${SECRET}\n` }).secrets).toEqual([` ${SECRET}\n`])
  })

  it.each<[string, unknown]>([
    ['maxAge', 0],
    ['maxAge', -1],
    ['maxAge', 1.5],
    ['maxAge', Number.NaN],
    ['maxAge', Number.POSITIVE_INFINITY],
    ['maxAge', '7d'],
    ['maxAge', '604800'],
    ['maxAge', true],
    ['maxAge', new Date()],
    ['idleTimeout', -1],
    ['idleTimeout', 0.5],
    ['idleTimeout', Number.NaN],
    ['idleTimeout', Number.POSITIVE_INFINITY],
    ['idleTimeout', '30m'],
    ['timeout', 0],
    ['timeout', -5],
    ['timeout', Number.NaN],
    ['timeout', Number.POSITIVE_INFINITY],
    ['timeout', '5s'],
    ['userKey', 1],
    ['userKey', ['userId']],
    ['maxBytes', 0],
    ['maxBytes', 1.5],
    ['maxBytes', Number.POSITIVE_INFINITY],
    ['maxBytes', '1mb'],
    ['mode', 'memory'],
    ['mode', 1],
    ['encrypt', 'yes'],
    ['encrypt', 0],
    ['saveUninitialized', 'true'],
    ['secret', []],
    ['secret', ''],
    ['secret', undefined],
    ['secret', 1234],
    ['secret', 'short'],
    ['secret', ['short']],
  ])('refuse %s: %j', async (path, value) => {
    expect(await pathsOf({ [path]: value })).toEqual([path])
  })

  it.each<[keyof SessionCookieOptions, unknown]>([
    ['name', 'a b'],
    ['name', 'a=b'],
    ['name', 'a;b'],
    ['name', 'a,b'],
    ['name', 'a"b'],
    ['name', 'näme'],
    ['name', 'a\r\nSet-Cookie: x'],
    ['name', 'x'.repeat(129)],
    ['name', 5],
    ['path', 'app'],
    ['path', '/a;b'],
    ['path', '/a b'],
    ['path', '/ä'],
    ['path', '/\r\n'],
    ['path', 1],
    ['domain', 'exa mple.com'],
    ['domain', 'example.com; Secure'],
    ['domain', 'https://example.com'],
    ['domain', 'example.com:3000'],
    ['domain', '*.example.com'],
    ['domain', 7],
    ['httpOnly', 'true'],
    ['secure', 'yes'],
    ['secure', 'false'],
    ['sameSite', 'Lax'],
    ['sameSite', 'true'],
    ['sameSite', 0],
    ['partitioned', 'no'],
    ['priority', 'urgent'],
  ])('refuse cookie.%s: %j', async (name, value) => {
    expect(await pathsOf({ cookie: { [name]: value } })).toEqual([`cookie.${name}`])
  })

  it.each<[string, SessionCookieOptions, string]>([
    ['SameSite=None without Secure', { sameSite: 'none', secure: false }, 'cookie.sameSite'],
    ['Partitioned without Secure', { partitioned: true, secure: false }, 'cookie.partitioned'],
    ['__Host- without Secure', { name: '__Host-id', secure: false }, 'cookie.name'],
    ['__Secure- without Secure', { name: '__Secure-id', secure: false }, 'cookie.name'],
    ['__Host- with a Domain', { name: '__Host-id', domain: 'example.com' }, 'cookie.domain'],
    ['__Host- with another Path', { name: '__Host-id', path: '/app' }, 'cookie.path'],
    ['the prefix in other letters', { name: '__hOST-id', domain: 'example.com' }, 'cookie.domain'],
  ])('refuse %s, which browsers drop', async (_, cookie, path) => {
    expect(await pathsOf({ cookie })).toEqual([path])
  })

  it('refuse SameSite=None in development, where secure is off by itself', async () => {
    expect(await pathsOf({ cookie: { sameSite: 'none' } }, DEV)).toEqual(['cookie.sameSite'])
  })

  it('accept what the prefixes demand', () => {
    expect(resolve({ cookie: { name: '__Host-id' } }).cookie.name).toBe('__Host-id')
    expect(resolve({ cookie: { name: '__Secure-id', domain: 'example.com', path: '/app' } }).cookie.name).toBe('__Secure-id')
  })

  it('name the one secret of several that is too short', async () => {
    expect(await pathsOf({ secret: [SECRET, 'short', SECRET, ''] })).toEqual(['secret[1]', 'secret[3]'])
  })

  it('report all problems at once, each with its problem and its remedy', async () => {
    const options = { mode: 'x', secret: '', maxAge: 0, idleTimeout: -1, timeout: 0, encrypt: 1, cookie: { name: ' ', sameSite: 'none', secure: false } }
    const error = await caught(() => resolve(options))
    const issues = error.details.issues as OptionIssue[]
    expect(issues.map(({ path }) => path).sort()).toEqual(['cookie.name', 'cookie.sameSite', 'encrypt', 'idleTimeout', 'maxAge', 'mode', 'secret', 'timeout'])
    expect(issues.filter(({ problem, remedy }) => problem.length < 5 || remedy.length < 5)).toEqual([])
    expect(issues.filter(({ path, problem, remedy }) => !error.message.includes(`${path}: ${problem} ${remedy}`))).toEqual([])
  })

  it('are refused with CONFIG_ERROR', async () => {
    expect(await caught(() => resolve({ maxAge: 0 }))).toMatchObject({ code: 'CONFIG_ERROR', statusCode: 500 })
  })

  it('pass on how the host says to set the secret', async () => {
    const error = await caught(() => resolveOptions({}, { isProduction: true, secretRemedy: 'Set NUXT_SESSION_SECRET.' }))
    expect(error.message).toContain('Set NUXT_SESSION_SECRET.')
  })

  it('never show a secret in a message, in details or in what is logged', async () => {
    const short = 'hunter2-hunter2'
    const { inspect } = await import('node:util')
    const error = await caught(() => resolve({ secret: [SECRET, short], maxAge: 0 }))
    const told = [error.message, error.stack, JSON.stringify(error.details), inspect(error, { depth: 9, showHidden: true })].join('\n')
    expect([told.includes(short), told.includes(SECRET)]).toEqual([false, false])
  })

  it('need a store in storage mode', () => {
    expect(() => createSessionManager(resolve({}), {})).toThrow(TypeError)
  })

  it('need no store in cookie mode', () => {
    expect(createSessionManager(resolve({ mode: 'cookie' }), {}).options.mode).toBe('cookie')
  })
})
