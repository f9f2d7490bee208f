import type { Browser, Page } from 'playwright-core'
import type { App } from '../support/apps'
import type { RunningServer } from '../support/nitro'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { RUNTIMES, startOn } from '../runtimes/runtimes'
import { createApp } from '../support/apps'
import { createVisitor, type Visitor } from '../support/browser'
import { hasChromium, launchChromium } from '../support/chromium'
import { TEST_SECRET } from '../support/nitro'

/** A component that is rendered when the head of a streamed page has long left. */
const late = (setup: string, template: string): string => `<script setup lang="ts">
await new Promise(resolve => setTimeout(resolve, 50))
${setup}
</script>

<template>
  <p id="late">${template}</p>
</template>
`

const FILES = {
  'nuxt.config.ts': `export default defineNuxtConfig({
  compatibilityDate: '2026-11-01',
  modules: ['unsession'],
  session: { expose: ['user', 'visits'], cookie: { name: 'session', secure: false } },
  experimental: { ssrStreaming: true },
  routeRules: { '/public/**': { headers: { 'cache-control': 'public, max-age=60' } } },
})
`,
  // Without pages: with them and this version of Vite, Nuxt 4.5.2 alone does not build.
  'app/app.vue': `<script setup lang="ts">
import { LateFlash, LateUser, LateVisit } from '#components'

const { path } = useRoute()
const late = { '/user': LateUser, '/public/user': LateUser, '/visit': LateVisit }[path] ?? LateFlash
const isHydrated = ref(false)
onMounted(() => isHydrated.value = true)
</script>

<template>
  <main :data-hydrated="isHydrated"><h1>early</h1><component :is="late" /></main>
</template>
`,
  'app/components/LateUser.vue': late('const { data } = await useClientSession()', 'user: {{ data.user ?? \'nobody\' }}'),
  'app/components/LateFlash.vue': late('const message = useFlash(\'success\')', 'message: {{ message ?? \'none\' }}'),
  'app/components/LateVisit.vue': late('const { data, error } = await useFetch(\'/api/visit\', { method: \'POST\' })', '{{ error?.statusCode ?? `visits: ${data.visits}` }}'),
  'server/middleware/greet.ts': `export default defineEventHandler((event) => {
  if (event.path === '/greeted')
    flash(event, 'success', 'Hello')
})
`,
  'server/api/visit.post.ts': `export default defineEventHandler(event => updateSession(event, ({ visits }) => ({ visits: Number(visits ?? 0) + 1 })))
`,
  'server/api/session.ts': `export default defineEventHandler(event => getSession(event))
`,
  'server/routes/login.post.ts': `export default defineEventHandler(async (event) => {
  await regenerateSession(event, { user: 'Ada' })
  return sendRedirect(event, '/user', 303)
})
`,
  'server/api/leave.post.ts': `export default defineEventHandler(event => flash(event, 'success', 'Saved'))
`,
}

/** How a page came: as a stream, or rendered before its head. */
const isStreamed = ({ headers }: Response): boolean => headers.get('transfer-encoding') === 'chunked' && headers.get('content-length') === null

const lateIn = (html: string): string | undefined => /<p id="late">(.*?)<\/p>/.exec(html)?.[1]

let runtime: App
let app: App
beforeAll(async () => {
  const { packages, path } = RUNTIMES.node24
  runtime = await createApp()
  if (packages.length > 0)
    await runtime.run('npm', 'install', '--prefer-offline', ...packages)
  app = await createApp(FILES, path ? [join(runtime.dir, path)] : [])
  await app.run('npm', 'install', '--prefer-offline', 'nuxt@4.5.2', inject('tarball'))
  await app.bin('nuxt', 'build')
})
afterAll(async () => {
  await app?.remove()
  await runtime?.remove()
})

describe.each(['storage', 'cookie'])('a Nuxt app with streaming, in %s mode', (mode) => {
  let server: RunningServer
  let visitor: Visitor
  beforeAll(async () => {
    server = await startOn('node24', runtime.dir, join(app.dir, '.output/server/index.mjs'), { NITRO_SESSION_SECRET: TEST_SECRET, NITRO_SESSION_MODE: mode })
    visitor = createVisitor(server.url)
    await visitor.post('/login')
  })
  afterAll(() => server?.stop())

  it('streams pages to strangers', async () => {
    const response = await createVisitor(server.url).fetch('/user')
    expect([isStreamed(response), lateIn(await response.text())]).toEqual([true, 'user: nobody'])
  })

  it('keeps the page of a stranger apart in shared caches, where the app wants it there', async () => {
    const { headers } = await createVisitor(server.url).fetch('/public/user')
    expect([headers.get('cache-control'), headers.get('vary')]).toEqual(['public, max-age=60', expect.stringMatching(/cookie/i)])
  })

  it('says by the head what late components show to a visitor with a session', async () => {
    for (const path of ['/user', '/public/user']) {
      const response = await visitor.fetch(path)
      expect([isStreamed(response), response.headers.get('cache-control'), response.headers.get('vary'), lateIn(await response.text())])
        .toEqual([false, 'no-store', expect.stringMatching(/cookie/i), 'user: Ada'])
    }
  })

  it('keeps what a late request of the page changes', async () => {
    const response = await visitor.fetch('/visit')
    expect([response.status, lateIn(await response.text())]).toEqual([200, 'visits: 1'])
    expect(await visitor.json('/api/session')).toEqual({ user: 'Ada', visits: 1 })
  })

  it('shows a message that was left in the same request', async () => {
    const stranger = createVisitor(server.url)
    const response = await stranger.fetch('/greeted')
    expect([isStreamed(response), lateIn(await response.text())]).toEqual([false, 'message: Hello'])
    expect(lateIn(await (await stranger.fetch('/flash')).text())).toBe('message: none')
  })

  it('tells by which rule a stranger can begin a session late', async () => {
    const stranger = createVisitor(server.url)
    const response = await stranger.fetch('/visit')
    expect([isStreamed(response), lateIn(await response.text()), stranger.cookies.size]).toEqual([true, '500', 0])
    expect(server.output()).toContain('or turn streaming off for the page: `routeRules: { \'/visit\': { streaming: false } }`')
  })
})

describe.runIf(hasChromium()).each(['storage', 'cookie'])('its pages in a browser, in %s mode', (mode) => {
  let server: RunningServer
  let browser: Browser
  let tab: Page
  const complaints: string[] = []
  beforeAll(async () => {
    server = await startOn('node24', runtime.dir, join(app.dir, '.output/server/index.mjs'), { NITRO_SESSION_SECRET: TEST_SECRET, NITRO_SESSION_MODE: mode })
    browser = await launchChromium()
    tab = await browser.newPage()
    tab.on('console', message => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
    tab.on('pageerror', error => complaints.push(error.message))
  })
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
  })

  /** What a page shows when it is hydrated. */
  async function show(path: string): Promise<string | null> {
    await tab.goto(server.url + path)
    await tab.waitForSelector('[data-hydrated=true]')
    return tab.textContent('#late')
  }

  it('hydrate for strangers', async () => {
    expect([await show('/user'), await show('/flash')]).toEqual(['user: nobody', 'message: none'])
  })

  it('hydrate with a message, which is shown once, time and again', async () => {
    for (let time = 0; time < 2; time++) {
      await tab.request.post(`${server.url}/login`)
      await tab.request.post(`${server.url}/api/leave`)
      expect([await show('/flash'), await show('/flash')]).toEqual(['message: Saved', 'message: none'])
    }
    expect(await show('/user')).toBe('user: Ada')
    expect(complaints).toEqual([])
  })
})
