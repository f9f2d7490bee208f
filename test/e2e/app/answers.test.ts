import type { Route } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { hasChromium } from '../../support/chromium'
import { data, heading, press, sessionRequests, settled, shown, text, useApp, visit } from './support'

/** What a page may get in the place of an answer of our route. */
const FOREIGN: [string, (route: Route) => Promise<void>][] = [
  ['an HTML page', route => route.fulfill({ status: 200, contentType: 'text/html', body: '<p>Accept the terms of this network' })],
  ['an HTML page that says it is JSON', route => route.fulfill({ status: 200, contentType: 'application/json', body: '<p>' })],
  ['JSON of something else', route => route.fulfill({ status: 200, json: { error: false } })],
  ['JSON with data of something else', route => route.fulfill({ status: 200, json: { data: [], total: 0 } })],
  ['data that is null', route => route.fulfill({ status: 200, json: { data: null, hasMessages: false } })],
  ['null', route => route.fulfill({ status: 200, json: null })],
  ['a text', route => route.fulfill({ status: 200, json: 'ok' })],
  ['nothing', route => route.fulfill({ status: 200, body: '' })],
  ['204', route => route.fulfill({ status: 204 })],
  ['a host of files that knows no such file', route => route.fulfill({ status: 404, contentType: 'text/html', body: '<h1>Not found' })],
  ['a firewall', route => route.fulfill({ status: 403, contentType: 'text/html', body: '<h1>Forbidden' })],
  ['too many requests', route => route.fulfill({ status: 429, json: { statusCode: 429 } })],
  ['a broken server', route => route.fulfill({ status: 500, json: { statusCode: 500 } })],
  ['a proxy without a server', route => route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway' })],
  ['no answer', route => route.abort('connectionfailed')],
  ['a redirect to another site', route => route.fulfill({ status: 302, headers: { location: 'http://127.0.0.1:9/login' } })],
]

/** What says that there is nobody: a guard of the app before our route. */
const NOBODY: [string, (route: Route) => Promise<void>][] = [
  ['a 401', route => route.fulfill({ status: 401, contentType: 'text/html', body: 'Sign in' })],
  ['a 401 in JSON', route => route.fulfill({ status: 401, json: { statusCode: 401 } })],
  ['a redirect to a page', route => route.fulfill({ status: 302, headers: { location: '/login' } })],
]

describe.runIf(hasChromium())('what a page makes of answers', () => {
  const app = useApp()

  it.each(FOREIGN)('%s changes nothing that is known, and rejects', async (_, answer) => {
    app.expectComplaint(/Failed to load resource|ERR_|CORS|favicon/)
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.open('/who')
    await page.route('**/_session', answer)
    expect(await page.evaluate(() => globalThis.app.refresh().then(() => 'resolved', () => 'rejected'))).toBe('rejected')
    // As the visitor comes back to the tab.
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    await settled(page)
    expect(await shown(page, 'who', 'data', 'ready')).toEqual(['Ada', '{"user":{"name":"Ada"}}', 'true'])
    // Whoever awaits the session goes by what is known.
    await page.evaluate(() => globalThis.app.go('/members'))
    await heading(page, 'members')
    expect(await page.evaluate(() => globalThis.ended)).toBe(0)
  })

  it.each(NOBODY)('%s empties what is known', async (_, answer) => {
    app.expectComplaint(/Failed to load resource/)
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.open('/who')
    await page.route('**/_session', answer)
    await page.evaluate(() => globalThis.app.refresh())
    await expect.poll(...text(page, 'who')).toBe('guest')
    expect(await shown(page, 'data', 'ready')).toEqual(['{}', 'true'])
    expect(await page.evaluate(() => globalThis.ended)).toBe(1)
  })

  it.each(FOREIGN)('%s makes a page that knows nothing not ready, and the next to need it asks again', async (_, answer) => {
    app.expectComplaint(/Failed to load resource|ERR_|CORS|favicon/)
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.context.newPage()
    await page.route('**/_session', answer)
    await visit(page, '/who-prerendered')
    await settled(page)
    expect(await shown(page, 'who', 'data', 'ready')).toEqual(['unknown', '{}', 'false'])
    await page.unroute('**/_session')
    await page.evaluate(() => globalThis.app.refresh())
    await expect.poll(...text(page, 'who')).toBe('Ada')
    expect(await shown(page, 'ready')).toEqual(['true'])
  })

  it('a redirect whose end is our route is an answer of ours', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.open('/who')
    await ada.post('/api/set', { data: { theme: 'dark' } })
    // As hosts do that add slashes or another host name.
    await page.route('**/_session', route => route.fulfill({ status: 308, headers: { location: '/_session?again' } }))
    await page.evaluate(() => globalThis.app.refresh())
    await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' }, theme: 'dark' })
  })

  it('a logout that the server cannot make leaves what is known, and rejects', async () => {
    app.expectComplaint(/Failed to load resource/)
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.open('/who')
    await page.route('**/_session', route => route.request().method() === 'DELETE' ? route.fulfill({ status: 500, json: {} }) : route.continue())
    expect(await page.evaluate(() => globalThis.app.clear().then(() => 'resolved', error => error.statusCode))).toBe(500)
    expect(await shown(page, 'who')).toEqual(['Ada'])
    await page.unroute('**/_session')
    await press(page, 'end')
    await expect.poll(...text(page, 'who')).toBe('guest')
  })

  it('nothing is asked while nobody needs to know', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.context.newPage()
    const requests = sessionRequests(page)
    await visit(page, '/who')
    await settled(page)
    expect(requests).toEqual([])
  })
})

describe('error pages that show a session', () => {
  const app = useApp()

  it.each([['/broken', 500], ['/refused', 403], ['/nowhere', 404], ['/account/nowhere', 404]])('that of %s is kept by no browser and no cache', async (path, status) => {
    const ada = app.visitor()
    await ada.post('/api/login', { name: 'Ada' })
    const response = await ada.fetch(path, { headers: { accept: 'text/html' } })
    expect([response.status, response.headers.get('cache-control')]).toEqual([status, 'no-store'])
    expect(await response.text()).toContain('Ada')
  })

  it('that of a visitor may be kept apart', async () => {
    const response = await app.visitor().fetch('/broken', { headers: { accept: 'text/html' } })
    expect([response.headers.get('cache-control'), response.headers.get('vary')]).toEqual(['no-cache', expect.stringContaining('Cookie')])
  })
})
