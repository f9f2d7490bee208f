import type { Browser, Page } from 'playwright-core'
import type { RunningServer } from '../support/nitro'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium'
import { collectComplaints } from '../support/complaints'
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
    expect([guarded.status, guarded.headers.get('location')]).toEqual([302, '/login?guarded=yes'])
    expect((await visitor.fetch('/api/dashboard')).status).toBe(401)

    const post = (path: string, fields: Record<string, string>): Promise<Response> => visitor.fetch(path, { method: 'POST', headers: { accept: 'text/html' }, body: new URLSearchParams(fields) })
    expect((await post('/api/login', { name: 'ada', password: 'wrong' })).headers.get('location')).toBe('/login')
    expect((await post('/api/login', { name: 'ada', password: 'lovelace' })).headers.get('location')).toBe('/dashboard')
    const dashboard = await (await visitor.fetch('/dashboard')).text()
    expect(dashboard).toContain('Welcome, Ada Lovelace.')
    expect(dashboard).toContain('Hello, Ada Lovelace.')
    await post('/api/theme', { theme: 'dark' })

    await server.stop()
    server = await start()
    const again = await (await createVisitor(server.url, visitor.cookies).fetch('/dashboard')).text()
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

    describe.each(['storage', 'cookie'] as const)('%s mode', (mode) => {
      beforeAll(async () => {
        // The default runs already.
        if (mode === 'storage')
          return
        await server.stop()
        server = await start({ NUXT_SESSION_MODE: mode })
      })

      it.each(['with', 'without'] as const)('tells the story %s JavaScript, and nothing to the console', async (javaScript) => {
        const hasScript = javaScript === 'with'
        const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: hasScript })
        const complaints = collectComplaints(context)
        const page = await context.newPage()

        await page.goto('/dashboard')
        await expectText(page, 'Please sign in to see the dashboard.')
        await signIn(page, 'charles')
        await expectText(page, 'That name and password do not match.')
        await signIn(page, 'lovelace')
        await page.waitForURL('**/dashboard')
        await expectText(page, 'Welcome, Ada Lovelace.')
        await page.reload()
        await expectText(page, 'Hello, Ada Lovelace.')
        expect(await page.getByText('Welcome, Ada Lovelace.').count()).toBe(0)

        await page.locator('header').getByRole('button', { name: 'dark' }).click()
        await page.locator('html[data-theme=dark]').waitFor()
        await expectText(page, 'Hello, Ada Lovelace.')

        await seeMessages(page, hasScript)
        await seeRendering(page)
        await seeCachedPage(page, hasScript)

        await page.getByRole('link', { name: 'Inside' }).click()
        await expectText(page, 'Inside this session')
        await expectText(page, mode === 'storage' ? 'HMAC-SHA256.' : 'AES-256-GCM')

        const other = hasScript ? await seeTabs(page) : undefined
        await page.getByRole('button', { name: 'Sign out' }).click()
        await expectText(page, 'Signed out')
        await expectText(page, 'nobody yet')
        if (other)
          await expectText(other, 'Please sign in to see the dashboard.')
        await page.getByRole('link', { name: 'Guarded page' }).click()
        await expectText(page, 'Please sign in to see the dashboard.')

        // The browser tells of every page that answers so; the story has one.
        expect(complaints.filter(complaint => !complaint.includes('status of 409'))).toEqual([])
        await context.close()
      })
    })
  })
})

async function signIn(page: Page, password: string): Promise<void> {
  await page.getByLabel('Name').fill('ada')
  await page.getByLabel('Password').fill(password)
  await page.locator('main').getByRole('button', { name: 'Sign in' }).click()
}

/** Each way of a message ends on a page that shows it, and the next load does not. */
async function seeMessages(page: Page, hasScript: boolean): Promise<void> {
  const ways = [
    ['button', 'Post a form', 'Saved at', '/messages'],
    ['button', '$fetch', 'Saved at', '/messages'],
    ...(hasScript ? [['button', '$fetch, then leave', 'Saved at', '/'] as const] : []),
    ['button', 'Redirects', 'Carried over four redirects.', '/messages'],
    ['link', 'Fail', 'Left by the handler before it failed.', '/broken'],
  ] as const
  for (const [role, name, text, path] of ways) {
    await page.goto('/messages')
    await page.getByRole('heading', { name: 'Said once' }).waitFor()
    expect(await page.locator('.messages').innerText(), `before ${name}`).toBe('')
    await page.getByRole(role, { name, exact: true }).click()
    await page.locator('.messages').getByText(text).waitFor()
    expect(new URL(page.url()).pathname, name).toBe(path)
  }
}

/** A visit is counted while the page is rendered, and by the browser when it goes there itself. */
async function seeRendering(page: Page): Promise<void> {
  await page.goto('/visits')
  await page.locator('.number', { hasText: /^1$/ }).waitFor()
  await page.getByRole('link', { name: 'Overview' }).click()
  await page.getByText('in the page.').waitFor()
  await page.getByRole('link', { name: 'Sub-requests' }).click()
  await page.locator('.number', { hasText: /^2$/ }).waitFor()
}

/** The HTML is everybody's; who can run JavaScript sees their name in it afterwards. */
async function seeCachedPage(page: Page, hasScript: boolean): Promise<void> {
  const response = await page.goto('/cached')
  expect(await response?.text()).not.toContain('Ada')
  await page.locator('.own').getByText(hasScript ? 'Ada Lovelace' : 'nobody').waitFor()
}

/** What is chosen in one window shows in the others; answers another tab. */
async function seeTabs(page: Page): Promise<Page> {
  const other = await page.context().newPage()
  await other.goto('/dashboard')
  await expectText(other, 'Hello, Ada Lovelace.')
  await other.waitForFunction('window.useNuxtApp?.().isHydrating === false')
  await page.getByRole('link', { name: 'Tabs' }).click()
  await page.frameLocator('iframe').getByRole('button', { name: 'light' }).click()
  await page.locator('html[data-theme=light]').waitFor()
  await other.locator('html[data-theme=light]').waitFor()
  return other
}

async function expectText(page: Page, text: string): Promise<void> {
  await page.getByText(text).first().waitFor({ state: 'visible' })
}
