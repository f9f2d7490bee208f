import type { SessionErrorCode } from '../../src/core/errors'
import type { SessionOptions } from '../../src/runtime/server/types'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { addRuntimeConfig } from '../../src/build/runtime-config'
import { SessionError } from '../../src/core/errors'
import { DEFAULTS } from '../../src/core/options'
import { CELLS } from '../runtimes/matrix'
import { readTable, toMarkdown } from '../runtimes/table'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const readme = read('README.md')
const guides = readdirSync(join(root, 'docs')).filter(file => file.endsWith('.md')).map(file => `docs/${file}`)
const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...guides]

interface Fence {
  language: string
  /** What the comment right before the fence names. */
  source: string | undefined
  code: string
  line: number
}

/** The fenced code blocks of a document. */
function fencesOf(text: string): Fence[] {
  return [...text.matchAll(/(?:<!-- (\S+) -->\n)?^```(\w*)\n([\s\S]*?)^```$/gm)].map(match => ({
    source: match[1],
    language: match[2]!,
    code: match[3]!,
    line: text.slice(0, text.indexOf('```', match.index)).split('\n').length,
  }))
}

/** The code of apps in a document. */
function snippetsOf(document: string): Fence[] {
  return fencesOf(read(document)).filter(({ language }) => ['ts', 'js', 'vue'].includes(language))
}

/** A file, or a region of it without its indentation. */
function sourceOf(marker: string): string {
  const [path = '', region] = marker.split('#')
  const text = read(path)
  if (!region)
    return text
  const body = new RegExp(`// #region ${region}\\n([\\s\\S]*?)[ \\t]*// #endregion`).exec(text)?.[1] ?? ''
  const indent = /^[ \t]*/.exec(body)![0].length
  return body.split('\n').map(line => line.slice(indent)).join('\n')
}

/** The cells of the table rows below a heading. */
function rowsBelow(heading: string): string[][] {
  const section = readme.split(`\n## ${heading}\n`)[1]!.split('\n## ')[0]!
  return section.split('\n').filter(line => line.startsWith('| `')).map(line => line.split('|').slice(1, -1).map(cell => cell.trim()))
}

function unquote(cell: string): string {
  return cell.replace(/^`|`$/g, '')
}

/** The anchors that a Markdown host gives the headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title!.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'))
}

/** The options of the module as runtime config holds them, with the given ones filled in. */
function runtimeOptions(session: SessionOptions = {}): SessionOptions {
  const options = { runtimeConfig: {} as { session?: SessionOptions }, dev: false, rootDir: root }
  addRuntimeConfig({ options } as never, session)
  return options.runtimeConfig.session!
}

describe('the README', () => {
  it('shows the first handler before line 20', () => {
    expect(fencesOf(readme).find(({ code }) => code.includes('defineEventHandler'))!.line).toBeLessThan(20)
  })

  const configs = ['readme/nuxt.config.ts', 'readme/redis.nuxt.config.ts', 'readme/nitro.config.ts', 'moving/express-session.nuxt.config.ts', 'moving/cookie-session/nuxt.config.ts', 'moving/analog-tools.nuxt.config.ts', 'moving/h3.nuxt.config.ts']

  it.each(configs)('the options in %s exist', async (file) => {
    vi.stubGlobal('defineNuxtConfig', (config: unknown) => config)
    const { default: config } = await import(join(root, 'test/fixtures', file))
    vi.unstubAllGlobals()
    expect(config.modules).toEqual(['unsession'])
    expect(runtimeOptions(config.session)).toMatchObject(config.session ?? {})
  })

  it('can have the Redis of its config named by the environment', () => {
    expect(runtimeOptions({ storage: { driver: 'redis' } }).storage).toEqual({ driver: 'redis', url: '' })
  })

  it('has every option with its default in the table, and no other', () => {
    const { cookie, ...others } = runtimeOptions()
    const options = [...Object.entries(others), ...Object.entries(cookie!).map(([key, value]) => [`cookie.${key}`, value] as const)]
    const shown = (value: unknown): string => value === '' ? 'none' : `\`${typeof value === 'string' ? `'${value}'` : JSON.stringify(value)}\``
    const rows = rowsBelow('Options').map(([option, value]) => [unquote(option!), value])
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(options.map(([key, value]) => [key, shown(value)])))
    expect(rows).toHaveLength(options.length)
    expect(runtimeOptions()).toMatchObject(DEFAULTS)
  })

  it('has every error with its status in the table, and no other', () => {
    const codes = [...read('src/core/errors.ts').matchAll(/^ {2}([A-Z_]+): \[\d+/gm)].map(match => match[1] as SessionErrorCode)
    expect(codes.length).toBeGreaterThan(0)
    expect(rowsBelow('Errors').map(([code, status]) => [unquote(code!), Number(status)]))
      .toEqual(codes.map(code => [code, new SessionError(code, '').statusCode]))
  })

  it('names every hook', () => {
    const hooks = [...read('src/runtime/server/types.ts').matchAll(/'(session:\w+)'/g)].map(match => match[1]!)
    expect(hooks.length).toBeGreaterThan(0)
    expect(hooks.filter(hook => !readme.includes(`\`${hook}\``))).toEqual([])
  })

  it('names every auto-imported util', () => {
    const names = /const UTILS = \[(.+)\]/.exec(read('src/build/auto-imports.ts'))![1]!.replaceAll('\'', '').split(', ')
    expect(names.filter(name => !new RegExp(`\`(?:await )?${name}\\b`).test(readme))).toEqual([])
  })

  it('names every member of a session', () => {
    const [, body] = /export interface Session<.+?\{\n([\s\S]*?)\n\}/.exec(read('src/core/types.ts'))!
    const members = new Set([...body!.matchAll(/^ {2}(?:readonly )?(\w+)/gm)].map(match => match[1]!))
    const table = readme.split('| the session of `useSession` |')[1]!.split('\n\n')[0]!
    expect([...members].filter(name => !new RegExp(`\\b${name}\\b`).test(table))).toEqual([])
  })

  it('shows every cell of the matrix, all green', async () => {
    expect(await readTable()).toBe(toMarkdown(CELLS, () => true))
  })

  it('names the versions of package.json', () => {
    const { engines, peerDependencies } = JSON.parse(read('package.json'))
    const shown = readme.split('## Supported versions')[1]!
    const short = (range: string): string[] => range.replaceAll(/(\d+\.\d+)\.0/g, '$1').replaceAll(/\^(\d+)\.0\b/g, '^$1').split(' || ')
    const ranges = [engines.node, peerDependencies.nitropack, peerDependencies.nuxt].flatMap(short)
    expect(ranges.filter(range => !shown.includes(range))).toEqual([])
  })
})

describe.each(['README.md', ...guides].filter(document => snippetsOf(document).length > 0))('the code in %s', (document) => {
  it.each(snippetsOf(document))('in line $line is that of $source', ({ source, code }) => {
    expect(source).toBeDefined()
    expect(code).toBe(sourceOf(source!))
  })
})

describe.each(documents)('%s', (document) => {
  const text = read(document)

  it('uses npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json'))
    const commands = [...text.matchAll(/\bnpm (?:run ([\w:]+)|(test)\b)/g)].map(match => match[1] ?? match[2]!)
    expect(commands.filter(name => !Object.hasOwn(scripts, name))).toEqual([])
  })

  it('has links that lead somewhere', () => {
    const links = [...text.matchAll(/\]\((?!\w+:)([^)]+)\)/g)].map(match => match[1]!)
    const broken = links.filter((link) => {
      const [path, anchor] = link.split('#')
      const file = path ? join(root, dirname(document), path) : join(root, document)
      return !existsSync(file) || (anchor && !anchorsOf(readFileSync(file, 'utf8')).includes(anchor))
    })
    expect(broken).toEqual([])
  })

  it('names files and folders that exist', () => {
    const paths = [...text.matchAll(/`((?:src|test|playground)\/[\w./-]*)`/g)].map(match => match[1]!)
    expect(paths.filter(path => !existsSync(join(root, path)))).toEqual([])
  })
})
