import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { hasChromium } from '../../support/chromium'
import { heading, MODES, press, shown, useApp } from './support'

describe.runIf(hasChromium()).each(MODES)('with JavaScript off, in %s mode', (mode) => {
  const app = useApp({ NUXT_SESSION_MODE: mode })
  const start = async (path: string): Promise<Page> => (await app.person({ javaScript: false })).open(path)

  it('a visitor signs in, sees it on every page, and signs out', async () => {
    const page = await start('/account')
    await heading(page, 'login')
    await page.getByLabel('Name').fill('Ada')
    await press(page, 'sign in')
    await heading(page, 'account')
    expect(await shown(page, 'account-of', 'layout-user', 'success')).toEqual(['Ada', 'Ada', '"Welcome, Ada"'])
    await page.reload()
    expect(await shown(page, 'account-of', 'success')).toEqual(['Ada', 'none'])
    await page.goto('/')
    expect(await shown(page, 'data', 'layout-user')).toEqual(['{"user":{"name":"Ada"}}', 'Ada'])
    await page.goto('/forms')
    await press(page, 'logout')
    await heading(page, 'start')
    expect(await shown(page, 'data', 'layout-user')).toEqual(['{}', 'nobody'])
    await page.goto('/account')
    await heading(page, 'login')
  })

  it.each(['post', 'post with layout', 'post through hops'])('a form (%s) leads to a page that shows the message once', async (form) => {
    const page = await start('/forms')
    await press(page, form)
    await heading(page, 'messages')
    expect(await shown(page, 'success', 'success-again', 'notice')).toEqual(['"Saved"', '"Saved"', form === 'post with layout' ? '"Noted"' : 'none'])
    await page.reload()
    expect(await shown(page, 'success', 'notice')).toEqual(['none', 'none'])
    await page.goto('/quiet')
    await page.goBack()
    await heading(page, 'messages')
    expect(await shown(page, 'success', 'notice')).toEqual(['none', 'none'])
  })

  it('a message waits for the page that reads it', async () => {
    const page = await start('/forms')
    await press(page, 'post to quiet')
    await heading(page, 'quiet')
    await page.goto('/other')
    expect(await shown(page, 'other')).toEqual(['"Other"'])
    await page.goto('/messages')
    expect(await shown(page, 'success')).toEqual(['"Saved"'])
  })

  it('a cached page holds nothing, and leaves the message', async () => {
    const page = await start('/forms')
    await press(page, 'post to cached')
    await heading(page, 'cached swr')
    expect(await shown(page, 'data', 'success')).toEqual(['{}', 'none'])
    await page.goto('/messages')
    expect(await shown(page, 'success')).toEqual(['"Saved"'])
  })

  it.each([['/broken', '500', '"broken indeed"'], ['/refused', '403', '"refused indeed"']])('the error page of %s shows its message', async (path, status, message) => {
    app.expectComplaint(/status of/)
    const page = await start(path)
    expect(await shown(page, 'error-status', 'error-message')).toEqual([status, message])
    await page.goto('/')
    expect(await shown(page, 'error')).toEqual(['none'])
  })

  it('a form that fails leads to the error page with its message', async () => {
    app.expectComplaint(/status of/)
    const page = await start('/forms')
    await press(page, 'post to refused')
    expect(await shown(page, 'error-status', 'error-message')).toEqual(['403', '"refused indeed"'])
  })

  it('a page that writes while it is rendered shows it', async () => {
    const page = await start('/writes')
    expect(await shown(page, 'count', 'success')).toEqual(['3', '"written while rendering"'])
    await page.goto('/messages')
    expect(await shown(page, 'layout-count', 'success')).toEqual(['3', 'none'])
  })
})
