import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { checkTypes, runCompiler } from '../support/types'

const fixture = 'types-consumer'
const cwd = join(import.meta.dirname, '../fixtures', fixture)
// No library is skipped: our declarations are held to the consumer's own rules.
const rules = ['--strict', '--exactOptionalPropertyTypes', '--isolatedModules', '--verbatimModuleSyntax', '--skipLibCheck', 'false', '--target', 'ES2022', '--types', 'node']
const node16 = ['--module', 'node16', ...rules]
const bundler = ['--module', 'esnext', '--moduleResolution', 'bundler', ...rules]

checkTypes({ fixture, title: 'a strict consumer with node16 resolution', compiler: 'tsc', args: [...node16, 'index.ts'] })
checkTypes({ fixture, title: 'a strict consumer with bundler resolution', compiler: 'tsc', args: [...bundler, 'index.ts'] })

describe('a strict consumer of the Nuxt module', () => {
  it('compiles without errors', async () => {
    expect(await runCompiler('tsc', [...bundler, '--noEmit', '--pretty', 'false', 'nuxt.ts'], cwd)).toEqual([])
  })
})

it.each([
  { file: 'index.ts', declarations: ['nitro.d.ts', 'core/index.d.ts', 'runtime/server/index.d.ts', 'test.d.ts'] },
  { file: 'nuxt.ts', declarations: ['module.d.ts'] },
])('$file reads the declarations of the packed package', async ({ file, declarations }) => {
  const { stdout } = await promisify(execFile)('npx', ['tsc', '--listFilesOnly', ...bundler, file], { cwd, maxBuffer: 2 ** 26 })
  const ours = stdout.split('\n').map(path => path.split('/test/node_modules/unsession/dist/')[1])
  expect(ours).toEqual(expect.arrayContaining(declarations))
})
