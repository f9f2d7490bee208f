import * as v1 from 'h3'
import * as v2 from 'h3-v2'
import { createStorage } from 'unstorage'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { flash, getSession, type SessionOptions, sessionMiddleware } from '../../src/h3'
import { sessionCookies, sessionHeaders } from '../../src/test'

const secret = 'a secret of the tests, not of anybody else'

type Send = (headers?: Record<string, string>, method?: string) => Promise<unknown>

function read(event: v1.H3Event & v2.H3Event): unknown {
  return { data: getSession(event), success: flash(event, 'success') ?? null }
}

/** An app of each major that shows its session. */
const APPS: { major: string, create(options: SessionOptions): Send }[] = [
  {
    major: 'h3 v1',
    create(options) {
      const sessions = sessionMiddleware(options)
      const app = v1.createApp(sessions.hooks)
      app.use(sessions)
      app.use('/', v1.defineEventHandler(event => read(event as never)))
      const send = v1.toWebHandler(app)
      return async headers => (await send(new Request('http://localhost/', { headers: headers ?? {} }))).json()
    },
  },
  {
    major: 'h3 v2',
    create(options) {
      const app = new v2.H3().use(sessionMiddleware(options) as never).all('/', event => read(event as never))
      return async headers => (await app.request('/', { headers: headers ?? {} })).json()
    },
  },
]

describe.each(APPS.flatMap(app => (['storage', 'cookie'] as const).map(mode => ({ ...app, mode }))))('headers for an app of $major in $mode mode', ({ create, mode }) => {
  const options: SessionOptions = { secret, mode, ...(mode === 'storage' && { store: createStorage() }) }

  it('bring a session of its own along', async () => {
    const send = create(options)
    const headers = await sessionHeaders({ user: 'ada' }, { options, flash: { success: 'Hi' } })
    expect(await send(headers)).toEqual({ data: { user: 'ada' }, success: 'Hi' })
    expect(await send(await sessionHeaders({ user: 'bob' }, { options }))).toEqual({ data: { user: 'bob' }, success: null })
    expect(await send()).toEqual({ data: null, success: null })
  })

  it('are cookies of a browser as well', async () => {
    const [cookie] = await sessionCookies({ user: 'ada' }, { options, url: 'http://localhost:3000' })
    expect(cookie).toEqual({ name: 'session', value: expect.any(String), url: 'http://localhost:3000', httpOnly: true, secure: false, sameSite: 'Lax' })
    expect(await create(options)({ cookie: `${cookie!.name}=${cookie!.value}` })).toMatchObject({ data: { user: 'ada' } })
  })
})

describe('headers for a build', () => {
  afterEach(() => vi.unstubAllEnvs())

  it('are a sealed cookie, another one at each call', async () => {
    const [first, second] = [await sessionHeaders({ user: 'ada' }), await sessionHeaders({ user: 'ada' })]
    expect(first.cookie).toMatch(/^unsession-test=[\w-]+$/)
    expect(first.cookie).not.toBe(second.cookie)
    expect(Buffer.from(first.cookie, 'base64url').toString()).not.toContain('ada')
  })

  it('refuse what no session can keep, by its name', async () => {
    await expect(sessionHeaders({ user: { at: new Date() } })).rejects.toMatchObject({ code: 'INVALID_VALUE', message: expect.stringContaining('user.at') })
    await expect(sessionHeaders({}, { flash: { success: 1n } })).rejects.toMatchObject({ code: 'INVALID_VALUE', message: expect.stringContaining('success') })
    await expect(sessionHeaders([] as never)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  })

  it('refuse what does not fit into a cookie, with the largest keys', async () => {
    await expect(sessionHeaders({ small: 1, notes: 'x'.repeat(4000) })).rejects.toMatchObject({
      code: 'COOKIE_ERROR',
      message: expect.stringContaining('`notes` (4002 bytes)'),
    })
  })

  it('are refused where NODE_ENV says that builds are for production', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    await expect(sessionHeaders({ user: 'ada' })).rejects.toMatchObject({ code: 'CONFIG_ERROR', message: expect.stringContaining('NODE_ENV') })
    await expect(sessionHeaders({ user: 'ada' }, { options: { secret, mode: 'cookie', maxAge: 60 } })).resolves.toMatchObject({ cookie: expect.stringMatching(/^__Host-session=/) })
  })
})
