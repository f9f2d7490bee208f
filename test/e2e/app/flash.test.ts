import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { cookieLinesOf } from '../../support/browser'
import { hasChromium } from '../../support/chromium'
import { change, follow, heading, htmlOf, hydrated, MODES, press, settled, shown, text, textOf, useApp, visit } from './support'

const FALSY = [0, '', false, null]

describe.each(MODES)('useFlash in %s mode', (mode) => {
  const app = useApp({ NUXT_SESSION_MODE: mode })

  describe('over HTTP', () => {
    it('a message is in the HTML of the next page that reads it, and of no other', async () => {
      const ada = app.visitor()
      await ada.post('/api/set', { flash: { success: 'Saved' } })
      expect(textOf(await htmlOf(ada, '/quiet'), 'success')).toBeUndefined()
      expect(await htmlOf(ada, '/')).not.toContain('Saved')
      const html = await htmlOf(ada, '/messages')
      expect([textOf(html, 'success'), textOf(html, 'success-again')]).toEqual(['"Saved"', '"Saved"'])
      expect(await htmlOf(ada, '/messages')).not.toContain('Saved')
    })

    it('a message survives a chain of redirects that use the session', async () => {
      const ada = app.visitor()
      await ada.post('/api/set', { flash: { success: 'Saved' } })
      let location: string | null = '/hop?left=2&to=/messages'
      for (let hop = 0; hop < 3; hop++)
        location = (await ada.fetch(location!)).headers.get('location')
      expect(location).toBe('/messages')
      const html = await htmlOf(ada, location!)
      expect([textOf(html, 'success'), textOf(html, 'layout-count')]).toEqual(['"Saved"', '3'])
    })

    it('different keys are read by the pages that name them', async () => {
      const ada = app.visitor()
      await ada.post('/api/set', { flash: { success: 'Saved', other: 'Other', error: 'Error' } })
      expect(textOf(await htmlOf(ada, '/messages'), 'success')).toBe('"Saved"')
      expect(textOf(await htmlOf(ada, '/other'), 'other')).toBe('"Other"')
      expect(textOf(await htmlOf(ada, '/'), 'error')).toBe('"Error"')
    })

    it.each(FALSY)('%j is a message', async (message) => {
      const ada = app.visitor()
      await ada.post('/api/set', { flash: { success: message } })
      expect(textOf(await htmlOf(ada, '/messages'), 'success')).toBe(JSON.stringify(message))
      expect(textOf(await htmlOf(ada, '/messages'), 'success')).toBe('none')
    })

    it.each<[string, string, RequestInit]>([
      ['HEAD', '/messages', { method: 'HEAD' }],
      ['a prefetch', '/messages', { headers: { 'sec-purpose': 'prefetch' } }],
      ['a prerender by the browser', '/messages', { headers: { 'sec-purpose': 'prefetch;prerender' } }],
      ['a prefetch of an older browser', '/messages', { headers: { purpose: 'prefetch' } }],
      ['a payload', '/messages/_payload.json', {}],
      ['the payload of a cached page', '/cached/swr/_payload.json', {}],
      ['a page with other messages', '/other', {}],
      ['a page without the session', '/quiet', {}],
      ['an asset', '/_nuxt/builds/latest.json', {}],
      ['what does not exist', '/favicon.ico', {}],
      ['a cached page', '/cached/swr', {}],
      ['a cached page, again', '/cached/swr', {}],
      ['a prerendered page', '/cached/prerendered', {}],
      ['a look at our route', '/_session', {}],
      ['another route', '/api/me', {}],
    ])('%s does not consume a message', async (_, path, init) => {
      const ada = app.visitor()
      await ada.post('/api/set', { flash: { success: 'Saved' } })
      await (await ada.fetch(path, init)).text()
      expect(textOf(await htmlOf(ada, '/messages'), 'success')).toBe('"Saved"')
    })

    it.each(['/broken', '/refused'])('the error page of %s shows what was written before the error, once, with one cookie', async (path) => {
      for (const hasSession of [false, true]) {
        const ada = app.visitor()
        if (hasSession)
          await ada.post('/api/login', { name: 'Ada' })
        const response = await ada.fetch(path, { headers: { accept: 'text/html' } })
        expect(textOf(await response.text(), 'error-message')).toBe(path === '/broken' ? '"broken indeed"' : '"refused indeed"')
        expect(cookieLinesOf(response).length).toBeLessThanOrEqual(1)
        expect(textOf(await htmlOf(ada, '/'), 'error')).toBe('none')
      }
    })

    it.each(['/broken', '/refused', '/nowhere', '/moved', '/account'])('a layout that %s renders for nobody to see takes no message', async (path) => {
      const visitor = app.visitor()
      await visitor.post('/api/set', { flash: { notice: 'Noted' } })
      await (await visitor.fetch(path, { headers: { accept: 'text/html' } })).text()
      expect(textOf(await htmlOf(visitor, '/'), 'notice')).toBe('"Noted"')
    })

    it.each(['/broken', '/refused'])('the error page of %s leaves the messages of others', async (path) => {
      const ada = app.visitor()
      await ada.post('/api/set', { flash: { success: 'Saved' } })
      await (await ada.fetch(path, { headers: { accept: 'text/html' } })).text()
      expect(textOf(await htmlOf(ada, '/messages'), 'success')).toBe('"Saved"')
    })
  })

  describe.runIf(mode === 'storage' && hasChromium())('in Chromium', () => {
    const start = async (path: string): Promise<Page> => (await app.person()).open(path)
    const submit = async (page: Page, name: string, title: string): Promise<void> => {
      await press(page, name)
      await heading(page, title)
      await hydrated(page)
    }

    it.each([
      ['post', 'messages', { success: '"Saved"', notice: 'none' }],
      ['post with layout', 'messages', { success: '"Saved"', notice: '"Noted"' }],
      ['post through hops', 'messages', { success: '"Saved"', notice: 'none' }],
      ['post to spa', 'spa', { success: '"Saved"', notice: 'none' }],
      ['post to cached', 'cached swr', { success: '"Saved"', notice: 'none' }],
      ['post to prerendered', 'cached prerendered', { success: '"Saved"', notice: 'none' }],
    ])('a form (%s) leads to the page %s, which shows the message until it is reloaded', async (form, title, messages) => {
      const page = await start('/forms')
      await submit(page, form, title)
      for (const [id, message] of Object.entries(messages))
        await expect.poll(...text(page, id)).toBe(message)
      await settled(page)
      expect(await shown(page, 'success')).toEqual([messages.success])
      await page.reload()
      await hydrated(page)
      await settled(page)
      expect(await shown(page, 'success', 'notice')).toEqual(['none', 'none'])
    })

    it('a message of a form is gone after going on, back and forward', async () => {
      const page = await start('/forms')
      await submit(page, 'post with layout', 'messages')
      await expect.poll(...text(page, 'success')).toBe('"Saved"')
      await follow(page, '/other')
      expect(await shown(page, 'notice')).toEqual(['none'])
      await follow(page, '/messages')
      expect(await shown(page, 'success', 'notice')).toEqual(['none', 'none'])
      await page.goBack()
      await heading(page, 'other')
      await page.goBack()
      await heading(page, 'messages')
      await settled(page)
      expect(await shown(page, 'success', 'success-again', 'notice')).toEqual(['none', 'none', 'none'])
      await page.goForward()
      await heading(page, 'other')
      expect(await shown(page, 'notice')).toEqual(['none'])
    })

    it('a message is gone when the browser loads its page again by the back and forward buttons', async () => {
      const page = await start('/forms')
      await submit(page, 'post with layout', 'messages')
      await visit(page, '/quiet')
      await page.goBack()
      await hydrated(page)
      await heading(page, 'messages')
      await settled(page)
      expect(await shown(page, 'success', 'notice')).toEqual(['none', 'none'])
      await page.goForward()
      await heading(page, 'quiet')
    })

    it('a page without messages leaves them to the next, also by a link of the app', async () => {
      const page = await start('/forms')
      await submit(page, 'post to quiet', 'quiet')
      await follow(page, '/messages')
      await expect.poll(...text(page, 'success')).toBe('"Saved"')
      expect(await shown(page, 'success-again')).toEqual(['"Saved"'])
      await follow(page, '/other')
      await expect.poll(...text(page, 'other')).toBe('"Other"')
      await follow(page, '/messages')
      await settled(page)
      expect(await shown(page, 'success')).toEqual(['none'])
    })

    it('links that are prefetched consume nothing', async () => {
      const ada = await app.person()
      await ada.post('/api/set', { flash: { success: 'Saved', other: 'Other' } })
      const page = await ada.context.newPage()
      const prefetched = page.waitForResponse(response => response.url().includes('_payload.json'))
      await visit(page, '/quiet')
      await prefetched
      await page.locator('nav').getByRole('link', { name: '/messages', exact: true }).hover()
      await settled(page)
      await follow(page, '/messages')
      await expect.poll(...text(page, 'success')).toBe('"Saved"')
    })

    it('a `$fetch` that writes a message shows it on the page that stays, once', async () => {
      const page = await start('/messages')
      await change(page, '/api/set', { flash: { success: 'Saved', notice: 'Noted' } })
      for (const [id, message] of [['success', '"Saved"'], ['success-again', '"Saved"'], ['notice', '"Noted"']] as const)
        await expect.poll(...text(page, id)).toBe(message)
      await follow(page, '/other')
      await expect.poll(...text(page, 'notice')).toBe('none')
      await follow(page, '/messages')
      await settled(page)
      expect(await shown(page, 'success')).toEqual(['none'])
      await page.reload()
      await hydrated(page)
      expect(await shown(page, 'success', 'notice')).toEqual(['none', 'none'])
    })

    it.each(FALSY)('%j by a `$fetch` is a message', async (message) => {
      const page = await start('/messages')
      await change(page, '/api/set', { flash: { success: message } })
      await expect.poll(...text(page, 'success')).toBe(JSON.stringify(message))
    })

    it('a second message takes the place of the first', async () => {
      const page = await start('/messages')
      await change(page, '/api/set', { flash: { success: 'First' } })
      await change(page, '/api/set', { flash: { success: 'Second' } })
      await expect.poll(...text(page, 'success')).toBe('"Second"')
      await change(page, '/api/set', { flash: { success: 'Second' } })
      await expect.poll(...text(page, 'success')).toBe('"Second"')
    })

    it('a message with a key that the page does not show waits for one that does', async () => {
      const page = await start('/messages')
      await change(page, '/api/set', { flash: { other: 'Other' } })
      await settled(page)
      await follow(page, '/other')
      await expect.poll(...text(page, 'other')).toBe('"Other"')
    })

    it.each(['go', 'go later'])('`$fetch` then `navigateTo` (%s): the messages are on the page where the user arrives, and gone on the next', async (action) => {
      const page = await start('/actions')
      await press(page, action)
      await heading(page, 'messages')
      await expect.poll(...text(page, 'success')).toBe('"went"')
      await expect.poll(...text(page, 'notice')).toBe('"noted"')
      await settled(page)
      expect(await shown(page, 'success', 'notice')).toEqual(['"went"', '"noted"'])
      await follow(page, '/actions')
      expect(await shown(page, 'notice')).toEqual(['none'])
      await follow(page, '/messages')
      await settled(page)
      expect(await shown(page, 'success', 'notice')).toEqual(['none', 'none'])
      await page.goBack()
      await heading(page, 'actions')
      await page.goForward()
      await heading(page, 'messages')
      await settled(page)
      expect(await shown(page, 'success', 'notice')).toEqual(['none', 'none'])
    })

    it('a message stays when only the query or the hash changes', async () => {
      const page = await start('/forms')
      await submit(page, 'post', 'messages')
      await page.evaluate(() => globalThis.app.go('/messages?page=2'))
      await page.evaluate(() => globalThis.app.go('/messages?page=2#end'))
      await settled(page)
      expect(await shown(page, 'success')).toEqual(['"Saved"'])
      await page.evaluate(() => globalThis.app.go('/other'))
      await page.evaluate(() => globalThis.app.go('/messages'))
      await settled(page)
      expect(await shown(page, 'success')).toEqual(['none'])
    })

    it('a message stays when a guard refuses to leave its page', async () => {
      const page = await start('/forms')
      await submit(page, 'post', 'messages')
      await page.evaluate(() => {
        const { $router } = globalThis.useNuxtApp()
        const allow = $router.beforeEach(() => false)
        return $router.push('/other').finally(allow)
      })
      await settled(page)
      expect(await shown(page, 'success')).toEqual(['"Saved"'])
      await follow(page, '/other')
      await follow(page, '/messages')
      await settled(page)
      expect(await shown(page, 'success')).toEqual(['none'])
    })

    it('a message stays when a navigation ends late that another one has overtaken', async () => {
      const person = await app.person()
      await person.post('/api/set', { flash: { success: 'Saved' } })
      const page = await person.open('/quiet')
      await page.evaluate(() => {
        const { $router } = globalThis.useNuxtApp()
        const isReleased = new Promise(resolve => globalThis.addEventListener('release', resolve))
        $router.beforeEach(async ({ path }) => {
          if (path === '/other')
            await isReleased
        })
        $router.push('/other').finally(() => document.documentElement.setAttribute('data-overtaken', ''))
      })
      await follow(page, '/messages')
      await expect.poll(...text(page, 'success')).toBe('"Saved"')
      await page.evaluate(() => globalThis.dispatchEvent(new Event('release')))
      await page.locator('html[data-overtaken]').waitFor({ state: 'attached' })
      await settled(page)
      expect(await shown(page, 'success')).toEqual(['"Saved"'])
    })

    it('a component that is rendered in the browser only shows the message of a form', async () => {
      const person = await app.person()
      await person.post('/api/set', { flash: { success: 'Saved' } })
      const page = await person.open('/later')
      await expect.poll(...text(page, 'success')).toBe('"Saved"')
    })

    it('a page that was prefetched shows the message once it is looked at', async () => {
      const person = await app.person()
      await person.post('/api/set', { flash: { success: 'Saved', notice: 'Noted' } })
      const page = await person.context.newPage()
      await page.route('**/messages', (route, request) => route.continue({ headers: { ...request.headers(), 'sec-purpose': 'prefetch' } }))
      await visit(page, '/messages')
      await expect.poll(...text(page, 'success')).toBe('"Saved"')
      await expect.poll(...text(page, 'notice')).toBe('"Noted"')
    })

    it('a page that is kept alive takes no message while another is shown', async () => {
      const page = await start('/kept')
      await follow(page, '/quiet')
      await change(page, '/api/set', { flash: { success: 'Saved' } })
      await settled(page)
      await follow(page, '/messages')
      await expect.poll(...text(page, 'success')).toBe('"Saved"')
    })

    it('a page that is kept alive takes messages when it is shown again', async () => {
      const page = await start('/kept')
      await page.getByLabel('note').fill('kept')
      await follow(page, '/quiet')
      await change(page, '/api/set', { flash: { success: 'Saved' } })
      await settled(page)
      await follow(page, '/kept')
      expect(await page.getByLabel('note').inputValue()).toBe('kept')
      await expect.poll(...text(page, 'success')).toBe('"Saved"')
    })

    it('a page that only leads on leaves the messages to where it leads', async () => {
      const person = await app.person()
      await person.post('/api/set', { flash: { notice: 'Noted', success: 'Saved' } })
      const page = await person.context.newPage()
      await visit(page, '/moved')
      await heading(page, 'messages')
      await expect.poll(...text(page, 'notice')).toBe('"Noted"')
      expect(await shown(page, 'success')).toEqual(['"Saved"'])
    })

    it('`$fetch` then a navigation by the browser: the messages are on the page where the user arrives, and gone on the next', async () => {
      const page = await start('/actions')
      await press(page, 'go by a document')
      await heading(page, 'messages')
      await expect.poll(...text(page, 'success')).toBe('"went"')
      await expect.poll(...text(page, 'notice')).toBe('"noted"')
      await hydrated(page)
      await follow(page, '/other')
      expect(await shown(page, 'notice')).toEqual(['none'])
    })

    it('a message that arrives when its page was left is not lost', async () => {
      const person = await app.person()
      await person.post('/api/set', { flash: { success: 'Saved' } })
      const page = await person.open('/quiet')
      let release = (): void => {}
      const released = new Promise<void>(resolve => release = resolve)
      await page.route('**/_session', async (route, request) => {
        if (request.method() === 'POST')
          await released
        await route.continue()
      })
      const asked = page.waitForRequest(request => request.url().endsWith('/_session') && request.method() === 'POST')
      await follow(page, '/messages')
      await asked
      await follow(page, '/other')
      const answered = page.waitForResponse(response => response.url().endsWith('/_session') && response.request().method() === 'POST')
      release()
      await answered
      await settled(page)
      await follow(page, '/messages')
      await expect.poll(...text(page, 'success')).toBe('"Saved"')
    })

    it('`$fetch` then `navigateTo`: a message for another page waits for it', async () => {
      const page = await start('/actions')
      await press(page, 'go to another key')
      await heading(page, 'other')
      await expect.poll(...text(page, 'other')).toBe('"for other"')
      await follow(page, '/messages')
      await expect.poll(...text(page, 'success')).toBe('"for messages"')
    })

    it('a sign-in by `$fetch` welcomes on the page behind the guard', async () => {
      const page = await start('/login')
      await press(page, 'sign in by fetch')
      await heading(page, 'account')
      await expect.poll(...text(page, 'success')).toBe('"Welcome, Ada"')
      expect(await shown(page, 'account-of', 'layout-user')).toEqual(['Ada', 'Ada'])
      await page.reload()
      await hydrated(page)
      expect(await shown(page, 'success')).toEqual(['none'])
    })

    it('a message that is dismissed is gone in all components', async () => {
      const page = await start('/messages')
      await change(page, '/api/set', { flash: { success: 'Saved' } })
      await page.locator('#dismiss-success').click()
      await expect.poll(...text(page, 'success')).toBe('none')
      await expect.poll(...text(page, 'success-again')).toBe('none')
    })

    it('a message of a form can be dismissed after hydration', async () => {
      const page = await start('/forms')
      await submit(page, 'post', 'messages')
      await page.locator('#dismiss-success-again').click()
      await expect.poll(...text(page, 'success')).toBe('none')
      await expect.poll(...text(page, 'success-again')).toBe('none')
    })

    it.each(['/broken', '/refused'])('the error page of %s shows the message, and the next page does not', async (path) => {
      app.expectComplaint(/status of (?:403|500)|Broken|Refused/)
      const ada = await app.person()
      const page = await ada.context.newPage()
      await page.goto(path)
      await expect.poll(...text(page, 'error-message')).toBe(path === '/broken' ? '"broken indeed"' : '"refused indeed"')
      await hydrated(page)
      await press(page, 'leave')
      await heading(page, 'messages')
      await follow(page, '/', 'start')
      await settled(page)
      expect(await shown(page, 'error')).toEqual(['none'])
    })

    it('an error of a page that the app navigates to shows the message', async () => {
      app.expectComplaint(/Broken/)
      const page = await start('/quiet')
      await page.locator('nav').getByRole('link', { name: '/broken', exact: true }).click()
      await expect.poll(...text(page, 'error-message')).toBe('"broken indeed"')
      await press(page, 'leave')
      await heading(page, 'messages')
      await follow(page, '/', 'start')
      await settled(page)
      expect(await shown(page, 'error')).toEqual(['none'])
    })
  })
})
