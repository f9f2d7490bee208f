import type { NitroBuild, RunningServer } from '../../support/nitro'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor, setCookiesOf } from '../../support/browser'
import { startServer } from '../../support/nitro'

/** One way to answer. */
export interface Row {
  name: string
  path?: string
  init?: RequestInit
  status: number
  /** The whole body, or `undefined` where the host's error page is not ours to judge. */
  body: string | undefined
  /** Cookies of others that must arrive; those before and after the change unless said. */
  others?: string[]
  headers?: Record<string, unknown>
}

/** The cookies that a handler set before and after it changed the session. */
export const BOTH = ['before', 'after']

/** A fixture that changes the session and then answers in the way that the path names, in both modes and with failing storage. */
export function itAnswersEveryKind(rows: Row[], build: () => Promise<NitroBuild>): void {
  let built: NitroBuild
  beforeAll(async () => {
    built = await build()
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

    it.each(rows)('$name: one session cookie, the other cookies, the body, and the next request sees the change', async ({ name, path = `/kind/${name}`, init, status, body, others = BOTH, headers = {} }) => {
      const visitor = createVisitor(server.url)
      const response = await visitor.fetch(path, init)
      const text = await response.text()

      expect(response.status).toBe(status)
      if (body !== undefined)
        expect(text).toBe(body)
      for (const [header, value] of Object.entries(headers))
        expect(response.headers.get(header)).toEqual(value)
      expect(setCookiesOf(response, COOKIE)).toHaveLength(1)
      const otherNames = response.headers.getSetCookie().map(line => line.split('=')[0]).filter(cookie => cookie !== COOKIE)
      expect(otherNames.sort()).toEqual([...others].sort())
      expect(response.headers.get('vary')).toContain('Cookie')
      expect(await visitor.json('/visits')).toEqual({ visits: 1 })

      const second = await visitor.fetch(path, init)
      await second.text()
      expect(setCookiesOf(second, COOKIE)).toHaveLength(1)
      expect(await visitor.json('/visits')).toEqual({ visits: 2 })
    })

    it('a change after the response began throws COOKIE_ERROR', async () => {
      const response = await createVisitor(server.url).fetch('/late')
      expect(await response.text()).toBe('started COOKIE_ERROR')
      expect(setCookiesOf(response, COOKIE)).toEqual([])
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
      expect(setCookiesOf(response, COOKIE)).toEqual([])
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
}
