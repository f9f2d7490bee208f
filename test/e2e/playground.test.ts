import type { Browser, Page } from 'playwright-core'
import type { RunningServer } from '../support/nitro'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium'
import { createVisitor } from '../support/browser'
import { startCommand } from '../support/nitro'
import { freePort } from '../support/ports'

const root = join(import.meta.dirname, '../..')

describe('the playground, as the README starts it', () => {
  let server: RunningServer
  let port: number
  const start = (env: Record<string, string> = {}): Promise<RunningServer> => startCommand('npm', ['run', 'dev', '--', '--port', String(port)], env, root)

  beforeAll(async () => {
    port = await freePort()
    server = await start()
  })
  afterAll(() => server?.stop())

  it('walks through the sign-in story without a browser, and keeps the session over a restart', async () => {
    const visitor = createVisitor(server.url)
    const guarded = await visitor.fetch('/dashboard')
    expect([guarded.status, guarded.headers.get('location')]).toEqual([303, '/login'])
    expect(await (await visitor.fetch('/login')).text()).toContain('Please sign in to see the dashboard.')

    const signIn = (password: string): Promise<Response> => visitor.fetch('/api/login', { method: 'POST', body: new URLSearchParams({ name: 'ada', password }) })
    expect((await signIn('wrong')).headers.get('location')).toBe('/login')
    expect((await signIn('lovelace')).headers.get('location')).toBe('/dashboard')
    const dashboard = await (await visitor.fetch('/dashboard')).text()
    expect(dashboard).toContain('Welcome, Ada Lovelace.')
    expect(dashboard).toContain('Hello, Ada Lovelace.')
    await visitor.fetch('/api/theme', { method: 'POST', body: new URLSearchParams({ theme: 'dark' }) })

    await server.stop()
    server = await start()
    const again = await (await visitor.fetch('/dashboard')).text()
    expect(again).toContain('Hello, Ada Lovelace.')
    expect(again).not.toContain('Welcome, Ada Lovelace.')
    expect(again).toContain('data-theme="dark"')
  })

  describe.runIf(hasChromium())('in Chromium', () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await launchChromium()
    })
    afterAll(() => browser?.close())

    it.each([
      ['storage', 'with'],
      ['storage', 'without'],
      ['cookie', 'with'],
      ['cookie', 'without'],
    ] as const)('%s mode: the story %s JavaScript, and nothing in the console', async (mode, javaScript) => {
      await server.stop()
      server = await start({ NUXT_SESSION_MODE: mode })
      const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: javaScript === 'with' })
      const page = await context.newPage()
      const complaints = collectComplaints(page)

      await page.goto('/dashboard')
      await expectText(page, 'Please sign in to see the dashboard.')
      await page.getByLabel('Name').fill('ada')
      await page.getByLabel('Password').fill('lovelace')
      await page.locator('main').getByRole('button', { name: 'Sign in' }).click()
      await page.waitForURL('**/dashboard')
      await expectText(page, 'Welcome, Ada Lovelace.')
      await page.reload()
      await expectText(page, 'Hello, Ada Lovelace.')
      expect(await page.getByText('Welcome, Ada Lovelace.').count()).toBe(0)

      await page.getByRole('button', { name: 'dark' }).click()
      await expectText(page, 'Hello, Ada Lovelace.')
      expect(await page.locator('html').getAttribute('data-theme')).toBe('dark')

      await page.getByRole('link', { name: 'Inspect' }).click()
      await expectText(page, 'Inside this session')
      await expectText(page, mode === 'storage' ? 'HMAC-SHA256.' : 'AES-256-GCM')

      await page.getByRole('button', { name: 'Sign out' }).click()
      await expectText(page, 'Signed out.')
      await page.goto('/dashboard')
      await expectText(page, 'Please sign in to see the dashboard.')

      expect(complaints).toEqual([])
      await context.close()
    }, 120_000)
  })
})

async function expectText(page: Page, text: string): Promise<void> {
  await page.getByText(text).first().waitFor({ state: 'visible' })
}

/** Errors, and warnings of Vue (a hydration mismatch is one). */
function collectComplaints(page: Page): string[] {
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' || /\[Vue warn\]|hydration/i.test(message.text()))
      complaints.push(message.text())
  })
  return complaints
}
