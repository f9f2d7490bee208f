import type { NitroBuild, RunningServer } from '../../support/nitro'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isForSharedCaches } from '../../../src/http/caching'
import { createVisitor } from '../../support/browser'
import { startServer } from '../../support/nitro'

/** Ways to mark a response, each with the header that does it. */
const WAYS: [way: string, status: number, header: string, value: string | RegExp][] = [
  ['before', 200, 'cache-control', 'public, max-age=60'],
  ['after', 200, 'cache-control', 'public, max-age=60'],
  ['qualified', 200, 'cache-control', 'public, no-cache="Set-Cookie"'],
  ['cdn', 200, 'cdn-cache-control', 'max-age=60'],
  ['expires', 200, 'expires', / GMT$/],
  ['handleCacheHeaders', 200, 'cache-control', 'public, max-age=60, s-maxage=60'],
  ['rules', 200, 'cache-control', 's-maxage=60'],
  ['rules-cdn', 200, 'vercel-cdn-cache-control', 'max-age=60'],
  ['response', 200, 'cache-control', 'public, max-age=60'],
  ['stream', 200, 'cache-control', 'public, max-age=60'],
  ['redirect', 302, 'cache-control', 'public, max-age=60'],
  ['error', 418, 'cache-control', 'public, max-age=60'],
  ['res.end', 200, 'cache-control', 'public, max-age=60'],
  ['res.writeHead', 200, 'cache-control', 'public, max-age=60'],
]

/** A fixture whose routes below `/caching` read the session and mark their responses for shared caches. */
export function itKeepsPersonalResponsesOutOfSharedCaches(build: () => Promise<NitroBuild>): void {
  let built: NitroBuild
  beforeAll(async () => {
    built = await build()
  })
  afterAll(() => built?.remove())

  describe.each(['storage', 'cookie'] as const)('%s mode', (mode) => {
    let server: RunningServer
    beforeAll(async () => {
      server = await startServer(built.entry, { NITRO_SESSION_MODE: mode })
    })
    afterAll(() => server?.stop())

    it.each(WAYS)('%s: the response to a visitor with a session leaves without a mark, and with its body', async (way, status) => {
      const visitor = createVisitor(server.url)
      await visitor.fetch('/kind/string')
      const response = await visitor.fetch(`/caching/${way}`)
      const body = await response.text()
      expect(response.status).toBe(status)
      if (status === 200)
        expect(JSON.parse(body)).toEqual({ visits: 1 })
      expect(Object.fromEntries(response.headers)).toMatchObject({ 'cache-control': 'no-store', 'vary': expect.stringMatching(/\bcookie\b/i) })
      expect(isForSharedCaches(response.headers)).toBe(false)
    })

    it.each(WAYS)('%s: the response to a visitor without one keeps it, and differs by cookie', async (way, status, header, value) => {
      const response = await createVisitor(server.url).fetch(`/caching/${way}`)
      await response.text()
      expect(response.status).toBe(status)
      expect(response.headers.get(header)).toMatch(value)
      expect(response.headers.get('vary')).toMatch(/\bcookie\b/i)
    })

    it('a response that used no session keeps its mark for everybody', async () => {
      const visitor = createVisitor(server.url)
      await visitor.fetch('/kind/string')
      const { headers } = await visitor.fetch('/caching/unread')
      expect([headers.get('cache-control'), headers.get('vary')]).toEqual(['public, max-age=60', null])
    })

    it('a response that the app keeps private stays as the app wants it', async () => {
      const visitor = createVisitor(server.url)
      await visitor.fetch('/kind/string')
      expect((await visitor.fetch('/caching/private')).headers.get('cache-control')).toBe('private, max-age=60')
    })
  })
}
