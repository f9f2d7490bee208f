import { describe, expect, it } from 'vitest'
import { hasChromium } from '../../support/chromium'
import { change, data, follow, heading, hydrated, press, settled, shown, text, useApp } from './support'

/** What differs between the modes is on the server; these are the ways through both. */
describe.runIf(hasChromium())('the pages of an app in cookie mode, in Chromium', () => {
  const app = useApp({ NUXT_SESSION_MODE: 'cookie' })

  it('the data is current right after a `$fetch` that changed it', async () => {
    const page = await (await app.person({ signedInAs: 'Ada' })).open('/')
    expect(await change(page, '/api/set', { data: { theme: 'dark' } })).toEqual({ user: { name: 'Ada' }, theme: 'dark' })
    expect(await change(page, '/api/regenerate')).toEqual({ user: { name: 'Ada' }, theme: 'dark' })
    expect(await change(page, '/api/logout')).toEqual({})
    await expect.poll(...data(page)).toEqual({})
  })

  it('a page that writes while it is rendered hydrates, also where its layout was rendered before', async () => {
    const page = await (await app.person({ signedInAs: 'Ada' })).open('/writes')
    await expect.poll(...text(page, 'layout-count')).toBe('3')
    expect(await shown(page, 'count', 'success')).toEqual(['3', '"written while rendering"'])
  })

  it.each([['post with layout', 'messages'], ['post to prerendered', 'cached prerendered']])('a form (%s) leads to a page that shows the message until it is reloaded', async (form, title) => {
    const page = await (await app.person()).open('/forms')
    await press(page, form)
    await heading(page, title)
    await expect.poll(...text(page, 'success')).toBe('"Saved"')
    await page.reload()
    await hydrated(page)
    await settled(page)
    expect(await shown(page, 'success', 'notice')).toEqual(['none', 'none'])
  })

  it('`$fetch` then `navigateTo`: the messages are on the page where the user arrives, and gone on the next', async () => {
    const page = await (await app.person()).open('/actions')
    await press(page, 'go')
    await heading(page, 'messages')
    await expect.poll(...text(page, 'success')).toBe('"went"')
    await expect.poll(...text(page, 'notice')).toBe('"noted"')
    await follow(page, '/actions')
    expect(await shown(page, 'notice')).toEqual(['none'])
    await follow(page, '/messages')
    await settled(page)
    expect(await shown(page, 'success')).toEqual(['none'])
  })

  it('a guarded page lets in after the login and keeps out after the logout', async () => {
    const page = await (await app.person()).open('/landing')
    await page.locator('#to-account').click()
    await heading(page, 'login')
    await press(page, 'sign in by fetch')
    await heading(page, 'account')
    await expect.poll(...text(page, 'success')).toBe('"Welcome, Ada"')
    await follow(page, '/actions')
    await press(page, 'log out and go')
    await heading(page, 'login')
    expect(await shown(page, 'layout-user')).toEqual(['nobody'])
  })

  it.each(['/cached/swr', '/cached/prerendered'])('%s fills in the data after hydration', async (path) => {
    const page = await (await app.person({ signedInAs: 'Ada' })).open(path)
    await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' } })
  })

  it('a login and a logout in one tab show in the other', async () => {
    const person = await app.person()
    const [page, other] = [await person.open('/login'), await person.open('/')]
    await press(page, 'sign in by fetch')
    await expect.poll(...data(other)).toEqual({ user: { name: 'Ada' } })
    await other.evaluate(() => globalThis.app.clear())
    await expect.poll(...text(page, 'layout-user')).toBe('nobody')
    expect(await person.context.cookies()).toEqual([])
  })

  it('the error page shows the session and the message of what failed', async () => {
    app.expectComplaint(/status of 500|Broken/)
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.context.newPage()
    await page.goto('/broken')
    await expect.poll(...text(page, 'error-user')).toBe('Ada')
    await expect.poll(...text(page, 'error-message')).toBe('"broken indeed"')
  })
})
