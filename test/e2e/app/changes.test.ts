import { describe, expect, it } from 'vitest'
import { hasChromium } from '../../support/chromium'
import { change, data, follow, MODES, press, sessionRequests, settled, text, useApp } from './support'

const ADA = { user: { name: 'Ada' } }

describe.each(MODES)('a request of the page that changes the session, in %s mode', (mode) => {
  const app = useApp({ NUXT_SESSION_MODE: mode })

  describe('the header of the answer', () => {
    it.each([
      ['exposed data', { data: { theme: 'dark' } }, 'data'],
      ['an exposed key that is removed', { remove: ['user'] }, 'data'],
      ['a new message', { flash: { success: 'Saved' } }, 'flash'],
      ['data and a message', { data: { theme: 'dark' }, flash: { success: 'Saved' } }, 'data, flash'],
      ['nothing', {}, null],
      ['an equal value', { data: ADA }, null],
      ['a key that is not exposed', { data: { secret: 'another' } }, null],
      ['exposed data, in an answer that fails', { data: { theme: 'dark' }, status: 422 }, 'data'],
    ])('tells of %s', async (_, body, header) => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      expect((await ada.post('/api/set', body)).headers.get('session-changed')).toBe(header)
    })

    it.each([
      ['a login', '/api/login', /\bdata\b/],
      ['a logout', '/api/logout', /\bdata\b/],
    ])('tells of %s', async (_, path, header) => {
      const ada = app.visitor()
      await ada.post('/api/login', { name: 'Ada' })
      expect((await ada.post(path, { name: 'Bob' })).headers.get('session-changed')).toMatch(header)
    })

    it.each(['/api/plain', '/api/me', '/'])('is not there when %s reads', async (path) => {
      const ada = app.visitor()
      await ada.post('/api/set', { data: ADA })
      expect((await ada.fetch(path)).headers.get('session-changed')).toBeNull()
    })
  })

  describe.runIf(mode === 'storage' && hasChromium())('in Chromium', () => {
    it.each(['$fetch', 'raw', 'create', 'fetch'] as const)('%s: the data is current right after it', async (by) => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/')
      expect(await change(page, '/api/set', { data: { theme: 'dark', count: 3 } }, by)).toEqual({ ...ADA, theme: 'dark', count: 3 })
      await expect.poll(...text(page, 'layout-count')).toBe('3')
    })

    it('`useFetch`: the data is current right after `execute`', async () => {
      const page = await (await app.person()).open('/actions')
      await press(page, 'use fetch')
      await expect.poll(...text(page, 'theme')).toBe('by useFetch')
    })

    it.each([
      ['a visitor without a session signs in', '/api/login', { name: 'Bob' }, { user: { name: 'Bob' } }],
      ['the first data of a visitor', '/api/set', { data: { theme: 'dark' } }, { theme: 'dark' }],
    ])('%s: the data is current right after it', async (_, path, body, expected) => {
      const page = await (await app.person()).open('/')
      expect(await change(page, path, body)).toEqual(expected)
      await expect.poll(...data(page)).toEqual(expected)
    })

    it.each([
      ['an answer by redirect', '/api/redirected', { theme: 'dark' }, { ...ADA, theme: 'dark' }],
      ['`destroySession`', '/api/logout', {}, {}],
      ['`regenerateSession` without a change', '/api/regenerate', {}, ADA],
      ['another person signs in', '/api/login', { name: 'Bob' }, { user: { name: 'Bob' } }],
      ['a removed key', '/api/set', { remove: ['user'] }, {}],
      ['a failing answer', '/api/set', { data: { theme: 'dark' }, status: 422 }, { ...ADA, theme: 'dark' }],
    ])('%s: the data is current right after it', async (_, path, body, expected) => {
      app.expectComplaint(/status of 422/)
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/')
      expect(await change(page, path, body)).toEqual(expected)
      await expect.poll(...data(page)).toEqual(expected)
    })

    it('a redirect that the page does not follow: the data is current right after it', async () => {
      const page = await (await app.person({ signedInAs: 'Ada' })).open('/')
      expect(await page.evaluate(async () => {
        const { type } = await fetch('/api/redirected', { method: 'POST', body: '{"theme":"dark"}', headers: { 'content-type': 'application/json' }, redirect: 'manual' })
        return { type, data: await globalThis.app.data() }
      })).toEqual({ type: 'opaqueredirect', data: { ...ADA, theme: 'dark' } })
    })

    it('the session goes on after `regenerateSession`', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/')
      await change(page, '/api/regenerate')
      expect(await change(page, '/api/set', { data: { theme: 'dark' } })).toEqual({ ...ADA, theme: 'dark' })
    })

    it('one change costs one request to our route', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/')
      const requests = sessionRequests(page)
      await change(page, '/api/set', { data: { theme: 'dark' } })
      await settled(page)
      expect(requests).toHaveLength(1)
    })

    it('what nobody may see causes no request to our route', async () => {
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/')
      const requests = sessionRequests(page)
      expect(await change(page, '/api/set', { data: { secret: 'another' } })).toEqual(ADA)
      await settled(page)
      expect(requests).toEqual([])
    })

    it('a 401 shows that the session is over', async () => {
      app.expectComplaint(/status of 401/)
      const ada = await app.person({ signedInAs: 'Ada' })
      const page = await ada.open('/')
      await ada.post('/api/logout')
      expect(await page.evaluate(async () => {
        const status = (await fetch('/api/denied')).status
        return { status, data: await globalThis.app.data() }
      })).toEqual({ status: 401, data: {} })
      await expect.poll(...data(page)).toEqual({})
    })

    it('many at once: after all of them every change is there', async () => {
      const page = await (await app.person({ signedInAs: 'Ada' })).open('/')
      expect(await page.evaluate(async () => {
        for (const theme of ['one', 'two', 'three'])
          await Promise.all([globalThis.app.change('/api/visit'), globalThis.app.change('/api/plain'), globalThis.app.change('/api/set', { data: { theme } })])
        return globalThis.app.data()
      })).toMatchObject(mode === 'storage' ? { ...ADA, theme: 'three', count: 3 } : ADA)
    })

    it('a page rendered without the session knows of a change when it comes to one that uses it', async () => {
      const page = await (await app.person()).open('/quiet')
      await change(page, '/api/login', { name: 'Ada' })
      await follow(page, '/')
      await expect.poll(...data(page)).toEqual(ADA)
    })
  })
})
