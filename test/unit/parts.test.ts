import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../src')
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).map(file => file.replaceAll('\\', '/')).filter(file => file.endsWith('.ts'))

/** The files that a file imports, also for their types alone. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'))
  return importedFiles.flatMap(({ fileName }) => {
    if (!fileName.startsWith('.'))
      return []
    const path = join(file, '..', fileName).replaceAll('\\', '/')
    return files.filter(other => other === `${path}.ts` || other === `${path}/index.ts`)
  })
}

const imports = new Map(files.map(file => [file, importsOf(file)]))

interface Part {
  part: string
  at: RegExp
  /** The files with lines that have to go with it. */
  wiredBy: string[]
}

/** What apps can do without. */
const PARTS: Part[] = [
  {
    part: 'sessions of other packages',
    at: /^core\/migration\/|^runtime\/server\/migrat|^build\/migration\.ts$/,
    wiredBy: ['build/check-config.ts', 'core/index.ts', 'core/session-manager.ts', 'core/testing/test-migrator.ts', 'h3.ts', 'nitro.ts', 'plain/app.ts', 'runtime/server/managers.ts', 'runtime/server/options.ts', 'runtime/server/types.ts'],
  },
  {
    part: 'clean-up',
    at: /^core\/storage\/sweep\.ts$|^core\/stores\/listing\.ts$|^http\/cleanup-timer\.ts$|^runtime\/server\/(?:tasks\/)?cleanup\.ts$|^build\/cleanup\.ts$/,
    wiredBy: ['build/left-out.ts', 'core/session-manager.ts', 'core/stores/driver.ts', 'nitro.ts', 'plain/app.ts', 'runtime/server/sessions.ts'],
  },
  {
    part: 'tracing channels',
    at: /^core\/tracing\.ts$/,
    wiredBy: ['core/index.ts', 'core/session-manager.ts', 'http/managers.ts'],
  },
  {
    part: 'WebSockets',
    at: /^http\/sockets\/|^runtime\/server\/(?:nitro\d\/)?sockets\.ts$/,
    wiredBy: ['h3.ts', 'plain/utils.ts', 'runtime/server/nitro2/plugin.ts', 'runtime/server/nitro3/plugin.ts'],
  },
  {
    part: 'pages',
    at: /^core\/session\/page\.ts$|^http\/page-(?:part|cookies)\.ts$|^runtime\/app\/|^runtime\/wire\.ts$|^runtime\/server\/routes\/|^runtime\/server\/nitro2\/page-.*\.ts$|^build\/(?:pages|guard)\.ts$|^vue-app\.ts$/,
    wiredBy: ['build/left-out.ts', 'http/event-sessions.ts', 'module.ts', 'nitro.ts', 'runtime/server/nitro2/plugin.ts'],
  },
  {
    part: 'the development page',
    at: /^runtime\/server\/devtools\/|^build\/devtools\.ts$/,
    wiredBy: ['module.ts', 'nitro.ts'],
  },
  {
    part: 'sessions of tests',
    at: /^core\/testing\/|^runtime\/server\/testing\/|^build\/test.*\.ts$|^test\.ts$|^test\//,
    wiredBy: ['nitro.ts', 'runtime/server/virtual.d.ts', 'vue-app.ts'],
  },
  {
    part: 'explanations in development',
    at: /^core\/session\/(?:explain-writes|line-to-write)\.ts$/,
    wiredBy: ['plain/app.ts', 'runtime/server/sessions.ts'],
  },
  {
    part: 'responses of Node that wait',
    at: /^http\/held-response\//,
    wiredBy: ['http/response-cookies.ts'],
  },
  {
    part: 'HTTP/2',
    at: /^http\/held-response\/http2/,
    wiredBy: ['http/held-response/index.ts'],
  },
  {
    part: 'what single drivers can do',
    at: /^core\/stores\/(?:files|redis[^/]*)\.ts$/,
    wiredBy: ['core/stores/mounted.ts'],
  },
  {
    part: 'h3 v1',
    at: /^adapters\/h3-v1\.ts$|^runtime\/server\/nitro2\/|^runtime\/server\/routes\//,
    wiredBy: ['adapters/event.ts', 'h3.ts'],
  },
  {
    part: 'h3 v2',
    at: /^adapters\/h3-v2\.ts$|^runtime\/server\/nitro3\//,
    wiredBy: ['adapters/event.ts', 'h3.ts', 'plain/host.ts'],
  },
]

describe.each(PARTS)('an optional part: $part', ({ at, wiredBy }) => {
  it('is imported by the files that wire it, and by no other', () => {
    const importers = files.filter(file => !at.test(file) && imports.get(file)!.some(imported => at.test(imported)))
    expect(importers.toSorted()).toEqual(wiredBy)
  })
})

describe('the core', () => {
  it('reaches no optional part from its manager, through whatever files', () => {
    const reached = new Set<string>()
    const reach = (file: string): void => {
      if (reached.has(file))
        return
      reached.add(file)
      imports.get(file)!.forEach(reach)
    }
    reach('core/manager.ts')
    const found = PARTS.flatMap(({ at }) => [...reached].filter(file => at.test(file)))
    expect(found).toEqual([])
    expect(reached.size).toBeGreaterThan(50)
  })
})
