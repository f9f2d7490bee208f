import { describe, expect, it } from 'vitest'
import { isLocal } from '../../src/runtime/server/devtools/host'

const LOCAL = [
  'localhost', 'localhost:3000', 'LOCALHOST:3000', 'localhost.', 'localhost.:3000', 'app.localhost', 'a.b.localhost:3000', 'App.LocalHost.',
  '127.0.0.1', '127.0.0.1:3000', '127.1', '0.0.0.0:3000', '192.168.1.20:3000', '10.0.0.1', '255.255.255.255',
  '[::1]', '[::1]:3000', '[2001:db8::1]:3000', '[::ffff:127.0.0.1]:3000', '[FE80::1]',
]

const FOREIGN = [
  'evil.example', 'evil.example:3000', 'EVIL.example', 'evil.example.', 'localhost.evil.example', 'localhost.evil.example:3000', 'evillocalhost', 'evil-localhost:80',
  '127.0.0.1.evil.example', '127.0.0.1.nip.io', 'xn--localhost-abc', 'a.localhost.evil', 'localhost..', '256.256.256.256', '1.2.3.4.5',
  'evil.example@127.0.0.1', 'localhost@evil.example', '127.0.0.1/evil.example', '127.0.0.1#evil', 'localhost\\evil', '[evil.example]', '[dead.beef]', '[::1', '::1', 'localhost:port', 'localhost:99999',
  'локалхост', '１２７.0.0.1', '', ' ', 'localhost evil.example',
]

function headersOf(values: Record<string, string | undefined>): Headers {
  // As servers give them: a `Headers` of its own refuses what is not Latin-1.
  return { get: (name: string) => values[name] ?? null } as Headers
}

describe('the development page answers a request', () => {
  it.each(LOCAL)('to %s', (host) => {
    expect(isLocal(headersOf({ host }))).toBe(true)
    expect(isLocal(headersOf({ 'host': 'localhost:3000', 'x-forwarded-host': host }))).toBe(true)
  })
})

describe('the development page refuses a request', () => {
  it.each(FOREIGN)('to %j', (host) => {
    expect(isLocal(headersOf({ host }))).toBe(false)
  })

  it.each(FOREIGN)('that a proxy had for %j', (host) => {
    expect(isLocal(headersOf({ 'host': 'localhost:3000', 'x-forwarded-host': host }))).toBe(false)
    expect(isLocal(headersOf({ 'host': 'localhost:3000', 'x-forwarded-host': `localhost, ${host}` }))).toBe(false)
  })

  it('to another name, whatever a proxy says', () => {
    expect(isLocal(headersOf({ 'host': 'evil.example', 'x-forwarded-host': 'localhost:3000' }))).toBe(false)
  })

  it('that names no host', () => {
    expect(isLocal(headersOf({}))).toBe(false)
  })
})
