import type { Visitor } from '../../support/browser'
import type { RunningServer } from '../../support/nitro'
import type { SessionOptions } from '../../../src/runtime/server/types'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { createVisitor } from '../../support/browser'
import { startCommand } from '../../support/nitro'

const root = join(import.meta.dirname, '../../..')
const fixtures = join(root, 'test/fixtures/moving')

/** Runs an app that a page shows. */
export function startApp(file: string, env: Record<string, string>): Promise<RunningServer> {
  return startCommand(process.execPath, [join(root, 'node_modules/jiti/lib/jiti-cli.mjs'), join(fixtures, file)], { PORT: '0', ...env }, root)
}

/** The options of a config that a page shows. */
export async function readConfig(file: string): Promise<SessionOptions> {
  vi.stubGlobal('defineNuxtConfig', (config: unknown) => config)
  const { default: config } = await import(join(fixtures, file))
  vi.unstubAllGlobals()
  return config.session
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
