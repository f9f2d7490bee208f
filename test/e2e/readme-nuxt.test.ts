import type { Browser } from 'playwright-core'
import type { RunningServer } from '../support/nitro'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVisitor } from '../support/browser'
import { hasChromium, launchChromium } from '../support/chromium'
import { collectComplaints } from '../support/complaints'
import { startServer } from '../support/nitro'
import { buildNuxt } from '../support/nuxt'

describe('the Vue pages of the README', () => {
  let server: RunningServer
  beforeAll(async () => {
    server = await startServer(await buildNuxt('readme-nuxt'), { NUXT_SESSION_COOKIE_SECURE: 'false' })
  })
  afterAll(() => server?.stop())

  it('guard the account on the server, and greet who has signed in', async () => {
    const visitor = createVisitor(server.url)
    const guarded = await visitor.fetch('/account')
    expect([guarded.status, guarded.headers.get('location')]).toEqual([302, '/login'])
    await visitor.post('/api/login', { name: 'Ada' })
    const account = await (await visitor.fetch('/account')).text()
    expect(account).toContain('Hello, Ada.')
    expect(account).toContain('Welcome, Ada.')
  })

  describe.runIf(hasChromium())('in Chromium', () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await launchChromium()
    })
    afterAll(() => browser?.close())

    it('sign in by $fetch, pass the guard, dismiss the message and sign out', async () => {
      const context = await browser.newContext({ baseURL: server.url })
      const complaints = collectComplaints(context)
      const page = await context.newPage()
      await page.goto('/')
      await page.getByRole('link', { name: 'Your account' }).click()
      await page.getByLabel('Name').fill('Ada')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('heading', { name: 'Hello, Ada.' }).waitFor()
      await page.getByText('Welcome, Ada.').waitFor()
      await page.getByRole('button', { name: 'Dismiss' }).click()
      await page.getByText('Welcome, Ada.').waitFor({ state: 'detached' })
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('link', { name: 'Sign in' }).waitFor()
      expect(complaints).toEqual([])
      await context.close()
    })
  })
})
