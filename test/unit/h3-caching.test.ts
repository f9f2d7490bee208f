import type { SessionEvent } from '../../src/h3'
import type { Visitor } from '../support/browser'
import { createError, type H3Event as H3V1Event, handleCacheHeaders, sendRedirect } from 'h3'
import { H3, handleCacheHeaders as handleCacheHeadersV2, type H3Event as H3V2Event, HTTPError, HTTPResponse, redirect } from 'h3-v2'
import { createStorage } from 'unstorage'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { getSession, sessionMiddleware, updateSession } from '../../src/h3'
import { isV2 } from '../../src/adapters/h3-v2'
import { isForSharedCaches } from '../../src/http/caching'
import { createVisitor } from '../support/browser'
import { SECRET } from './support/app'
import { type Handler, type Host, HOSTS } from './support/h3-hosts'
import { serve } from './support/server'

type Marks = Record<string, string>

const PUBLIC = { 'cache-control': 'public, max-age=60' }
const CDN = { 'cdn-cache-control': 'max-age=60' }
const MARKS: Marks[] = [
  PUBLIC,
  CDN,
  { 'vercel-cdn-cache-control': 'max-age=60', 'cache-control': 'private' },
  { 'surrogate-control': 'max-age=60' },
  { expires: 'Thu, 01 Jan 2099 00:00:00 GMT' },
  { 'cache-control': 'public, no-cache="Set-Cookie"' },
]

const isV1 = (event: SessionEvent): event is H3V1Event => !isV2(event)

function mark(event: SessionEvent, marks: Marks): void {
  for (const [name, value] of Object.entries(marks)) {
    if (isV1(event))
      event.node.res.setHeader(name, value)
    else
      (event as H3V2Event).res.headers.set(name, value)
  }
}

function fail(event: SessionEvent, marks: Marks): never {
  if (!isV1(event))
    throw new HTTPError({ status: 418, headers: marks })
  mark(event, marks)
  throw createError({ statusCode: 418 })
}

/** Ways to answer, each with marks for shared caches. */
const ANSWERS: { name: string, marks?: Marks, answer: Handler }[] = [
  ...MARKS.flatMap(marks => [
    { name: `${JSON.stringify(marks)} before the session is read`, marks, answer: (event: SessionEvent) => (mark(event, marks), getSession(event), 'ok') },
    { name: `${JSON.stringify(marks)} after the session was read`, marks, answer: (event: SessionEvent) => (getSession(event), mark(event, marks), 'ok') },
    { name: `a Response with ${JSON.stringify(marks)}`, marks, answer: (event: SessionEvent) => (getSession(event), new Response('ok', { headers: marks })) },
  ]),
  // The bytes of `İ`, which Node takes for UTF-8 in this header; in lower case it is two characters.
  ...[1, 30].map(count => ({ name: `a file whose name has ${count} letters that are longer in lower case`, answer: (event: SessionEvent) => (getSession(event), mark(event, { 'content-disposition': `attachment; filename="${'Ä°'.repeat(count)}.txt"`, 'vary': 'Origin', ...PUBLIC }), 'ok') })),
  { name: 'handleCacheHeaders', answer: event => (getSession(event), isV1(event) ? handleCacheHeaders(event, { maxAge: 60 }) : handleCacheHeadersV2(event as H3V2Event, { maxAge: 60 }), 'ok') },
  { name: 'a stream', answer: event => (getSession(event), mark(event, PUBLIC), new Response('ok').body) },
  { name: 'a redirect', answer: event => (getSession(event), mark(event, PUBLIC), isV1(event) ? sendRedirect(event, '/') : redirect('/')) },
  { name: 'an answer with headers of its own', answer: event => (getSession(event), isV1(event) ? new Response('ok', { headers: PUBLIC }) : new HTTPResponse('ok', { headers: PUBLIC })) },
  { name: 'Response.redirect', answer: event => (getSession(event), mark(event, PUBLIC), Response.redirect('http://127.0.0.1/')) },
  { name: 'an error that is thrown', answer: event => (getSession(event), fail(event, PUBLIC)) },
  { name: 'an error that is thrown, with a header for CDNs', marks: CDN, answer: event => (getSession(event), fail(event, CDN)) },
]

/** Signs in under its own path, and answers as the test wants under all others. */
const withLogin = (answer: Handler): Handler => event => pathOf(event) === '/login' ? updateSession(event, { user: 'Ada' }) : answer(event)

const pathOf = (event: SessionEvent): string => String(Reflect.get(event, 'path'))

async function signIn(visitor: Visitor): Promise<void> {
  expect(await (await visitor.fetch('/login')).json()).toEqual({ user: 'Ada' })
}

// What is logged of the errors that these tests make.
beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))
afterEach(() => void vi.restoreAllMocks())

/** As `serve` does where responses are not those of Node. */
const FROZEN: Host = {
  name: 'h3 v2, an app that is frozen',
  major: 2,
  isNode: false,
  async start(handler, middleware = []) {
    const app = new H3({ silent: true })
    middleware.forEach(each => app.use((event, next) => each(event, next)))
    app.all('/**', event => handler(event))
    Object.freeze(app.config)
    return createVisitor('http://127.0.0.1', new Map(), async (url, init) => app.fetch(new Request(url, init)))
  },
}

describe.each([...HOSTS, FROZEN])('$name', ({ start }) => {
  const startApp = (answer: Handler): Promise<Visitor> =>
    start(withLogin(answer), [sessionMiddleware({ secret: SECRET, store: createStorage() })])

  describe.each(ANSWERS)('$name', ({ marks = PUBLIC, answer }) => {
    it('leaves without a mark for a visitor whose session was used', async () => {
      const visitor = await startApp(answer)
      await signIn(visitor)
      const { headers } = await visitor.fetch('/')
      expect(isForSharedCaches(headers)).toBe(false)
      expect(headers.get('cache-control')).toMatch(/^(?:no-store|private)$/)
      expect(headers.get('vary')).toContain('Cookie')
    })

    it('stays for caches, which are told of the cookie, for a visitor without a session', async () => {
      const { headers } = await (await startApp(answer)).fetch('/')
      for (const [name, value] of Object.entries(marks))
        expect(headers.get(name)).toContain(value)
      expect(headers.get('vary')).toContain('Cookie')
    })
  })

  it('leaves marks and Vary alone where no session was used', async () => {
    const visitor = await startApp(event => (mark(event, PUBLIC), 'ok'))
    await signIn(visitor)
    const { headers } = await visitor.fetch('/')
    expect([headers.get('cache-control'), headers.get('vary')]).toEqual([PUBLIC['cache-control'], null])
  })

  it('takes the mark from an answer that was fetched', async () => {
    const other = await serve((_, res) => res.writeHead(200, PUBLIC).end('for everybody'))
    const visitor = await startApp(event => (getSession(event), fetch(`http://127.0.0.1:${other.port}`)))
    expect((await visitor.fetch('/')).headers.get('cache-control')).toBe(PUBLIC['cache-control'])
    await signIn(visitor)
    const response = await visitor.fetch('/')
    expect([await response.text(), response.headers.get('cache-control')]).toEqual(['for everybody', 'no-store'])
  })
})
