import { createHmac } from 'node:crypto'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createNodeBackend } from '../../src/core/crypto/node'
import { createPureBackend } from '../../src/core/crypto/pure'
import { createRecord } from '../../src/core/record/record'
import { createUnstorageStore } from '../../src/core/stores/builtin-driver'
import { createStorageStore } from '../../src/core/stores/unstorage'
import { signCookie, unsignCookie } from '../../src/core/cookie/signed-value'
import { App, Browser, returning } from './support/app'
import { countCrypto } from './support/counting-crypto'
import { codeOf } from './support/errors'

/** What express's cookie-parser puts around cookie-signature's `sign`. */
function expressSign(value: string, secret: string): string {
  return `s:${value}.${createHmac('sha256', secret).update(value).digest('base64').replace(/=+$/, '')}`
}

const VALUES: [what: string, value: string][] = [
  ['an id', 'abcdefghijklmnopqrstuvwx'],
  ['an empty text', ''],
  ['dots', 'a.b.c...'],
  ['only a dot', '.'],
  ['s:', 's:s:value'],
  ['s: and dots', 's:a.b.s:c.'],
  ['emoji', '👋🏽 grüße'],
  ['4 kB', 'x'.repeat(4096)],
  ['base64 characters', 'a+b/c=='],
  ['JSON', 'j:{"a":"b.c"}'],
  ['line breaks', 'a\r\nb'],
]
const SECRETS = ['k', 'short', 'a secret of more than sixty-four characters, longer than one block of SHA-256', '🔑', ' ']

describe('signCookie and unsignCookie', () => {
  it('agree with vectors of express', () => {
    // cookie-signature's own test suite: sign('hello', 'tobiiscool').
    expect(signCookie('hello', 'tobiiscool')).toBe('s:hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI')
    expect(unsignCookie('s:hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI', 'tobiiscool')).toBe('hello')
    expect(unsignCookie('s:hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI', 'luna')).toBeNull()
  })

  it.each(VALUES)('write what express writes for %s, with any non-empty secret', (_, value) => {
    expect(SECRETS.map(secret => signCookie(value, secret))).toEqual(SECRETS.map(secret => expressSign(value, secret)))
  })

  it.each(VALUES)('verify what express wrote for %s', (_, value) => {
    expect(SECRETS.map(secret => unsignCookie(expressSign(value, secret), secret))).toEqual(SECRETS.map(() => value))
  })

  it('verify with any of several secrets', () => {
    const signed = signCookie('value', 'old')
    expect([unsignCookie(signed, ['new', 'old']), unsignCookie(signed, ['new', 'other']), unsignCookie(signed, [])]).toEqual(['value', null, null])
  })

  it('refuse an empty secret', () => {
    const problem = new TypeError('A cookie cannot be signed with an empty secret.')
    expect(() => signCookie('value', '')).toThrow(problem)
    expect(() => unsignCookie('s:value.x', '')).toThrow(problem)
    expect(() => unsignCookie('s:value.x', ['k', ''])).toThrow(problem)
  })

  it('sign nothing to refuse what is not signed at all', () => {
    const crypto = countCrypto()
    onTestFinished(() => void vi.restoreAllMocks())
    const texts = ['', '.', 'value', 'value.x', '.s:', 's.:x', 's:', 's:value', 'S:value.x']
    expect([texts.map(text => unsignCookie(text, 'k')), crypto.calls]).toEqual([texts.map(() => null), 0])
    expect([unsignCookie('s:.x', 'k'), crypto.calls]).toEqual([null, 1])
  })

  it.each(VALUES.filter(([, value]) => value.length < 100))('refuse any one character changed, left out or added: %s', (_, value) => {
    const signed = signCookie(value, 'secret')
    const accepted = Array.from({ length: signed.length + 1 }, (_, at) => [
      ...['A', 'B', '=', '.', ' ', '-'].filter(char => char !== signed[at]).map(char => signed.slice(0, at) + char + signed.slice(at + 1)),
      signed.slice(0, at) + signed.slice(at + 1),
      `${signed.slice(0, at)}.${signed.slice(at)}`,
    ].filter(changed => changed !== signed && unsignCookie(changed, 'secret') !== null)).flat()
    expect(accepted).toEqual([])
  })

  it.each([
    ['padding', (signed: string) => `${signed}=`],
    ['the url alphabet', (signed: string) => signed.replaceAll('+', '-').replaceAll('/', '_')],
    ['percent-encoding', (signed: string) => signed.replace('s:', 's%3A')],
    ['no s:', (signed: string) => signed.slice(2)],
    ['S: for s:', (signed: string) => signed.replace('s:', 'S:')],
    ['no signature', (signed: string) => signed.slice(0, signed.lastIndexOf('.'))],
    ['an empty signature', (signed: string) => signed.slice(0, signed.lastIndexOf('.') + 1)],
    ['nothing', () => ''],
  ])('accept one spelling only: not %s', (_, spell) => {
    // One whose signature has a character that the alphabets do not share.
    const signed = signCookie(['v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8', 'v9'].find(value => /[+/]/.test(signCookie(value, 'secret'))) ?? 'v1', 'secret')
    expect(unsignCookie(signed, 'secret')).not.toBeNull()
    expect(unsignCookie(spell(signed), 'secret')).toBeNull()
  })

  it('share no key with session tokens', async () => {
    const secret = 'a secret of at least thirty-two characters'
    const app = new App({ secret })
    const browser = await returning(app)
    const id = await browser.run(app, session => session.id)
    expect(unsignCookie(browser.token, secret)).toBeNull()
    expect(await new Browser([['session', signCookie(id, secret)]]).hasSession(app)).toBe(false)
  })
})

describe('what @davaux/session offers', () => {
  const app = (): App => new App({ mode: 'cookie', maxAge: 3600, cookie: { name: 'sid', httpOnly: true, secure: true, sameSite: 'strict', path: '/app' } })

  it('get, set, delete and destroy', async () => {
    const [server, browser] = [app(), new Browser()]
    await browser.run(server, session => session.set('userId', '42'))
    expect(await browser.run(server, session => session.get('userId'))).toBe('42')
    await browser.run(server, (session) => {
      session.set('b', 1)
      session.delete('userId')
    })
    expect(await browser.read(server)).toEqual({ b: 1 })
    await browser.run(server, session => session.destroy())
    expect(browser.jar.size).toBe(0)
  })

  it('flash(key, value) and flash(key)', async () => {
    const [server, browser] = [app(), new Browser()]
    await browser.run(server, session => session.flash('success', 'Saved!'))
    expect([await browser.run(server, session => session.flash('success')), await browser.run(server, session => session.flash('success'))]).toEqual(['Saved!', undefined])
  })

  it('cookieName, httpOnly, secure, sameSite, maxAge and path', async () => {
    const visit = await new Browser().visit(app())
    visit.session.set('a', 1)
    expect(visit.setCookies[0]?.replace(/=[^;]+/, '=…')).toBe('sid=…; Max-Age=3600; Path=/app; HttpOnly; Secure; SameSite=Strict')
  })

  it('tampering invalidates', async () => {
    const [server, browser] = [app(), new Browser()]
    await browser.run(server, session => session.set('role', 'user'))
    const token = browser.jar.get('sid') ?? ''
    expect(await new Browser([['sid', `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`]]).read(server)).toEqual({})
  })

  it('an error before the browser drops a cookie of more than 4096 bytes', async () => {
    const { session } = await new Browser().visit(app())
    expect(await codeOf(() => session.set('big', 'x'.repeat(4096)))).toBe('COOKIE_ERROR')
  })
})

describe('what @analog-tools/session offers', () => {
  it('update by an updater that merges shallowly', async () => {
    const app = new App()
    const browser = await returning(app, { count: 1, other: { deep: true } })
    await browser.run(app, session => session.update(data => ({ count: data.count as number + 1 })))
    expect(await browser.read(app)).toEqual({ count: 2, other: { deep: true } })
  })

  it('destroy that is safe without a session, regenerate, and reload for refetchSession', async () => {
    const app = new App()
    const browser = await returning(app)
    await new Browser().run(app, session => session.destroy())
    await browser.run(app, session => session.regenerate())
    const visit = await browser.visit(app)
    await browser.run(app, session => session.set('user', 'bob'))
    await visit.session.reload()
    expect(visit.session.get('user')).toBe('bob')
  })

  it('no last write wins: parallel updates are all kept', async () => {
    const app = new App()
    const browser = await returning(app, { n: 0 })
    await Promise.all([1, 2, 3].map(() => browser.run(app, session => session.update(data => ({ n: data.n as number + 1 })))))
    expect(await browser.read(app)).toEqual({ n: 3 })
  })

  it('no memory driver that shares its objects: what was handed out cannot change what is stored', async () => {
    const store = createStorageStore(await createUnstorageStore({ type: 'memory' }), { base: '', timeout: 1000 })
    const record = { ...createRecord(0, { maxAge: 60, idleTimeout: 0 }), data: {} as Record<string, unknown> }
    await store.set('key', record, 60)
    record.data.late = true
    const read = await store.get('key') as typeof record
    read.data.later = true
    expect(await store.get('key')).toMatchObject({ data: {} })
  })

  it('no Web Crypto required: the primitives work without node:crypto and without crypto.subtle', () => {
    const { subtle } = globalThis.crypto
    vi.stubGlobal('crypto', { getRandomValues: globalThis.crypto.getRandomValues.bind(globalThis.crypto) })
    const key = new Uint8Array(32)
    expect(createPureBackend().hmac(key, 'base64')(key)).toBe(createNodeBackend()!.hmac(key, 'base64')(key))
    expect(subtle).not.toBe(globalThis.crypto.subtle)
    vi.unstubAllGlobals()
  })
})
