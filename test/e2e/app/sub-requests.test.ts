import { describe, expect, it } from 'vitest'
import { COOKIE, cookieLinesOf, setCookiesOf } from '../../support/browser'
import { hasChromium } from '../../support/chromium'
import { data, follow, heading, htmlOf, MODES, sessionRequests, settled, shown, text, textOf, useApp, visit } from './support'

describe.each(MODES)('requests that a page makes while it is rendered, in %s mode', (mode) => {
  const app = useApp({ NUXT_SESSION_MODE: mode })

  describe.each([
    ['a new visitor', 0],
    ['a visitor with a session', 1],
  ])('of %s', (_, before) => {
    const come = async () => {
      const visitor = app.visitor()
      for (let visit = 0; visit < before; visit++)
        await visitor.post('/api/visit')
      return visitor
    }

    it('`useFetch`, `useRequestFetch` and `event.$fetch` write to the session of the page, and read it', async () => {
      const visitor = await come()
      const html = await htmlOf(visitor, '/writes')
      expect(textOf(html, 'fetched')).toBe(String(before + 3))
      expect(await visitor.json('/api/me')).toMatchObject({ count: before + 3 })
    })

    it.each(['/bare-writes', '/writes'])('the composables of %s see what the requests wrote', async (path) => {
      const html = await htmlOf(await come(), path)
      expect(textOf(html, 'count')).toBe(String(before + 3))
      expect(textOf(html, 'success')).toBe('"written while rendering"')
    })

    it('a message that a request wrote and the page showed is gone', async () => {
      const visitor = await come()
      await htmlOf(visitor, '/writes')
      expect(textOf(await htmlOf(visitor, '/messages'), 'success')).toBe('none')
    })

    it.each([
      ['/writes', 200],
      ['/broken', 500],
      ['/refused', 403],
    ])('%s answers with one cookie of ours', async (path, status) => {
      const response = await (await come()).fetch(path, { headers: { accept: 'text/html' } })
      await response.text()
      expect(response.status).toBe(status)
      expect(setCookiesOf(response, COOKIE).length).toBeLessThanOrEqual(1)
      expect(cookieLinesOf(response)).toEqual(setCookiesOf(response, COOKIE))
    })

    it('what a page wrote before it failed is kept', async () => {
      const visitor = await come()
      await htmlOf(visitor, '/broken')
      expect(await visitor.json('/api/me')).toMatchObject({ count: before + 1 })
    })

    it('what the browser gets tells nothing of a change that the page shows already', async () => {
      const response = await (await come()).fetch('/writes')
      expect(cookieLinesOf(response)).toHaveLength(1)
      expect(response.headers.get('cache-control')).toBe('no-store')
    })
  })

  describe.runIf(mode === 'storage' && hasChromium())('in Chromium', () => {
    it('a layout that was rendered before the change hydrates without a mismatch and then shows it', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.context.newPage()
      const requests = sessionRequests(page)
      await visit(page, '/writes')
      await expect.poll(...text(page, 'layout-count')).toBe('3')
      expect(await shown(page, 'count', 'fetched', 'success', 'layout-user')).toEqual(['3', '3', '"written while rendering"', 'Ada'])
      await settled(page)
      expect(requests).toEqual([])
    })

    it('a page that writes is the same after a navigation in the app', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/quiet')
      await follow(page, '/writes')
      await expect.poll(...text(page, 'count')).toBe('3')
      await expect.poll(...text(page, 'layout-count')).toBe('3')
      await expect.poll(...text(page, 'success')).toBe('"written while rendering"')
      await follow(page, '/')
      await heading(page, 'start')
      await expect.poll(...data(page)).toEqual({ user: { name: 'Ada' }, count: 3 })
    })
  })
})
