import { describe, expect, it } from 'vitest'
import type { Visitor } from '../../support/browser'
import { COOKIE, setCookiesOf } from '../../support/browser'
import { hasChromium } from '../../support/chromium'
import { CANARY, change, data, follow, htmlOf, MODES, press, settled, shown, text, textOf, useApp } from './support'

const CACHED = ['/cached/swr', '/cached/cache', '/cached/isr', '/cached/prerendered']

describe.each(MODES)('cached pages in %s mode', (mode) => {
  const app = useApp({ NUXT_SESSION_MODE: mode })

  const signedIn = async (name: string) => {
    const visitor = app.visitor()
    await visitor.post('/api/login', { name })
    await visitor.post('/api/set', { flash: { success: `for ${name}`, notice: `for ${name}` } })
    return visitor
  }

  describe.each(CACHED)('%s', (path) => {
    it('holds nothing of the visitor it was rendered for, and of no other', async () => {
      const [ada, bob] = [await signedIn('Ada'), await signedIn('Bob')]
      for (const visitor of [ada, bob, app.visitor(), ada]) {
        for (const address of [path, `${path}/_payload.json`]) {
          const response = await visitor.fetch(address, { headers: { accept: 'text/html' } })
          const body = await response.text()
          expect(response.status).toBe(200)
          expect(body).not.toMatch(/Ada|Bob/)
          expect(body).not.toContain(CANARY)
          expect(response.headers.getSetCookie()).toEqual([])
          expect(response.headers.get('session-changed')).toBeNull()
        }
      }
    })

    it('is rendered as for a visitor without a session', async () => {
      const html = await htmlOf(await signedIn('Ada'), path)
      expect(['data', 'layout-user', 'success', 'notice'].map(id => textOf(html, id))).toEqual(['{}', 'nobody', 'none', 'none'])
    })
  })

  it('a guard that decides while a cached page is rendered is an error that explains, and its redirect reaches no cache', async () => {
    const look = (visitor: Visitor): Promise<Response> => visitor.fetch('/cached/guarded', { headers: { accept: 'text/html' } })
    await look(app.visitor())
    expect((await look(await signedIn('Ada'))).status).toBe(500)
    await expect.poll(() => app.server().output()).toContain('Either do not cache this route')
  })

  it.each(['/cached/swr', '/cached/cache', '/cached/prerendered'])('%s is one HTML for all', async (path) => {
    const html = await htmlOf(await signedIn('Ada'), path)
    expect(textOf(html, 'rendered-at')).toMatch(/^0\.\d+/)
    expect(textOf(await htmlOf(await signedIn('Bob'), path), 'rendered-at')).toBe(textOf(html, 'rendered-at'))
    expect(textOf(await htmlOf(app.visitor(), path), 'rendered-at')).toBe(textOf(html, 'rendered-at'))
  })

  it.each([
    ['/cached/greedy-swr', '500'],
    ['/cached/greedy-isr', '500'],
    ['/cached/greedy-prerendered', 'no error'],
  ])('%s, which asks routes for the session and changes it, gets errors and no session', async (path, failed) => {
    const ada = await signedIn('Ada')
    const html = await htmlOf(ada, path)
    expect([textOf(html, 'fetched'), textOf(html, 'failed'), textOf(html, 'refused')]).toEqual(['nobody', failed, '500'])
    for (const visitor of [ada, app.visitor()]) {
      for (const address of [path, `${path}/_payload.json`])
        expect(await htmlOf(visitor, address)).not.toContain('Ada')
    }
  })

  it.each(['reading', 'writing'])('a cached handler that is %s the session is a 500, and the log explains it', async (kind) => {
    for (const visitor of [await signedIn('Ada'), app.visitor()]) {
      const response = await visitor.fetch(`/api/cached/${kind}`)
      expect(response.status).toBe(500)
      expect(response.headers.getSetCookie()).toEqual([])
      expect(await response.text()).not.toContain('Ada')
    }
    await expect.poll(() => app.server().output()).toContain('CACHED_RESPONSE')
    const log = app.server().output()
    expect(log).toMatch(/cached handler/)
    expect(log).toMatch(/defineEventHandler/)
    expect(log).not.toContain(CANARY)
  })

  it('a handler whose answer caches on the way may keep holds no session, or forbids to keep it', async () => {
    const response = await (await signedIn('Ada')).fetch('/api/cached/headers-only')
    const isShared = /public|s-maxage|max-age=[1-9]/.test(response.headers.get('cache-control') ?? '')
    expect(response.ok && isShared).toBe(false)
    expect(setCookiesOf(response, COOKIE).length > 0 && isShared).toBe(false)
  })

  it('our route is answered for each visitor alone', async () => {
    const [ada, bob] = [await signedIn('Ada'), await signedIn('Bob')]
    expect(await ada.json('/_session')).toMatchObject({ data: { user: { name: 'Ada' } } })
    expect(await bob.json('/_session')).toMatchObject({ data: { user: { name: 'Bob' } } })
    expect(await app.visitor().json('/_session')).toMatchObject({ data: {} })
  })

  describe.runIf(mode === 'storage' && hasChromium())('in Chromium', () => {
    describe.each(CACHED)('%s', (path) => {
      it('fills in the data after hydration', async () => {
        const [ada, nobody] = [await app.person({ signedInAs: 'Ada' }), await app.person()]
        const page = await ada.open(path)
        await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' } })
        await expect.poll(...text(page, 'layout-user')).toBe('Ada')
        const other = await nobody.open(path)
        await settled(other)
        expect(await shown(other, 'data', 'layout-user')).toEqual(['{}', 'nobody'])
      })

      it('fills in a message after hydration, once', async () => {
        const ada = await app.person()
        await ada.post('/api/set', { flash: { success: 'Saved', notice: 'Noted' } })
        const page = await ada.open(path)
        await expect.poll(...text(page, 'success')).toBe('"Saved"')
        await expect.poll(...text(page, 'notice')).toBe('"Noted"')
        const again = await ada.open(path)
        await settled(again)
        expect(await shown(again, 'success', 'notice')).toEqual(['none', 'none'])
      })

      it('holds the data after a navigation in the app', async () => {
        const ada = await app.person({ signedInAs: 'Ada' })
        const page = await ada.open('/quiet')
        await page.evaluate(path => globalThis.app.go(path), path)
        await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' } })
      })
    })

    it('a visit of a cached page in the app keeps the data of the page before', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/')
      await follow(page, '/cached/swr', 'cached swr')
      expect(await shown(page, 'data', 'layout-user')).toEqual(['{"user":{"name":"Ada"}}', 'Ada'])
      await follow(page, '/cached/prerendered', 'cached prerendered')
      expect(await shown(page, 'data', 'layout-user')).toEqual(['{"user":{"name":"Ada"}}', 'Ada'])
    })

    it('a cached page follows a change', async () => {
      const ada = await app.person()
      const page = await ada.open('/cached/prerendered')
      expect(await change(page, '/api/login', { name: 'Ada' })).toEqual({ user: { name: 'Ada' } })
      await expect.poll(...text(page, 'success')).toBe('"Welcome, Ada"')
      expect(await change(page, '/api/logout')).toEqual({})
      await expect.poll(...data(page)).toEqual({})
    })

    it('two people on one cached page see their own', async () => {
      const [ada, bob] = [await app.person({ signedInAs: 'Ada' }), await app.person({ signedInAs: 'Bob' })]
      const [adas, bobs] = await Promise.all([ada.open('/cached/swr'), bob.open('/cached/swr')])
      await expect.poll(...data(adas)).toEqual({ user: { name: 'Ada' } })
      await expect.poll(...data(bobs)).toEqual({ user: { name: 'Bob' } })
    })

    it('a form leads to a cached page that shows its message', async () => {
      const page = await (await app.person()).open('/forms')
      await press(page, 'post to cached')
      await expect.poll(...text(page, 'success')).toBe('"Saved"')
    })
  })
})
