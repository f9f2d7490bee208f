import type { SessionEvent } from '../../src/adapters/event'
import type { ServerResponse } from 'node:http'
import type { PlainSessionOptions } from '../../src/plain/app'
import { createStorage } from 'unstorage'
import { describe, expect, it } from 'vitest'
import { isV2 } from '../../src/adapters/h3-v2'
import { destroySession, getSession, regenerateSession, sessionMiddleware } from '../../src/h3'
import { SECRET } from './support/app'
import { HOSTS, type Handler, type Host } from './support/h3-hosts'

const optionsOf = (options: PlainSessionOptions = {}): PlainSessionOptions =>
  ({ secret: SECRET, store: createStorage(), ...options, cookie: { name: 'session', secure: true, ...options.cookie } })

/** Adds a `Set-Cookie` header as a handler of either major does. */
function appendCookie(event: SessionEvent, line: string): void {
  if (isV2(event))
    event.res.headers.append('set-cookie', line)
  else
    (event.node.res as ServerResponse).appendHeader('set-cookie', line)
}

async function answerOf(host: Host, handler: Handler, options: PlainSessionOptions = optionsOf(), cookie?: string): Promise<string[]> {
  const middleware = sessionMiddleware(options)
  const visitor = await host.start(handler, [middleware])
  const response = await visitor.fetch('/app/api/login', { method: 'POST', headers: cookie === undefined ? {} : { cookie } })
  expect(response.status).toBe(200)
  return response.headers.getSetCookie()
}

const OURS = expect.stringMatching(/^session=[\w.~-]{40,}; Max-Age=\d+; Path=\//)

describe.each(HOSTS)('on $name', (host) => {
  it.each([
    ['another path', 'session=; Max-Age=0; Path=/old'],
    ['a domain', 'session=; Max-Age=0; Path=/; Domain=example.com'],
    ['a partition', 'session=; Max-Age=0; Path=/; Secure; Partitioned'],
    ['the folder of the request', 'session=; Max-Age=0'],
    ['a name that begins like ours', 'session2=1; Path=/'],
  ])('a cookie of the app under the same name stays in %s, set before and behind ours', async (_, line) => {
    const before = await answerOf(host, async (event) => {
      appendCookie(event, line)
      await regenerateSession(event, { user: 'ada' })
      return 'x'
    })
    const behind = await answerOf(host, async (event) => {
      await regenerateSession(event, { user: 'ada' })
      appendCookie(event, line)
      return 'x'
    })
    expect([before, behind].map(lines => lines.toSorted((a, b) => a.length - b.length))).toEqual([[line, OURS], [line, OURS]])
  })

  it.each([
    'session=forged; Path=/',
    'session=forged; path=/; HttpOnly',
    'session=; Max-Age=0; Path=/',
  ])('a cookie of the app in the place of ours is replaced by ours: %s', async (line) => {
    const lines = await answerOf(host, async (event) => {
      appendCookie(event, line)
      await regenerateSession(event, { user: 'ada' })
      appendCookie(event, line)
      return 'x'
    })
    expect(lines).toEqual([OURS])
  })

  it.each(['storage', 'cookie'] as const)('in %s mode a logout removes several cookies of our name from everywhere, once each and the own one last', async (mode) => {
    const options = optionsOf({ mode })
    const cookies = (await Promise.all([1, 2].map(async user => answerOf(host, async (event) => {
      await regenerateSession(event, { user: `user ${user}` })
      return 'x'
    }, options)))).map(([line]) => line!.split(';', 1)[0]!)
    const lines = await answerOf(host, async (event) => {
      await destroySession(event)
      await destroySession(event)
      return 'x'
    }, options, cookies.join('; '))
    expect(lines.filter(line => !line.startsWith('session=; Max-Age=0; '))).toEqual([])
    expect(new Set(lines).size).toBe(lines.length)
    expect(lines.at(-1)).toBe('session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax')
    for (const path of ['/app', '/app/', '/app/api', '/app/api/', '/app/api/login'])
      expect(lines).toContain(`session=; Max-Age=0; Path=${path}; HttpOnly; Secure; SameSite=Lax`)
    const seen: unknown[] = []
    await answerOf(host, (event) => {
      seen.push(getSession(event))
      return 'x'
    }, options, mode === 'storage' ? cookies.join('; ') : undefined)
    expect(seen).toEqual([null])
  })

  it('a removal of ours leaves the same place to a cookie of the app', async () => {
    const theirs = 'session=theirs; Path=/app'
    const lines = await answerOf(host, async (event) => {
      appendCookie(event, theirs)
      await destroySession(event)
      return 'x'
    }, optionsOf(), 'session=a; session=b')
    expect(lines.filter(line => line.includes('Path=/app;') || line.endsWith('Path=/app'))).toEqual([theirs, 'session=; Max-Age=0; Path=/app; HttpOnly; Secure; SameSite=Lax; Partitioned'])
  })
})
