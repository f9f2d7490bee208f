import type { App } from '../support/apps'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createApp, nitroApp, nuxtApp, STORY, tellStory, warningsIn } from '../support/apps'
import { runCompiler } from '../support/types'

const tarball = inject('tarball')

/** The lines of `wrong.ts` that no compiler may let pass when it finds our types. */
const wrongLines = [{ line: 3, code: 'TS2769' }, { line: 4, code: 'TS2353' }, { line: 5, code: 'TS2345' }]

describe('pnpm, where a package sees only what it declares', () => {
  let tools: App
  const pnpm = (app: App, ...args: string[]): Promise<string> => app.run(join(tools.dir, 'node_modules/.bin/pnpm'), ...args)
  beforeAll(async () => {
    tools = await createApp()
    await tools.run('npm', 'install', 'pnpm@10')
  })
  afterAll(() => tools?.remove())

  describe('a new Nitro app', () => {
    let app: App
    let installed: string
    let built: string
    beforeAll(async () => {
      app = await createApp(nitroApp)
      installed = await pnpm(app, 'add', 'nitropack@2.13.6', tarball)
      built = await pnpm(app, 'exec', 'nitropack', 'build')
    })
    afterAll(() => app?.remove())

    it('keeps our dependencies away from the app', () => {
      expect(existsSync(join(app.dir, 'node_modules/unsession'))).toBe(true)
      expect(existsSync(join(app.dir, 'node_modules/nanoid'))).toBe(false)
    })

    it('installs without a word about peers', () => {
      expect(installed).toContain('+ unsession')
      expect(installed).not.toMatch(/\bpeer/)
    })

    it('builds without a warning', () => {
      expect(built).toContain('Nitro Server built')
      expect(warningsIn(built)).toEqual([])
    })

    it('keeps sessions', async () => {
      expect(await tellStory(app, 'storage')).toEqual(STORY)
    })

    it('finds our types', async () => {
      const refusals = await runCompiler('tsc', ['-p', '.', '--pretty', 'false'], app.dir)
      expect(refusals).toMatchObject(wrongLines.map(refusal => ({ file: 'wrong.ts', ...refusal })))
    })
  })

  describe('a new Nuxt app', () => {
    let app: App
    let before: string[]
    let after: string[]
    let built: string
    beforeAll(async () => {
      app = await createApp(nuxtApp)
      before = misfitsIn(await pnpm(app, 'add', 'nuxt@4.4.5'))
      after = misfitsIn(await pnpm(app, 'add', tarball))
      built = await pnpm(app, 'exec', 'nuxt', 'build')
    })
    afterAll(() => app?.remove())

    it('installs without a misfit of peers that Nuxt alone does not have', () => {
      expect(after.filter(line => !before.includes(line))).toEqual([])
    })

    it('builds without a warning of ours', () => {
      expect(built).toContain('Build complete')
      expect(warningsIn(built).filter(line => !line.includes('[plugin nuxt:module-preload-polyfill]'))).toEqual([])
    })

    it('keeps sessions', async () => {
      expect(await tellStory(app, 'storage')).toEqual(STORY)
    })

    it('finds our types in the server', async () => {
      const refusals = await runCompiler('tsc', ['-p', '.nuxt/tsconfig.server.json', '--noEmit', '--pretty', 'false'], app.dir)
      expect(refusals).toMatchObject(wrongLines.map(refusal => ({ file: 'server/wrong.ts', ...refusal })))
    })

    it('finds our types in nuxt.config', async () => {
      const refusals = await runCompiler('tsc', ['-p', '.nuxt/tsconfig.node.json', '--noEmit', '--pretty', 'false'], app.dir)
      expect(refusals).toMatchObject([{ file: 'nuxt.config.wrong.ts', line: 3, code: 'TS2353' }])
    })
  })
})

/** The peers that do not fit, as pnpm draws them. */
function misfitsIn(output: string): string[] {
  return output.split('\n').filter(line => line.includes('✕')).map(line => line.replace(/^[^✕]*/, ''))
}
