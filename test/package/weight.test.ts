import type { App } from '../support/apps'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createApp } from '../support/apps'
import { runCompiler } from '../support/types'

const tarball = inject('tarball')

/** What the package may add to any app: itself and nanoid. */
const MOST_PACKAGES = 2
const MOST_BYTES = 1_000_000

const FRAMEWORKS = ['h3@1.15.11', 'h3@2.0.8', 'nitropack@2.13.6', 'nitro@3.0.260903-beta', 'nuxt@4.4.5']

const install = (app: App, ...packages: string[]): Promise<string> => app.run('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', ...packages)

/** Every installed package by the folder that it is in, and its bytes. */
async function packagesIn({ dir }: App): Promise<Map<string, number>> {
  const listed = await readFile(join(dir, 'node_modules/.package-lock.json'), 'utf8')
  const { packages } = JSON.parse(listed) as { packages: Record<string, unknown> }
  return new Map(await Promise.all(Object.keys(packages).map(async folder => [folder, await bytesIn(join(dir, folder))] as const)))
}

/** The bytes of a package, without the packages inside of it. */
async function bytesIn(dir: string): Promise<number> {
  const entries = await readdir(dir, { withFileTypes: true })
  const sizes = entries.filter(({ name }) => name !== 'node_modules').map(async (entry) => {
    const path = join(dir, entry.name)
    return entry.isDirectory() ? bytesIn(path) : (await stat(path)).size
  })
  return (await Promise.all(sizes)).reduce((total, size) => total + size, 0)
}

describe.each(FRAMEWORKS)('an app of %s', (framework) => {
  let app: App
  let before: Map<string, number>
  let added: [folder: string, bytes: number][]
  beforeAll(async () => {
    app = await createApp()
    await install(app, framework)
    before = await packagesIn(app)
    await install(app, tarball)
    added = [...await packagesIn(app)].filter(([folder]) => !before.has(folder))
  })
  afterAll(() => app?.remove())

  it('gets few packages', () => {
    expect(added.map(([folder]) => folder)).toContain('node_modules/unsession')
    expect(added.length, added.map(([folder]) => folder).join(', ')).toBeLessThanOrEqual(MOST_PACKAGES)
  })

  it('gets few bytes', () => {
    const bytes = added.map(([, bytes]) => bytes).reduce((total, size) => total + size, 0)
    console.info(`${framework}: ${added.length} packages and ${(bytes / 1e6).toFixed(2)} MB more, beside ${before.size}`)
    expect(bytes).toBeGreaterThan(0)
    expect(bytes).toBeLessThanOrEqual(MOST_BYTES)
  })

  it('gets no second h3, unstorage, Nitro or Nuxt', () => {
    expect(added.filter(([folder]) => /\/(?:h3|unstorage|nitro|nitropack|nuxt|@nuxt\/\w+)$/.test(folder))).toEqual([])
  })
})

/** An app that has nothing but h3 and this package. */
const APP = `import { createSessionManager, createStorageStore, resolveOptions, type SessionStore } from 'unsession/core'
import { createUnstorageStore, getSession, sessionMiddleware, type SessionSource, type UnstorageDriver, updateSession } from 'unsession/h3'

declare const store: SessionStore
const driver: UnstorageDriver = { type: 'fs', options: { base: '.data' } }
export const sessions = sessionMiddleware({ secret: 'secret', store })
export const manager = createSessionManager(resolveOptions({ secret: 'secret' }, { isProduction: true }), { store })
export const created = createStorageStore(await createUnstorageStore<{ visits: number }>(driver), { base: '', timeout: 1000 })
export const count = (event: SessionSource) => updateSession<{ visits: number }>(event, ({ visits = 0 }) => ({ visits: visits + 1 }))
export const visits = (event: SessionSource): number | undefined => getSession<{ visits: number }>(event)?.visits
`

/** Lines that are refused whether unstorage is there or not: 4 and 6. */
const WRONG = `import { sessionMiddleware, type SessionSource, updateSession } from 'unsession/h3'

// No such option.
sessionMiddleware({ secret: 'secret', cookieName: 'sid' })
// A wrong value.
export const count = (event: SessionSource) => updateSession<{ visits: number }>(event, { visits: 'one' })
`

/** Lines that are refused where unstorage is: 3 and 5. */
const TYPED = `import { createUnstorageStore } from 'unsession/h3'

createUnstorageStore({ type: 'redes' })
const storage = await createUnstorageStore<{ visits: number }>({ type: 'memory' })
storage.setItem('key', { visits: 'one' })
`

const RULES = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', 'false', '--noEmit', '--pretty', 'false', '--target', 'ES2022', '--types', 'node']
const RESOLUTIONS = [
  ['bundler', ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ['nodenext', ['--module', 'nodenext']],
] as const

describe.each(['h3@1.15.11', 'h3@2.0.8'])('an app of %s without unstorage', (framework) => {
  let app: App
  beforeAll(async () => {
    app = await createApp({ 'app.ts': APP, 'wrong.ts': WRONG, 'typed.ts': TYPED })
    await install(app, framework, tarball, '@types/node@20')
  })
  afterAll(() => app?.remove())

  const compile = (resolution: readonly string[], ...files: string[]): Promise<unknown[]> => runCompiler('tsc', [...RULES, ...resolution, ...files], app.dir)

  it.each(RESOLUTIONS)('compiles but for what is wrong, with our declarations checked, by %s resolution', async (_, resolution) => {
    expect(await compile(resolution, 'app.ts', 'wrong.ts')).toMatchObject([
      { file: 'wrong.ts', line: 4, code: 'TS2353' },
      { file: 'wrong.ts', line: 6, code: 'TS2322' },
    ])
  })

  it('hears from `createUnstorageStore` what to install', async () => {
    const asked = `import('unsession/h3').then(({ createUnstorageStore }) => createUnstorageStore({ type: 'memory' })).catch(({ code, message }) => console.info(code, message))`
    const answer = await app.run(process.execPath, '--eval', asked)
    expect(answer).toContain('CONFIG_ERROR')
    expect(answer).toContain('`npm install unstorage`')
  })

  // The last: it installs what the others do without.
  describe.each(['unstorage@1.17.6', 'unstorage@2.0.0-beta.0'])('that installs %s', (unstorage) => {
    beforeAll(() => install(app, unstorage))

    it.each(RESOLUTIONS)('has its types by %s resolution', async (_, resolution) => {
      expect(await compile(resolution, 'app.ts', 'typed.ts')).toMatchObject([
        { file: 'typed.ts', line: 3, code: 'TS2820' },
        { file: 'typed.ts', line: 5, code: 'TS2769' },
      ])
    })

    it('keeps things in a storage of it', async () => {
      const kept = `import('unsession/h3').then(async ({ createUnstorageStore }) => {
        const storage = await createUnstorageStore({ type: 'memory' })
        await storage.setItem('key', { visits: 1 })
        console.info(JSON.stringify(await storage.getItem('key')))
      })`
      expect((await app.run(process.execPath, '--eval', kept)).trim()).toBe('{"visits":1}')
    })
  })
})
