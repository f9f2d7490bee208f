import type { App } from '../support/apps'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createApp, nitroApp, nuxtApp, packagesOf, plainNuxtApp, STORY, tellStory, warningsIn } from '../support/apps'
import { createVisitor } from '../support/browser'
import { startServer } from '../support/nitro'

const tarball = inject('tarball')
const modes = ['storage', 'cookie'] as const

/** What npm says of packages that do not fit; lines about the machine's own settings are not ours. */
function misfitsIn(output: string): string[] {
  return output.split('\n').filter(line => /ERESOLVE|EBADENGINE|\bpeer\b|deprecated/.test(line))
}

/** Installs the framework, then the package; answers what npm complains of only since then. */
async function install(app: App, framework: string): Promise<string[]> {
  const before = misfitsIn(await app.run('npm', 'install', framework))
  return misfitsIn(await app.run('npm', 'install', tarball)).filter(line => !before.includes(line))
}

describe('a new Nitro app', () => {
  let app: App
  let built: string
  let misfits: string[]
  beforeAll(async () => {
    app = await createApp(nitroApp)
    misfits = await install(app, 'nitropack@2.13.6')
    built = await app.bin('nitropack', 'build')
  })
  afterAll(() => app?.remove())

  it('installs the package without a warning', () => {
    expect(misfits).toEqual([])
  })

  it('builds without a warning', () => {
    expect(built).toContain('Nitro Server built')
    expect(warningsIn(built)).toEqual([])
  })

  it.each(modes)('keeps sessions in %s mode', async (mode) => {
    expect(await tellStory(app, mode)).toEqual(STORY)
  })

  it('does not start without a secret', async () => {
    await expect(startServer(`${app.dir}/.output/server/index.mjs`, { NITRO_SESSION_SECRET: '' }, app.dir)).rejects.toThrow('NITRO_SESSION_SECRET')
  })

  it('ships nothing of Nuxt and Vue', async () => {
    const { imported, installed } = await packagesOf(app)
    // What the server has shows that the list was read.
    expect(imported).toContain('node:http')
    expect(imported.filter(name => /nuxt|vue/.test(name))).toEqual([])
    // All that it needs is in its bundle.
    expect(installed).toEqual([])
  })
})

describe('a new Nuxt app', () => {
  let app: App
  let before: string[]
  let misfits: string[]
  let prepared: string
  let built: string
  beforeAll(async () => {
    app = await createApp(plainNuxtApp)
    misfits = await install(app, 'nuxt@4.4.5')
    before = warningsIn(await app.bin('nuxt', 'build'))
    await app.add(nuxtApp)
    prepared = await app.bin('nuxt', 'prepare')
    built = await app.bin('nuxt', 'build')
  })
  afterAll(() => app?.remove())

  it('installs the package without a warning', () => {
    expect(misfits).toEqual([])
  })

  it('prepares without a warning', () => {
    expect(prepared).toContain('Types generated')
    expect(warningsIn(prepared)).toEqual([])
  })

  it('builds without a warning that it did not have before', () => {
    expect(built).toContain('Build complete')
    expect(warningsIn(built).filter(line => !before.includes(line))).toEqual([])
  })

  it('has Vue beside its bundle, and nothing of ours', async () => {
    const { installed } = await packagesOf(app)
    expect(installed).toContain('vue')
    expect(installed.filter(name => /^(?:unsession|nanoid|@noble\/.*)$/.test(name))).toEqual([])
  })

  it.each(modes)('keeps sessions in %s mode', async (mode) => {
    expect(await tellStory(app, mode)).toEqual(STORY)
  })

  it.each(modes)('renders a page whose fetch changes the session in %s mode', async (mode) => {
    const server = await startServer(`${app.dir}/.output/server/index.mjs`, { NITRO_SESSION_MODE: mode }, app.dir)
    try {
      const visitor = createVisitor(server.url)
      expect(await (await visitor.fetch('/')).text()).toContain('visits: 1')
      expect(await (await visitor.fetch('/')).text()).toContain('visits: 2')
    }
    finally {
      await server.stop()
    }
  })
})
