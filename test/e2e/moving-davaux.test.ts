import type { RunningServer } from '../support/nitro'
import { createHmac } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor, type Visitor } from '../support/browser'
import { startMovingApp } from '../support/moving'
import { buildNitro, type NitroBuild, startServer } from '../support/nitro'

const OLD_SECRET = 'the secret of the old app, which had 32 characters too'
/** Its name at the old app. */
const NAME = 'shop'

let folder: string
let built: NitroBuild
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unsession-'))
  built = await buildNitro('moving/davaux')
})
afterAll(async () => {
  await built?.remove()
  await rm(folder, { recursive: true, force: true })
})

/** The format that the guide supposes: signed JSON, as the documentation says, and both in base64url. */
function seal(text: string, secret = OLD_SECRET): string {
  const payload = Buffer.from(text).toString('base64url')
  return `${payload}.${createHmac('sha256', secret).update(payload).digest('base64url')}`
}

const APPS: [name: string, start: () => Promise<RunningServer>][] = [
  ['after.ts on h3 v2', () => startMovingApp('davaux/after.ts', { folder, major: 2, env: { OLD_SESSION_SECRET: OLD_SECRET } })],
  ['the Nitro app', () => startServer(built.entry, { OLD_SESSION_SECRET: OLD_SECRET }, folder)],
]

describe.each(APPS)('a visitor of davaux who comes to %s', (_, start) => {
  let server: RunningServer
  beforeAll(async () => {
    server = await start()
  })
  afterAll(() => server?.stop())
  const visitorWith = (cookie: string): Visitor => createVisitor(server.url, new Map([[NAME, cookie]]))

  it('is logged in at the first request, and loses the old cookie', async () => {
    const visitor = visitorWith(seal(JSON.stringify({ userId: 'ada', visits: 3 })))
    expect(await visitor.json('/account')).toEqual({ userId: 'ada', visits: 3 })
    expect([...visitor.cookies.keys()]).toEqual([COOKIE])
    expect(await visitor.json('/')).toEqual({ visits: 4 })
  })

  it('signs in as another, reads the message once, signs out', async () => {
    const visitor = visitorWith(seal(JSON.stringify({ userId: 'ada', visits: 3 })))
    await visitor.json('/')
    const login = await visitor.post('/login', { name: 'grace' })
    expect([login.status, login.headers.get('location')]).toEqual([303, '/account'])
    expect(await visitor.json('/account')).toEqual({ userId: 'grace', visits: 4, message: 'Welcome, grace.' })
    expect(await visitor.json('/account')).toEqual({ userId: 'grace', visits: 4 })
    await visitor.post('/logout')
    expect([visitor.cookies.size, (await visitor.fetch('/account')).headers.get('location')]).toEqual([0, '/login'])
  })

  it.each([
    ['another secret signed', () => seal(JSON.stringify({ userId: 'eve' }), 'another secret that is long enough for all')],
    ['was changed', () => seal(JSON.stringify({ userId: 'ada' })).replace(/^./, first => first === 'a' ? 'b' : 'a')],
    ['has no signature', () => Buffer.from('{"userId":"eve"}').toString('base64url')],
    ['has an empty one', () => `${Buffer.from('{"userId":"eve"}').toString('base64url')}.`],
    ['is no cookie of anybody', () => '%'],
  ])('is a stranger with a cookie that %s', async (_, cookie) => {
    const response = await visitorWith(cookie()).fetch('/account')
    expect([response.status, response.headers.get('location')]).toEqual([303, '/login'])
  })
})
