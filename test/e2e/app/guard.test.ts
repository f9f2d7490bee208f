import { describe, expect, it } from 'vitest'
import { hasChromium } from '../../support/chromium'
import { change, follow, heading, htmlOf, hydrated, jarOf, MODES, press, sessionRequests, shown, slowDown, text, textOf, useApp } from './support'

describe.each(MODES)('a page behind a route middleware, in %s mode', (mode) => {
  const app = useApp({ NUXT_SESSION_MODE: mode })

  it('redirects a visitor without a session on the server', async () => {
    const response = await app.visitor().fetch('/account')
    expect([response.status, response.headers.get('location')]).toEqual([302, '/login'])
    expect(response.headers.getSetCookie()).toEqual([])
  })

  it('is rendered for who is signed in, and kept by no cache', async () => {
    const ada = app.visitor()
    await ada.post('/api/login', { name: 'Ada' })
    const response = await ada.fetch('/account')
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(textOf(await response.text(), 'account-of')).toBe('Ada')
  })

  it('redirects after the logout', async () => {
    const ada = app.visitor()
    await ada.post('/api/login', { name: 'Ada' })
    await ada.post('/api/logout')
    expect((await ada.fetch('/account')).headers.get('location')).toBe('/login')
  })

  it('the redirect may be kept by no cache, and leaves the messages', async () => {
    const visitor = app.visitor()
    await visitor.post('/api/set', { flash: { success: 'Saved' } })
    const response = await visitor.fetch('/account')
    expect([response.status, response.headers.get('cache-control')]).toEqual([302, 'no-store'])
    expect(textOf(await htmlOf(visitor, '/messages'), 'success')).toBe('"Saved"')
  })

  describe.runIf(mode === 'storage' && hasChromium())('in Chromium', () => {
    it.each(['/account', '/account/spa'])('%s sends a visitor to the login, by its address and by a link of the app', async (path) => {
      const nobody = await app.person()
      const page = await nobody.context.newPage()
      await page.goto(path)
      await heading(page, 'login')
      expect(new URL(page.url()).pathname).toBe('/login')
      for (const start of ['/', '/quiet', '/landing', '/cached/swr', '/spa']) {
        const page = await nobody.open(start)
        await follow(page, path, 'login')
        expect(new URL(page.url()).pathname).toBe('/login')
      }
    })

    it.each([['/account', 'account'], ['/account/spa', 'account spa']])('%s lets in who is signed in, by its address and by a link of the app', async (path, title) => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.context.newPage()
      await page.goto(path)
      await heading(page, title)
      await expect.poll(...text(page, 'account-of')).toBe('Ada')
      for (const start of ['/', '/quiet', '/landing', '/cached/swr', '/spa']) {
        const page = await ada.open(start)
        await follow(page, path, title)
        expect(await shown(page, 'account-of')).toEqual(['Ada'])
      }
    })

    it('lets in right after the login by `$fetch`', async () => {
      const page = await (await app.person()).open('/account')
      await heading(page, 'login')
      await press(page, 'sign in by fetch')
      await heading(page, 'account')
      expect(await shown(page, 'account-of', 'layout-user')).toEqual(['Ada', 'Ada'])
    })

    it('lets in right after the login by a form', async () => {
      const page = await (await app.person()).open('/login')
      await page.getByLabel('Name').fill('Bob')
      await press(page, 'sign in')
      await heading(page, 'account')
      await hydrated(page)
      expect(await shown(page, 'account-of', 'layout-user', 'success')).toEqual(['Bob', 'Bob', '"Welcome, Bob"'])
    })

    it('keeps out right after the logout by `$fetch`', async () => {
      const page = await (await app.person({ signedInAs: 'Ada' })).open('/actions')
      await press(page, 'log out and go')
      await heading(page, 'login')
      expect(await shown(page, 'layout-user')).toEqual(['nobody'])
    })

    it('keeps out right after `clear`', async () => {
      const page = await (await app.person({ signedInAs: 'Ada' })).open('/')
      await page.evaluate(() => globalThis.app.clear())
      await follow(page, '/account', 'login')
      expect(await shown(page, 'layout-user')).toEqual(['nobody'])
    })

    it('keeps out by the back button after the logout', async () => {
      const page = await (await app.person({ signedInAs: 'Ada' })).open('/account')
      await follow(page, '/actions')
      await press(page, 'log out')
      await expect.poll(...text(page, 'layout-user')).toBe('nobody')
      await page.goBack()
      await heading(page, 'login')
    })

    it.each([
      ['who is signed in', 'Ada', 'account'],
      ['who was signed out a moment ago', 'nobody', 'login'],
    ])('waits for a slow answer when %s clicks on a prerendered page at once', async (_, who, title) => {
      const person = await app.person({ signedInAs: 'Ada' })
      // The cookie is there, and its session no more.
      if (who === 'nobody')
        await app.visitor(await jarOf(person)).post('/api/logout')
      const page = await person.context.newPage()
      let asked = 0
      await page.route('**/_session', async (route) => {
        asked++
        // Answered after the click was made.
        await clicked
        await route.continue()
      })
      let click = (): void => {}
      const clicked = new Promise<void>(resolve => click = resolve)
      await page.goto('/landing')
      await hydrated(page)
      await page.locator('#to-account').click()
      click()
      await heading(page, title)
      expect(asked).toBeGreaterThan(0)
    })

    it('holds on a slow network', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.context.newPage()
      await slowDown(page)
      await page.goto('/landing')
      await page.locator('#to-account').click()
      await heading(page, 'account')
      await expect.poll(...text(page, 'account-of')).toBe('Ada')
    })

    it('asks for the session once for the guard and the page', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/quiet')
      const requests = sessionRequests(page)
      await follow(page, '/account')
      await expect.poll(...text(page, 'account-of')).toBe('Ada')
      expect(requests.filter(request => request === 'GET').length).toBeLessThanOrEqual(1)
    })

    it('follows a change of the person', async () => {
      const page = await (await app.person({ signedInAs: 'Ada' })).open('/account')
      await change(page, '/api/login', { name: 'Bob' })
      await expect.poll(...text(page, 'account-of')).toBe('Bob')
    })
  })
})
