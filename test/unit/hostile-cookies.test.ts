import { afterEach, describe, expect, it, vi } from 'vitest'
import { MAX_CANDIDATES, readCookies } from '../../src/core/cookie/header'
import { App, MODES, OLD_SECRET, SECRET } from './support/app'
import { countCrypto } from './support/counting-crypto'
import { FakeExchange } from './support/exchange'
import { CountingText, HOSTILE_HEADERS } from '../support/hostile-cookies'

const SIZE = 15_000

/** So often each character of a header is looked at, at most. */
const LOOKS = 4

const NAMES = ['session', 'id', 'aa', '__Host-session']

afterEach(() => void vi.restoreAllMocks())

describe.each(Object.entries(HOSTILE_HEADERS))('a Cookie header of %s', (_, create) => {
  it.each(NAMES)('costs steps in proportion to its length, where the cookie is named %s', (name) => {
    for (const size of [SIZE, 10 * SIZE]) {
      const header = new CountingText(create(size, name))
      readCookies(header as unknown as string, name)
      expect(header.steps).toBeLessThanOrEqual(LOOKS * header.length)
    }
  })

  it.each(MODES)('is nobody in $mode, costs a bounded number of verifications and asks no storage', async ({ options }) => {
    const crypto = countCrypto()
    const app = new App({ ...options, secret: [SECRET, OLD_SECRET] })
    const request = app.manager.open(new FakeExchange(create(SIZE, 'session')))
    await request.load()
    expect(request.exists).toBe(false)
    expect(crypto.calls).toBeLessThanOrEqual(2 * MAX_CANDIDATES)
    expect(app.driver.calls).toEqual([])
  })
})

describe('the counting itself', () => {
  it('notices a reader whose cost grows with the square of the length', () => {
    const header = new CountingText(' '.repeat(1000))
    for (let at = 0; at < header.length; at++)
      header.indexOf('x', at)
    expect(header.steps).toBeGreaterThan(LOOKS * header.length)
  })

  it('notices what is verified', async () => {
    const crypto = countCrypto()
    const app = new App({ mode: 'storage' })
    await app.manager.open(new FakeExchange(`session=abcdefghijklmnopqrstuvwx.${'A'.repeat(43)}`)).load()
    expect(crypto.calls).toBe(1)
  })
})
