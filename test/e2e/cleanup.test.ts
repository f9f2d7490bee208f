import type { NitroConfig } from 'nitropack/types'
import type { NitroBuild, RunningServer } from '../support/nitro'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNitro } from 'nitropack/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createVisitor } from '../support/browser'
import { buildNitro, startServer } from '../support/nitro'
import { buildNitro3 } from '../support/nitro3'

const EXPIRED = 'e'.repeat(64)
const FOREIGN = 'not-a-session'

/** Makes an hour pass in a moment: only timers of a minute and more are that of the clean-up. */
const IMPATIENT = `data:text/javascript,${encodeURIComponent(`
  const { setTimeout } = globalThis
  globalThis.setTimeout = (task, delay, ...args) => setTimeout(task, delay >= 60_000 ? 50 : delay, ...args)
`)}`

let cwd: string
let server: RunningServer | undefined

/** A folder with a record that has expired, and something that is none of ours. */
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'unsession-cleanup-'))
  const folder = join(cwd, '.data/session')
  await mkdir(folder, { recursive: true })
  const past = Date.now() - 60_000
  await writeFile(join(folder, EXPIRED), JSON.stringify({ version: 1, revision: 'r', data: { a: 1 }, flash: {}, createdAt: past, expiresAt: past, lastSeenAt: past }))
  await writeFile(join(folder, FOREIGN), JSON.stringify({ expiresAt: past }))
})
afterEach(async () => {
  await server?.stop()
  await rm(cwd, { recursive: true, force: true })
})

const files = (): Promise<string[]> => readdir(join(cwd, '.data/session'))

describe.each([
  ['Nitro 2', () => buildNitro('nitro-cleanup')],
  ['Nitro 3', () => buildNitro3('nitro3-bare')],
])('expired sessions in the default storage of %s', (_, build) => {
  let built: NitroBuild
  beforeAll(async () => {
    built = await build()
  })
  afterAll(() => built?.remove())

  it('are removed by the task session:cleanup, which leaves living sessions and foreign files alone', async () => {
    server = await startServer(built.entry, {}, cwd)
    const visitor = createVisitor(server.url)
    await visitor.json('/visit')
    expect(await (await visitor.post('/clean')).json()).toEqual({ result: { removed: 1 } })
    expect(await files()).toEqual(expect.arrayContaining([FOREIGN]))
    expect((await files()).length).toBe(2)
    expect(await visitor.json('/visit')).toEqual({ visits: 2 })
  })

  it('are removed by a timer when Nitro\'s tasks are off, again and again', async () => {
    server = await startServer(built.entry, { NODE_OPTIONS: `--import ${IMPATIENT}` }, cwd)
    await vi.waitFor(async () => expect(await files()).toEqual([FOREIGN]), 60_000)
    const past = Date.now() - 60_000
    await writeFile(join(cwd, '.data/session', EXPIRED), JSON.stringify({ version: 1, revision: 'r', data: {}, flash: {}, createdAt: past, expiresAt: past, lastSeenAt: past }))
    await vi.waitFor(async () => expect(await files()).toEqual([FOREIGN]), 60_000)
  })
})

describe('the task session:cleanup', () => {
  const scheduled = async (config: NitroConfig): Promise<unknown> => {
    const rootDir = join(import.meta.dirname, '../fixtures/nitro-cleanup')
    const nitro = await createNitro({ ...config, rootDir, buildDir: join(cwd, 'build'), logLevel: 1 })
    await nitro.close()
    const makeHost = nitro.options.virtual['#unsession/host'] as () => string
    return [Object.keys(nitro.options.tasks), nitro.options.scheduledTasks, /hasCleanupTimer = (\w+)/.exec(makeHost())?.[1]]
  }

  it('waits for a timer where tasks are off', async () => {
    expect(await scheduled({})).toEqual([['session:cleanup'], {}, 'true'])
  })

  it('is scheduled every hour where tasks are on', async () => {
    expect(await scheduled({ experimental: { tasks: true } })).toEqual([['session:cleanup'], { '0 * * * *': ['session:cleanup'] }, 'false'])
  })

  it('joins another task of that schedule', async () => {
    const config = { experimental: { tasks: true }, scheduledTasks: { '0 * * * *': 'mine' } }
    expect(await scheduled(config)).toEqual([['session:cleanup'], { '0 * * * *': ['mine', 'session:cleanup'] }, 'false'])
  })

  it('keeps the schedule that the app gives it', async () => {
    const config = { experimental: { tasks: true }, scheduledTasks: { '5 4 * * *': ['session:cleanup'] } }
    expect(await scheduled(config)).toEqual([['session:cleanup'], { '5 4 * * *': ['session:cleanup'] }, 'false'])
  })

  it('is that of the app where it has one of this name', async () => {
    const rootDir = join(import.meta.dirname, '../fixtures/nitro-cleanup')
    const nitro = await createNitro({ tasks: { 'session:cleanup': { handler: './mine' } }, rootDir, buildDir: join(cwd, 'build'), logLevel: 1 })
    await nitro.close()
    expect(nitro.options.tasks['session:cleanup']?.handler).toBe('./mine')
  })

  it.each(['redis', 'cloudflare-kv-binding', 'cloudflareKVBinding'] as const)('is never run by itself where a driver drops what has expired: %s', async (driver) => {
    const session = { storage: { driver, binding: 'SESSIONS' } }
    expect(await scheduled({ session })).toEqual([['session:cleanup'], {}, 'false'])
    expect(await scheduled({ session, experimental: { tasks: true } })).toEqual([['session:cleanup'], {}, 'false'])
  })

  it('runs where the app mounts such a driver, which may be another one at run time', async () => {
    expect(await scheduled({ storage: { session: { driver: 'redis' } } })).toEqual([['session:cleanup'], {}, 'true'])
  })

  it('does not exist in cookie mode', async () => {
    expect(await scheduled({ experimental: { tasks: true }, session: { mode: 'cookie' } })).toEqual([[], {}, 'false'])
  })
})
