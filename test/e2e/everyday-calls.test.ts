import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { Visitor } from '../support/browser'
import type { RunningServer } from '../support/nitro'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createVisitor } from '../support/browser'
import { hasChromium, launchChromium } from '../support/chromium'
import { environment, startServer } from '../support/nitro'
import { buildNuxt } from '../support/nuxt'
import { PASSWORD } from '../support/other-packages'
import { openRefused, openSocket } from '../support/socket'

const APPS: { name: string, env: Record<string, string> }[] = [
  { name: 'unsession', env: {} },
  { name: 'nuxt-auth-utils', env: { NUXT_SESSION_PASSWORD: PASSWORD } },
]

const DAY = 24 * 60 * 60

/** How many seconds the browser keeps the session that a response sets, to the day. */
function daysOf(response: Response): number {
  const line = response.headers.getSetCookie().at(-1) ?? ''
  const [, maxAge] = /Max-Age=(\d+)/.exec(line) ?? []
  const [, expires] = /Expires=([^;]+)/.exec(line) ?? []
  return Math.ceil((maxAge === undefined ? (Date.parse(expires!) - Date.now()) / 1000 : Number(maxAge)) / DAY)
}

describe.each(APPS)('the everyday calls of $name', ({ name, env }) => {
  let folder: string
  let server: RunningServer
  const signedIn = async (user: string): Promise<Visitor> => {
    const visitor = createVisitor(server.url)
    expect((await visitor.post('/api/login', { name: user, password: `of ${user}` })).ok).toBe(true)
    return visitor
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'unsession-'))
    server = await startServer(await buildNuxt(`everyday/${name}`), env, folder)
  })
  afterAll(async () => {
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  describe('over HTTP', () => {
    it('guard a route by the user, and by the role', async () => {
      const visitors = [createVisitor(server.url), await signedIn('bob'), await signedIn('ada')]
      const statuses = (path: string): Promise<number[]> => Promise.all(visitors.map(async visitor => (await visitor.fetch(path)).status))
      expect(await statuses('/api/orders')).toEqual([401, 200, 200])
      expect(await statuses('/api/users')).toEqual([401, 403, 200])
      expect(await visitors[1]!.json('/api/orders')).toEqual([{ userId: 2, item: 'tea' }])
    })

    it('guard a WebSocket', async () => {
      expect((await openRefused(createVisitor(server.url), server.url, '/live')).status).toBe(401)
      const socket = await openSocket(await signedIn('ada'), server.url, '/live')
      expect(await socket.ask({})).toEqual({ hello: 'ada' })
      await socket.close()
    })

    it('show the user, and nothing of anybody on the cached page', async () => {
      const ada = await signedIn('ada')
      expect(await (await ada.fetch('/')).text()).toContain('Signed in as ada')
      for (const visitor of [ada, createVisitor(server.url)]) {
        const about = await (await visitor.fetch('/about')).text()
        expect([about.includes('Loading'), about.includes('ada')]).toEqual([true, false])
      }
    })

    it('guard a page', async () => {
      const refused = await createVisitor(server.url).fetch('/account')
      expect([refused.status, refused.headers.get('location')]).toEqual([302, '/login'])
      expect(await (await (await signedIn('bob')).fetch('/account')).text()).toContain('Your account')
    })

    it.each([[true, 30], [false, 1]])('remember who asks for it (%s), also after later changes', async (remember, days) => {
      const visitor = createVisitor(server.url)
      expect(daysOf(await visitor.post('/api/login-remember', { name: 'ada', password: 'of ada', remember }))).toBe(days)
      const response = await visitor.post('/api/theme', { theme: 'dark' })
      expect(response.ok).toBe(true)
      // In storage mode a change leaves the cookie as it is.
      if (response.headers.getSetCookie().length > 0)
        expect(daysOf(response)).toBe(days)
      expect((await visitor.fetch('/api/orders')).status).toBe(200)
    })

    it('leave a message for the next page', async () => {
      const visitor = createVisitor(server.url)
      expect((await visitor.post('/api/contact')).headers.get('location')).toBe('/contact')
      expect(await (await visitor.fetch('/contact')).text()).toContain('Thank you.')
    })
  })

  describe.runIf(hasChromium())('in Chromium', () => {
    let browser: Browser
    let context: BrowserContext
    let page: Page
    const hydrated = async (): Promise<void> => void await page.waitForFunction(() => (globalThis as unknown as { useNuxtApp?: () => { isHydrating?: boolean } }).useNuxtApp?.().isHydrating === false)
    const open = async (path: string): Promise<void> => {
      await page.goto(path)
      await hydrated()
    }
    const press = (button: string): Promise<void> => page.getByRole('button', { name: button }).click()
    const login = async (): Promise<void> => {
      await page.getByLabel('Name').fill('ada')
      await page.getByLabel('Password').fill('of ada')
      await press('Sign in')
    }

    beforeAll(async () => {
      browser = await launchChromium()
    })
    beforeEach(async () => {
      context = await browser.newContext({ baseURL: server.url })
      page = await context.newPage()
    })
    afterEach(() => context?.close())
    afterAll(() => browser?.close())

    it('send a stranger from the guarded page to the login, let in who signed in, and sign out', async () => {
      await open('/account')
      await page.getByRole('heading', { name: 'Login' }).waitFor()
      await login()
      await page.getByRole('heading', { name: 'Your account' }).waitFor()
      await open('/')
      await page.getByText('Signed in as ada').waitFor()
      await press('Sign out')
      await page.getByText('Signed in as ada').waitFor({ state: 'detached' })
      expect((await page.request.get('/api/orders')).status()).toBe(401)
    })

    it('show the user on the cached page, or the link to the login', async () => {
      await open('/about')
      await page.getByRole('link', { name: 'Sign in' }).click()
      await page.getByRole('heading', { name: 'Login' }).waitFor()
      await login()
      await page.getByRole('heading', { name: 'Your account' }).waitFor()
      await open('/about')
      await press('Sign out ada')
      await page.getByRole('link', { name: 'Sign in' }).waitFor()
      expect((await page.request.get('/api/orders')).status()).toBe(401)
    })

    it('show a message once', async () => {
      await open('/contact')
      await press('Send')
      await page.getByRole('status').getByText('Thank you.').waitFor()
      await hydrated()
      await open('/contact')
      expect(await page.getByRole('button', { name: 'Send' }).count()).toBe(1)
    })
  })

  it('test a route as a user', async () => {
    const project = join(import.meta.dirname, '../fixtures/everyday', name)
    const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
    const { stdout } = await promisify(execFile)(process.execPath, [vitest, 'run'], { cwd: project, env: environment() })
    expect(stdout).toMatch(/1 passed/)
  })
})
