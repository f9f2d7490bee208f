import type { NitroBuild } from '../support/nitro'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor } from '../support/browser'
import { logOut, nuxtOptionsOf, startMovingApp, tellStory } from '../support/moving'
import { buildNitro, startServer, TEST_SECRET } from '../support/nitro'

const OLD_KEY = 'keyboard cat'

describe('the visitor of cookie-session', () => {
  let built: NitroBuild

  beforeAll(async () => {
    built = await buildNitro('moving/nitro', { session: await nuxtOptionsOf('cookie-session/nuxt.config.ts') })
  })
  afterAll(() => built?.remove())

  it.each([
    ['h3', () => startMovingApp('cookie-session/after.ts', { env: { SESSION_SECRET: TEST_SECRET, OLD_SESSION_KEY: OLD_KEY } })],
    ['Nitro', () => startServer(built.entry, { NITRO_SESSION_MIGRATE_SECRET: JSON.stringify(['a newer key', OLD_KEY]) })],
  ])('is still logged in at the app of %s, and logs out there', async (_, start) => {
    const before = await startMovingApp('cookie-session/before.ts', { env: { SESSION_KEY: OLD_KEY } })
    const { cookies } = await tellStory(before, 'session')
    expect([...cookies.keys()]).toEqual(['session', 'session.sig'])
    await before.stop()

    const after = await start()
    const visitor = createVisitor(after.url, cookies)
    expect(await visitor.json('/account')).toEqual({ user: 'Ada' })
    expect([...cookies.keys()]).toEqual([COOKIE])
    expect(await visitor.json('/')).toEqual({ visits: 3, user: 'Ada' })
    // A copy of the cookie is good until it expires, as it was there.
    expect(await logOut(visitor, after)).toEqual(['/login', null])
    expect(await logOut(await tellStory(after, COOKIE), after)).toEqual(['/login', null])
    await after.stop()
  })
})
