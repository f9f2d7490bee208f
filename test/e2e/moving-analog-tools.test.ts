import type { RunningServer } from '../support/nitro'
import { createHmac } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createVisitor, type Visitor } from '../support/browser'
import { startMovingApp } from '../support/moving'
import { buildNitro, type NitroBuild, startServer } from '../support/nitro'
import { freePort } from '../support/ports'

/** As long as the ones that the documentation of the package shows. */
const OLD_SECRET = 'your-secret-key'
const NAME = 'shop'

let folder: string
let built: NitroBuild
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unsession-'))
  built = await buildNitro('moving/analog-tools/nitro')
})
afterAll(async () => {
  await built?.remove()
  await rm(folder, { recursive: true, force: true })
})

/** Runs an app of the guide. */
async function startFile(file: string, cwd: string, alias: Record<string, string> = {}): Promise<RunningServer> {
  const env = { OLD_SESSION_SECRET: OLD_SECRET, PORT: String(await freePort()), JITI_ALIAS: JSON.stringify(alias) }
  return startMovingApp(`analog-tools/${file}`, { folder: cwd, env })
}

/** The package cannot be installed everywhere: a session as its source writes it. */
async function oldSession(cwd: string, id: string, data: object): Promise<string> {
  await mkdir(join(cwd, '.sessions'), { recursive: true })
  await writeFile(join(cwd, '.sessions', id), JSON.stringify(data))
  const signature = createHmac('sha256', OLD_SECRET).update(id).digest('base64').replace(/=+$/, '')
  return encodeURIComponent(`s:${id}.${signature}`)
}

const APPS: [name: string, start: (cwd: string) => Promise<RunningServer>][] = [
  ['after.ts on h3 v1', cwd => startFile('after.ts', cwd)],
  ['the Nitro app', cwd => startServer(built.entry, { NITRO_SESSION_MIGRATE_SECRET: OLD_SECRET }, cwd)],
]

describe.each(APPS)('a visitor of analog-tools who comes to %s', (app, start) => {
  let cwd: string
  let server: RunningServer
  let visitor: Visitor
  let kept: Visitor
  beforeAll(async () => {
    cwd = join(folder, app)
    const cookie = await oldSession(cwd, 'V1StGXR8_Z5jdHi6B-myT', { userId: 'ada', visits: 3 })
    server = await start(cwd)
    visitor = createVisitor(server.url, new Map([[NAME, cookie]]))
    kept = createVisitor(server.url, new Map([[NAME, cookie]]))
  })
  afterAll(() => server?.stop())

  it('is logged in, under the same name of the cookie', async () => {
    expect(await visitor.json('/account')).toEqual({ userId: 'ada', visits: 3 })
    expect([...visitor.cookies.keys()]).toEqual([NAME])
    expect(visitor.cookies.get(NAME)).not.toMatch(/^s(?::|%3A)/)
    expect(await readdir(join(cwd, '.sessions'))).toEqual([])
    expect(await readdir(join(cwd, '.data/session'))).not.toEqual([])
  })

  it('goes on: counts, signs in as another with a new id, reads the message once, signs out', async () => {
    expect(await visitor.json('/')).toEqual({ visits: 4 })
    const earlier = visitor.cookies.get(NAME)
    const login = await visitor.post('/login', { name: 'grace' })
    expect([login.status, login.headers.get('location'), visitor.cookies.get(NAME) === earlier]).toEqual([303, '/account', false])
    expect(await visitor.json('/account')).toEqual({ userId: 'grace', visits: 4, message: 'Welcome, grace.' })
    expect(await visitor.json('/account')).toEqual({ userId: 'grace', visits: 4 })
    expect((await visitor.post('/logout')).status).toBe(303)
    expect([visitor.cookies.size, (await visitor.fetch('/account')).status]).toEqual([0, 401])
  })

  it('is a stranger to nobody else: a kept copy of the old cookie is worth nothing', async () => {
    expect((await kept.fetch('/account')).status).toBe(401)
  })

  it('is a stranger with a cookie that another secret signed', async () => {
    const cookie = await oldSession(cwd, 'another-id-of-21-chars', { userId: 'eve' })
    const forged = createVisitor(server.url, new Map([[NAME, cookie.replace(/.$/, last => last === 'A' ? 'B' : 'A')]]))
    expect((await forged.fetch('/account')).status).toBe(401)
    expect(await createVisitor(server.url, new Map([[NAME, cookie]])).json('/account')).toMatchObject({ userId: 'eve' })
  })
})

it('the handlers of AnalogJS, which builds Nitro without auto-imports', async () => {
  const app = await buildNitro('moving/analog-tools/analog', { srcDir: 'src/server', compatibilityDate: '2024-11-19', imports: { autoImport: false }, typescript: { generateTsConfig: false }, modules: ['unsession'], session: { maxAge: 86400 } })
  onTestFinished(() => app.remove())
  const server = await startServer(app.entry, {}, await mkdtemp(join(folder, 'analog-')))
  onTestFinished(() => server.stop())
  const visitor = createVisitor(server.url)
  expect([await visitor.json('/api/visits'), await visitor.json('/api/visits')]).toEqual([{ visits: 1 }, { visits: 2 }])
})

describe('before.ts, with our import and nothing else changed', () => {
  it('does the same', async () => {
    const server = await startFile('before.ts', await mkdtemp(join(folder, 'before-')), { '@analog-tools/session': 'unsession/h3' })
    onTestFinished(() => server.stop())
    const visitor = createVisitor(server.url)
    expect((await visitor.fetch('/account')).status).toBe(401)
    expect([await visitor.json('/'), await visitor.json('/')]).toEqual([{ visits: 1 }, { visits: 2 }])
    const earlier = visitor.cookies.get(NAME)
    const login = await visitor.post('/login', { name: 'grace' })
    expect([login.status, login.headers.get('location'), visitor.cookies.get(NAME) === earlier]).toEqual([303, '/account', false])
    expect(await visitor.json('/account')).toEqual({ userId: 'grace', visits: 2, message: 'Welcome, grace.' })
    expect(await visitor.json('/account')).toEqual({ userId: 'grace', visits: 2 })
    await visitor.post('/logout')
    expect([visitor.cookies.size, (await visitor.fetch('/account')).status]).toEqual([0, 401])
  })
})
