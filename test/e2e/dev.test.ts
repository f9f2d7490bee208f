import type { RunningServer } from '../support/nitro'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVisitor, setCookiesOf } from '../support/browser'
import { startCommand } from '../support/nitro'

const root = join(import.meta.dirname, '../..')

describe('nitropack dev, with an empty secret', () => {
  let project: string
  let server: RunningServer
  const start = (): Promise<RunningServer> => startCommand(process.execPath, [join(root, 'node_modules/nitropack/dist/cli/index.mjs'), 'dev', '--dir', project, '--host', '127.0.0.1', '--port', '0'], { NITRO_SESSION_SECRET: '' })

  beforeAll(async () => {
    project = await mkdtemp(join(root, 'test/fixtures/.dev-'))
    await cp(join(root, 'test/fixtures/nitro-bare'), project, { recursive: true, filter: source => !/\/\.(?:output|nitro|data)/.test(source) })
    server = await start()
  })
  afterAll(async () => {
    await server?.stop()
    await rm(project, { recursive: true, force: true })
  })

  it('keeps sessions, without Secure, also over a restart', async () => {
    const visitor = createVisitor(server.url)
    const response = await visitor.fetch('/visit')
    expect(await response.json()).toEqual({ visits: 1 })
    expect(setCookiesOf(response, 'session')[0]).not.toContain('Secure')

    await server.stop()
    server = await start()
    expect(await createVisitor(server.url, visitor.cookies).json('/visit')).toEqual({ visits: 2 })
  })

  it('reloads with a changed route and keeps the session', async () => {
    const visitor = createVisitor(server.url)
    await visitor.json('/visit')
    await writeFile(join(project, 'routes/seen.ts'), 'export default defineEventHandler(event => ({ seen: getSession(event)?.visits }))\n')
    // A request that meets the reload may never be answered.
    const status = (): Promise<number | undefined> => visitor.fetch('/seen', { signal: AbortSignal.timeout(2000) }).then(response => response.status, () => undefined)
    await expect.poll(status, { timeout: 40_000, interval: 500 }).toBe(200)
    expect(await visitor.json('/seen')).toEqual({ seen: 1 })
    await rm(join(project, 'routes/seen.ts'))
  })

  it('warns of nothing', () => {
    expect(server.output()).not.toMatch(/warn|duplicated|deprecated/i)
  })

  it('writes nothing into the project but its data folder and Nitro\'s own', async () => {
    const files = await readdir(project)
    expect(files.sort()).toEqual(['.data', '.nitro', 'nitro.config.ts', 'routes'])
    expect(await readFile(join(project, 'nitro.config.ts'), 'utf8')).toBe(await readFile(join(root, 'test/fixtures/nitro-bare/nitro.config.ts'), 'utf8'))
  })

  it('h3\'s session utils are replaced in the generated types', async () => {
    const types = await readFile(join(project, '.nitro/types/nitro-imports.d.ts'), 'utf8')
    const declared = types.split('\n').filter(line => /const (?:useSession|getSession|updateSession|clearSession)\b/.test(line))
    expect(declared).toHaveLength(4)
    for (const line of declared)
      expect(line).toContain('runtime/server/index')
  })
})
