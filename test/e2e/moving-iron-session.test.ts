import type { NitroBuild, RunningServer } from '../support/nitro'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { moveAndWalkOn, nuxtOptionsOf, startMovingApp } from '../support/moving'
import { buildNitro, startServer } from '../support/nitro'
import { PASSWORD } from '../support/other-packages'

let folder: string
let before: RunningServer
let built: NitroBuild
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unsession-'))
  before = await startMovingApp('iron-session/before.ts', { folder })
  built = await buildNitro('moving/iron-session/nitro', { session: await nuxtOptionsOf('iron-session/nitro/nuxt.config.ts') })
})
afterAll(async () => {
  await before?.stop()
  await built?.remove()
  await rm(folder, { recursive: true, force: true })
})

describe.each([
  { name: 'in h3', start: () => startMovingApp('iron-session/after.ts', { folder }) },
  { name: 'in Nitro', start: () => startServer(built.entry, { NITRO_SESSION_MIGRATE_PASSWORD: JSON.stringify({ 1: PASSWORD, 2: 'another password of iron-session, newer' }) }, built.outputDir) },
])('a visitor of iron-session, $name', ({ start }) => {
  let after: RunningServer
  beforeAll(async () => {
    after = await start()
  })
  afterAll(() => after?.stop())

  it('stays signed in, and walks on', async () => {
    expect(await moveAndWalkOn(before, after)).toBe(401)
  })
})
