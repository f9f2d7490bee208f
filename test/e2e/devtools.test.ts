import type { Browser, Page } from 'playwright-core'
import type { Visitor } from '../support/browser'
import type { RunningServer } from '../support/nitro'
import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createIdCodec } from '../../src/core/cookie/token'
import { createVisitor, setCookiesOf } from '../support/browser'
import { hasChromium, launchChromium } from '../support/chromium'
import { buildNitro, startCommand, startServer, TEST_SECRET, WITHOUT_CLEANUP } from '../support/nitro'
import { freePort } from '../support/ports'
import { hasRedis, startRedis } from '../support/redis'
import { idOf, recordName } from '../support/trouble'

const root = join(import.meta.dirname, '../..')
const fixtures = join(root, 'test/fixtures')

const PAGE = '/__unsession__'

/** What only the page holds. */
const MARKERS = ['__unsession__', 'The first 12 characters of the storage key']

const OLD_SECRET = 'a secret that signed before the present one did'

/** Written by the tests into the copied fixture: a value where records are. */
const PUT = `export default defineEventHandler(async (event) => {
  for (const [key, value] of Object.entries(await readBody(event)))
    await useStorage('session').setItem(key, value)
})
`

interface State {
  mode: string
  current: { handle?: string, record?: { data: object, flash: object, lifetime?: object }, note?: string }
  stored: { driver?: string, total?: number, note?: string, sessions?: { handle: string, isCurrent: boolean, kind: string, keys?: number, messages?: number }[] }
}

/** A project of its own, whose files a dev server may write beside. */
async function copyFixture(name: string): Promise<string> {
  const project = await mkdtemp(join(fixtures, '.dev-'))
  await cp(join(fixtures, name), project, { recursive: true, filter: source => !/\/\.(?:output|nuxt|nitro|data)/.test(source) })
  return project
}

function startDev(project: string, env: Record<string, string> = {}): Promise<RunningServer> {
  return startCommand(process.execPath, [join(root, 'node_modules/nitropack/dist/cli/index.mjs'), 'dev', '--dir', project, '--host', '127.0.0.1', '--port', '0'], { NITRO_SESSION_SECRET: TEST_SECRET, ...env })
}

const look = (visitor: Visitor): Promise<State> => visitor.json<State>(`${PAGE}/state`)

const remove = (visitor: Visitor, handle: string, headers = {}): Promise<Response> =>
  visitor.fetch(`${PAGE}/sessions/${handle}`, { method: 'DELETE', headers })

const handleOf = (visitor: Visitor): string => recordName(visitor, 'session').slice(0, 12)

describe('the development page of plain Nitro', () => {
  let project: string
  let server: RunningServer
  beforeAll(async () => {
    project = await copyFixture('nitro')
    await writeFile(join(project, 'routes/put.post.ts'), PUT)
    server = await startDev(project, { NITRO_SESSION_SECRET: JSON.stringify([TEST_SECRET, OLD_SECRET]), ...WITHOUT_CLEANUP })
  })
  afterAll(async () => {
    await server?.stop()
    await rm(project, { recursive: true, force: true })
  })

  const signIn = async (user: string): Promise<Visitor> => {
    const visitor = createVisitor(server.url)
    await visitor.post('/login', { user })
    return visitor
  }
  const control = (settings?: object): Promise<{ counts: object, keys: string[] }> =>
    createVisitor(server.url).json('/control', settings && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(settings) })

  it('shows the session of the browser that asks', async () => {
    const alice = await signIn('alice')
    await alice.post('/many')
    expect(await look(alice)).toMatchObject({
      mode: 'storage',
      current: {
        handle: handleOf(alice),
        record: { data: { user: 'alice' }, flash: { success: 'Done' }, lifetime: { maxAge: 3600 } },
      },
    })
  })

  it('lists the stored sessions of all, and of others nothing of their data', async () => {
    const alice = await signIn('alice')
    const bob = await signIn('bob-the-other')
    const state = await look(alice)
    expect(state.stored.sessions).toContainEqual(expect.objectContaining({ handle: handleOf(alice), isCurrent: true, kind: 'session', keys: 1, messages: 1 }))
    expect(state.stored.sessions).toContainEqual(expect.objectContaining({ handle: handleOf(bob), isCurrent: false }))
    expect(JSON.stringify(state)).not.toContain('bob-the-other')
  })

  it('leaves the messages that it shows', async () => {
    const alice = await signIn('alice')
    for (let time = 0; time < 2; time++)
      expect((await look(alice)).current.record?.flash).toEqual({ success: 'Welcome alice' })
    expect(await alice.json('/flash')).toEqual({ success: 'Welcome alice' })
    expect((await look(alice)).current.record?.flash).toEqual({})
  })

  it('looking writes nothing, sets no cookie and calls no hook, also where a page would', async () => {
    const alice = await signIn('alice')
    const outdated = createIdCodec([OLD_SECRET], 'session').write({ id: idOf(alice.cookies.get('session')!) } as never)
    const visitor = (): Visitor => createVisitor(server.url, new Map([['session', outdated]]))
    await alice.json('/hooks')
    const { counts } = await control()
    for (const path of [PAGE, `${PAGE}/state`])
      expect(setCookiesOf(await visitor().fetch(path), 'session')).toEqual([])
    expect((await look(visitor())).current.handle).toBe(handleOf(alice))
    expect((await control()).counts).toMatchObject({ setItem: (counts as { setItem: number }).setItem })
    expect(await createVisitor(server.url).json('/hooks')).toEqual([])
    // The same cookie elsewhere is issued anew.
    expect(setCookiesOf(await visitor().fetch('/visits'), 'session')).toHaveLength(1)
  })

  it('never answers with an id, a cookie or a whole key', async () => {
    const alice = await signIn('alice')
    const texts = [await (await alice.fetch(PAGE)).text(), JSON.stringify(await look(alice)), await (await alice.fetch(`${PAGE}/icon.svg`)).text()]
    const cookie = alice.cookies.get('session')!
    const [, signature] = cookie.split('.')
    const removal = await remove(alice, handleOf(alice))
    texts.push(await removal.text(), ...[...removal.headers].map(([, value]) => value))
    for (const text of texts) {
      for (const secret of [idOf(cookie), cookie, signature!, ...(await control()).keys])
        expect(text).not.toContain(secret)
    }
  })

  it.each([
    ['without a cookie', undefined, 'No session yet'],
    ['with a cookie of something else', 'something', 'none of ours'],
    ['with the cookie of another app on the same host', 'something', 'another app on this host may use the same name, and then each logs the other out. Give this one a name of its own with the option cookie.name, or NITRO_SESSION_COOKIE_NAME'],
    ['with a forged cookie', createIdCodec(['another secret than the one of the server'], 'session').write({ id: 'A'.repeat(24) } as never), 'did not sign, so it counts as no cookie. Browsers do not tell ports apart'],
    ['with the cookie of a session that is over', createIdCodec([TEST_SECRET], 'session').write({ id: 'B'.repeat(24) } as never), 'destroyed, deleted or replaced'],
  ])('says why there is no session %s', async (_, cookie, note) => {
    const { current } = await look(createVisitor(server.url, new Map(cookie ? [['session', cookie]] : [])))
    expect(current).toEqual({ note: expect.stringContaining(note) })
  })

  it('deletes the session of another browser, which has none from then on', async () => {
    const alice = await signIn('alice')
    const bob = await signIn('bob')
    expect((await remove(alice, handleOf(bob))).status).toBe(204)
    expect((await bob.fetch('/guarded')).status).toBe(303)
    expect(await alice.json('/guarded')).toEqual({ user: 'alice' })
    expect((await look(alice)).stored.sessions?.map(({ handle }) => handle)).not.toContain(handleOf(bob))
  })

  it('ends the own session with its cookie, as the app does', async () => {
    const alice = await signIn('alice')
    const handle = handleOf(alice)
    await alice.json('/hooks')
    expect((await remove(alice, handle)).status).toBe(204)
    expect(alice.cookies.has('session')).toBe(false)
    expect((await control()).keys.filter(key => key.startsWith(handle))).toEqual([])
    expect(await alice.json<string[]>('/hooks')).toContainEqual(expect.stringContaining('destroyed'))
  })

  it.each([
    ['of another site', { 'sec-fetch-site': 'cross-site' }],
    ['of a sibling of its site', { 'sec-fetch-site': 'same-site' }],
    ['of another origin', { origin: 'http://elsewhere.example' }],
    ['of an opaque origin', { origin: 'null' }],
  ])('refuses requests %s', async (_, headers: Record<string, string>) => {
    const alice = await signIn('alice')
    const refused = await alice.fetch(`${PAGE}/state`, { headers })
    expect([refused.status, await refused.text()]).toEqual([403, expect.not.stringContaining('alice')])
    expect((await remove(alice, handleOf(alice), headers)).status).toBe(403)
    expect(await alice.json('/guarded')).toEqual({ user: 'alice' })
  })

  it('deletes by no method that a browser sends without asking, and nothing that it does not know', async () => {
    const alice = await signIn('alice')
    expect((await alice.post(`${PAGE}/sessions/${handleOf(alice)}`)).status).toBe(404)
    expect((await remove(alice, '0'.repeat(12))).status).toBe(404)
    expect((await remove(alice, handleOf(alice).slice(0, 11))).status).toBe(404)
    expect(await alice.json('/guarded')).toEqual({ user: 'alice' })
  })

  it('is kept by no cache, and answers no path beside its own', async () => {
    for (const path of [PAGE, `${PAGE}/`, `${PAGE}?x`, `${PAGE}/state`, `${PAGE}/nothing`])
      expect((await fetch(server.url + path)).headers.get('cache-control'), path).toBe('no-store')
    const other = await fetch(`${server.url}${PAGE}other`)
    expect([other.status, other.headers.get('cache-control')]).toEqual([404, expect.not.stringContaining('no-store')])
  })

  it('lists what has expired and what is no record, and deletes both', async () => {
    const alice = await signIn('alice')
    const [expired, broken] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')]
    const record = { version: 1, revision: 'x', expiresAt: 2, data: {}, flash: {}, createdAt: 1, lastSeenAt: 1 }
    await alice.post('/put', { [expired]: JSON.stringify(record), [broken]: 'half a rec', 'something-else': 'of the app' })
    const { sessions } = (await look(alice)).stored
    expect(sessions?.filter(({ kind }) => kind !== 'session').map(({ handle, kind }) => [kind, handle]).sort())
      .toEqual([['expired', expired.slice(0, 12)], ['unreadable', broken.slice(0, 12)]])
    for (const key of [expired, broken])
      expect((await remove(alice, key.slice(0, 12))).status).toBe(204)
    expect((await control()).keys).not.toContain(broken)
  })

  it('shows 200 of many, that of the browser among them', async () => {
    const many = Array.from({ length: 220 }, () => randomBytes(32).toString('hex'))
    await createVisitor(server.url).post('/put', Object.fromEntries(many.map(key => [key, 'x'])))
    const alice = await signIn('alice')
    const { stored } = await look(alice)
    expect([stored.sessions?.length, stored.sessions?.[0]]).toEqual([200, expect.objectContaining({ handle: handleOf(alice) })])
    expect(stored.total).toBeGreaterThan(220)
    await Promise.all(many.map(key => remove(alice, key.slice(0, 12))))
  })

  it('says that storage fails, and does not fail with it', async () => {
    const alice = await signIn('alice')
    await control({ failing: ['getItem'] })
    const { current, stored } = await look(alice)
    await control({ failing: [] })
    expect([current.note, stored.note]).toEqual([expect.stringContaining('getItem fails'), expect.stringContaining('getItem fails')])
  })

  describe.runIf(hasChromium())('in Chromium', () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await launchChromium()
    })
    afterAll(() => browser?.close())

    const open = async (user?: string): Promise<{ page: Page, complaints: string[] }> => {
      const page = await (await browser.newContext({ baseURL: server.url })).newPage()
      const complaints: string[] = []
      page.on('console', message => void (message.type() === 'error' && complaints.push(message.text())))
      page.on('pageerror', error => complaints.push(String(error)))
      if (user)
        await page.request.post('/login', { data: { user }, maxRedirects: 0 })
      await page.goto(PAGE)
      return { page, complaints }
    }

    it('shows the session, and data as text whatever it looks like', async () => {
      const { page, complaints } = await open('<img src=x onerror=alert(1)>')
      const current = page.getByRole('region', { name: 'This browser' })
      await current.getByText('"<img src=x onerror=alert(1)>"').first().waitFor()
      await current.getByText('"Welcome <img src=x onerror=alert(1)>"').first().waitFor()
      await current.getByText('in 7 days').waitFor()
      expect(await current.locator('img').count()).toBe(0)
      expect(complaints).toEqual([])
      await page.context().close()
    })

    it('a button deletes the session of somebody else', async () => {
      const bob = await signIn('bob')
      const { page, complaints } = await open('alice')
      await page.getByRole('button', { name: `Delete ${handleOf(bob)}` }).click()
      await page.getByText(handleOf(bob)).waitFor({ state: 'detached' })
      expect((await bob.fetch('/guarded')).status).toBe(303)
      await page.getByText('this browser', { exact: true }).waitFor()
      expect(complaints).toEqual([])
      await page.context().close()
    })

    it('the table has room for its buttons, whatever the age of the sessions', async () => {
      const minutes = (count: number): number => Date.now() + count * 60_000
      const old = { version: 1, revision: 'x', expiresAt: minutes(43_190), createdAt: minutes(-83.75), lastSeenAt: minutes(-23.75), data: { a: 1, b: 2 }, flash: { success: 1, error: 2 } }
      await createVisitor(server.url).post('/put', { [randomBytes(32).toString('hex')]: JSON.stringify(old) })
      const { page, complaints } = await open('alice')
      await page.getByText('in 30 days').waitFor()
      await page.getByText(/^2[4-9] minutes ago$/).waitFor()
      expect(await page.locator('.scroll').evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0)
      expect(complaints).toEqual([])
      await page.context().close()
    })

    it('a button ends the own session', async () => {
      const { page, complaints } = await open('alice')
      await page.getByRole('button', { name: 'End session' }).click()
      await page.getByText('No session yet').waitFor()
      expect(await page.context().cookies()).toEqual([])
      expect(complaints).toEqual([])
      await page.context().close()
    })

    it('the refresh button shows what came since', async () => {
      const { page, complaints } = await open()
      await page.getByText('No session yet').waitFor()
      await page.request.post('/login', { data: { user: 'alice' }, maxRedirects: 0 })
      await page.getByRole('button', { name: 'Refresh' }).click()
      await page.getByText('"alice"', { exact: true }).first().waitFor()
      expect(complaints).toEqual([])
      await page.context().close()
    })
  })

  it('cookie mode: shows the session, nothing of the cookie, and ends it', async () => {
    await server.stop()
    server = await startDev(project, { NITRO_SESSION_MODE: 'cookie' })
    const alice = await signIn('alice')
    const state = await look(alice)
    expect(state).toMatchObject({ mode: 'cookie', current: { record: { data: { user: 'alice' } } }, stored: { note: expect.stringContaining('cookie mode') } })
    const cookie = alice.cookies.get('session')!
    expect(JSON.stringify(state)).not.toContain(cookie)
    expect((await remove(alice, state.current.handle!)).status).toBe(204)
    expect(alice.cookies.has('session')).toBe(false)
  })
})

describe('the development page and its drivers', () => {
  it('files: lists and deletes, below the base URL of the app', async () => {
    const project = await copyFixture('nitro-bare')
    const server = await startDev(project, { NITRO_APP_BASE_URL: '/app/' })
    try {
      const visitor = createVisitor(server.url)
      await visitor.json('/app/visit')
      const page = `/app${PAGE}`
      expect(await (await visitor.fetch(page)).text()).toContain(`<base href="${page}/">`)
      expect((await visitor.json<State>(`${page}/state`)).stored).toMatchObject({ driver: 'fs-lite', total: 1, sessions: [{ handle: handleOf(visitor), isCurrent: true }] })
      const other = createVisitor(server.url)
      expect((await other.fetch(`${page}/sessions/${handleOf(visitor)}`, { method: 'DELETE' })).status).toBe(204)
      expect(await readdir(join(project, '.data/session'))).toEqual([])
    }
    finally {
      await server.stop()
      await rm(project, { recursive: true, force: true })
    }
  })

  it.runIf(hasRedis())('Redis: lists and deletes, although it expires by itself', async () => {
    const redis = await startRedis()
    const project = await copyFixture('nitro-hammer')
    const server = await startDev(project, { NITRO_SESSION_STORAGE_URL: redis.url })
    try {
      const visitor = createVisitor(server.url)
      await visitor.post('/login', {})
      expect((await look(visitor)).stored).toMatchObject({ driver: 'redis', total: 1, sessions: [{ handle: handleOf(visitor), isCurrent: true }] })
      expect((await remove(createVisitor(server.url), handleOf(visitor))).status).toBe(204)
      expect((await look(visitor)).stored).toMatchObject({ total: 0, sessions: [] })
    }
    finally {
      await server.stop()
      await redis.stop()
      await rm(project, { recursive: true, force: true })
    }
  })
})

describe('production', () => {
  it('a build holds nothing of the page, and its address is not found', async () => {
    const build = await buildNitro('nitro-bare')
    const server = await startServer(build.entry)
    try {
      for (const path of [PAGE, `${PAGE}/state`])
        expect((await fetch(server.url + path)).status).toBe(404)
      expect(await filesWith(build.outputDir, MARKERS)).toEqual([])
    }
    finally {
      await server.stop()
      await build.remove()
    }
  })

  it('the markers are in the page', async () => {
    const page = await readFile(join(root, 'src/runtime/server/devtools/page.html'), 'utf8')
    expect(page).toContain(MARKERS[1])
  })
})

describe('Nuxt', () => {
  let project: string
  beforeAll(async () => {
    project = await copyFixture('nuxt')
    const config = await readFile(join(project, 'nuxt.config.ts'), 'utf8')
    await writeFile(join(project, 'nuxt.config.ts'), config.replace('devtools: { enabled: false }', 'devtools: { enabled: true, disableAuthorization: true },\n  app: { baseURL: \'/app/\' }'))
  })
  afterAll(() => rm(project, { recursive: true, force: true }))

  it.runIf(hasChromium())('has the page as a tab of Nuxt DevTools, below the base URL of the app', async () => {
    const port = await freePort()
    const server = await startCommand(process.execPath, [join(root, 'node_modules/nuxt/bin/nuxt.mjs'), 'dev', project, '--host', '127.0.0.1', '--port', String(port)], { NUXT_SESSION_SECRET: TEST_SECRET })
    const browser = await launchChromium()
    try {
      const page = await browser.newPage({ baseURL: server.url, colorScheme: 'dark' })
      await page.route(url => url.host !== new URL(server.url).host, route => route.abort())
      // Nuxt DevTools greets on the first visit.
      await page.addInitScript(() => localStorage.setItem('nuxt-devtools-first-visit', 'false'))
      await page.goto('/app/api/visit')
      await page.goto('/app/__nuxt_devtools__/client/modules/custom-unsession')
      const frame = page.frameLocator(`iframe[src="/app${PAGE}"]`)
      await frame.getByText('visits', { exact: true }).waitFor()
      await frame.getByText('this browser', { exact: true }).waitFor()
      expect(await frame.locator('html').getAttribute('data-theme')).toBe('dark')
      await frame.getByRole('button', { name: 'End session' }).click()
      await frame.getByText('No session yet').waitFor()
    }
    finally {
      await browser.close()
      await server.stop()
    }
  })
})

/** The files of a folder that hold one of the texts. */
async function filesWith(dir: string, texts: string[]): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  const contents = await Promise.all(files.map(async file => [file, await readFile(file, 'utf8')] as const))
  return contents.filter(([, content]) => texts.some(text => content.includes(text))).map(([file]) => file)
}
