import type { NitroBuild } from '../support/nitro'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { COOKIE, createVisitor, setCookiesOf } from '../support/browser'
import { MAJORS } from '../support/majors'
import { buildNitro, runToEnd, startServer, TEST_SECRET } from '../support/nitro'

describe.each(MAJORS)('the start of a production server of $name', ({ build }) => {
  let built: NitroBuild
  let folder: string
  beforeAll(async () => {
    built = await build()
    folder = await mkdtemp(join(tmpdir(), 'unsession-'))
  })
  afterAll(async () => {
    await built?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  it.each([
    ['no secret', ''],
    ['a short secret', 'too short for anybody'],
    ['a short secret among others', JSON.stringify([TEST_SECRET, 'short'])],
  ])('stops with %s: a message that names the variables and not the secret', async (_, secret) => {
    const { code, output } = await runToEnd(built.entry, { NITRO_SESSION_SECRET: secret })
    expect(code).not.toBe(0)
    expect(output).toContain('NITRO_SESSION_SECRET')
    expect(output).toContain('NUXT_SESSION_SECRET')
    expect(output).toContain('openssl rand -base64 32')
    expect(output).not.toContain('too short for anybody')
    expect(output).not.toContain(TEST_SECRET)
    expect(output).not.toContain('    at ')
  })

  it('stops with every invalid option in one message', async () => {
    const { code, output } = await runToEnd(built.entry, {
      NITRO_SESSION_SECRET: TEST_SECRET,
      NITRO_SESSION_MODE: 'redis',
      NITRO_SESSION_MAX_AGE: '7d',
      NITRO_SESSION_IDLE_TIMEOUT: '-1',
      NITRO_SESSION_COOKIE_SAME_SITE: 'none',
      NITRO_SESSION_COOKIE_SECURE: 'false',
      NITRO_SESSION_AUTOLOAD: 'no',
      NITRO_SESSION_STORAGE: 'true',
    })
    expect(code).not.toBe(0)
    for (const path of ['mode', 'maxAge', 'idleTimeout', 'cookie.sameSite', 'autoload', 'storage'])
      expect(output).toContain(`- ${path}: `)
  })

  it('stops when the environment takes the place of all cookie attributes', async () => {
    const { code, output } = await runToEnd(built.entry, { NITRO_SESSION_SECRET: TEST_SECRET, NITRO_SESSION_COOKIE: 'x' })
    expect(code).not.toBe(0)
    expect(output).toContain('- cookie: ')
  })

  it('stops when the environment names a mount that the build does not have', async () => {
    const { code, output } = await runToEnd(built.entry, { NITRO_SESSION_SECRET: TEST_SECRET, NITRO_SESSION_STORAGE: 'elsewhere' })
    expect(code).not.toBe(0)
    expect(output).toContain('mounts nothing at \'elsewhere\'')
  })

  it('stops when the environment names a mount in place of a driver that drops what has expired', async () => {
    const kept = await build({ session: { storage: { driver: 'lru-cache' } }, storage: { elsewhere: { driver: 'memory' } } } as never)
    const { code, output } = await runToEnd(kept.entry, { NITRO_SESSION_SECRET: TEST_SECRET, NITRO_SESSION_STORAGE: 'elsewhere' })
    expect(code).not.toBe(0)
    expect(output).toContain('- storage: This build holds the driver \'lru-cache\', which removes by itself what has expired, and no code that would do so at \'elsewhere\'.')
    await kept.remove()
  })

  it('keeps sessions in .data/session of its folder, and they survive a restart', async () => {
    const first = await startServer(built.entry, {}, folder)
    const visitor = createVisitor(first.url)
    expect(await visitor.json('/visit')).toEqual({ visits: 1 })
    await first.stop()
    expect(await readdir(join(folder, '.data/session'))).toHaveLength(1)

    const second = await startServer(built.entry, {}, folder)
    expect(await createVisitor(second.url, visitor.cookies).json('/visit')).toEqual({ visits: 2 })
    await second.stop()
  })

  it('parallel requests on the file system lose no update and no session', async () => {
    const server = await startServer(built.entry, {}, folder)
    const visitor = createVisitor(server.url)
    await visitor.json('/visit')
    const responses = await Promise.all(Array.from({ length: 200 }, () => createVisitor(server.url, new Map(visitor.cookies)).json<{ visits: number }>('/visit')))
    expect(responses.map(({ visits }) => visits).sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, index) => index + 2))
    await server.stop()
  })

  it('cookie mode needs no storage at all', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'unsession-'))
    const server = await startServer(built.entry, { NITRO_SESSION_MODE: 'cookie' }, empty)
    const visitor = createVisitor(server.url)
    await visitor.json('/visit')
    expect(await visitor.json('/visit')).toEqual({ visits: 2 })
    await server.stop()
    expect(await readdir(empty)).toEqual([])
    await rm(empty, { recursive: true })
  })
})

describe.each(MAJORS)('the build by $name', ({ build }) => {
  it('prerenders without a secret', async () => {
    const built = await build({ prerender: { routes: ['/who'] } })
    const folder = join(built.outputDir, 'public')
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
    expect(await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'utf8')))).toEqual(['nobody'])
    await built.remove()
  })

  it('prerenders nothing that changes a session', async () => {
    const built = await build({ prerender: { routes: ['/visit'] } })
    expect((await readdir(built.outputDir, { recursive: true })).filter(path => path.endsWith('visit'))).toEqual([])
    await built.remove()
  })

  it.each(['cloudflare-module', 'vercel', 'netlify', 'aws-lambda', 'deno-deploy'])('for %s asks for a driver or cookie mode', async (preset) => {
    await expect(build({ preset })).rejects.toThrow(/has no lasting file system.*storage: \{ driver: 'redis' \}.*mode: 'cookie'/)
  })

  it.each([
    ['cookie mode', { session: { mode: 'cookie' as const } }],
    ['a driver', { session: { storage: { driver: 'memory' } } }],
    ['a mount of the app', { storage: { session: { driver: 'memory' } } }],
  ])('for a worker goes through with %s', async (_, config) => {
    const built = await build({ preset: 'cloudflare-module', ...config })
    expect(await readdir(join(built.outputDir, 'server'))).toContain('index.mjs')
    await built.remove()
  })

  it('refuses options that do not exist, all at once', async () => {
    const session = { maxage: 60, cookie: { sameSit: 'lax' } } as object
    await expect(build({ session })).rejects.toThrow(/- maxage: .*\n.*- cookie\.sameSit: /)
  })

  it('refuses a driver beside a mount of the app', async () => {
    const config = { session: { storage: { driver: 'memory' } }, storage: { session: { driver: 'memory' } } }
    await expect(build(config)).rejects.toThrow(/The app mounts `storage.session` as well/)
  })
})

describe('the auto-imports of Nitro 2', () => {
  it('lets the app\'s own util of the same name win without a warning, and h3\'s be imported', async () => {
    const warn = vi.spyOn(console, 'warn')
    const built = await buildNitro('nitro-own-util')
    const server = await startServer(built.entry)
    const response = await createVisitor(server.url).fetch('/')
    expect(await response.json()).toEqual({ own: 'the app\'s own', h3: { from: 'h3' }, ours: { from: 'unsession' } })
    expect(setCookiesOf(response, COOKIE)).toHaveLength(1)
    expect(setCookiesOf(response, 'h3')).toHaveLength(1)
    expect(warn).not.toHaveBeenCalled()
    await server.stop()
    await built.remove()
  })

  it('works where Nitro\'s auto-imports are off', async () => {
    const built = await buildNitro('nitro-explicit', { imports: false })
    const server = await startServer(built.entry, { NITRO_SESSION_MODE: 'cookie' })
    expect(await createVisitor(server.url).json('/')).toEqual({ visits: 1 })
    await server.stop()
    await built.remove()
  })
})
