import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { App } from '../support/apps'
import type { Visitor } from '../support/browser'
import type { RunningServer } from '../support/nitro'
import { cp, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { createApp, warningsIn } from '../support/apps'
import { COOKIE, createVisitor, setCookiesOf } from '../support/browser'
import { hasChromium, launchChromium } from '../support/chromium'
import { collectComplaints } from '../support/complaints'
import { startCommand } from '../support/nitro'
import { runCompiler } from '../support/types'

const tarball = inject('tarball')
const fixture = join(import.meta.dirname, '../fixtures/neighbours')

/** What Vite says of every Nuxt app, also of an empty one. */
const KNOWN = '[plugin nuxt:module-preload-polyfill]'

/** Each of the two modules has a secret of its own, under a name of its own. */
const SECRETS = {
  NUXT_SESSION_SECRET: 'the secret of unsession, 32 characters and more',
  NUXT_SESSION_PASSWORD: 'the password of nuxt-auth-utils, 32 characters and more',
}

/** nuxt-security counts requests by address: everybody has one. */
let addresses = 0
const newAddress = (): Record<string, string> => ({ 'x-forwarded-for': `192.0.2.${++addresses}` })

/** A visitor with an address. */
function createGuest({ url }: RunningServer): Visitor {
  const visitor = createVisitor(url)
  const address = newAddress()
  const { fetch } = visitor
  visitor.fetch = (path, init = {}) => fetch(path, { ...init, headers: { ...Object.fromEntries(new Headers(init.headers)), ...address } })
  return visitor
}

/** The lines of one cookie, without its value. */
function attributesOf(response: Response, name: string): string[] {
  return setCookiesOf(response, name).map(line => line.replace(/^([^=]+)=[^;]*/, '$1'))
}

const signIn = (visitor: Visitor): Promise<Response> => visitor.post('/api/login', { name: 'Ada' })
const signOut = (visitor: Visitor): Promise<Response> => visitor.post('/api/logout')
const signInGrace = (visitor: Visitor): Promise<Response> => visitor.post('/api/grace')
const signOutGrace = (visitor: Visitor): Promise<Response> => visitor.fetch('/api/grace', { method: 'DELETE' })

let app: App
let built: string
let generated: string
const start = (folder = '.', secrets: Partial<typeof SECRETS> = SECRETS): Promise<RunningServer> =>
  startCommand(process.execPath, [join(app.dir, folder, '.output/server/index.mjs')], { HOST: '127.0.0.1', PORT: '0', ...secrets }, app.dir)

beforeAll(async () => {
  app = await createApp()
  await cp(fixture, app.dir, { recursive: true })
  await app.run('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball)
  built = await app.bin('nuxt', 'build')
  await app.bin('nuxt', 'build', 'alone')
  await app.bin('nuxt', 'build', 'first')
  await app.bin('nuxt', 'build', 'csurf')
  generated = await app.bin('nuxt', 'generate', 'static')
})
afterAll(() => app?.remove())

describe('one app with nuxt-auth-utils, @nuxt/ui, @pinia/nuxt, nuxt-security and this package', () => {
  it('builds without a warning of its own', () => {
    expect(built).toContain('Build complete')
    expect(warningsIn(built).filter(line => !line.includes(KNOWN))).toEqual([])
  })

  it('has no type that is missing or wrong', async () => {
    expect(await runCompiler('vue-tsc', ['--build', '--noEmit', '--pretty', 'false'], app.dir)).toEqual([])
  })
})

describe.each([['last', '.'], ['first', 'first']])('beside nuxt-auth-utils, %s in the list of modules', (_, folder) => {
  let server: RunningServer
  let alone: RunningServer
  beforeAll(async () => {
    server = await start(folder)
    alone = await start('alone')
  })
  afterAll(async () => {
    await server?.stop()
    await alone?.stop()
  })

  it('signs in with each of the two', async () => {
    const visitor = createGuest(server)
    await signIn(visitor)
    expect(await visitor.json('/api/who')).toEqual({ unsession: 'Ada', authUtils: null })
    await signInGrace(visitor)
    expect(await visitor.json('/api/who')).toEqual({ unsession: 'Ada', authUtils: 'Grace' })
  })

  it('signs in with both in one response', async () => {
    const visitor = createGuest(server)
    const response = await visitor.post('/api/both')
    expect([setCookiesOf(response, COOKIE), setCookiesOf(response, 'nuxt-session')].map(lines => lines.length)).toEqual([1, 1])
    expect(await visitor.json('/api/who')).toEqual({ unsession: 'Ada', authUtils: 'Grace' })
  })

  it('leaves nuxt-auth-utils signed in when ours ends', async () => {
    const visitor = createGuest(server)
    await visitor.post('/api/both')
    expect(setCookiesOf(await signOut(visitor), 'nuxt-session')).toEqual([])
    expect(await visitor.json('/api/who')).toEqual({ unsession: null, authUtils: 'Grace' })
  })

  it('stays signed in when nuxt-auth-utils signs out', async () => {
    const visitor = createGuest(server)
    await visitor.post('/api/both')
    expect(setCookiesOf(await signOutGrace(visitor), COOKIE)).toEqual([])
    expect(await visitor.json('/api/who')).toEqual({ unsession: 'Ada', authUtils: null })
  })

  it('leaves the cookie of nuxt-auth-utils as it is without us', async () => {
    const [here, there] = [createGuest(server), createGuest(alone)]
    const expected = attributesOf(await signInGrace(there), 'nuxt-session')
    expect(expected).toEqual(['nuxt-session; Path=/; HttpOnly; Secure; SameSite=Lax'])
    expect(attributesOf(await signInGrace(here), 'nuxt-session')).toEqual(expected)
    expect(attributesOf(await signOutGrace(here), 'nuxt-session')).toEqual(attributesOf(await signOutGrace(there), 'nuxt-session'))
  })

  it('has the cookie that its own options ask for', async () => {
    expect(attributesOf(await signIn(createGuest(server)), COOKIE)).toEqual([expect.stringMatching(/^__Host-session; Max-Age=(?:3600|35\d\d); Path=\/; HttpOnly; Secure; SameSite=Strict$/)])
  })

  it('renders both, and a Pinia store that is made of ours', async () => {
    const visitor = createGuest(server)
    await signIn(visitor)
    await signInGrace(visitor)
    const html = await (await visitor.fetch('/')).text()
    expect(html).toContain('data-of="store">Hello, Ada<')
    expect(html).toContain('data-of="auth-utils">Grace<')
    expect(html).not.toContain('has a secret')
  })

  it('answers only to the secret that is ours', async () => {
    await expect(start(folder, { NUXT_SESSION_PASSWORD: SECRETS.NUXT_SESSION_PASSWORD })).rejects.toThrow('NUXT_SESSION_SECRET')
  })
})

describe('beside nuxt-security', () => {
  let server: RunningServer
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server?.stop())

  it('serves pages under its policy: every script has the nonce', async () => {
    const visitor = createGuest(server)
    await signIn(visitor)
    const response = await visitor.fetch('/')
    const nonce = /'nonce-(?<nonce>[^']+)'/.exec(response.headers.get('content-security-policy') ?? '')?.groups?.nonce
    const scripts = (await response.text()).match(/<script[^>]*>/g) ?? []
    expect(nonce).toMatch(/^\S+$/)
    expect(scripts.length).toBeGreaterThan(1)
    expect(scripts.filter(script => !script.includes(`nonce="${nonce}"`))).toEqual([])
  })

  it('answers what a page in the browser asks, with both kinds of headers', async () => {
    const visitor = createGuest(server)
    await signIn(visitor)
    const response = await visitor.fetch('/_session')
    expect(await response.json()).toMatchObject({ data: { user: { name: 'Ada' } }, hasMessages: true })
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await (await visitor.post('/_session', { flash: ['success'] })).json()).toMatchObject({ messages: { success: 'Welcome, Ada' } })
    expect(await (await visitor.fetch('/_session', { method: 'DELETE' })).json()).toMatchObject({ data: {} })
  })

  it('keeps its rate limit: too many are refused, without a loss for the session', async () => {
    const visitor = createGuest(server)
    await signIn(visitor)
    const statuses = new Set<number>()
    for (let request = 0; request < 200; request++)
      statuses.add((await visitor.fetch('/_session')).status)
    expect([...statuses]).toEqual([200, 429])
    const elsewhere = createVisitor(server.url, visitor.cookies)
    expect(await elsewhere.json('/_session')).toMatchObject({ data: { user: { name: 'Ada' } } })
  })
})

describe.runIf(hasChromium())('all of them in Chromium', () => {
  let server: RunningServer
  let browser: Browser
  let context: BrowserContext | undefined
  let page: Page
  let complaints: string[]

  beforeAll(async () => {
    server = await start()
    browser = await launchChromium()
  })
  afterEach(() => context?.close())
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })

  const open = async (path: string): Promise<void> => {
    context = await browser.newContext({ baseURL: server.url, extraHTTPHeaders: newAddress() })
    page = await context.newPage()
    complaints = collectComplaints(page.context())
    await page.goto(path)
    await page.waitForFunction(() => (globalThis as unknown as { useNuxtApp?: () => { isHydrating?: boolean } }).useNuxtApp?.().isHydrating === false)
  }
  const shows = (name: string, text: string): Promise<void> => page.locator(`[data-of="${name}"]`, { hasText: text }).waitFor()

  it('a form of @nuxt/ui signs in; the store follows, and the message becomes a toast, once', async () => {
    await open('/')
    await shows('store', 'Hello, stranger')
    await page.getByLabel('Name').fill('Ada')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await shows('store', 'Hello, Ada')
    await page.getByText('Welcome, Ada').first().waitFor()
    await page.reload()
    await shows('store', 'Hello, Ada')
    expect(await page.getByText('Welcome, Ada').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  it('a message of the server becomes a toast on a rendered page', async () => {
    await open('/')
    await page.request.post('/api/login', { data: { name: 'Ada' } })
    await page.reload()
    await page.getByText('Welcome, Ada').first().waitFor()
    await shows('unsession', 'Ada')
    expect(complaints).toEqual([])
  })

  it('both sign in and out in one page, each for itself', async () => {
    await open('/')
    await page.getByLabel('Name').fill('Ada')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await shows('unsession', 'Ada')
    await page.getByRole('button', { name: 'Sign in as Grace' }).click()
    await shows('auth-utils', 'Grace')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await shows('unsession', 'nobody')
    await shows('store', 'Hello, stranger')
    await page.reload()
    await shows('auth-utils', 'Grace')
    await shows('unsession', 'nobody')
    expect(complaints).toEqual([])
  })

  it('a guard that asks ours lets in by link and by address, and sends others home', async () => {
    await open('/')
    await page.getByRole('link', { name: 'Account' }).click()
    await shows('store', 'Hello, stranger')
    expect(new URL(page.url()).pathname).toBe('/')
    await page.getByLabel('Name').fill('Ada')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await shows('store', 'Hello, Ada')
    await page.getByRole('link', { name: 'Account' }).click()
    await page.getByRole('heading', { name: 'Account' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Account' }).waitFor()
    await shows('store', 'Hello, Ada')
    expect(complaints).toEqual([])
  })
})

describe('beside nuxt-csurf, without a rule for our route', () => {
  let server: RunningServer
  beforeAll(async () => {
    server = await start('csurf')
  })
  afterAll(() => server?.stop())

  it('refuses what has no token, but not our route', async () => {
    const visitor = createGuest(server)
    await visitor.fetch('/')
    expect((await visitor.post('/api/refused')).status).toBe(403)
    await visitor.fetch('/api/login')
    expect(await (await visitor.post('/_session', { flash: ['success'] })).json()).toMatchObject({ messages: { success: 'Welcome, Ada' } })
    expect(await (await visitor.fetch('/_session', { method: 'DELETE' })).json()).toMatchObject({ data: {} })
  })

  it.runIf(hasChromium())('shows the message that a request left, and signs out', async () => {
    const browser = await launchChromium()
    try {
      const page = await browser.newPage({ baseURL: server.url })
      await page.goto('/')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.locator('#success', { hasText: 'Welcome, Ada' }).waitFor()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.locator('#user', { hasText: 'nobody' }).waitFor()
      expect((await page.context().cookies()).map(({ name }) => name)).not.toContain(COOKIE)
    }
    finally {
      await browser.close()
    }
  })
})

describe('generated for a host of files', () => {
  it('says once what works there', () => {
    expect(generated.match(/This build has no server, and sessions need one\./g)).toHaveLength(1)
    expect(generated).toContain('routeRules: { \'/about\': { prerender: true } }')
  })

  it.runIf(hasChromium())('has pages of a visitor: ready, guarded, and without a request or an error', async () => {
    const files = join(app.dir, 'static/.output/public')
    const server = createServer(async ({ url = '' }, response) => {
      const { pathname } = new URL(url, 'http://127.0.0.1')
      const body = await readFile(join(files, pathname)).catch(() => readFile(join(files, pathname, 'index.html'))).catch(() => undefined)
      response.writeHead(body ? 200 : 404, { 'content-type': pathname.endsWith('.js') ? 'text/javascript' : pathname.endsWith('.json') ? 'application/json' : 'text/html' })
      response.end(body)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const browser = await launchChromium()
    try {
      const context = await browser.newContext({ baseURL: `http://127.0.0.1:${(server.address() as { port: number }).port}` })
      const complaints = collectComplaints(context)
      const requests: string[] = []
      context.on('request', request => requests.push(new URL(request.url()).pathname))
      const page = await context.newPage()
      await page.goto('/')
      await page.locator('#ready', { hasText: 'true' }).waitFor()
      await page.getByRole('link', { name: 'Members' }).click()
      await page.getByRole('heading', { name: 'login' }).waitFor()
      await page.goto('/members')
      await page.getByRole('heading', { name: 'login' }).waitFor()
      expect(requests).not.toContain('/_session')
      expect(complaints.filter(complaint => !/favicon|404/.test(complaint))).toEqual([])
    }
    finally {
      await browser.close()
      server.closeAllConnections()
      server.close()
    }
  })
})
