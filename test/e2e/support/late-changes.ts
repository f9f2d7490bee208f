import type { NitroBuild, RunningServer } from '../../support/nitro'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor, setCookiesOf, type Visitor } from '../../support/browser'
import { startServer } from '../../support/nitro'

const EXISTING = { visits: 1, news: null }

/** What is seen when a response has begun and its session changes. */
const ENDS: [how: string, outcome: string, seen: object][] = [
  ['stream', 'done', { ...EXISTING, late: true }],
  ['stream-unsaved', 'done', { ...EXISTING, late: true }],
  ['stream-flash', 'done', { ...EXISTING, news: 'late' }],
  ['stream-destroy', 'done', { news: null }],
  ['stream-login', 'COOKIE_ERROR', EXISTING],
  ['generator', 'done', { ...EXISTING, late: true }],
  ['error-hook', 'done', { ...EXISTING, late: true }],
  ['res.end', 'done', { ...EXISTING, late: true }],
  ['wait-until', 'done', { ...EXISTING, late: true }],
]

/** A fixture whose routes below `/ends` change the session when their response has begun. */
export function itChangesAfterTheResponseBegan(build: () => Promise<NitroBuild>, more: typeof ENDS = []): void {
  let built: NitroBuild
  beforeAll(async () => {
    built = await build()
  })
  afterAll(() => built?.remove())

  /** A response whose session changes when a part of it is there. */
  async function run(visitor: Visitor, path: string): Promise<Response> {
    const response = await visitor.fetch(path)
    const reader = response.body!.getReader()
    await reader.read()
    await visitor.post('/ends/go')
    while (!(await reader.read()).done);
    return response
  }

  describe.each(['storage', 'cookie'] as const)('%s mode', (mode) => {
    let server: RunningServer
    beforeAll(async () => {
      server = await startServer(built.entry, { NITRO_SESSION_MODE: mode })
    })
    afterAll(() => server?.stop())

    it.each([...ENDS, ...more])('%s', async (how, outcome, seen) => {
      const visitor = createVisitor(server.url)
      await visitor.fetch('/kind/string')
      const response = await run(visitor, `/ends/${how}`)
      expect(setCookiesOf(response, COOKIE)).toEqual([])
      const expected = mode === 'storage' ? { outcome, ...seen } : { outcome: 'COOKIE_ERROR', ...EXISTING }
      await expect.poll(() => visitor.json('/ends/outcome')).toEqual(expected)
    })

    it.each(['stream', 'error-hook', 'res.end'])('%s, for a visitor without a session', async (how) => {
      const visitor = createVisitor(server.url)
      await run(visitor, `/ends/${how}`)
      await expect.poll(() => visitor.json('/ends/outcome')).toEqual({ outcome: 'COOKIE_ERROR', news: null })
      expect(visitor.cookies.size).toBe(0)
    })
  })

  it('what cannot be stored is logged, without an id or a cookie', async () => {
    const server = await startServer(built.entry)
    const visitor = createVisitor(server.url)
    await visitor.fetch('/kind/string')
    await visitor.post('/control', { failing: ['setItem'] })
    await run(visitor, '/ends/stream-unsaved')
    await expect.poll(() => server.output()).toMatch(/\[unsession\] \[GET\] \S*\/ends\/stream-unsaved[^]*STORAGE_ERROR/)
    expect(server.output()).not.toContain(visitor.cookies.get(COOKIE)!.slice(0, 20))
    await server.stop()
  })
}
