import type { RunningServer } from '../support/nitro'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor, setCookiesOf } from '../support/browser'
import { startServer } from '../support/nitro'
import { buildNitro3 } from '../support/nitro3'
import { itKeepsSessions } from './support/sessions'

describe('sessions in an app of Nitro 3', () => {
  itKeepsSessions(() => buildNitro3('nitro3'), (built) => {
    let server: RunningServer
    beforeAll(async () => {
      server = await startServer(built().entry)
    })
    afterAll(() => server?.stop())

    it('a cached route, before which Nitro 3 runs no middleware, sends no cookie', async () => {
      const eager = await startServer(built().entry, { NITRO_SESSION_SAVE_UNINITIALIZED: 'true' })
      const response = await createVisitor(eager.url).fetch('/swr')
      expect(await response.text()).toBe('the same for everybody')
      expect(setCookiesOf(response, COOKIE)).toEqual([])
      await eager.stop()
    })

    it('a session in a cached handler is refused, also where the cache tells visitors apart by their cookies', async () => {
      const alice = createVisitor(server.url)
      await alice.fetch('/kind/string')
      for (const visitor of [alice, createVisitor(server.url), alice])
        expect((await visitor.fetch('/cached-handler')).status).toBe(500)
    })

    it('an internal request has the session of its event where it is given the context, and none where it is not', async () => {
      const visitor = createVisitor(server.url)
      await visitor.post('/update')
      const shared = await visitor.fetch('/internal?shared')
      expect(await shared.json()).toEqual({ visits: 2 })
      expect(await visitor.json('/internal')).toEqual({ visits: 1 })
      expect(await visitor.json('/visits')).toEqual({ visits: 2 })
    })

    it('the cookie of a session that begins in such an internal request reaches the visitor', async () => {
      const visitor = createVisitor(server.url)
      const response = await visitor.fetch('/internal?shared')
      expect(setCookiesOf(response, COOKIE)).toHaveLength(1)
      expect(await visitor.json('/visits')).toEqual({ visits: 1 })
    })

    it('an answer that was fetched and is marked for the caches of others leaves without the mark when it used a session', async () => {
      const visitor = createVisitor(server.url)
      await visitor.post('/update')
      const response = await visitor.fetch('/fetched-public')
      expect(await response.text()).toBe('for everybody')
      expect(response.headers.get('cache-control')).toBe('no-store')
    })

    it.each([
      ['INVALID_SESSION', 401, 'Unauthorized', 'what happened'],
      ['CONFLICT_ERROR', 409, 'Conflict', 'what happened'],
      ['CACHED_RESPONSE', 500, 'Internal Server Error', 'Internal Server Error'],
      ['STORAGE_ERROR', 503, 'Service Unavailable', 'Service Unavailable'],
    ])('%s is answered with %s; what the server is to blame for goes to the log', async (code, status, statusText, message) => {
      const response = await createVisitor(server.url).fetch(`/errors/${code}`)
      expect(response.status).toBe(status)
      expect(await response.json()).toEqual({ error: true, status, statusText, message })
      await expect.poll(() => server.output().includes(`/errors/${code}`)).toBe(status >= 500)
    })
  })
})
