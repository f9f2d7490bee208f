import type { NitroBuild, RunningServer } from '../support/nitro'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor } from '../support/browser'
import { moveTo, nuxtOptionsOf, startMovingApp, walkStory } from '../support/moving'
import { buildNitro, startServer } from '../support/nitro'
import { H3_VERSIONS, PASSWORD } from '../support/other-packages'

let folder: string
let before: RunningServer
let built: NitroBuild
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unsession-'))
  before = await startMovingApp('h3/before.ts', folder)
  built = await buildNitro('moving/h3/nitro', { session: await nuxtOptionsOf('h3/nitro') })
})
afterAll(async () => {
  await before?.stop()
  await built?.remove()
  await rm(folder, { recursive: true, force: true })
})

describe.each([
  { name: 'in h3', start: () => startMovingApp('h3/after.ts', folder) },
  { name: 'in Nitro', start: () => startServer(built.entry, { NITRO_SESSION_MIGRATE_PASSWORD: PASSWORD }, built.outputDir) },
])('a visitor of h3, $name', ({ start }) => {
  let after: RunningServer
  beforeAll(async () => {
    after = await start()
  })
  afterAll(() => after?.stop())

  it('stays signed in, and walks on', async () => {
    const visitor = createVisitor(before.url)
    await walkStory(before, visitor)

    const moved = moveTo(after, visitor)
    expect(await moved.json('/account')).toEqual({ user: 'ada' })
    expect([...moved.cookies.keys()]).toEqual([COOKIE])
    expect(await moved.json('/')).toEqual({ visits: 4 })
    expect((await moved.post('/logout')).headers.get('location')).toBe('/')
    expect(moved.cookies.size).toBe(0)
    await walkStory(after, moved)
    expect((await moveTo(after, visitor).fetch('/account')).status).toBe(401)
  })

  it.each(H3_VERSIONS)('stays signed in who comes from $version', async ({ seal }) => {
    const visitor = createVisitor(after.url, new Map(await seal({ name: 'shop', maxAge: 60 * 60 * 24 * 7 }, { user: 'ada', visits: 41 })))
    expect(await visitor.json('/account')).toEqual({ user: 'ada' })
    expect(await visitor.json('/')).toEqual({ visits: 42 })
  })
})
