import { fileURLToPath } from 'node:url'
import { setup, startServer, url } from '@nuxt/test-utils/e2e'
import { beforeEach, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor, setCookiesOf } from '../support/browser'
import { TEST_SECRET } from '../support/nitro'

const rows = [
  { name: 'a Nuxt page', path: '/', status: 200, text: 'visits: 1' },
  { name: 'navigateTo in a page', path: '/moved', status: 302, text: '' },
  { name: 'the Nuxt error page', path: '/broken', status: 500, text: 'error page 500' },
  { name: 'an API route', path: '/api/visit', status: 200, text: '1' },
]

describe('every response kind of Nuxt', async () => {
  await setup({
    rootDir: fileURLToPath(new URL('../fixtures/nuxt', import.meta.url)),
    env: { NUXT_SESSION_SECRET: TEST_SECRET },
  })

  describe.each(['storage', 'cookie'] as const)('%s mode', (mode) => {
    const control = (settings: object): Promise<Response> => createVisitor(url('/')).post('/control', settings)

    // The context of @nuxt/test-utils is there inside of tests only, so not in `beforeAll`.
    let isRunning = false
    beforeEach(async () => {
      if (isRunning)
        return
      isRunning = true
      await startServer({ env: { NUXT_SESSION_SECRET: TEST_SECRET, NUXT_SESSION_MODE: mode } })
      await control({ writeDelay: 300, failing: [] })
    })

    it.each(rows)('$name: one session cookie, and the next request sees the change', async ({ path, status, text }) => {
      const visitor = createVisitor(url('/'))
      const response = await visitor.fetch(path, { headers: { accept: 'text/html' } })
      expect(response.status).toBe(status)
      expect(await response.text()).toContain(text)
      expect(setCookiesOf(response, COOKIE)).toHaveLength(1)
      expect(await visitor.json('/api/visits')).toEqual({ visits: 1 })

      const second = await visitor.fetch(path, { headers: { accept: 'text/html' } })
      await second.text()
      expect(setCookiesOf(second, COOKIE)).toHaveLength(1)
      expect(await visitor.json('/api/visits')).toEqual({ visits: 2 })
    })

    it('a page that only reads sets no cookie', async () => {
      const response = await createVisitor(url('/')).fetch('/api/visits')
      expect(response.headers.getSetCookie()).toEqual([])
    })
  })

  it('useSession in a component says what to use instead', async () => {
    await startServer({ env: { NUXT_SESSION_SECRET: TEST_SECRET } })
    const html = await (await createVisitor(url('/')).fetch('/wrong', { headers: { accept: 'text/html' } })).text()
    expect(html).toContain('`useSession` is for server code. In the Vue app write `const { data } = useClientSession()`')
  })

  it('a failing write turns a page into a 503 error page without a session cookie', async () => {
    await startServer({ env: { NUXT_SESSION_SECRET: TEST_SECRET } })
    await createVisitor(url('/')).post('/control', { failing: ['setItem'] })
    for (const { path } of rows) {
      const response = await createVisitor(url('/')).fetch(path, { headers: { accept: 'text/html' } })
      expect(response.status, path).toBe(503)
      expect(setCookiesOf(response, COOKIE)).toEqual([])
    }
  })
})
