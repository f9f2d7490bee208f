import type { Import } from 'unimport'
import { loadNuxt } from 'nuxt/kit'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const fixtures = join(import.meta.dirname, '../fixtures')

describe('what the Vue app of Nuxt can use without importing it', () => {
  let project: string
  beforeAll(async () => {
    project = await mkdtemp(join(fixtures, '.imports-'))
    await writeFile(join(project, 'nuxt.config.ts'), 'export default { compatibilityDate: \'2026-11-01\', modules: [\'unsession\'], telemetry: false }')
    await writeFile(join(project, 'package.json'), '{ "type": "module" }')
    await mkdir(join(project, 'app'))
    await writeFile(join(project, 'app/app.vue'), '<template><p>{{ 1 }}</p></template>')
  })
  afterAll(() => rm(project, { recursive: true, force: true }))

  /** Where the name comes from in the app, and in its server. */
  async function sourcesOf(name: string): Promise<{ app: string | undefined, server: string | undefined, declaration: string }> {
    const nuxt = await loadNuxt({ cwd: project, ready: false, overrides: { logLevel: 'silent', _prepare: true } as never })
    let getImports: (() => Promise<Import[]>) | undefined
    nuxt.hook('imports:context', (context: { getImports(): Promise<Import[]> }) => void (getImports = () => context.getImports()))
    let server: string | undefined
    nuxt.hook('nitro:init', async (nitro) => {
      server = (await nitro.unimport!.getImports()).find(found => (found.as ?? found.name) === name)?.from
    })
    await nuxt.ready()
    const { buildNuxt } = await import('nuxt/kit')
    await buildNuxt(nuxt)
    const app = (await getImports!()).find(found => (found.as ?? found.name) === name)?.from
    const declaration = await readFile(join(project, '.nuxt/types/imports.d.ts'), 'utf8')
    await nuxt.close()
    return { app, server, declaration }
  }

  it.each(['useSession', 'flash'])('holds a stub of %s, without a declaration, beside the util of the server', async (name) => {
    const { app, server, declaration } = await sourcesOf(name)
    expect(app).toMatch(/unsession\/dist\/runtime\/app\/server-utils$/)
    expect(server).toMatch(/unsession\/dist\/runtime\/server\/index$/)
    expect(declaration).toContain('const useClientSession:')
    expect(declaration).not.toContain(`const ${name}:`)
  })

  it('leaves the name to a composable of the app', async () => {
    await mkdir(join(project, 'app/composables'))
    await writeFile(join(project, 'app/composables/useSession.ts'), 'export const useSession = () => \'own\'')
    const { app, server, declaration } = await sourcesOf('useSession')
    expect(app).toBe(join(project, 'app/composables/useSession.ts'))
    expect(server).toMatch(/unsession\/dist\/runtime\/server\/index$/)
    expect(declaration).toContain('const useSession:')
  })
})
