import type { SessionOptions } from '../../src/runtime/server/types'
import type { Visitor } from './browser'
import type { RunningServer } from './nitro'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { COOKIE, createVisitor } from './browser'
import { startCommand, TEST_SECRET } from './nitro'
import { PASSWORD } from './other-packages'

const root = join(import.meta.dirname, '../..')
const fixtures = join(root, 'test/fixtures/moving')

interface MovingApp {
  /** Where it keeps its files, if it has any. */
  folder?: string
  /** Of the h3 that it imports. */
  major?: number
  env?: Record<string, string>
}

/** Starts an app that a page in `docs/` shows, such as `h3/before.ts`. */
export function startMovingApp(app: string, { folder = root, major = 1, env }: MovingApp): Promise<RunningServer> {
  const jiti = join(root, 'node_modules/jiti/lib/jiti-cli.mjs')
  const alias = major === 1 ? {} : { h3: 'h3-v2' }
  return startCommand(process.execPath, [jiti, join(fixtures, app)], { SESSION_SECRET: TEST_SECRET, SESSION_PASSWORD: PASSWORD, PORT: '0', JITI_ALIAS: JSON.stringify(alias), ...env }, folder)
}

/** The options in a nuxt.config that a page shows. */
export async function nuxtOptionsOf(config: string): Promise<SessionOptions> {
  vi.stubGlobal('defineNuxtConfig', (config: unknown) => config)
  const { default: { session } } = await import(join(fixtures, config))
  vi.unstubAllGlobals()
  return session
}

/** What both apps of a page do: they count, guard the account, and sign in with a message. Who knew the cookie before is not signed in. */
async function walkStory(server: RunningServer, visitor: Visitor): Promise<void> {
  expect((await visitor.fetch('/account')).status).toBe(401)
  const first = (await visitor.json<{ visits: number }>('/')).visits
  expect(await visitor.json('/')).toEqual({ visits: first + 1 })
  const other = moveTo(server, visitor)
  const login = await visitor.post('/login', { user: 'ada' })
  expect([login.status, login.headers.get('location')]).toEqual([303, '/account'])
  expect((await other.fetch('/account')).status).toBe(401)
  expect(await visitor.json('/account')).toEqual({ user: 'ada', message: 'Welcome, ada.' })
  expect(await visitor.json('/account')).toEqual({ user: 'ada' })
  expect(await visitor.json('/')).toEqual({ visits: first + 2 })
}

/**
 * A visitor of the app before comes to the app after: still signed in there, and free to sign out
 * and in again. Answers the status of the account for who kept the old cookie.
 */
export async function moveAndWalkOn(before: RunningServer, after: RunningServer): Promise<number> {
  const visitor = createVisitor(before.url)
  await walkStory(before, visitor)
  const moved = moveTo(after, visitor)
  expect(await moved.json('/account')).toEqual({ user: 'ada' })
  expect([...moved.cookies.keys()]).toEqual([COOKIE])
  expect(await moved.json('/')).toEqual({ visits: 4 })
  expect((await moved.post('/logout')).headers.get('location')).toBe('/')
  expect(moved.cookies.size).toBe(0)
  await walkStory(after, moved)
  return (await moveTo(after, visitor).fetch('/account')).status
}

/** The same visitor at another server, with the cookies of before. */
function moveTo(server: RunningServer, visitor: Visitor): Visitor {
  return createVisitor(server.url, new Map(visitor.cookies))
}

/** Somebody visits twice, logs in and sees the message once. */
export async function tellStory({ url }: RunningServer, cookie: string): Promise<Visitor> {
  const visitor = createVisitor(url)
  const stranger = await visitor.fetch('/account')
  expect([stranger.status, stranger.headers.get('location')]).toEqual([303, '/login'])
  expect([await visitor.json('/'), await visitor.json('/')]).toEqual([{ visits: 1 }, { visits: 2 }])
  const anonymous = visitor.cookies.get(cookie)
  const login = await visitor.post('/login', { name: 'Ada' })
  expect([login.status, login.headers.get('location')]).toEqual([303, '/account'])
  expect(visitor.cookies.get(cookie)).not.toBe(anonymous)
  expect([await visitor.json('/account'), await visitor.json('/account')]).toEqual([{ user: 'Ada', message: 'Welcome, Ada.' }, { user: 'Ada' }])
  return visitor
}

/** Somebody logs out; answers where the guard then sends the visitor, and a copy of the cookies. */
export async function logOut(visitor: Visitor, { url }: RunningServer): Promise<(string | null)[]> {
  const copy = createVisitor(url, new Map(visitor.cookies))
  const logout = await visitor.post('/logout')
  expect([logout.status, logout.headers.get('location'), visitor.cookies.size]).toEqual([303, '/', 0])
  return Promise.all([visitor, copy].map(async visitor => (await visitor.fetch('/account')).headers.get('location')))
}
