import type { SessionRecord } from '../../src/core/types'
import type { TokenCodec } from '../../src/core/cookie/token'
import { createDecipheriv, createHmac, hkdfSync } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createId } from '../../src/core/id'
import { carriesIdleTime, createIdCodec, createMarkingCodec, createMigratedId, createRememberingCodec, createSealedPayloadCodec, createSignedPayloadCodec } from '../../src/core/cookie/token'
import { App, Browser, MODES, NOON, OLD_SECRET, returning, SECRET } from './support/app'
import { silentExchange } from './support/exchange'
import { heapAfterCollection } from './support/heap'

const ID = 'abcdefghijklmnopqrstuvwx'
const SCOPE = 'example.com;/app;1'
const RECORD: SessionRecord = { version: 1, data: { user: 'ada', n: 1 }, flash: { hi: 'there' }, createdAt: NOON, expiresAt: NOON + 1000, lastSeenAt: NOON, lifetime: { persistent: false } }
const IDLE_RECORD: SessionRecord = { ...RECORD, lifetime: { idleTimeout: 60 } }
const marking = (create: typeof createIdCodec): typeof createIdCodec => (...args) => createMarkingCodec(create(...args))
const CODECS = [
  { kind: 'signed id', create: createIdCodec, record: RECORD },
  { kind: 'signed payload', create: createSignedPayloadCodec, record: RECORD },
  { kind: 'sealed payload', create: createSealedPayloadCodec, record: RECORD },
]
const MARKING = [
  { kind: 'signed payload without a mark', create: marking(createSignedPayloadCodec), record: RECORD },
  { kind: 'sealed payload without a mark', create: marking(createSealedPayloadCodec), record: RECORD },
  { kind: 'marked signed payload', create: marking(createSignedPayloadCodec), record: IDLE_RECORD },
  { kind: 'marked sealed payload', create: marking(createSealedPayloadCodec), record: IDLE_RECORD },
]
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/~'

function isRefused(codec: TokenCodec, token: string): boolean {
  return typeof codec.read(token) === 'string'
}

describe.each([...CODECS, ...MARKING])('a $kind', ({ kind, create, record }) => {
  let codec: TokenCodec
  let token: string

  beforeEach(() => {
    codec = create([SECRET], 'session')
    token = codec.write({ id: ID, record, scope: SCOPE })
  })

  it('gives back what was written', () => {
    const content = kind === 'signed id' ? { id: ID } : { id: ID, record, scope: SCOPE }
    expect(codec.read(token)).toEqual({ content, isOutdated: false })
  })

  it('is refused with any one character changed', () => {
    const accepted = Array.from(token, (char, index) => [...BASE64, '-', '_', '=', '.', ':', ' ', '%', '"', '\u0000', '\u017F', 'é']
      .filter(other => other !== char)
      .map(other => token.slice(0, index) + other + token.slice(index + 1))
      .filter(changed => !isRefused(codec, changed))).flat()
    expect(accepted).toEqual([])
  })

  it('is refused with any one character left out, doubled or swapped with its neighbour', () => {
    const accepted = Array.from(token, (char, index) => [
      token.slice(0, index) + token.slice(index + 1),
      token.slice(0, index) + char + token.slice(index),
      token.slice(0, index) + (token[index + 1] ?? '') + char + token.slice(index + 2),
    ].filter(changed => changed !== token && !isRefused(codec, changed))).flat()
    expect(accepted).toEqual([])
  })

  it('is refused cut off anywhere', () => {
    const accepted = Array.from(token, (_, index) => [token.slice(0, index), token.slice(index + 1)].filter(part => !isRefused(codec, part))).flat()
    expect(accepted).toEqual([])
  })

  it.each<[what: string, spell: (token: string) => string]>([
    ['with padding', text => `${text}=`],
    ['with double padding', text => `${text}==`],
    ['with padding of the payload', text => text.replace(/\.|$/, '=$&')],
    ['with a space before it', text => ` ${text}`],
    ['with a space behind it', text => `${text} `],
    ['with a tab', text => `${text}\t`],
    ['with a line break', text => `${text}\n`],
    ['with a no-break space', text => `${text}\u00A0`],
    ['with a NUL', text => `${text}\0`],
    ['in quotes', text => `"${text}"`],
    ['percent-encoded', text => encodeURIComponent(text).replace(/\w/, char => `%${char.charCodeAt(0).toString(16)}`)],
    ['with another signature behind it', text => `${text}.${text.slice(text.lastIndexOf('.') + 1)}`],
    ['with a dot behind it', text => `${text}.`],
    ['twice', text => text + text],
    ['in upper case', text => text.toUpperCase()],
    ['in lower case', text => text.toLowerCase()],
  ])('has one spelling: it is refused %s', (_, spell) => {
    expect(isRefused(codec, spell(token))).toBe(true)
  })

  it('is refused in the other base64 alphabet', () => {
    // Both alphabets differ only where a token has one of their characters: take one that does.
    const tokens = Array.from({ length: 200 }, (_, n) => codec.write({ id: ID.slice(0, -3) + String(n).padStart(3, '0'), record: { ...RECORD, data: { n } } }))
    const swap = (text: string): string => text.replace(/[-_+/]/g, char => ({ '-': '+', '_': '/', '+': '-', '/': '_' })[char] ?? char)
    const swapped = tokens.filter(text => swap(text) !== text).map(swap)
    expect(swapped.length).toBeGreaterThan(0)
    expect(swapped.filter(text => !isRefused(codec, text))).toEqual([])
  })

  it('is refused with any unused bit of its last characters set', () => {
    const accepted = Array.from({ length: 6 }, (_, n) => codec.write({ id: ID, record: { ...RECORD, data: { pad: 'x'.repeat(n) } } })).flatMap((text) => {
      return [...BASE64, '-', '_'].map(char => text.slice(0, -1) + char).filter(other => other !== text && !isRefused(codec, other))
    })
    expect(accepted).toEqual([])
  })

  it('is refused under another cookie name', () => {
    expect(create([SECRET], 'cart').read(token)).toBe('signature')
  })

  it('is refused with another secret', () => {
    expect(create([OLD_SECRET], 'session').read(token)).toBe('signature')
  })

  it('is refused by every other kind', () => {
    const others = CODECS.filter(other => !kind.includes(other.kind)).map(other => other.create([SECRET], 'session').read(token))
    expect(others.every(fault => typeof fault === 'string')).toBe(true)
  })

  it('is accepted with an older secret and told to be outdated', () => {
    expect(create([OLD_SECRET, SECRET], 'session').read(token)).toMatchObject({ isOutdated: true, content: { id: ID } })
  })

  it('is always written with the first secret', () => {
    const rotated = create([OLD_SECRET, SECRET], 'session').write({ id: ID, record })
    expect(isRefused(create([OLD_SECRET], 'session'), rotated)).toBe(false)
    expect(create([SECRET], 'session').read(rotated)).toBe('signature')
  })

  it('is made of characters that no client puts into quotes and no host encodes', () => {
    const tokens = Array.from({ length: 200 }, (_, n) => codec.write({ id: ID, record: { ...record, data: { n } }, scope: `;/${n};` }))
    expect(tokens.filter(text => !/^[\w.~-]+$/.test(text) || encodeURIComponent(text) !== text)).toEqual([])
  })

  it('never throws, whatever the text', () => {
    const texts = ['', '.', '..', 's:', 's:.', 's:.x', 's', ':', '=', '%', '%zz', '\0', '\uD800', '💥', 'x'.repeat(10_000), '.'.repeat(5000), `s:${ID}`, `s:${ID}.`, `.${token}`, 'null', '{}', '[]']
    expect(texts.filter(text => !isRefused(codec, text))).toEqual([])
  })
})

describe('the mark of an idle time', () => {
  let codec: TokenCodec

  beforeEach(() => {
    codec = createMarkingCodec(createSealedPayloadCodec([SECRET], 'session'))
  })

  it.each([
    ['an idle time of its own', IDLE_RECORD, true],
    ['none', RECORD, false],
    ['one that was turned off', { ...RECORD, lifetime: { idleTimeout: 0 } }, false],
  ])('tells of a session with %s', (_, record, isMarked) => {
    const token = codec.write({ id: ID, record })
    expect(carriesIdleTime(`a=b; session=${token}; c=d`, 'session')).toBe(isMarked)
    expect(carriesIdleTime(`a=b; session="${token.replace('~', '%7E')}"; c=d`, 'session')).toBe(isMarked)
    expect(carriesIdleTime(`a=b; other=${token}; c=d~`, 'session')).toBe(false)
  })

  it('is not there without a cookie, nor in one that is badly encoded', () => {
    expect([undefined, '', 'session=%zz~'].map(header => carriesIdleTime(header, 'session'))).toEqual([false, false, false])
  })

  it('is there in quotes and percent-encoded, and in any of several cookies', () => {
    expect(['session="a~"', 'session=a%7E', 'session=a; session=b~'].map(header => carriesIdleTime(header, 'session'))).toEqual([true, true, true])
  })

  it('is on no token that holds no record', () => {
    const ids = createMarkingCodec(createIdCodec([SECRET], 'session'))
    const token = ids.write({ id: ID, record: RECORD })
    expect([ids.read(token), ids.read(`${token}~`), ids.holdsRecord]).toEqual([{ content: { id: ID }, isOutdated: false }, 'signature', false])
  })

  it('on another token makes that one of nobody, and so does leaving it away', () => {
    expect(codec.read(`${codec.write({ id: ID, record: RECORD })}~`)).toBe('signature')
    expect(codec.read(codec.write({ id: ID, record: IDLE_RECORD }).slice(0, -1))).toBe('signature')
  })
})

/** Counts how often it is really asked. */
function counting(codec: TokenCodec): TokenCodec & { reads: number } {
  return { ...codec, reads: 0, read(token) {
    this.reads++
    return codec.read(token)
  } }
}

describe.each(CODECS)('a $kind that is remembered', ({ kind, create }) => {
  const content = kind === 'signed id' ? { id: ID } : { id: ID, record: RECORD, scope: SCOPE }

  it('is verified once', () => {
    const codec = counting(create([SECRET], 'session'))
    const remembering = createRememberingCodec(codec)
    const token = codec.write({ id: ID, record: RECORD, scope: SCOPE })
    expect([remembering.read(token), remembering.read(token), codec.reads]).toEqual([{ content, isOutdated: false }, { content, isOutdated: false }, 1])
  })

  it('is not verified by who made it', () => {
    const codec = counting(create([SECRET], 'session'))
    const remembering = createRememberingCodec(codec)
    expect([remembering.read(remembering.write({ id: ID, record: RECORD, scope: SCOPE })), codec.reads]).toEqual([{ content, isOutdated: false }, 0])
  })

  it('is verified again once another took its place', () => {
    const codec = counting(create([SECRET], 'session'))
    const remembering = createRememberingCodec(codec)
    const token = remembering.write({ id: ID, record: RECORD, scope: SCOPE })
    remembering.forget!(token)
    expect([remembering.read(token), remembering.read(token), codec.reads]).toEqual([{ content, isOutdated: false }, { content, isOutdated: false }, 1])
  })

  it('keeps no header in memory, however often it is read', async () => {
    const codec = create([SECRET], 'session')
    const remembering = createRememberingCodec(codec)
    const headers = (): string[] => Array.from({ length: 500 }, (_, n) => {
      const token = codec.write({ id: createId(), record: RECORD, scope: SCOPE })
      // As the parser of Node gives it: one text of its own.
      return Buffer.from(`${String(n).padEnd(100_000, '-')}=${token}`, 'latin1').toString('latin1')
    })
    const read = (header: string): unknown => remembering.read(header.slice(header.indexOf('=') + 1))
    const before = await heapAfterCollection()
    headers().forEach(header => [read(header), read(header)])
    expect(await heapAfterCollection() - before).toBeLessThan(10_000_000)
  })

  it('stays outdated', () => {
    const remembering = createRememberingCodec(create([OLD_SECRET, SECRET], 'session'))
    const token = create([SECRET], 'session').write({ id: ID, record: RECORD })
    expect([remembering.read(token), remembering.read(token)]).toMatchObject([{ isOutdated: true }, { isOutdated: true }])
  })

  it('lets no other text pass for it', () => {
    const codec = createRememberingCodec(create([SECRET], 'session'))
    const token = codec.write({ id: ID, record: RECORD })
    const others = Array.from(token, (char, index) => [
      token.slice(0, index) + (char === 'A' ? 'B' : 'A') + token.slice(index + 1),
      token.slice(0, index) + token.slice(index + 1),
      token.slice(0, index),
    ]).flat().filter(other => other !== token)
    expect(others.filter(other => !isRefused(codec, other))).toEqual([])
  })

  it.each([[4096, 0], [4097, 1]])('is not remembered when no browser keeps it: %i bytes', (length, reads) => {
    const codec = counting({ ...create([SECRET], 'session'), write: () => 'x'.repeat(length) })
    const remembering = createRememberingCodec(codec)
    remembering.read(remembering.write({ id: ID, record: RECORD }))
    expect(codec.reads).toBe(reads)
  })

  it('holds a record where the other does', () => {
    const codec = create([SECRET], 'session')
    expect([codec.holdsRecord, createRememberingCodec(codec).holdsRecord]).toEqual([kind !== 'signed id', kind !== 'signed id'])
  })

  it('is not remembered when it is refused', () => {
    const codec = counting(create([SECRET], 'session'))
    const remembering = createRememberingCodec(codec)
    const forged = create([OLD_SECRET], 'session').write({ id: ID, record: RECORD })
    expect([remembering.read(forged), remembering.read(forged), codec.reads]).toEqual(['signature', 'signature', 2])
  })
})

it('some thousand tokens are remembered, and no more than that', () => {
  const codec = counting(createIdCodec([SECRET], 'session'))
  const remembering = createRememberingCodec(codec)
  const tokens = Array.from({ length: 12_000 }, (_, n) => remembering.write({ id: `${ID}${n}`, record: RECORD }))
  for (const token of tokens.slice(-3000))
    remembering.read(token)
  expect(codec.reads).toBe(0)
  remembering.read(tokens[0]!)
  expect(codec.reads).toBe(1)
})

describe('the fault of a text', () => {
  const signature = 'A'.repeat(43)

  it.each<[kind: string, create: typeof createIdCodec, malformed: string[], forged: string[]]>([
    ['signed id', createIdCodec, ['', '.', signature, `.${signature}`, `${ID}.`, `${ID}.A${signature}`, `${ID}${signature}`, `short.${signature}`], [`${ID}.${signature}`]],
    ['signed payload', createSignedPayloadCodec, ['', '.', signature, `.${signature}`, `e30${signature}`, `e3.${signature}`, `e=.${signature}`], [`e30.${signature}`]],
    ['sealed payload', createSealedPayloadCodec, ['', 'A', 'A=', 'A'.repeat(36), Buffer.alloc(28).toString('base64url')], [Buffer.alloc(29).toString('base64url'), ID.repeat(3)]],
  ])('is its shape or its signature: a %s', (_, create, malformed, forged) => {
    const codec = create([SECRET], 'session')
    expect(malformed.map(text => codec.read(text))).toEqual(malformed.map(() => 'malformed'))
    expect(forged.map(text => codec.read(text))).toEqual(forged.map(() => 'signature'))
  })
})

describe('a signed id', () => {
  it('is refused when what it signs is no id, although the signature is right', () => {
    const codec = createIdCodec([SECRET], 'session')
    const ids = ['short', '', 'x'.repeat(65), 'abcdefghijklmnopqrstuv/x', 'abcdefghijklmnopqrstuv.x', '../../../../etc/passwd__']
    expect(ids.map(id => codec.read(codec.write({ id, record: RECORD })))).toEqual(ids.map(() => 'malformed'))
  })
})

describe('a payload', () => {
  it('of another version of this package is refused', () => {
    const [signed, sealed] = [createSignedPayloadCodec([SECRET], 'session'), createSealedPayloadCodec([SECRET], 'session')]
    const record = { ...RECORD, version: 2 } as unknown as SessionRecord
    expect([signed, sealed].map(codec => codec.read(codec.write({ id: ID, record })))).toEqual(['signature', 'signature'])
  })

  it('is readable by the client when it is only signed', () => {
    const [payload = ''] = createSignedPayloadCodec([SECRET], 'session').write({ id: ID, record: RECORD }).split('.')
    expect(Buffer.from(payload, 'base64url').toString()).toContain('"user":"ada"')
  })

  it('shows nothing of its content when it is sealed', () => {
    const codec = createSealedPayloadCodec([SECRET], 'session')
    const token = codec.write({ id: ID, record: { ...RECORD, data: { plain: 'findme'.repeat(20) } } })
    const bytes = Buffer.from(token, 'base64url').toString('latin1')
    expect(['findme', 'plain', ID, 'version'].filter(text => bytes.includes(text) || token.includes(text))).toEqual([])
  })

  it('is sealed to another text each time', () => {
    const codec = createSealedPayloadCodec([SECRET], 'session')
    expect(new Set(Array.from({ length: 100 }, () => codec.write({ id: ID, record: RECORD }))).size).toBe(100)
  })

  it('never uses a nonce twice', () => {
    const codec = createSealedPayloadCodec([SECRET], 'session')
    expect(new Set(Array.from({ length: 1000 }, () => codec.write({ id: ID, record: RECORD }).slice(0, 16))).size).toBe(1000)
  })
})

/** The keys and formats that cookies in browsers have, computed here by node:crypto alone. */
describe('the format of tokens', () => {
  const payload = JSON.stringify([1, ID, NOON, NOON + 1000, NOON, RECORD.data, RECORD.flash, RECORD.lifetime, SCOPE])
  const keyOf = (purpose: string): Buffer => Buffer.from(hkdfSync('sha256', SECRET, '', `unsession/1/${purpose}/session`, 32))
  const macOf = (purpose: string, text: string): string => createHmac('sha256', keyOf(purpose)).update(text).digest('base64url')

  it('is id.signature for a signed id', () => {
    expect(createIdCodec([SECRET], 'session').write({ id: ID, record: RECORD })).toBe(`${ID}.${macOf('signed-id', ID)}`)
  })

  it('is payload.signature for a signed payload', () => {
    const text = Buffer.from(payload).toString('base64url')
    expect(createSignedPayloadCodec([SECRET], 'session').write({ id: ID, record: RECORD, scope: SCOPE })).toBe(`${text}.${macOf('signed-payload', text)}`)
  })

  it.each([
    ['no JSON', '{'],
    ['no list', '{}'],
    ['null', 'null'],
    ['an empty list', '[]'],
    ['no id', JSON.stringify([1, 'short', NOON, NOON, NOON, {}, {}])],
    ['another version', JSON.stringify([2, ID, NOON, NOON, NOON, {}, {}])],
  ])('is a signed payload of nobody, although the signature is right, with %s', (_, body) => {
    const text = Buffer.from(body).toString('base64url')
    expect(createSignedPayloadCodec([SECRET], 'session').read(`${text}.${macOf('signed-payload', text)}`)).toBe('signature')
  })

  it('is a signed payload without lifetime and scope, too', () => {
    const text = Buffer.from(JSON.stringify([1, ID, NOON, NOON + 1000, NOON, RECORD.data, RECORD.flash, null])).toString('base64url')
    const { lifetime: _, ...record } = RECORD
    const codec = createSignedPayloadCodec([SECRET], 'session')
    expect(codec.read(`${text}.${macOf('signed-payload', text)}`)).toEqual({ content: { id: ID, record, scope: '' }, isOutdated: false })
    expect(codec.write({ id: ID, record })).toBe(`${text}.${macOf('signed-payload', text)}`)
  })

  it('is a key of its own for a session of another package', () => {
    expect(createMigratedId([SECRET, OLD_SECRET], 'session', 'old')).toBe(keyOf('migrated-id/old').toString('base64url'))
  })

  it('is nonce, ciphertext and tag for a sealed payload', () => {
    const sealed = Buffer.from(createSealedPayloadCodec([SECRET], 'session').write({ id: ID, record: RECORD, scope: SCOPE }), 'base64url')
    const decipher = createDecipheriv('aes-256-gcm', keyOf('sealed-payload'), sealed.subarray(0, 12)).setAuthTag(sealed.subarray(-16))
    const times = [NOON, NOON + 1000, NOON].map(time => time.toString(16).padStart(12, '0')).join('')
    const head = Buffer.from(`01${(ID.length * 3 / 4).toString(16)}${times}`, 'hex')
    const body = JSON.stringify([RECORD.data, RECORD.flash, RECORD.lifetime, SCOPE])
    expect(Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()])).toEqual(Buffer.concat([head, Buffer.from(ID, 'base64url'), Buffer.from(body)]))
  })
})

describe('a platform without node:crypto and Buffer', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
    vi.resetModules()
  })

  it.each(CODECS.map((codec, index) => [codec.kind, index]))('reads and writes the same tokens: %s', async (_, index) => {
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
    vi.resetModules()
    const here = CODECS[index]?.create([SECRET], 'session')
    const token = here?.write({ id: ID, record: RECORD }) ?? ''
    vi.stubGlobal('Buffer', undefined)
    const elsewhere = await import('../../src/core/cookie/token')
    const create = [elsewhere.createIdCodec, elsewhere.createSignedPayloadCodec, elsewhere.createSealedPayloadCodec][index]
    const there = create?.([SECRET], 'session')
    const [read, written] = [there?.read(token), there?.write({ id: ID, record: RECORD }) ?? '']
    const accepted = Array.from(token, (char, at) => token.slice(0, at) + (char === 'A' ? 'B' : 'A') + token.slice(at + 1)).filter(text => typeof there?.read(text) !== 'string')
    vi.unstubAllGlobals()
    expect([read, here?.read(written), accepted]).toEqual([expect.objectContaining({ isOutdated: false }), read, []])
  })
})

describe.each(MODES)('rotating the secret in $mode', ({ options }) => {
  it('accepts the old cookie and sends a new one, even when it is only read', async () => {
    const before = new App({ ...options, secret: OLD_SECRET })
    const visitor = await returning(before)
    const rotated = before.redeploy({ ...options, secret: [SECRET, OLD_SECRET] })
    const seen = await visitor.run(rotated, (session, visit) => [session.get('user'), visit.setCookies.length])
    expect(seen).toEqual(['ada', 1])
    expect(await visitor.read(before.redeploy({ ...options, secret: SECRET }))).toEqual({ user: 'ada' })
  })

  it('refuses the old cookie once its secret is gone', async () => {
    const before = new App({ ...options, secret: OLD_SECRET })
    const browser = await returning(before)
    expect(await browser.hasSession(before.redeploy({ ...options, secret: SECRET }))).toBe(false)
  })

  it('writes nothing to storage for it', async () => {
    const before = new App({ ...options, secret: OLD_SECRET })
    const browser = await returning(before)
    await browser.read(before.redeploy({ ...options, secret: [SECRET, OLD_SECRET] }))
    expect(before.driver.count('write')).toBe(0)
  })

  it('gives the re-issued cookie the remaining lifetime', async () => {
    const before = new App({ ...options, secret: OLD_SECRET, maxAge: 1000 })
    const browser = await returning(before)
    before.wait(400)
    const [header] = await browser.run(before.redeploy({ ...options, maxAge: 1000, secret: [SECRET, OLD_SECRET] }), (_, visit) => visit.setCookies)
    expect(header).toContain('Max-Age=600;')
  })

  it('does not re-issue a cookie of the first secret', async () => {
    const app = new App({ ...options, secret: [SECRET, OLD_SECRET] })
    const browser = await returning(app)
    expect(await browser.run(app, (_, visit) => visit.setCookies)).toEqual([])
  })

  it('reads on a response that was already sent without an error', async () => {
    const before = new App({ ...options, secret: OLD_SECRET })
    const browser = await returning(before)
    const request = before.redeploy({ ...options, secret: [SECRET, OLD_SECRET] }).manager.open(silentExchange(browser.cookieHeader, true))
    await request.load()
    expect(request.handle.get('user')).toBe('ada')
  })
})

describe.each(MODES)('a cookie in $mode', ({ options }) => {
  it.each(MODES.filter(other => other.options !== options))('is nobody in $mode', async (other) => {
    const app = new App(options)
    const browser = await returning(app)
    expect(await browser.hasSession(app.redeploy(other.options))).toBe(false)
  })

  it('is nobody under another cookie name', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const stolen = new Browser([['cart', browser.token]])
    expect(await stolen.hasSession(app.redeploy({ ...options, cookie: { name: 'cart' } }))).toBe(false)
  })
})
