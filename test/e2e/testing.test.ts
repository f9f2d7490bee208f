import type { NitroBuild, RunningServer } from '../support/nitro'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sessionCookies, sessionHeaders } from 'unsession/test'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readTestKey } from '../../src/core/testing/test-key'
import { COOKIE, createVisitor, keepCookie } from '../support/browser'
import { MAJORS as COMMANDS } from '../support/majors'
import { buildNitro, buildNitroForTests, environment, runToEnd, startServer, TEST_SECRET } from '../support/nitro'
import { buildNitro3, buildNitro3ForTests } from '../support/nitro3'
import { buildNuxt } from '../support/nuxt'
import { scriptsIn } from '../support/scripts'

const MAJORS = [
  { name: 'Nitro 2', fixture: 'nitro', bare: 'nitro-bare', build: buildNitroForTests, buildForProduction: buildNitro },
  { name: 'Nitro 3', fixture: 'nitro3', bare: 'nitro3-bare', build: buildNitro3ForTests as typeof buildNitroForTests, buildForProduction: buildNitro3 as typeof buildNitro },
]

/** What `@nuxt/test-utils` gives to the server that it starts, apart from `TEST`, which keeps Nitro 3 from saying where it listens. */
const RUN = { NODE_ENV: 'production', VITEST: 'true', NITRO_SESSION_SECRET: '' }

const SERVERS = MAJORS.flatMap(major => (['storage', 'cookie'] as const).map(mode => ({ ...major, mode })))

describe.each(SERVERS)('a test of an app of $name in $mode mode', ({ fixture, build, mode }) => {
  let built: NitroBuild
  let server: RunningServer
  beforeAll(async () => {
    built = await build(fixture)
    server = await startServer(built.entry, { ...RUN, NITRO_SESSION_MODE: mode })
  })
  afterAll(async () => {
    await server?.stop()
    await built?.remove()
  })

  /** A client that keeps no cookies, as `$fetch` with the same headers is one. */
  const client = (headers: Record<string, string>) => async (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(new URL(path, server.url), { redirect: 'manual', ...init, headers: { ...headers, ...init.headers as object } })
  const post = { method: 'POST' }
  const login = (user: string): RequestInit => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ user }) })
  const json = async (response: Promise<Response>): Promise<unknown> => (await response).json()

  it('begins with a session of its own', async () => {
    const ada = client(await sessionHeaders({ user: 'ada', visits: 3 }))
    const bob = client(await sessionHeaders({ user: 'bob' }))
    expect(await json(ada('/guarded'))).toEqual({ user: 'ada' })
    expect(await json(bob('/guarded'))).toEqual({ user: 'bob' })
    expect(await json(ada('/visits'))).toEqual({ visits: 3 })
    expect(await json(client({})('/visits'))).toEqual({ visits: null })
  })

  it('reads a message once', async () => {
    const ada = client(await sessionHeaders({ user: 'ada' }, { flash: { success: 'Hi' } }))
    expect(await json(ada('/flash'))).toEqual({ success: 'Hi' })
    expect(await json(ada('/flash'))).toEqual({})
    expect(await json(ada('/guarded'))).toEqual({ user: 'ada' })
  })

  it('finds what earlier requests with the same headers changed, also under another id', async () => {
    const ada = client(await sessionHeaders({ visits: 1 }))
    expect(await json(ada('/update', post))).toEqual({ visits: 2 })
    expect(await json(ada('/update', post))).toEqual({ visits: 3 })
    expect((await ada('/login', login('Ada'))).status).toBe(303)
    expect(await json(ada('/guarded'))).toEqual({ user: 'Ada' })
    expect(await json(ada('/update', post))).toEqual(expect.objectContaining({ visits: 4 }))
    expect(await json(ada('/cart', post))).toMatchObject({ cart: { items: 1 } })
    expect(await json(ada('/cart', post))).toMatchObject({ cart: { items: 2 } })
  })

  it('is signed out for good, and can sign in again', async () => {
    const ada = client(await sessionHeaders({ user: 'ada' }))
    await ada('/logout', post)
    expect(await json(ada('/visits'))).toEqual({ visits: null })
    expect((await ada('/guarded')).headers.get('location')).toBe('/login')
    await ada('/login', login('Ada'))
    expect(await json(ada('/guarded'))).toEqual({ user: 'Ada' })
  })

  it('has one session where requests begin together', async () => {
    const ada = client(await sessionHeaders({ visits: 0 }))
    await Promise.all(Array.from({ length: 8 }, () => ada('/update', post)))
    const { visits } = await json(ada('/visits')) as { visits: number }
    // Of parallel responses in cookie mode the last one counts.
    expect(visits).toBeGreaterThanOrEqual(mode === 'storage' ? 8 : 1)
  })

  it('hands over to the cookie of the app, which a browser goes on with', async () => {
    const cookies = new Map<string, string>()
    for (const { name, value } of await sessionCookies({ visits: 1 }, { url: server.url }))
      keepCookie(cookies, `${name}=${value}`)
    const browser = createVisitor(server.url, cookies)
    expect(await browser.json('/visits')).toEqual({ visits: 1 })
    expect([...cookies.keys()]).toEqual([COOKIE])
    await browser.post('/update')
    expect(await browser.json('/visits')).toEqual({ visits: 2 })
  })

  it('takes no cookie that somebody else made up', async () => {
    const { cookie } = await sessionHeaders({ user: 'eve' })
    const forged = `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`
    expect(await json(client({ cookie: forged })('/visits'))).toEqual({ visits: null })
    expect((await client({ cookie: forged })('/guarded')).headers.get('location')).toBe('/login')
  })
})

describe.each(MAJORS)('a server of $name that was built for tests', ({ bare, fixture, build }) => {
  let built: NitroBuild
  let server: RunningServer | undefined
  let dir: string
  beforeAll(async () => {
    built = await build(bare)
    dir = await mkdtemp(join(tmpdir(), 'unsession-'))
  })
  afterEach(async () => {
    await server?.stop()
    server = undefined
  })
  afterAll(async () => {
    await built?.remove()
    await rm(dir, { recursive: true, force: true })
  })

  it.each([{ NODE_ENV: 'test' }, { VITEST: 'true' }, { JEST_WORKER_ID: '1' }, { TEST_WORKER_INDEX: '0' }, { NODE_TEST_CONTEXT: 'child-v8' }])('takes sessions where the environment has %j, with a secret of the app too', async (env) => {
    for (const secret of ['', TEST_SECRET]) {
      const headers = await sessionHeaders({ userId: 5 })
      server = await startServer(built.entry, { ...env as object, NITRO_SESSION_SECRET: secret }, dir)
      expect(await (await fetch(`${server.url}/who`, { headers })).text()).toBe('5')
      await server.stop()
    }
  })

  it('does not start without a secret where no test runs it', async () => {
    const { code, output } = await runToEnd(built.entry, { NODE_ENV: 'production' })
    expect(code).not.toBe(0)
    expect(output).toContain('secret: It is missing. This server was built for tests')
    expect(output).toContain('NODE_ENV=production')
    expect(output).toContain('NITRO_SESSION_SECRET')
  })

  it('is a server like any other with a secret where no test runs it, and says so', async () => {
    server = await startServer(built.entry, { NODE_ENV: 'production' }, dir)
    const headers = await sessionHeaders({ userId: 5 })
    const response = await fetch(`${server.url}/who`, { headers })
    expect(await response.text()).toBe('nobody')
    expect(response.headers.getSetCookie()).toEqual([])
    expect(server.output()).toContain('[unsession] This server was built for tests')
  })

  it('takes the session where it went on when it starts again', async () => {
    const { entry, remove } = await build(fixture, { storage: { session: { driver: 'fs', base: join(dir, 'again') } } })
    const headers = await sessionHeaders({ visits: 5 })
    server = await startServer(entry, RUN, dir)
    await fetch(`${server.url}/update`, { method: 'POST', headers })
    await server.stop()
    server = await startServer(entry, RUN, dir)
    expect(await (await fetch(`${server.url}/visits`, { headers })).json()).toEqual({ visits: 6 })
    await remove()
  })

  it('takes over the sessions of another package as well', async () => {
    const { entry, remove } = await build(bare, { session: { migrate: { from: 'cookie-session', secret: 'of the other package' } } })
    server = await startServer(entry, RUN, dir)
    const headers = await sessionHeaders({ userId: 5 })
    expect(await (await fetch(`${server.url}/who`, { headers })).text()).toBe('5')
    // {"userId":7}, signed with HMAC-SHA1.
    const { default: Keygrip } = await import('keygrip') as { default: new (keys: string[]) => { sign(text: string): string } }
    const value = `session=${Buffer.from('{"userId":7}').toString('base64')}`
    const cookie = `${value}; session.sig=${new Keygrip(['of the other package']).sign(value)}`
    expect(await (await fetch(`${server.url}/who`, { headers: { cookie } })).text()).toBe('7')
    await remove()
  })
})

/** Words of the code that takes the sessions of tests, which no minifier changes. */
const WORDS = /unsession-test|built for tests|unsession\.page|NUXT_VITEST/

describe.each(MAJORS)('a production build of $name', ({ bare, build, buildForProduction }) => {
  const textOf = async (built: NitroBuild): Promise<string> => {
    const scripts = await scriptsIn(built.outputDir)
    await built.remove()
    return scripts.map(({ text }) => text).join('\n')
  }

  it('holds nothing of what tests use, whatever else the environment says', async () => {
    process.env.TEST = 'true'
    const production = await textOf(await buildForProduction(bare))
    expect(production).not.toMatch(WORDS)
    expect(production).toContain('openssl rand')
    const forTests = await textOf(await build(bare))
    expect(forTests).toMatch(WORDS)
    expect(forTests).not.toContain(readTestKey())
  })
})

it('a production build of Nuxt holds nothing of what tests use, nor do its pages', async () => {
  const scripts = await scriptsIn(join(await buildNuxt('readme-nuxt'), '../..'))
  expect(scripts.filter(({ text }) => WORDS.test(text)).map(({ name }) => name)).toEqual([])
  expect(scripts.some(({ name }) => name.startsWith('public/'))).toBe(true)
})

describe.each(COMMANDS)('the command `nitro build` of $name', ({ fixture, cli }) => {
  const rootDir = join(import.meta.dirname, '../fixtures', fixture)
  afterAll(() => rm(join(rootDir, '.output'), { recursive: true, force: true }))
  const warning = '[unsession] NODE_ENV is `test`, so this build is for tests'
  const run = async (env: Record<string, string>): Promise<string> => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [cli, 'build', '--dir', rootDir], { env: { ...environment(), ...env } })
    return stdout + stderr
  }

  it('says where NODE_ENV makes a build for tests, and TEST alone makes none', async () => {
    expect(await run({ NODE_ENV: 'test' })).toContain(warning)
    expect(await run({ TEST: '1' })).not.toContain(warning)
    expect(await run({ TEST: '1', NODE_ENV: 'production' })).not.toContain(warning)
  })
})
