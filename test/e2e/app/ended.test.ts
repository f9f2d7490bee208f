import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { hasChromium } from '../../support/chromium'
import { change, data, follow, heading, jarOf, press, sessionRequests, settled, shown, text, useApp, visit } from './support'

const ended = (page: Page): Promise<number> => page.evaluate(() => globalThis.ended)

describe.runIf(hasChromium())('a session that ends while its page is open', () => {
  const app = useApp()

  it('by `clear`: the app is told, and the guard of the present page runs again, before it resolves', async () => {
    const page = await (await app.person({ signedInAs: 'Ada' })).open('/members')
    const path = await page.evaluate(() => globalThis.app.clear().then(() => location.pathname))
    expect([path, await ended(page)]).toEqual(['/login', 1])
    await heading(page, 'login')
  })

  it('by a logout of the page', async () => {
    const page = await (await app.person({ signedInAs: 'Ada' })).open('/members')
    await change(page, '/api/logout')
    await heading(page, 'login')
    expect(await ended(page)).toBe(1)
  })

  it('in another tab', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const [page, other, open] = [await ada.open('/who'), await ada.open('/members'), await ada.open('/who')]
    await press(page, 'clear')
    await heading(other, 'login')
    await expect.poll(...text(open, 'who')).toBe('guest')
    expect(await Promise.all([page, other, open].map(ended))).toEqual([1, 1, 1])
    expect(new URL(open.url()).pathname).toBe('/who')
  })

  it('and a request that is refused shows it', async () => {
    app.expectComplaint(/Failed to load resource/)
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.open('/members')
    await app.visitor(await jarOf(ada)).post('/api/logout')
    await page.evaluate(() => fetch('/api/denied'))
    await heading(page, 'login')
    expect(await ended(page)).toBe(1)
  })

  it('a page that goes somewhere itself after the logout ends there', async () => {
    const page = await (await app.person({ signedInAs: 'Ada' })).open('/members')
    await page.evaluate(async () => {
      await globalThis.app.clear()
      await globalThis.app.go('/other')
    })
    await heading(page, 'other')
    await settled(page)
    expect(new URL(page.url()).pathname).toBe('/other')
  })

  it('a navigation that is under way is not lost', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.open('/members')
    let release = (): void => {}
    const released = new Promise<void>(resolve => release = resolve)
    await page.exposeFunction('wait', () => released)
    await page.evaluate(() => {
      useNuxtApp().$router.beforeEach(async (to) => {
        if (to.path === '/other')
          await (globalThis as unknown as { wait(): Promise<void> }).wait()
      })
      void globalThis.app.go('/other')
    })
    await page.evaluate(() => globalThis.app.clear())
    release()
    await heading(page, 'other')
    await settled(page)
    expect(new URL(page.url()).pathname).toBe('/other')
  })

  it('a change that takes nothing away runs no guard', async () => {
    const page = await (await app.person({ signedInAs: 'Ada' })).open('/members')
    await page.evaluate(() => {
      Object.assign(globalThis, { runs: 0 })
      useNuxtApp().$router.beforeEach(() => void (globalThis as unknown as { runs: number }).runs++)
    })
    await change(page, '/api/set', { data: { theme: 'dark' } })
    await settled(page)
    expect(await page.evaluate(() => (globalThis as unknown as { runs: number }).runs)).toBe(0)
  })

  it('a guard of a role runs again when the role is taken away', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    await ada.post('/api/set', { data: { count: 3 } })
    const page = await ada.open('/admins')
    await change(page, '/api/set', { remove: ['count'] })
    await heading(page, 'other')
    expect([new URL(page.url()).search, await ended(page)]).toEqual(['?why=count', 0])
  })

  it('and a guard that throws then breaks neither `clear` nor the page', async () => {
    const page = await (await app.person({ signedInAs: 'Ada' })).open('/who')
    const requests = sessionRequests(page)
    await page.evaluate(() => useNuxtApp().$router.beforeEach(() => {
      throw new Error('Not for you.')
    }))
    await page.evaluate(() => globalThis.app.clear())
    expect([requests, await shown(page, 'who'), await ended(page)]).toEqual([['DELETE'], ['guest'], 1])
  })

  it('the middleware `session` runs again when a change leaves less than it asks for', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    await ada.post('/api/set', { data: { count: 3 } })
    const page = await ada.open('/admins')
    await change(page, '/api/set', { data: { count: 4 } })
    await heading(page, 'admins')
    await change(page, '/api/set', { data: { count: 1 } })
    await heading(page, 'other')
    expect(await ended(page)).toBe(0)
  })

  it('keeps an error page that is shown', async () => {
    app.expectComplaint(/Failed to load resource/)
    const ada = await app.person({ signedInAs: 'Ada' })
    const [page, other] = [await ada.context.newPage(), await ada.open('/who')]
    await page.goto('/broken')
    await page.locator('#error-status').waitFor()
    await press(other, 'clear')
    await settled(other)
    expect(await shown(page, 'error-status')).toEqual(['500'])
  })
})

describe.runIf(hasChromium())('the middleware `session`', () => {
  const app = useApp()

  it.each(['/members', '/ruled', '/members-prerendered', '/admins'])('%s is for who has what it asks for, by its address and by a link', async (path) => {
    const nobody = await app.person()
    const to = path === '/admins' ? 'other' : 'login'
    const page = await nobody.context.newPage()
    await page.goto(path)
    await heading(page, to)
    await visit(page, '/quiet')
    await page.evaluate(path => useNuxtApp().$router.push(path), path)
    await heading(page, to)
    const ada = await app.person({ signedInAs: 'Ada' })
    await ada.post('/api/set', { data: { count: 3 } })
    const hers = await ada.context.newPage()
    await hers.goto(path)
    await heading(hers, path.slice(1))
    await visit(hers, '/landing')
    await hers.evaluate(path => useNuxtApp().$router.push(path), path)
    await heading(hers, path.slice(1))
    expect([page, hers].map(tab => new URL(tab.url()).pathname)).toEqual([`/${to}`, path])
  })

  it('redirects on the server', async () => {
    for (const [path, to] of [['/members', '/login'], ['/ruled', '/login'], ['/admins', '/other?why=count']] as const) {
      const response = await app.visitor().fetch(path)
      expect([response.status, response.headers.get('location')]).toEqual([302, to])
    }
  })
})

describe.runIf(hasChromium())('time', () => {
  const seconds = 6
  const app = useApp({ NUXT_SESSION_MAX_AGE: String(seconds) })

  it('a page whose session expires asks once, empties, and tells the app', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const [page, guarded] = [await ada.open('/who'), await ada.open('/members')]
    const requests = sessionRequests(page)
    expect(new Date((await shown(page, 'expires-at'))[0]!).getTime()).toBeGreaterThan(Date.now() - seconds * 1000)
    await expect.poll(...text(page, 'who')).toBe('guest')
    expect(await shown(page, 'data', 'expires-at')).toEqual(['{}', 'never'])
    await heading(guarded, 'login')
    await settled(page)
    expect([requests.length, await ended(page)]).toEqual([1, 1])
  })

  it('a page that cannot ask keeps what it knows, and does not ask again and again', async () => {
    app.expectComplaint(/Failed to load resource/)
    const page = await (await app.person({ signedInAs: 'Ada' })).open('/who')
    let asked = 0
    await page.route('**/_session', async (route) => {
      asked++
      await route.fulfill({ status: 503, json: {} })
    })
    await expect.poll(() => asked).toBe(1)
    await page.waitForTimeout(2000)
    expect([asked, ...await shown(page, 'who')]).toEqual([1, 'Ada'])
  })
})

describe('an idle time', () => {
  const app = useApp({ NUXT_SESSION_IDLE_TIMEOUT: '4' })
  const expiryOf = async (visitor: ReturnType<typeof app.visitor>, headers: Record<string, string> = {}): Promise<number> => (await visitor.json<{ expiresAt: number }>('/_session', { headers })).expiresAt

  it('goes on when a page asks by itself, and begins anew when its visitor does something', async () => {
    const ada = app.visitor()
    await ada.post('/api/login', { name: 'Ada' })
    const before = await expiryOf(ada)
    // Half of it has passed: the next request of the visitor is due to move it.
    await new Promise(resolve => setTimeout(resolve, 2500))
    expect(await expiryOf(ada, { 'session-background': '1' })).toBe(before)
    expect(await expiryOf(ada, { 'session-background': '1' })).toBe(before)
    expect(await expiryOf(ada)).toBeGreaterThan(before)
  })

  it('other routes know no such header', async () => {
    const ada = app.visitor()
    await ada.post('/api/login', { name: 'Ada' })
    const before = await expiryOf(ada)
    await new Promise(resolve => setTimeout(resolve, 2500))
    await ada.fetch('/api/me', { headers: { 'session-background': '1' } })
    expect(await expiryOf(ada, { 'session-background': '1' })).toBeGreaterThan(before)
  })

  it.runIf(hasChromium())('is moved by another tab: the page asks when it thought that the session would end, and goes on', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.open('/who')
    const requests = sessionRequests(page)
    const [first] = await shown(page, 'expires-at')
    for (let seconds = 0; seconds < 8; seconds++) {
      await page.waitForTimeout(1000)
      await ada.context.request.get('/api/me')
    }
    await expect.poll(...text(page, 'expires-at')).not.toBe(first)
    expect(await shown(page, 'who')).toEqual(['Ada'])
    expect(requests.length).toBeGreaterThan(0)
    await expect.poll(...data(page)).toEqual({})
  })
})

describe.runIf(hasChromium())('a link out of a page', () => {
  const app = useApp()

  it('shows on its page what it did here', async () => {
    const page = await (await app.person({ signedInAs: 'Ada' })).open('/who')
    await press(page, 'end')
    await expect.poll(...text(page, 'who')).toBe('guest')
    await follow(page, '/account', 'login')
  })
})
