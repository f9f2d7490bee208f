import type { Driver } from 'unstorage'
import type { CoreSessionOptions } from '../../src/core/options'
import type { SessionManager } from '../../src/core/session-manager'
import type { Session } from '../../src/core/types'
import type { Server } from './support/app'
import { describe, expect, it } from 'vitest'
import { createStorage } from 'unstorage'
import fs from 'unstorage/drivers/fs'
import fsLite from 'unstorage/drivers/fs-lite'
import lruCache from 'unstorage/drivers/lru-cache'
import memory from 'unstorage/drivers/memory'
import { createSessionManager } from '../../src/core/session-manager'
import { resolveOptions } from '../../src/core/resolve-options'
import { createStorageStore } from '../../src/core/stores/unstorage'
import { Browser, NOON, OLD_SECRET, SECRET } from './support/app'
import { parseSetCookie } from './support/exchange'
import { temporaryFolder } from './support/folders'

const DAY = 24 * 60 * 60

interface Clocked extends Server {
  wait(seconds: number): void
  /** The same storage and clock under other options. */
  redeploy(options: CoreSessionOptions): Server
}

function serverOver(driver: Driver, options: CoreSessionOptions = {}): Clocked {
  const clock = { now: NOON }
  const store = createStorageStore(createStorage({ driver }), { base: 'session', timeout: 5000 })
  const managerOf = (options: CoreSessionOptions): SessionManager =>
    createSessionManager(resolveOptions({ secret: SECRET, ...options }, { isProduction: true }), { store, now: () => clock.now })
  return {
    manager: managerOf(options),
    redeploy: options => ({ manager: managerOf(options) }),
    wait: (seconds) => {
      clock.now += seconds * 1000
    },
  }
}

/** The Max-Age of the one cookie of a request. */
function maxAgeOf(server: Server, browser: Browser, act: (session: Session) => unknown): Promise<string | undefined> {
  return browser.run(server, async (session, visit) => {
    await act(session)
    await session.save()
    expect(visit.setCookies).toHaveLength(1)
    return parseSetCookie(visit.setCookies[0]!).attributes.get('max-age')
  })
}

async function login(server: Server, act: (session: Session) => void = () => {}): Promise<Browser> {
  const browser = new Browser()
  await browser.run(server, (session) => {
    session.set('user', 'ada')
    act(session)
  })
  return browser
}

const WAYS: [string, (session: Session) => unknown][] = [
  ['set', session => session.set('cart', 1)],
  ['update', session => session.update({ cart: 1 })],
  ['a message', session => session.flash('notice', 'Hello')],
  ['regenerate', session => session.regenerate()],
]

describe.each<[string, () => Promise<Driver>]>([
  ['memory', async () => memory()],
  ['lru-cache', async () => lruCache({})],
  ['fs', async () => fs({ base: await temporaryFolder() })],
  ['fs-lite', async () => fsLite({ base: await temporaryFolder() })],
])('a session kept by the driver %s', (_, createDriver) => {
  it.each([30, 90, 400])('of %s days lives so long and no longer', async (days) => {
    const server = serverOver(await createDriver(), { maxAge: days * DAY })
    const browser = await login(server)
    server.wait(days * DAY - 1)
    expect(await browser.clone().read(server)).toEqual({ user: 'ada' })
    server.wait(1)
    expect(await browser.hasSession(server)).toBe(false)
  })

  it('is remembered for longer than the others, and stays so whatever is changed', async () => {
    const server = serverOver(await createDriver(), { maxAge: DAY })
    const browser = await login(server, session => session.setLifetime({ maxAge: 90 * DAY }))
    for (const [, change] of WAYS)
      await browser.run(server, async session => void await change(session))
    server.wait(90 * DAY - 1)
    expect(await browser.clone().hasSession(server)).toBe(true)
    server.wait(1)
    expect(await browser.hasSession(server)).toBe(false)
  })

  it.each(WAYS)('that ends with the browser still does after %s', async (_, change) => {
    const server = serverOver(await createDriver(), { maxAge: DAY })
    const browser = await login(server, session => session.setLifetime({ persistent: false }))
    expect(await maxAgeOf(server, browser, change)).toBeUndefined()
  })

  it('that is touched keeps its lifetime and its kind of cookie', async () => {
    const server = serverOver(await createDriver(), { maxAge: DAY })
    const browser = await login(server, session => session.setLifetime({ maxAge: 90 * DAY, idleTimeout: 10 * DAY, persistent: false }))
    for (let day = 0; day < 89; day++) {
      server.wait(DAY)
      const cookies = await browser.run(server, (_, visit) => visit.setCookies)
      expect(cookies.map(cookie => parseSetCookie(cookie).attributes.get('max-age'))).toEqual(cookies.map(() => undefined))
    }
    expect(await browser.clone().hasSession(server)).toBe(true)
    server.wait(DAY)
    expect(await browser.hasSession(server)).toBe(false)
  })

  it('whose cookie is of an older secret gets one of the new secret with the rest of its lifetime', async () => {
    const server = serverOver(await createDriver(), { secret: OLD_SECRET, maxAge: DAY })
    const browser = await login(server, session => session.setLifetime({ maxAge: 90 * DAY }))
    const rotated = server.redeploy({ secret: [SECRET, OLD_SECRET], maxAge: DAY })
    server.wait(30 * DAY)
    const [cookie = ''] = await browser.run(rotated, (_, visit) => visit.setCookies)
    expect(parseSetCookie(cookie).attributes.get('max-age')).toBe(String(60 * DAY))
    expect(await browser.read(server.redeploy({ secret: SECRET, maxAge: DAY }))).toEqual({ user: 'ada' })
  })

  it('whose cookie is of an older secret and ends with the browser gets one that does so too', async () => {
    const server = serverOver(await createDriver(), { secret: OLD_SECRET })
    const browser = await login(server, session => session.setLifetime({ persistent: false }))
    const rotated = server.redeploy({ secret: [SECRET, OLD_SECRET] })
    const [cookie = ''] = await browser.run(rotated, (_, visit) => visit.setCookies)
    expect(parseSetCookie(cookie).attributes.has('max-age')).toBe(false)
    expect(await browser.run(rotated, (_, visit) => visit.setCookies)).toEqual([])
  })
})
