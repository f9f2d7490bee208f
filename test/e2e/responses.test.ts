import type { NitroBuild, RunningServer } from '../support/nitro'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createVisitor, setCookiesOf } from '../support/browser'
import { buildNitro, startServer } from '../support/nitro'

interface Row {
  name: string
  path?: string
  init?: RequestInit
  status: number
  /** The whole body, or `undefined` where the host's error page is not ours to judge. */
  body: string | undefined
  /** Cookies of others that must arrive. */
  others?: string[]
  headers?: Record<string, string>
}

const both = ['before', 'after']
const rows: Row[] = [
  { name: 'a returned object', path: '/kind/object', status: 200, body: '{"text":"the body"}' },
  { name: 'a returned string', path: '/kind/string', status: 200, body: 'the body' },
  { name: 'null (204)', path: '/kind/null', status: 204, body: '' },
  { name: 'sendRedirect', status: 303, body: undefined, headers: { location: '/visits' } },
  { name: 'send', status: 200, body: 'the body' },
  { name: 'sendNoContent', status: 204, body: '' },
  { name: 'sendStream with a Node stream', path: '/kind/sendStream-node', status: 200, body: 'the body' },
  { name: 'sendStream with a web stream', path: '/kind/sendStream-web', status: 200, body: 'the body' },
  { name: 'a returned Node stream', path: '/kind/returned-node-stream', status: 200, body: 'the body' },
  { name: 'a returned ReadableStream', path: '/kind/returned-web-stream', status: 200, body: 'the body' },
  { name: 'server-sent events', path: '/kind/event-stream', status: 200, body: 'data: the body\n\n' },
  { name: 'a returned Response', path: '/kind/returned-Response', status: 200, body: 'the body', others: [...both, 'inner'], headers: { 'x-kept': 'yes' } },
  { name: 'Response.redirect', status: 303, body: '' },
  { name: 'respondWith', status: 200, body: 'the body' },
  { name: 'a thrown createError 4xx', path: '/kind/thrown-4xx', status: 418, body: undefined },
  { name: 'a thrown createError 5xx', path: '/kind/thrown-5xx', status: 502, body: undefined },
  { name: 'a thrown plain Error', path: '/kind/thrown-Error', status: 500, body: undefined },
  { name: 'a returned error', path: '/kind/returned-error', status: 409, body: undefined },
  { name: 'HEAD', path: '/kind/object', init: { method: 'HEAD' }, status: 200, body: '' },
  { name: '304', init: { headers: { 'if-none-match': '"tag"' } }, status: 304, body: '' },
  { name: 'direct res.end', path: '/kind/res.end', status: 200, body: 'the body' },
  { name: 'direct res.write', path: '/kind/res.write', status: 200, body: 'the body' },
  { name: 'res.writeHead with its own set-cookie', path: '/kind/res.writeHead', status: 201, body: 'the body', others: [...both, 'direct'] },
  { name: '404', path: '/missing', status: 404, body: undefined, others: [] },
]

describe('every response kind of h3 v1', () => {
  let built: NitroBuild
  beforeAll(async () => {
    built = await buildNitro('nitro')
  })
  afterAll(() => built?.remove())

  describe.each(['storage', 'cookie'] as const)('%s mode', (mode) => {
    let server: RunningServer
    const control = (settings: object): Promise<Response> => createVisitor(server.url).post('/control', settings)

    beforeAll(async () => {
      server = await startServer(built.entry, { NITRO_SESSION_MODE: mode })
    })
    beforeEach(() => control({ writeDelay: 300, failing: [] }))
    afterAll(() => server?.stop())

    it.each(rows)('$name: one session cookie, the other cookies, the body, and the next request sees the change', async ({ name, path = `/kind/${name}`, init, status, body, others = both, headers = {} }) => {
      const visitor = createVisitor(server.url)
      const response = await visitor.fetch(path, init)
      const text = await response.text()

      expect(response.status).toBe(status)
      if (body !== undefined)
        expect(text).toBe(body)
      for (const [header, value] of Object.entries(headers))
        expect(response.headers.get(header)).toBe(value)
      expect(setCookiesOf(response, 'session')).toHaveLength(1)
      const otherNames = response.headers.getSetCookie().map(line => line.split('=')[0]).filter(cookie => cookie !== 'session')
      expect(otherNames.sort()).toEqual([...others].sort())
      expect(response.headers.get('vary')).toContain('Cookie')
      expect(await visitor.json('/visits')).toEqual({ visits: 1 })

      const second = await visitor.fetch(path, init)
      await second.text()
      expect(setCookiesOf(second, 'session')).toHaveLength(1)
      expect(await visitor.json('/visits')).toEqual({ visits: 2 })
    })

    it('a change after the response began throws COOKIE_ERROR', async () => {
      const response = await createVisitor(server.url).fetch('/late')
      expect(await response.text()).toBe('started COOKIE_ERROR')
      expect(setCookiesOf(response, 'session')).toEqual([])
    })

    it('an update that nobody awaits is stored before the response', async () => {
      const visitor = createVisitor(server.url)
      const response = await visitor.fetch('/unawaited')
      expect(await response.text()).toBe('sent')
      expect(await visitor.json('/visits')).toEqual({ visits: 1 })
    })
  })

  describe('storage mode, when a write fails', () => {
    let server: RunningServer
    beforeAll(async () => {
      server = await startServer(built.entry)
      await createVisitor(server.url).post('/control', { failing: ['setItem'] })
    })
    afterAll(() => server?.stop())

    it.each(rows)('$name: a failing write is a 503 without a session cookie', async ({ name, path = `/kind/${name}`, init }) => {
      const visitor = createVisitor(server.url)
      const response = await visitor.fetch(path, init)
      await response.text()
      expect(response.status).toBe(503)
      expect(setCookiesOf(response, 'session')).toEqual([])
      expect(response.headers.get('location')).toBeNull()
    })
  })

  it('a page that never touches the session answers while storage is down', async () => {
    const server = await startServer(built.entry)
    const visitor = createVisitor(server.url)
    await visitor.fetch('/kind/string')
    await visitor.post('/control', { failing: ['getItem', 'setItem'] })
    expect((await visitor.fetch('/static')).status).toBe(200)
    expect((await visitor.fetch('/visits')).status).toBe(503)
    await visitor.post('/control', { failing: [] })
    expect(await visitor.json('/visits')).toEqual({ visits: 1 })
    await server.stop()
  })
})
