import type { Page } from 'playwright-core'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVisitor } from '../../support/browser'
import { hasChromium } from '../../support/chromium'
import { data, heading, htmlOf, jarOf, type Person, press, sessionRequests, settled, shown, text, useApp, visit } from './support'

/** Everything that keeps pages and shows them to whom they were not rendered for. */
describe.runIf(hasChromium())('a page that comes from a cache', () => {
  const app = useApp()

  /** A tab of a site that has its service worker. */
  const openWithWorker = async (person: Person, path: string, worker = '/caching-worker.js'): Promise<Page> => {
    const page = await person.open('/quiet')
    await page.evaluate(async (worker) => {
      await navigator.serviceWorker.register(worker)
      await navigator.serviceWorker.ready
      while (!navigator.serviceWorker.controller)
        await new Promise(resolve => setTimeout(resolve, 20))
    }, worker)
    await visit(page, path)
    return page
  }

  it('of a service worker, kept from before the login, shows who has signed in', async () => {
    const person = await app.person()
    const page = await openWithWorker(person, '/who')
    expect(await shown(page, 'who')).toEqual(['guest'])
    await person.post('/api/login', { name: 'Ada' })
    const requests = sessionRequests(page)
    await visit(page, '/who')
    await expect.poll(...text(page, 'who')).toBe('Ada')
    await settled(page)
    expect(requests.filter(request => request === 'GET')).toHaveLength(1)
  })

  it('of a service worker, kept from before the logout, shows nobody, and lets nobody in', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await openWithWorker(ada, '/members')
    expect(await shown(page, 'who')).toEqual(['Ada'])
    await ada.post('/api/logout')
    await page.goto('/members')
    await heading(page, 'login')
  })

  it('of a service worker, kept of somebody else, shows who it is now', async () => {
    const person = await app.person({ signedInAs: 'Ada' })
    const page = await openWithWorker(person, '/members')
    await person.post('/api/logout')
    await person.post('/api/login', { name: 'Bob' })
    await visit(page, '/members')
    await expect.poll(...text(page, 'who')).toBe('Bob')
    expect(await page.evaluate(() => globalThis.ended)).toBe(0)
  })

  it('of a service worker shows what it was kept with while the server cannot be reached', async () => {
    app.expectComplaint(/Failed to load resource|ERR_INTERNET/)
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await openWithWorker(ada, '/members')
    await page.route('**/_session', route => route.abort('internetdisconnected'))
    await visit(page, '/members')
    await heading(page, 'members')
    // Not confirmed, so it is told to nobody as if it were.
    expect(await shown(page, 'who')).toEqual(['unknown'])
  })

  it.each(['pass', 'fetch'])('of the server through a service worker (%s) shows its message, once', async (way) => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await openWithWorker(ada, '/who', `/passing-worker.js?way=${way}`)
    await ada.post('/api/set', { flash: { success: 'Saved.' } })
    await visit(page, '/messages')
    await expect.poll(...text(page, 'success')).toBe('"Saved."')
    await settled(page)
    expect(await shown(page, 'success')).toEqual(['"Saved."'])
    await visit(page, '/messages')
    await settled(page)
    expect(await shown(page, 'success')).toEqual(['none'])
  })

  it('of the server that a service worker let pass is ready at once', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await openWithWorker(ada, '/quiet', '/passing-worker.js?way=pass')
    const requests = sessionRequests(page)
    await visit(page, '/who')
    await settled(page)
    expect([requests, await shown(page, 'who', 'ready')]).toEqual([[], ['Ada', 'true']])
  })

  it.each([
    ['of another app', undefined],
    ['of a session that our secrets do not verify', 'forged'],
  ])('of the server is ready at once beside the mark %s', async (_, cookie) => {
    const person = await app.person()
    const url = app.server().url
    const name = cookie ? '__Host-session' : 'neighbour'
    await person.context.addCookies([
      { name: `unsession.${name}`, value: '1', url },
      ...cookie ? [{ name, value: cookie, domain: new URL(url).hostname, path: '/', secure: true }] : [],
    ])
    const page = await person.context.newPage()
    const requests = sessionRequests(page)
    await visit(page, '/who')
    await settled(page)
    expect([requests, await shown(page, 'who', 'ready')]).toEqual([[], ['guest', 'true']])
  })

  it.each(['/who-prerendered/', '/who-prerendered?from=here', '/who-prerendered#top'])('goes on where the app leads to %s', async (to) => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.context.newPage()
    await page.addInitScript(to => globalThis.leads = { '/who-prerendered': to }, to)
    let documents = 0
    page.on('request', request => documents += Number(request.isNavigationRequest()))
    await visit(page, '/who-prerendered')
    await expect.poll(...text(page, 'who')).toBe('Ada')
    expect([documents, page.url()]).toEqual([1, app.server().url + to])
  })

  it.each([
    ['signed in since', 'Ada', ''],
    ['signed out since', undefined, 'Ada'],
  ])('of a CDN that takes one visitor for another is right for who has %s', async (_, now, then) => {
    const before = app.visitor()
    if (then)
      await before.post('/api/login', { name: then })
    const html = await htmlOf(before, '/who')
    expect(html).toContain(then || 'guest')
    const person = await app.person({ signedInAs: now })
    const page = await person.context.newPage()
    await page.route('**/who', route => route.fulfill({ status: 200, contentType: 'text/html', body: html }))
    const requests = sessionRequests(page)
    await visit(page, '/who')
    await expect.poll(...text(page, 'who')).toBe(now ?? 'guest')
    expect(await shown(page, 'ready')).toEqual(['true'])
    await settled(page)
    expect(requests).toEqual(['GET'])
  })

  it.each(['/who-prerendered', '/spa', '/cached/swr', '/cached/prerendered'])('%s costs a visitor without a session no request, and is ready', async (path) => {
    const page = await (await app.person()).context.newPage()
    const requests = sessionRequests(page)
    for (let visits = 0; visits < 2; visits++) {
      await visit(page, path)
      await expect.poll(...data(page)).toEqual({})
      await settled(page)
      expect(await page.evaluate(() => globalThis.useNuxtApp() && globalThis.app.data())).toEqual({})
    }
    expect(requests).toEqual([])
  })

  it('is asked for once while there is a session, and for nothing once there is none', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.context.newPage()
    const requests = sessionRequests(page)
    await visit(page, '/who-prerendered')
    await expect.poll(...text(page, 'who')).toBe('Ada')
    await settled(page)
    expect(requests.splice(0)).toEqual(['GET'])
    await press(page, 'end')
    await expect.poll(...text(page, 'who')).toBe('guest')
    expect(requests.splice(0)).toEqual(['DELETE'])
    await visit(page, '/who-prerendered')
    await expect.poll(...text(page, 'who')).toBe('guest')
    await settled(page)
    expect(requests).toEqual([])
  })

  it.each([
    ['who is signed in', 'Ada', 'members-prerendered'],
    ['a visitor', undefined, 'login'],
  ])('is guarded in the browser: %s', async (_, signedInAs, title) => {
    const person = await app.person({ signedInAs })
    const page = await person.context.newPage()
    await page.goto('/members-prerendered')
    await heading(page, title)
    expect(new URL(page.url()).pathname).toBe(`/${title}`)
  })

  it('shows neither "Sign in" nor a name before it is known which is right', async () => {
    const nobody = app.visitor()
    expect(await htmlOf(nobody, '/who-prerendered')).toMatch(/<output id="who">unknown</)
    expect(await htmlOf(nobody, '/who')).toMatch(/<output id="who">guest</)
    const ada = await app.person({ signedInAs: 'Ada' })
    const page = await ada.context.newPage()
    let release = (): void => {}
    const released = new Promise<void>(resolve => release = resolve)
    await page.route('**/_session', async (route) => {
      await released
      await route.continue()
    })
    await visit(page, '/who-prerendered')
    expect(await shown(page, 'who', 'ready')).toEqual(['unknown', 'false'])
    release()
    await expect.poll(...text(page, 'who')).toBe('Ada')
    expect(await shown(page, 'ready')).toEqual(['true'])
  })

  it('a session whose mark is gone has it again after the next page', async () => {
    const ada = await app.person({ signedInAs: 'Ada' })
    await ada.context.clearCookies({ name: /^unsession\./ })
    await ada.open('/who')
    expect([...(await jarOf(ada)).keys()].sort()).toEqual(['__Host-session', 'unsession.__Host-session'])
    const page = await ada.open('/who-prerendered')
    await expect.poll(...text(page, 'who')).toBe('Ada')
  })
})

describe('the mark that goes with the session cookie', () => {
  const app = useApp({ NUXT_SESSION_COOKIE_SAME_SITE: 'strict', NUXT_SESSION_COOKIE_PRIORITY: 'high' })
  const linesOf = async (response: Promise<Response>): Promise<string[]> => (await response).headers.getSetCookie().map(line => line.replace(/=[^;]{20,};/, '=...;')).sort()

  it('says nothing, lasts as long, goes with it, and is the only one that scripts can read', async () => {
    const ada = app.visitor()
    const attributes = 'Max-Age=3600; Path=/; HttpOnly; Secure; SameSite=Strict; Priority=High'
    expect(await linesOf(ada.post('/api/login', { name: 'Ada' }))).toEqual([`__Host-session=...; ${attributes}`, `unsession.__Host-session=1; ${attributes.replace(' HttpOnly;', '')}`])
    expect(await linesOf(ada.post('/api/logout'))).toEqual([`__Host-session=; ${attributes.replace('3600', '0')}`, `unsession.__Host-session=; ${attributes.replace('3600', '0').replace(' HttpOnly;', '')}`])
  })

  it('a request with the mark alone is one of a visitor', async () => {
    const nobody = app.visitor(new Map([['unsession.__Host-session', '1']]))
    const response = await nobody.fetch('/_session')
    expect([await response.json(), response.headers.getSetCookie()]).toEqual([{ data: {}, hasMessages: false }, []])
  })
})

describe.runIf(hasChromium())('two apps of one origin', () => {
  const apps = [useApp({ NUXT_APP_BASE_URL: '/app-a/', NUXT_SESSION_COOKIE_NAME: 'a' }), useApp({ NUXT_APP_BASE_URL: '/app-b/', NUXT_SESSION_COOKIE_NAME: 'b' })]
  const proxy = createServer(async (request, response) => {
    const [a, b] = apps
    const { url: origin } = (request.url!.startsWith('/app-a/') ? a! : b!).server()
    const body = ['GET', 'HEAD'].includes(request.method!) ? undefined : await new Response(request as unknown as ReadableStream).arrayBuffer()
    const answer = await fetch(origin + request.url, { method: request.method!, headers: request.headers as Record<string, string>, body, redirect: 'manual' }).catch(() => undefined)
    const headers = [...answer?.headers ?? []].filter(([name]) => !['content-encoding', 'content-length', 'transfer-encoding'].includes(name))
    response.writeHead(answer?.status ?? 502, headers.flat())
    response.end(Buffer.from(answer ? await answer.arrayBuffer() : new ArrayBuffer(0)))
  })
  let origin: string
  beforeAll(async () => {
    await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(proxy.address() as { port: number }).port}`
  })
  afterAll(() => void proxy.closeAllConnections())
  afterAll(() => void proxy.close())

  it('do not wake each other\'s tabs, and hear nothing of each other', async () => {
    for (const app of apps)
      app.expectComplaint(/404 \(Not Found\)/)
    const person = await apps[0]!.person()
    const open = async (path: string): Promise<Page> => {
      const page = await person.context.newPage()
      await visit(page, origin + path)
      return page
    }
    const [page, other, foreign] = [await open('/app-a/who'), await open('/app-a/who'), await open('/app-b/who')]
    const requests = sessionRequests(foreign)
    const heard = await foreign.evaluateHandle(() => {
      const messages: unknown[] = []
      new BroadcastChannel('unsession').addEventListener('message', ({ data }) => messages.push(data))
      return messages
    })
    await page.evaluate(() => globalThis.app.change('/app-a/api/login', { name: 'Ada' }))
    await expect.poll(...text(other, 'who')).toBe('Ada')
    await foreign.evaluate(() => fetch('/app-b/api/plain'))
    expect(await shown(foreign, 'who')).toEqual(['guest'])
    expect([requests, await heard.jsonValue()]).toEqual([[], []])
    // The cookies are of one origin; each app sees its own.
    const visitor = createVisitor(origin, await jarOf(person))
    expect([await visitor.json('/app-a/_session'), await visitor.json('/app-b/_session')]).toMatchObject([{ data: { user: { name: 'Ada' } } }, { data: {} }])
  })
})
