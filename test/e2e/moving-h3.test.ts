import type { NitroBuild, RunningServer } from '../support/nitro'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { setCookiesOf } from '../support/browser'
import { moveAndWalkOn, nuxtOptionsOf, startMovingApp } from '../support/moving'
import { buildNitro, startServer } from '../support/nitro'
import { PASSWORD } from '../support/other-packages'

const MAJORS = [1, 2]

let folder: string
let before: RunningServer[]
let built: NitroBuild
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unsession-'))
  before = await Promise.all(MAJORS.map(major => startMovingApp('h3/before.ts', { folder, major })))
  built = await buildNitro('moving/h3/nitro', { session: await nuxtOptionsOf('h3/nitro/nuxt.config.ts') })
})
afterAll(async () => {
  await Promise.all(before?.map(server => server.stop()) ?? [])
  await built?.remove()
  await rm(folder, { recursive: true, force: true })
})

it.each(MAJORS)('what is there before is h3 v%s', async (major) => {
  const [line] = setCookiesOf(await fetch(before[major - 1]!.url), 'shop')
  expect(line!.includes('SameSite')).toBe(major === 2)
})

describe.each([
  { name: 'h3 v1', start: () => startMovingApp('h3/after.ts', { folder }) },
  { name: 'h3 v2', start: () => startMovingApp('h3/after.ts', { folder, major: 2 }) },
  { name: 'Nitro', start: () => startServer(built.entry, { NITRO_SESSION_MIGRATE_PASSWORD: PASSWORD }, built.outputDir) },
])('with this package in $name', ({ start }) => {
  let after: RunningServer
  beforeAll(async () => {
    after = await start()
  })
  afterAll(() => after?.stop())

  it.each(MAJORS)('a visitor of h3 v%s stays signed in, and walks on', async (major) => {
    expect(await moveAndWalkOn(before[major - 1]!, after)).toBe(401)
  })
})
