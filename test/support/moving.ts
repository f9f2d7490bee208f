import type { SessionOptions } from '../../src/runtime/server/types'
import type { Visitor } from './browser'
import type { RunningServer } from './nitro'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, vi } from 'vitest'
import { createVisitor } from './browser'
import { startCommand, TEST_SECRET } from './nitro'
import { PASSWORD } from './other-packages'

const root = join(import.meta.dirname, '../..')

/** Where an app finds h3 v2 under its own name. */
const besideH3V2 = join(root, 'test/fixtures/h3-v2/node_modules/.moving')

/**
 * Starts one of the two apps of a page in `docs/`, such as `h3/before.ts`.
 *
 * @param folder where it keeps its files
 * @param major of h3
 */
export async function startMovingApp(app: string, folder: string, major = 1): Promise<RunningServer> {
  const jiti = join(root, 'node_modules/jiti/lib/jiti-cli.mjs')
  const source = join(root, 'test/fixtures/moving', app)
  const file = major === 1 ? source : join(besideH3V2, app)
  if (file !== source)
    await cp(source, file)
  return startCommand(process.execPath, [jiti, file], { SESSION_SECRET: TEST_SECRET, SESSION_PASSWORD: PASSWORD, PORT: '0' }, folder)
}

/** The options in the nuxt.config that a page shows. */
export async function nuxtOptionsOf(folder: string): Promise<SessionOptions> {
  vi.stubGlobal('defineNuxtConfig', (config: unknown) => config)
  const { default: config } = await import(join(root, 'test/fixtures/moving', folder, 'nuxt.config.ts'))
  vi.unstubAllGlobals()
  return config.session
}

/** What both apps of a page do: they count, guard the account, and sign in with a message. Who knew the cookie before is not signed in. */
export async function walkStory(server: RunningServer, visitor: Visitor): Promise<void> {
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

/** The same visitor at another server, with the cookies of before. */
export function moveTo(server: RunningServer, visitor: Visitor): Visitor {
  return createVisitor(server.url, new Map(visitor.cookies))
}
