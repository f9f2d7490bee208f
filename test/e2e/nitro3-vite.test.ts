import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { createVisitor } from '../support/browser'
import { environment, startServer } from '../support/nitro'

const root = join(import.meta.dirname, '../..')

it('Vite builds a server of Nitro 3 with the module among its plugins', async () => {
  const cwd = join(root, 'test/fixtures/nitro3-vite')
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build'], { cwd, env: environment() })
  const server = await startServer(join(cwd, '.output/server/index.mjs'))
  const visitor = createVisitor(server.url)
  await visitor.json('/visit')
  expect(await visitor.json('/visit')).toEqual({ visits: 2 })
  await server.stop()
  await rm(join(cwd, '.output'), { recursive: true })
})
