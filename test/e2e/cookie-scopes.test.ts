import type { Browser, Page } from 'playwright-core'
import type { CoreSessionOptions, SessionCookieOptions } from '../../src/core/options'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:https'
import { createApp, eventHandler, toNodeListener } from 'h3'
import { generate } from 'selfsigned'
import { createStorage } from 'unstorage'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { destroySession, getSession, regenerateSession, sessionMiddleware, updateSession } from '../../src/h3'
import { hasChromium, launchChromium } from '../support/chromium'
import { TEST_SECRET } from '../support/nitro'

const HOST = 'shop.eu.example.test'

/** The cookie of each deployment. */
const SCOPES: Record<string, SessionCookieOptions> = {
  'another name, bound to the host': { name: '__Host-session' },
  'a name of its own': { name: 'session' },
  'a domain': { name: 'session', domain: 'example.test' },
  'the domain of the host': { name: 'session', domain: HOST },
  'a path': { name: 'session', path: '/app' },
  'a path with a slash': { name: 'session', path: '/app/' },
  'a partition': { name: 'session', partitioned: true },
  'a partition and a domain': { name: 'session', partitioned: true, domain: 'eu.example.test' },
  'a partition and a path': { name: 'session', partitioned: true, path: '/app/api' },
}

const RENAMED = new Set(['another name, bound to the host'])

describe.skipIf(!hasChromium())('a browser that has a cookie of an earlier deployment', () => {
  const storage = createStorage()
  let options: CoreSessionOptions
  let browser: Browser
  let origin: string
  const server = createTlsServer(() => options, storage)

  beforeAll(async () => {
    origin = `https://${HOST}:${await server.listen()}`
    browser = await launchChromium({ args: [`--host-resolver-rules=MAP *.example.test 127.0.0.1`] })
  })
  afterAll(async () => {
    await browser?.close()
    server.close()
  })

  // Every other pair of Domain and Path is tried with a cookie jar in the unit tests.
  const pairs = Object.keys(SCOPES).flatMap(before => Object.keys(SCOPES).map(after => ({ before, after })))
    .filter(({ before, after }) => [before, after].includes('a name of its own') || before.includes('partition and') || after.includes('partition and'))
    .flatMap(pair => (['storage', 'cookie'] as const).map(mode => ({ mode, ...pair })))

  it.each(pairs)('$mode mode, from $before to $after: reads, logs in as another, logs out', async ({ mode, before, after }) => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    const deploy = (name: string): void => void (options = { secret: TEST_SECRET, mode, cookie: { secure: true, ...SCOPES[name] } })
    const namesOfCookies = async (): Promise<string[]> => (await context.cookies()).map(({ name }) => name)

    deploy(before)
    await page.goto(`${origin}/app/api/page`)
    await ask(page, 'login?user=ada')
    const seen = [await ask(page, 'read')]
    deploy(after)
    seen.push(await ask(page, 'read'))
    seen.push(await ask(page, 'write'), await ask(page, 'read'))
    await ask(page, 'login?user=bob')
    seen.push(await ask(page, 'read'))
    await ask(page, 'logout')
    seen.push(await ask(page, 'read'))
    const isRenamed = before !== after && (RENAMED.has(before) || RENAMED.has(after))
    const ada = isRenamed ? { n: 1 } : { user: 'ada', n: 1 }
    expect(seen).toEqual([{ user: 'ada' }, isRenamed ? null : { user: 'ada' }, ada, ada, { ...ada, user: 'bob' }, null])
    deploy(before)
    expect(await ask(page, 'read')).toEqual(isRenamed ? { user: 'ada' } : null)
    if (mode === 'cookie' && !isRenamed)
      expect(await namesOfCookies()).toEqual([])
    await context.close()
  })
})

/** Sends a request from the page, with the cookies that the browser has for it. */
function ask(page: Page, path: string): Promise<unknown> {
  return page.evaluate(async path => (await fetch(`/app/api/${path}`, { method: 'POST' })).json(), path)
}

/** A server over TLS whose options change, as by deployments. */
function createTlsServer(options: () => CoreSessionOptions, storage: ReturnType<typeof createStorage>): { listen(): Promise<number>, close(): void } {
  let server: ReturnType<typeof createServer> | undefined
  const app = createApp()
  app.use(eventHandler(event => sessionMiddleware({ ...options(), store: storage })(event) as Promise<undefined>))
  app.use('/app/api/page', eventHandler(() => '<!doctype html><title>page</title>'))
  app.use('/app/api/read', eventHandler(event => JSON.stringify(getSession(event))))
  app.use('/app/api/write', eventHandler(event => updateSession(event, { n: 1 })))
  app.use('/app/api/login', eventHandler(async (event) => {
    const user = new URL(event.path, 'https://x').searchParams.get('user')!
    await regenerateSession(event, { user })
    return {}
  }))
  app.use('/app/api/logout', eventHandler(async (event) => {
    await destroySession(event)
    return {}
  }))
  return {
    async listen() {
      const { private: key, cert } = await generate([{ name: 'commonName', value: HOST }])
      server = createServer({ key, cert }, toNodeListener(app))
      await new Promise<void>(resolve => server!.listen(0, '127.0.0.1', resolve))
      return (server.address() as AddressInfo).port
    },
    close() {
      server?.closeAllConnections()
      server?.close()
    },
  }
}
