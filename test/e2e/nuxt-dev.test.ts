import type { RunningServer } from '../support/nitro'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVisitor } from '../support/browser'
import { hasChromium, launchChromium } from '../support/chromium'
import { startCommand } from '../support/nitro'

const root = join(import.meta.dirname, '../..')

/** Reads one key that is exposed and one that is not, in every way that is no mistake either. */
const PAGE = `<script setup lang="ts">
const { data } = useClientSession()
const { name } = data.value as { name?: string }
</script>

<template>
  <main>{{ data }} {{ data.user }} {{ name }} {{ data.name }} {{ JSON.stringify(data) }} {{ \`\${data}\` }} {{ data.toString() }}</main>
</template>
`

describe('the development server of Nuxt', () => {
  let project: string
  let server: RunningServer
  beforeAll(async () => {
    project = await mkdtemp(join(root, 'test/fixtures/.dev-'))
    await cp(join(root, 'test/fixtures/nuxt-size/with'), project, { recursive: true, filter: source => !/\/\.(?:output|nuxt|data)/.test(source) })
    await writeFile(join(project, 'app/pages/index.vue'), PAGE)
    server = await startCommand(process.execPath, [join(root, 'node_modules/nuxt/bin/nuxt.mjs'), 'dev', project, '--host', '127.0.0.1', '--port', '0'], {})
  })
  afterAll(async () => {
    await server?.stop()
    await rm(project, { recursive: true, force: true })
  })

  /** The terminal shows colours where there are backticks. */
  const warnings = (text: string): string[] => stripVTControlCharacters(text).replaceAll('`', '').match(/The page asks for \w+ of the session/g) ?? []

  it('tells once of a key that a page asks for and no page will ever see', async () => {
    const visitor = createVisitor(server.url)
    for (let visits = 0; visits < 3; visits++)
      expect((await visitor.fetch('/', { headers: { accept: 'text/html' } })).status).toBe(200)
    await expect.poll(() => warnings(server.output())).toEqual(['The page asks for name of the session'])
    expect(server.output()).toContain('session: { expose: [\'user\', \'name\'] }')
  })

  it.runIf(hasChromium())('tells so in the console of the browser', async () => {
    const browser = await launchChromium()
    try {
      const page = await browser.newPage()
      const lines: string[] = []
      page.on('console', message => lines.push(message.text()))
      await page.goto(server.url)
      await expect.poll(() => warnings(lines.join('\n'))).toEqual(['The page asks for name of the session'])
    }
    finally {
      await browser.close()
    }
  })
})
