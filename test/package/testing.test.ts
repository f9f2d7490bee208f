import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, expect, inject, it } from 'vitest'
import { type App, createApp, type Files } from '../support/apps'

const guide = await readFile(join(import.meta.dirname, '../../docs/testing.md'), 'utf8')

/** What the guide installs without a version, as this repository has it. */
const VERSIONS: Record<string, string> = {
  'unsession': inject('tarball'),
  'vitest': 'vitest@4.1.11',
  '@nuxt/test-utils': '@nuxt/test-utils@4.3.2',
}

let app: App
afterEach(() => app?.remove())

interface Fence {
  language: string
  code: string
}

function fencesIn(section: string): Fence[] {
  const [, text = ''] = new RegExp(`\\n## ${section}\\n([\\s\\S]*?)(?=\\n## )`).exec(guide)!
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({ language, code }))
}

/** The files that a section shows, by the paths that their first lines name. Of one for each version of Nitro the first. */
function filesIn(section: string): Files {
  const files = fencesIn(section).flatMap(({ code }) => {
    const path = /^(?:\/\/|<!--) (\S+\.\w+)/.exec(code)?.[1]
    return path ? [[path, code] as const] : []
  })
  return Object.fromEntries(files.toReversed())
}

/** Does in a new app what a section of the guide says; answers what the last command printed. */
async function follow(section: string): Promise<string> {
  await app.add(filesIn(section))
  const lines = fencesIn(section).filter(({ language }) => language === 'sh').flatMap(({ code }) => code.trim().split('\n'))
  let output = ''
  for (const line of lines) {
    const [command = '', ...args] = line.split(' ')
    output = await app.run(command, ...args.map(word => command === 'npm' ? VERSIONS[word] ?? word : word))
  }
  return stripVTControlCharacters(output)
}

it('a new Nuxt app has its first tests with a session by the guide, then those of a handler and a component', async () => {
  app = await createApp()
  await app.run('npm', 'install', 'nuxt@4.4.5')
  expect(await follow('A Nuxt app')).toMatch(/Tests +2 passed/)
  await follow('One handler')
  await follow('Components')
  expect(stripVTControlCharacters(await app.run('npx', 'vitest', 'run', 'name', 'UserMenu'))).toMatch(/Tests +5 passed/)
})

it('a new Nitro app has its first tests with a session by the guide', async () => {
  app = await createApp()
  await app.run('npm', 'install', 'nitropack@2.13.6')
  expect(await follow('A Nitro server')).toMatch(/Tests +2 passed/)
})
