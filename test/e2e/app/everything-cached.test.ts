import { describe, expect, it } from 'vitest'
import { hasChromium } from '../../support/chromium'
import { data, htmlOf, LASTING, text, textOf, useApp } from './support'

/** Nuxt 4.4 fails by itself when `/` is cached: it is no key of unstorage. */
const PATH = '/page'

describe('an app whose rules cache every path', () => {
  const app = useApp({}, 'nuxt-swr')

  it('answers our route for each visitor alone, each time anew', async () => {
    const [ada, bob, nobody] = [app.visitor(), app.visitor(), app.visitor()]
    expect(await nobody.json('/_session')).toEqual({ data: {}, hasMessages: false })
    await ada.post('/api/login', { name: 'Ada' })
    await bob.post('/api/login', { name: 'Bob' })
    expect(await ada.json('/_session')).toEqual({ ...LASTING, data: { user: 'Ada' }, hasMessages: true })
    expect(await bob.json('/_session')).toEqual({ ...LASTING, data: { user: 'Bob' }, hasMessages: true })
    expect(await nobody.json('/_session')).toEqual({ data: {}, hasMessages: false })
    expect((await ada.fetch('/_session')).headers.get('cache-control')).toBe('no-store')
    for (const messages of [{ success: 'Welcome, Ada' }, {}])
      expect(await (await ada.post('/_session', { flash: ['success'] })).json()).toEqual({ ...LASTING, data: { user: 'Ada' }, hasMessages: false, messages })
    await ada.fetch('/_session', { method: 'DELETE' })
    expect(await ada.json('/_session')).toEqual({ data: {}, hasMessages: false })
  })

  it('renders its pages once for all', async () => {
    const [ada, bob] = [app.visitor(), app.visitor()]
    await ada.post('/api/login', { name: 'Ada' })
    await bob.post('/api/login', { name: 'Bob' })
    const html = await htmlOf(ada, PATH)
    expect([textOf(html, 'data'), textOf(html, 'success')]).toEqual(['{}', 'none'])
    const other = await bob.fetch(PATH)
    expect(textOf(await other.text(), 'rendered-at')).toBe(textOf(html, 'rendered-at'))
    expect(other.headers.getSetCookie()).toEqual([])
  })

  it.runIf(hasChromium())('fills in data and messages in the browser', async () => {
    const ada = await app.person()
    await ada.post('/api/login', { name: 'Ada' })
    const page = await ada.context.newPage()
    await page.goto(PATH)
    await expect.poll(...data(page)).toEqual({ user: 'Ada' })
    await expect.poll(...text(page, 'success')).toBe('Welcome, Ada')
  })
})
