import type { Browser, Page } from 'playwright-core'
import type { Visitor } from '../support/browser'
import type { RunningServer } from '../support/nitro'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor } from '../support/browser'
import { hasChromium, launchChromium } from '../support/chromium'
import { GITEA_CLIENT, startGitea } from '../support/gitea'
import { startServer } from '../support/nitro'
import { buildNuxt } from '../support/nuxt'
import { PASSWORD } from '../support/other-packages'

const CREDENTIALS = { name: 'Ada', password: 'analytical engine' }

let folder: string
let provider: Awaited<ReturnType<typeof startGitea>>
let before: RunningServer
let after: RunningServer

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unsession-'))
  provider = await startGitea()
  const environment = { NUXT_OAUTH_GITEA_CLIENT_ID: GITEA_CLIENT.id, NUXT_OAUTH_GITEA_CLIENT_SECRET: GITEA_CLIENT.secret, NUXT_OAUTH_GITEA_BASE_URL: provider.url }
  const [oldEntry, newEntry] = await Promise.all(['before', 'after'].map(name => buildNuxt(`moving/nuxt-auth-utils/${name}`)))
  before = await startServer(oldEntry!, { ...environment, NUXT_SESSION_PASSWORD: PASSWORD }, folder)
  after = await startServer(newEntry!, { ...environment, NUXT_SESSION_MIGRATE_PASSWORD: PASSWORD }, folder)
})
afterAll(async () => {
  await before?.stop()
  await after?.stop()
  provider?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** The same visitor at the other server. */
const move = (visitor: Visitor): Visitor => createVisitor(after.url, visitor.cookies)

async function count(visitor: Visitor): Promise<number> {
  return (await (await visitor.post('/api/visits')).json()).visits
}

/** Signs in with Gitea, as a browser that follows its redirects. */
async function signInWithGitea(visitor: Visitor): Promise<Response> {
  const atProvider = (await visitor.fetch('/auth/gitea')).headers.get('location')!
  const { headers } = await fetch(atProvider, { redirect: 'manual' })
  const { pathname, search } = new URL(headers.get('location')!)
  return visitor.fetch(pathname + search)
}

describe('a visitor of nuxt-auth-utils', () => {
  it('stays signed in, keeps the data, and goes on', async () => {
    const visitor = createVisitor(before.url)
    expect((await visitor.fetch('/api/orders')).status).toBe(401)
    expect((await visitor.fetch('/account')).headers.get('location')).toBe('/')
    expect([await count(visitor), await count(visitor)]).toEqual([1, 2])
    expect((await visitor.post('/api/login', { ...CREDENTIALS, password: 'guessed' })).status).toBe(401)
    expect((await visitor.post('/api/login', CREDENTIALS)).headers.get('location')).toBe('/account')
    expect(await (await visitor.fetch('/account')).text()).toContain('Hello, Ada.')

    const moved = move(visitor)
    expect(await moved.json('/api/orders')).toEqual({ orders: [], of: 'Ada' })
    expect([...moved.cookies.keys()]).toEqual([COOKIE, `unsession.${COOKIE}`])
    expect(await count(moved)).toBe(3)
    expect(await (await moved.fetch('/account')).text()).toContain('Hello, Ada.')

    expect(await (await moved.fetch('/_session', { method: 'DELETE' })).json()).toMatchObject({ data: {} })
    expect(moved.cookies.size).toBe(0)
    expect((await moved.fetch('/api/orders')).status).toBe(401)
  })

  it('is known to the first page, and to one that is cached', async () => {
    const visitor = createVisitor(before.url)
    await visitor.post('/api/login', CREDENTIALS)
    const [first, cached] = [move(createVisitor(before.url, new Map(visitor.cookies))), move(visitor)]
    expect(await (await first.fetch('/account')).text()).toContain('Hello, Ada.')
    expect([...first.cookies.keys()]).toEqual([COOKIE, `unsession.${COOKIE}`])

    const about = await cached.fetch('/about')
    expect(about.headers.get('cache-control')).toBe('no-store')
    expect(await about.text()).toContain('Loading')
    expect([...cached.cookies.keys()]).toEqual([COOKIE, `unsession.${COOKIE}`])
    expect(await cached.json('/_session')).toMatchObject({ data: { user: { name: 'Ada' } } })
    expect((await createVisitor(after.url).fetch('/about')).headers.getSetCookie()).toEqual([])
  })

  it('signs in anew by the same form, with a new id and a message', async () => {
    const visitor = createVisitor(after.url)
    await count(visitor)
    const anonymous = visitor.cookies.get(COOKIE)
    expect((await visitor.post('/api/login', { ...CREDENTIALS, password: 'guessed' })).status).toBe(401)
    expect((await visitor.post('/api/login', CREDENTIALS)).headers.get('location')).toBe('/account')
    expect(visitor.cookies.get(COOKIE)).not.toBe(anonymous)
    expect(await (await visitor.fetch('/account')).text()).toContain('Welcome, Ada.')
    expect(await (await visitor.fetch('/account')).text()).not.toContain('Welcome, Ada.')
    expect(await count(visitor)).toBe(2)
  })

  it('signs in with the OAuth handlers of nuxt-auth-utils, before and after', async () => {
    const visitor = createVisitor(before.url)
    await signInWithGitea(visitor)
    expect(await visitor.json('/api/orders')).toEqual({ orders: [], of: 'grace' })
    const moved = move(visitor)
    expect(await moved.json('/api/orders')).toEqual({ orders: [], of: 'grace' })

    const newcomer = createVisitor(after.url)
    expect((await signInWithGitea(newcomer)).headers.get('location')).toBe('/account')
    expect(await newcomer.json('/api/orders')).toEqual({ orders: [], of: 'grace' })
    expect([...newcomer.cookies.keys()].filter(name => name.startsWith('nuxt-session'))).toEqual([])
  })
})

describe('what behaves differently', () => {
  /** Makes a call of the package on the server, and gives what it resolves with. */
  async function call(visitor: Visitor, name: string, ...given: unknown[]): Promise<unknown> {
    const response = await visitor.post('/api/calls', { call: name, given })
    return response.ok ? (await response.json()).result : response.status
  }
  const ada = { id: 1, name: 'Ada', roles: ['reader'] }

  it('a new visitor gets a cookie by reading there, and none here', async () => {
    const [there, here] = [createVisitor(before.url), createVisitor(after.url)]
    expect([await call(there, 'getUserSession'), there.cookies.size]).toEqual([{ id: expect.any(String) }, 1])
    expect([await call(here, 'getSession'), here.cookies.size]).toEqual([null, 0])
  })

  it('objects and arrays are merged there, and replaced here unless a function says more', async () => {
    const [there, here] = [createVisitor(before.url), createVisitor(after.url)]
    await call(there, 'setUserSession', { user: ada, theme: 'dark' })
    expect(await call(there, 'setUserSession', { user: { roles: ['author'] }, theme: null })).toEqual({ user: { ...ada, roles: ['author', 'reader'] }, theme: 'dark' })
    await call(here, 'updateSession', { user: ada, theme: 'dark' })
    expect(await call(here, 'updateSession', { theme: null })).toEqual({ user: ada, theme: null })
    expect(await call(here, 'addRole', 'author')).toEqual({ user: { ...ada, roles: ['reader', 'author'] }, theme: null })
    expect(await call(here, 'updateSession', { user: { roles: ['author'] } })).toEqual({ user: { roles: ['author'] }, theme: null })
  })

  it('`replaceUserSession` keeps the other data there, and `keep: false` nothing of it', async () => {
    const [there, here] = [createVisitor(before.url), createVisitor(after.url)]
    await call(there, 'setUserSession', { user: ada, theme: 'dark' })
    const { id } = await call(there, 'getUserSession') as { id: string }
    expect(await call(there, 'replaceUserSession', { visits: 1 })).toEqual({ user: ada, theme: 'dark', visits: 1 })
    expect(await call(there, 'getUserSession')).toMatchObject({ id })
    await call(here, 'updateSession', { user: ada, theme: 'dark' })
    await call(here, 'regenerateSession', { visits: 1 }, { keep: false })
    expect(await call(here, 'getSession')).toEqual({ visits: 1 })
  })

  it('a Date becomes text there, and is INVALID_VALUE here', async () => {
    const [there, here] = [createVisitor(before.url), createVisitor(after.url)]
    await there.post('/api/date')
    expect(await call(there, 'getUserSession')).toMatchObject({ loggedInAt: '1970-01-01T00:00:00.000Z' })
    expect(await (await here.post('/api/date')).json()).toEqual({ code: 'INVALID_VALUE' })
  })

  it('the browser sees all but `secure` there, and only what is exposed here', async () => {
    const [there, here] = [createVisitor(before.url), createVisitor(after.url)]
    const data = { user: ada, visits: 1, secure: { token: 'x' } }
    await call(there, 'setUserSession', data)
    expect(await there.json('/api/_auth/session')).toEqual({ user: ada, visits: 1, id: expect.any(String) })
    await call(here, 'updateSession', data)
    expect(await here.json('/_session')).toMatchObject({ data: { user: ada } })
    expect(await (await here.fetch('/_session')).text()).not.toMatch(/visits|token|"id":"/)
  })

  it('a copy of the cookie outlives the logout there, and not here', async () => {
    const [there, here] = [createVisitor(before.url), createVisitor(after.url)]
    await call(there, 'setUserSession', { user: ada })
    await call(here, 'regenerateSession', { user: ada })
    const copies = [createVisitor(before.url, new Map(there.cookies)), createVisitor(after.url, new Map(here.cookies))]
    expect([await call(there, 'clearUserSession'), await call(here, 'destroySession')]).toEqual([true, null])
    expect([await call(copies[0]!, 'getUserSession'), await call(copies[1]!, 'getSession')]).toEqual([{ user: ada, id: expect.any(String) }, null])
  })

  it('a `maxAge` of one call is forgotten by the next there, and stays with the session here', async () => {
    const lineOf = async (visitor: Visitor, name: string, ...given: unknown[]): Promise<string> => (await visitor.post('/api/calls', { call: name, given })).headers.getSetCookie().at(-1)!
    const secondsOf = (line: string): number => Math.round((Date.parse(/Expires=([^;]+)/.exec(line)![1]!) - Date.now()) / 1000)
    const [there, here] = [createVisitor(before.url), createVisitor(after.url)]
    expect(secondsOf(await lineOf(there, 'setUserSession', { visits: 1 }, { maxAge: 3600 }))).toBeLessThanOrEqual(3600)
    expect(secondsOf(await lineOf(there, 'setUserSession', { visits: 2 }))).toBeGreaterThan(3600)
    await call(here, 'updateSession', { visits: 1 })
    expect(await lineOf(here, 'limit', 3600)).toContain('Max-Age=3600;')
    expect(Number(/Max-Age=(\d+)/.exec(await lineOf(here, 'updateSession', { visits: 2 }))![1])).toBeLessThanOrEqual(3600)
  })

  it('a session that a hook refuses goes on in API routes there, and is over here', async () => {
    const blocked = { id: 3, name: 'Eve' }
    const [there, here] = [createVisitor(before.url), createVisitor(after.url)]
    await call(there, 'setUserSession', { user: blocked })
    expect([(await there.fetch('/account')).status, (await there.fetch('/api/orders')).status]).toEqual([302, 200])
    await call(here, 'updateSession', { user: blocked })
    expect([(await here.fetch('/account')).status, (await here.fetch('/api/orders')).status]).toEqual([302, 401])
    expect(here.cookies.size).toBe(0)
    expect(after.output()).toContain('logout of Eve')
  })

  it('its session utils fail without their password, so that none is forgotten', async () => {
    expect((await createVisitor(after.url).fetch('/api/_auth/session')).status).toBe(500)
    expect(after.output()).toContain('NUXT_SESSION_PASSWORD')
  })
})

describe.runIf(hasChromium())('pages that were written for nuxt-auth-utils, in Chromium', () => {
  let browser: Browser
  let page: Page
  const open = async (path: string): Promise<void> => {
    await page.goto(path)
    await page.waitForFunction(() => (globalThis as unknown as { useNuxtApp?: () => { isHydrating?: boolean } }).useNuxtApp?.().isHydrating === false)
  }
  beforeAll(async () => {
    browser = await launchChromium()
    page = await (await browser.newContext({ baseURL: after.url })).newPage()
  })
  afterAll(() => browser?.close())

  it('have its composable and its component, also where they are cached', async () => {
    await open('/unchanged')
    await page.getByRole('heading', { name: 'Known: nobody' }).waitFor()
    await page.request.post('/api/login', { data: CREDENTIALS, maxRedirects: 0 })
    await page.getByRole('button', { name: 'Fetch' }).click()
    await page.getByRole('heading', { name: 'Known: Ada' }).waitFor()

    expect(await (await page.request.get('/about')).text()).toContain('Loading')
    await open('/about')
    await page.getByRole('button', { name: 'Sign out Ada' }).click()
    await page.getByRole('link', { name: 'Sign in' }).waitFor()
  })

  it('sign in by a window of its own', async () => {
    await open('/unchanged')
    await page.getByRole('heading', { name: 'Known: nobody' }).waitFor()
    const opened = page.waitForEvent('popup')
    await page.getByRole('button', { name: 'Sign in with Gitea' }).click()
    const popup = await opened
    if (!popup.isClosed())
      await popup.waitForEvent('close')
    await page.getByRole('heading', { name: 'Known: grace' }).waitFor()
    expect(popup.isClosed()).toBe(true)
  })
})
