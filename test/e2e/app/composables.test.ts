import { beforeEach, describe, expect, it } from 'vitest'
import { COOKIE, setCookiesOf } from '../../support/browser'
import { hasChromium } from '../../support/chromium'
import { CANARY, change, data, follow, htmlOf, hydrated, LASTING, MODES, sessionRequests, settled, shown, text, textOf, useApp, visit } from './support'

const PAGES = ['/', '/messages', '/quiet', '/awaited', '/spa', '/account', '/account/spa', '/login', '/session-off', '/landing', '/writes', '/bare-writes', '/later', '/cached/swr', '/cached/cache', '/cached/isr', '/cached/prerendered', '/broken', '/refused', '/nowhere', '/_session', '/_payload.json', '/account/_payload.json', '/cached/swr/_payload.json', '/cached/isr/_payload.json']

describe.each(MODES)('useClientSession in %s mode', (mode) => {
  const app = useApp({ NUXT_SESSION_MODE: mode })

  describe('in the HTML', () => {
    it('holds the exposed data of the visitor', async () => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      await ada.post('/api/set', { data: { theme: 'dark' } })
      const html = await htmlOf(ada, '/')
      expect(JSON.parse(textOf(html, 'data') ?? '')).toEqual({ user: { name: 'Ada' }, theme: 'dark' })
      expect(textOf(html, 'layout-user')).toBe('Ada')
    })

    it('is an empty object for a visitor without a session, who gets no cookie', async () => {
      const response = await app.visitor().fetch('/')
      expect(textOf(await response.text(), 'data')).toBe('{}')
      expect(response.headers.getSetCookie()).toEqual([])
    })

    it.each(PAGES)('%s holds no byte of what is not exposed', async (path) => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      expect(await ada.json('/api/me')).toMatchObject({ hasSecret: true })
      for (const accept of ['text/html', 'application/json']) {
        const response = await ada.fetch(path, { headers: { accept } })
        expect(await response.text()).not.toContain(CANARY)
        expect(JSON.stringify([...response.headers])).not.toContain(CANARY)
      }
    })

    it('cannot leave the script that carries it', async () => {
      const eve = app.visitor()
      await eve.post('/api/login', { name: '</script><script>alert(1)</script>' })
      for (const path of ['/', '/account', '/refused'])
        expect(await htmlOf(eve, path)).not.toContain('<script>alert(1)')
    })

    it('is in an answer that no cache may keep or share', async () => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      const { headers } = await ada.fetch('/')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('vary')).toMatch(/\bcookie\b/i)
    })

    it('a page that does not use the session leaves its caching to the app', async () => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      const { headers } = await ada.fetch('/quiet')
      expect(headers.get('cache-control')).toBeNull()
    })

    it.each([
      ['private', 'private, max-age=60'],
      ['public', 'no-store'],
      ['shared', 'no-store'],
    ])('a page whose own Cache-Control is %s is sent with %s', async (kind, cacheControl) => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      const response = await ada.fetch(`/headers/${kind}`)
      expect(textOf(await response.text(), 'data')).toBe('{"user":{"name":"Ada"}}')
      expect(response.headers.get('cache-control')).toBe(cacheControl)
    })
  })

  describe('our route', () => {
    it('tells a visitor without a session that there is nothing, and sets no cookie', async () => {
      const response = await app.visitor().fetch('/_session')
      expect(await response.json()).toEqual({ data: {}, hasMessages: false })
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.getSetCookie()).toEqual([])
    })

    it('tells exposed data only, and whether there are messages', async () => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      expect(await ada.json('/_session')).toEqual({ ...LASTING, data: { user: { name: 'Ada' } }, hasMessages: true })
    })

    it('gives a message once', async () => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      expect(await (await ada.post('/_session', { flash: ['success', 'error'] })).json()).toEqual({ ...LASTING, data: { user: { name: 'Ada' } }, hasMessages: false, messages: { success: 'Welcome, Ada' } })
      expect(await (await ada.post('/_session', { flash: ['success', 'error'] })).json()).toEqual({ ...LASTING, data: { user: { name: 'Ada' } }, hasMessages: false, messages: {} })
    })

    it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])('refuses %s, which other sites can send, and consumes nothing', async (type) => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      const response = await ada.fetch('/_session', { method: 'POST', headers: { 'content-type': type }, body: '{"flash":["success"]}' })
      expect(response.status).toBe(415)
      expect(await ada.json('/_session')).toMatchObject({ hasMessages: true })
    })

    it.each(['{', '[]', 'null', '{"flash":"success"}', '{"flash":[1,null,{}]}', '{"flash":["__proto__","constructor"]}'])('the body %s changes nothing and is no failure of the server', async (body) => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      const response = await ada.fetch('/_session', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      expect(response.status).toBeLessThan(500)
      expect(await ada.json('/_session')).toEqual({ ...LASTING, data: { user: { name: 'Ada' } }, hasMessages: true })
    })

    it('writes no data, whatever it is sent', async () => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      for (const method of ['POST', 'PUT', 'PATCH'])
        await ada.fetch('/_session', { method, headers: { 'content-type': 'application/json' }, body: '{"data":{"user":{"name":"Eve"}},"user":{"name":"Eve"},"flash":[]}' })
      expect(await ada.json('/api/me')).toMatchObject({ name: 'Ada' })
    })

    it('ends the session', async () => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      const response = await ada.fetch('/_session', { method: 'DELETE' })
      expect(response.ok).toBe(true)
      expect(setCookiesOf(response, COOKIE)).toEqual([expect.stringContaining('Max-Age=0')])
      expect(ada.cookies.size).toBe(0)
    })
  })

  describe.runIf(mode === 'storage' && hasChromium())('in Chromium', () => {
    it('a page that was rendered with the session hydrates without asking for it', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.context.newPage()
      const requests = sessionRequests(page)
      await visit(page, '/')
      await settled(page)
      await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' } })
      expect(requests).toEqual([])
    })

    it('a visitor without a session has empty data and causes no request', async () => {
      const page = await (await app.person()).context.newPage()
      const requests = sessionRequests(page)
      await visit(page, '/')
      await settled(page)
      await expect.poll(...data(page)).toEqual({})
      expect(requests).toEqual([])
    })

    it('a page that does not use the session asks for it once the next one does', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.context.newPage()
      const requests = sessionRequests(page)
      await visit(page, '/quiet')
      await settled(page)
      expect(requests).toEqual([])
      await follow(page, '/')
      await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' } })
      await expect.poll(...text(page, 'layout-user')).toBe('Ada')
      await settled(page)
      expect(requests.filter(request => request === 'GET').length).toBeLessThanOrEqual(1)
    })

    it.each([undefined, 'Ada'])('every page hydrates without a word in the console (signed in: %s)', async (signedInAs) => {
      const person = await app.person({ signedInAs })
      const page = await person.open('/')
      for (const path of ['/messages', '/account', '/awaited', '/session-off', '/writes', '/bare-writes', '/later', '/kept', '/spa', '/account/spa', '/landing', '/cached/swr', '/cached/cache', '/cached/isr', '/cached/prerendered', '/quiet']) {
        await visit(page, path)
        await settled(page)
        expect(await page.locator('html[data-hydrated]').count()).toBe(1)
      }
    })

    it('a mismatch would be seen', async () => {
      const page = await (await app.person()).open('/mismatch')
      app.expectComplaint(/mismatch/i)
      const complaint = page.waitForEvent('console', message => /mismatch/i.test(message.text()))
      await page.reload()
      expect((await complaint).text()).toContain('browser')
    })

    it.each(['/awaited', '/spa'])('`await useClientSession()` knows the data on %s', async (path) => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open(path)
      await expect.poll(...text(page, 'known')).toBe('Ada')
      await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' } })
    })

    it('`await useClientSession()` knows the data after a navigation from a page without the session', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/quiet')
      await page.evaluate(() => globalThis.app.go('/awaited'))
      expect(await shown(page, 'known')).toEqual(['Ada'])
    })

    it('a component that hydrates late takes over what was rendered, and then shows what is current', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/later')
      await change(page, '/api/set', { data: { theme: 'dark' } })
      await settled(page)
      expect(await shown(page, 'data')).toEqual(['{"user":{"name":"Ada"}}'])
      await page.locator('#data').click()
      await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' }, theme: 'dark' })
    })

    it('`refresh` fetches what changed elsewhere', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/')
      await ada.post('/api/set', { data: { theme: 'dark' } })
      await page.evaluate(() => globalThis.app.refresh())
      await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' }, theme: 'dark' })
    })

    it('`clear` ends the session here and on the server', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/')
      await page.evaluate(() => globalThis.app.clear())
      await expect.poll(...data(page)).toEqual({})
      expect(await ada.context.cookies()).toEqual([])
      await page.reload()
      await hydrated(page)
      await expect.poll(...data(page)).toEqual({})
    })

    it('the page of an error holds the session', async () => {
      app.expectComplaint(/status of (?:403|404|500)|Broken|Refused|nowhere|500|403|404/)
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.context.newPage()
      for (const [path, status] of [['/refused', '403'], ['/broken', '500'], ['/nowhere', '404']] as const) {
        await page.goto(path)
        await expect.poll(...text(page, 'error-status')).toBe(status)
        await expect.poll(...text(page, 'error-user')).toBe('Ada')
      }
    })
  })
})

describe.each([
  ['autoload is off', { NUXT_SESSION_AUTOLOAD: 'false' }, '/'],
  ['a route rule turns autoload off', {}, '/session-off'],
] as const)('where %s', (_, env, path) => {
  const app = useApp(env)

  it('a page that uses the session is rendered with it', async () => {
    const ada = app.visitor()
    await ada.post('/api/login', { name: 'Ada' })
    const html = await htmlOf(ada, path)
    expect(textOf(html, 'data')).toBe('{"user":{"name":"Ada"}}')
    expect(textOf(html, 'layout-user')).toBe('Ada')
  })

  it('a page shows a message, once', async () => {
    const ada = app.visitor()
    await ada.post('/api/set', { flash: { notice: 'Noted' } })
    expect(textOf(await htmlOf(ada, path), 'notice')).toBe('"Noted"')
    expect(textOf(await htmlOf(ada, path), 'notice')).toBe('none')
  })
})

describe('below another base URL', () => {
  const app = useApp({ NUXT_APP_BASE_URL: '/below/' })

  it('our route is below it, too', async () => {
    expect(await app.visitor().json('/below/_session')).toEqual({ data: {}, hasMessages: false })
    expect((await app.visitor().fetch('/_session')).status).toBe(404)
  })

  it.runIf(hasChromium())('a page follows its changes', async () => {
    app.expectComplaint(/favicon/)
    const page = await (await app.person()).open('/below/')
    expect(await change(page, '/below/api/login', { name: 'Ada' })).toEqual({ user: { name: 'Ada' } })
  })
})

describe('when the storage is down', () => {
  const app = useApp()
  const control = (failing: string[]): Promise<Response> => app.visitor().post('/control', { failing })
  beforeEach(() => control([]))

  it('a page that uses the session is a 503, and one that does not answers', async () => {
    const ada = app.visitor()
    await ada.post('/api/login', { name: 'Ada' })
    await control(['getItem'])
    const page = await ada.fetch('/', { headers: { accept: 'text/html' } })
    expect(page.status).toBe(503)
    const html = await page.text()
    expect(textOf(html, 'error-status')).toBe('503')
    expect(html).not.toContain('getItem fails')
    expect((await ada.fetch('/quiet')).status).toBe(200)
    expect((await ada.fetch('/_session')).status).toBe(503)
    await control([])
    expect(textOf(await htmlOf(ada, '/'), 'layout-user')).toBe('Ada')
  })

  it('a page whose message cannot be taken is a 503, and shows it when the storage is back', async () => {
    const ada = app.visitor()
    await ada.post('/api/set', { data: { theme: 'dark' }, flash: { success: 'Saved' } })
    await control(['setItem'])
    expect((await ada.fetch('/messages', { headers: { accept: 'text/html' } })).status).toBe(503)
    await control([])
    expect(textOf(await htmlOf(ada, '/messages'), 'success')).toBe('"Saved"')
  })

  describe.runIf(hasChromium())('in Chromium', () => {
    it('an answer of our route that never comes does not hold the `$fetch` for ever', async () => {
      app.expectComplaint(/ERR_FAILED/)
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/')
      let release = (): void => {}
      const released = new Promise<void>(resolve => release = resolve)
      await page.route('**/_session', route => released.then(() => route.abort()))
      expect(await change(page, '/api/set', { data: { theme: 'dark' } })).toEqual({ user: { name: 'Ada' } })
      release()
    })

    it('a failing look at the session breaks neither the `$fetch` nor the page', async () => {
      app.expectComplaint(/ERR_FAILED|Failed to (?:fetch|load)/)
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/')
      await page.route('**/_session', route => route.abort())
      expect(await change(page, '/api/set', { data: { theme: 'dark' } })).toEqual({ user: { name: 'Ada' } })
      expect(await page.evaluate(() => fetch('/api/set', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"data":{"theme":"blue"}}' }).then(response => response.json()))).toEqual({ done: true })
      await page.unroute('**/_session')
      expect(await change(page, '/api/set', { data: { theme: 'red' } })).toEqual({ user: { name: 'Ada' }, theme: 'red' })
    })
  })
})
