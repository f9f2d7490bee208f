import type { NitroBuild } from '../support/nitro'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVisitor } from '../support/browser'
import { hasChromium, launchChromium } from '../support/chromium'
import { MAJORS } from '../support/majors'
import { startServer } from '../support/nitro'

describe.each(MAJORS)('the cookie of a production server of $name', ({ build }) => {
  let built: NitroBuild
  beforeAll(async () => {
    built = await build()
  })
  afterAll(() => built?.remove())

  it.each<[string, Record<string, string>]>([
    ['__Host-session', {}],
    ['__Host-session', { NITRO_SESSION_COOKIE_NAME: 'auto' }],
    ['__Secure-session', { NITRO_SESSION_COOKIE_DOMAIN: 'example.com' }],
    ['__Secure-session', { NITRO_SESSION_COOKIE_PATH: '/visit' }],
    ['session', { NITRO_SESSION_COOKIE_SECURE: 'false' }],
    ['session', { NITRO_SESSION_COOKIE_SECURE: 'false', NITRO_SESSION_COOKIE_NAME: 'auto' }],
    ['sid', { NITRO_SESSION_COOKIE_NAME: 'sid' }],
  ])('is named %s with %j', async (name, env) => {
    const server = await startServer(built.entry, { NITRO_SESSION_MODE: 'cookie', ...env })
    const visitor = createVisitor(server.url)
    await visitor.json('/visit')
    expect([...visitor.cookies.keys()]).toEqual([name])
    expect(await visitor.json('/visit')).toEqual({ visits: 2 })
    await server.stop()
  })

  // As the README says of builds that are tried over plain HTTP.
  it.runIf(hasChromium()).each([
    ['localhost', {}, '__Host-session', 2],
    ['127.0.0.1', {}, '__Host-session', 2],
    ['app.example', {}, undefined, 1],
    ['app.example', { NITRO_SESSION_COOKIE_SECURE: 'false' }, 'session', 2],
  ])('in Chromium on http://%s with %j is kept as %s', async (host, env, name, visits) => {
    const server = await startServer(built.entry, { NITRO_SESSION_MODE: 'cookie', ...env })
    const browser = await launchChromium({ args: [`--host-resolver-rules=MAP ${host} 127.0.0.1`] })
    const context = await browser.newContext({ baseURL: server.url.replace('127.0.0.1', host) })
    const page = await context.newPage()
    await page.goto('/visit')
    await page.goto('/visit')
    expect(JSON.parse(await page.locator('body').innerText())).toEqual({ visits })
    expect((await context.cookies()).map(cookie => cookie.name)).toEqual(name ? [name] : [])
    await browser.close()
    await server.stop()
  })
})
