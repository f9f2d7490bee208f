import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from '../../support/chromium'
import { change, data, follow, heading, hydrated, press, settled, shown, slowDown, text, useApp, visit } from './support'

describe.runIf(hasChromium())('reload, back and forward', () => {
  const app = useApp()

  it('a reload shows the newest data', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.open('/')
    await ada.post('/api/set', { data: { theme: 'dark' } })
    await page.reload()
    await hydrated(page)
    expect(await shown(page, 'data')).toEqual(['{"user":{"name":"Ada"},"theme":"dark"}'])
  })

  it.each(['/', '/spa', '/cached/swr', '/cached/prerendered'])('back to %s in the app shows what was changed since', async (path) => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.open(path)
    await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' } })
    await follow(page, '/quiet')
    await change(page, '/api/set', { data: { theme: 'dark' } })
    await page.goBack()
    await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' }, theme: 'dark' })
    await page.goForward()
    await heading(page, 'quiet')
  })

  it.each(['/', '/spa', '/cached/swr', '/cached/prerendered'])('back to %s after a logout by a form shows nobody', async (path) => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.open(path)
    await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' } })
    await visit(page, '/forms')
    await press(page, 'logout')
    await heading(page, 'start')
    await page.goBack()
    await heading(page, 'forms')
    await page.goBack()
    await expect.poll(...data(page)).toEqual({})
    await expect.poll(...text(page, 'layout-user')).toBe('nobody')
  })

  it.each(['/', '/spa', '/cached/swr', '/cached/prerendered'])('back to %s after a login by a form shows who has signed in', async (path) => {
    const person = await app.person()
    const page = await person.open(path)
    await visit(page, '/login')
    await page.getByLabel('Name').fill('Ada')
    await press(page, 'sign in')
    await heading(page, 'account')
    await page.goBack()
    await heading(page, 'login')
    await page.goBack()
    await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' } })
    await expect.poll(...text(page, 'layout-user')).toBe('Ada')
  })

  it('a page that becomes visible again is current', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.open('/')
    await ada.post('/api/logout')
    await page.evaluate(() => {
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
      Object.defineProperty(document, 'visibilityState', { value: 'visible', configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    })
    await expect.poll(...data(page)).toEqual({})
  })

  describe('on a slow network', () => {
    it('a page hydrates with its data', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      await ada.post('/api/set', { flash: { success: 'Saved' } })
      const page = await ada.context.newPage()
      await slowDown(page)
      await visit(page, '/messages')
      await settled(page)
      expect(await shown(page, 'layout-user', 'success')).toEqual(['Ada', '"Saved"'])
    })

    it('a cached page shows nobody first, then the visitor', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.context.newPage()
      await slowDown(page)
      await page.goto('/cached/prerendered', { waitUntil: 'commit' })
      await expect.poll(...text(page, 'layout-user')).toBe('Ada')
      await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' } })
    })

    it('`$fetch` then `navigateTo` shows the message on arrival', async () => {
      const page = await (await app.person()).open('/actions')
      await slowDown(page)
      await press(page, 'go later')
      await heading(page, 'messages')
      await expect.poll(...text(page, 'success')).toBe('"went"')
      await expect.poll(...text(page, 'notice')).toBe('"noted"')
    })

    it('an answer that comes late does not undo a logout', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/')
      let release = (): void => {}
      const released = new Promise<void>(resolve => release = resolve)
      let isFirst = true
      await page.route('**/_session', async (route) => {
        if (!isFirst)
          return route.continue()
        isFirst = false
        // Taken from the server before the logout, given to the page after it.
        const response = await route.fetch()
        await released
        await route.fulfill({ response }).catch(() => {})
      })
      const asked = page.waitForRequest('**/_session')
      await page.evaluate(() => {
        void globalThis.app.refresh()
      })
      await asked
      const answered = page.waitForResponse('**/api/logout')
      const loggedOut = page.evaluate(() => globalThis.app.change('/api/logout'))
      await answered
      release()
      expect(await loggedOut).toEqual({})
      await settled(page)
      await expect.poll(...data(page)).toEqual({})
    })
  })
})

describe.runIf(hasChromium())('a page that the browser kept in memory', () => {
  const app = useApp()

  let browser: Browser
  beforeAll(async () => {
    // Playwright turns this cache off.
    browser = await launchChromium({ ignoreDefaultArgs: ['--disable-back-forward-cache'] })
  })
  afterAll(() => browser?.close())

  /** A page that shows who is signed in and a message, left for another document. */
  const leave = async (): Promise<Page> => {
    const context = await browser.newContext({ baseURL: app.server().url })
    await context.request.post('/api/login', { data: { name: 'Ada' } })
    const page = await context.newPage()
    await visit(page, '/cached/prerendered')
    await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' } })
    await expect.poll(...text(page, 'success')).toBe('"Welcome, Ada"')
    await page.evaluate(() => globalThis.addEventListener('pageshow', ({ persisted }) => document.documentElement.setAttribute('data-from-memory', String(persisted))))
    await visit(page, '/forms')
    return page
  }
  const comeBack = async (page: Page): Promise<void> => {
    await page.goBack({ waitUntil: 'commit' })
    await page.locator('html[data-from-memory=true]').waitFor({ state: 'attached' })
  }

  it('is current when it comes back', async () => {
    const page = await leave()
    await page.request.post('/api/logout')
    await comeBack(page)
    await expect.poll(...data(page)).toEqual({})
    await expect.poll(...text(page, 'layout-user')).toBe('nobody')
  })

  it('does not show its message again', async () => {
    const page = await leave()
    await comeBack(page)
    await expect.poll(...text(page, 'success')).toBe('none')
  })

  it('shows the message that was left meanwhile', async () => {
    const page = await leave()
    await page.request.post('/api/set', { data: { flash: { success: 'Saved' } } })
    await comeBack(page)
    await expect.poll(...text(page, 'success')).toBe('"Saved"')
  })
})
