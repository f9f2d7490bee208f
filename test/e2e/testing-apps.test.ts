import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium'
import { environment } from '../support/nitro'

const root = join(import.meta.dirname, '../..')
const config = join(root, 'test/support/app-vitest.config.ts')

/** Runs tests of an app as a command in its folder would; answers what vitest said. */
function runTests(app: string, ...files: string[]): Promise<string> {
  const cwd = join(root, 'test/fixtures', app)
  return new Promise(resolve => execFile(
    process.execPath,
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', cwd, '--config', config, '--testTimeout=120000', ...files],
    { cwd, env: { ...environment(), NUXT_TELEMETRY_DISABLED: '1' } },
    (_, stdout, stderr) => resolve(stripVTControlCharacters(stdout + stderr)),
  ))
}

describe('the tests of the guide', () => {
  afterAll(() => Promise.all(['testing-nuxt', 'testing-nitro', 'testing-nitro3'].map(app => rm(join(root, 'test/fixtures', app, '.data'), { recursive: true, force: true }))))

  it.each([
    ['testing-nuxt', 'test/name.test.ts', 2],
    ['testing-nitro', 'test/me.test.ts', 2],
    ['testing-nitro3', 'test/me.test.ts', 2],
    ['h3-v2', 'app.test.ts', 1],
  ])('pass in %s: %s', async (app, file, count) => {
    expect(await runTests(app, file)).toMatch(new RegExp(`Tests +${count} passed`))
  })

  it.runIf(hasChromium())('pass in Chromium', async () => {
    expect(await runTests('testing-nuxt', 'test/browser.test.ts')).toMatch(/Tests +1 passed/)
  })
})
