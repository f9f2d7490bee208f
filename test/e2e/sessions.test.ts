import { describe, expect, it } from 'vitest'
import { COOKIE, createVisitor, setCookiesOf } from '../support/browser'
import { buildNitro, startServer } from '../support/nitro'
import { itKeepsSessions } from './support/sessions'

describe('sessions in an app of Nitro 2', () => {
  itKeepsSessions(() => buildNitro('nitro'), (built) => {
    it('a cookie that a cached route renews is for no shared cache', async () => {
      const server = await startServer(built().entry, { NITRO_SESSION_SAVE_UNINITIALIZED: 'true' })
      const response = await createVisitor(server.url).fetch('/swr')
      expect(setCookiesOf(response, COOKIE)).toHaveLength(1)
      expect(response.headers.get('cache-control')).toBe('no-store')
      await server.stop()
    })
  })
})
