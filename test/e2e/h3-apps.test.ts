import type { RunningServer } from '../support/nitro'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor } from '../support/browser'
import { startCommand, TEST_SECRET } from '../support/nitro'

const root = join(import.meta.dirname, '../..')
const JITI = join(root, 'node_modules/jiti/lib/jiti-cli.mjs')
let folder: string
const servers: RunningServer[] = []

/** Runs an app of the fixtures, which finds the packed package and its own major of h3. */
async function start(app: string): Promise<RunningServer> {
  const server = await startCommand(process.execPath, [JITI, join(root, 'test/fixtures', app)], { SESSION_SECRET: TEST_SECRET, PORT: '0' }, folder)
  servers.push(server)
  return server
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unsession-'))
})
afterAll(async () => {
  await Promise.all(servers.map(server => server.stop()))
  await rm(folder, { recursive: true, force: true })
})

describe('the apps of the README', () => {
  it('h3 v2: the middleware in front of all handlers', async () => {
    const visitor = createVisitor((await start('h3-v2/server.ts')).url)
    expect(await visitor.json('/')).toEqual({})
    expect(await visitor.json('/visits', { method: 'POST' })).toEqual({ visits: 1 })
    const anonymous = visitor.cookies.get(COOKIE)
    await visitor.post('/login')
    expect(visitor.cookies.get(COOKIE)).not.toBe(anonymous)
    expect(await visitor.json('/')).toEqual({ visits: 1, userId: 'ada', message: 'Welcome, Ada.' })
    expect(await visitor.json('/')).toEqual({ visits: 1, userId: 'ada' })
  })

  it('h3 v1: the options in each handler', async () => {
    const visitor = createVisitor((await start('h3-v1/server.ts')).url)
    expect(await visitor.json('/')).toEqual({ visits: 0 })
    await visitor.post('/visits')
    expect(await visitor.json('/visits', { method: 'POST' })).toEqual({ visits: 2 })
    await visitor.post('/logout')
    expect(visitor.cookies.size).toBe(0)
    expect(await visitor.json('/')).toEqual({ visits: 0 })
  })
})

describe('a store that was not awaited', () => {
  it('stops the start where its driver cannot be loaded, and says what to install', async () => {
    const child = spawn(process.execPath, [JITI, join(root, 'test/fixtures/h3-v1/missing-client.ts')], { env: { ...process.env, SESSION_SECRET: TEST_SECRET } })
    let output = ''
    child.stderr.on('data', chunk => output += chunk)
    const [code] = await once(child, 'close')
    expect(code).not.toBe(0)
    expect(output).toContain('Install it, for example by `npm install @deno/kv`.')
    expect(output).toContain('missing-client.ts')
  })
})
