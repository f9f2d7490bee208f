import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'

const run = promisify(execFile)
const tarball = inject('tarball')

interface Manifest {
  exports: Record<string, string | Record<string, string>>
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
}

describe('the packed package', () => {
  let dir: string
  let files: string[]
  let manifest: Manifest
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'unsession-unpacked-'))
    await run('tar', ['-xzf', tarball, '-C', dir, '--strip-components', '1'])
    const entries = await readdir(dir, { recursive: true, withFileTypes: true })
    files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name).slice(dir.length + 1))
    manifest = JSON.parse(await readFile(join(dir, 'package.json'), 'utf8'))
  })
  afterAll(() => rm(dir, { recursive: true, force: true }))

  it('holds code, declarations and its papers, and nothing else', () => {
    const allowed = /^(?:dist\/.+\.(?:js|d\.ts)|dist\/noble\/(?:ciphers|hashes)\/(?:LICENSE|package\.json)|dist\/runtime\/server\/devtools\/(?:page\.html|icon\.svg)|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/
    expect(files.filter(file => !allowed.test(file))).toEqual([])
    expect(files).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'package.json']))
  })

  it('holds no tests and no trace of the machine that built it', async () => {
    expect(files.filter(file => /\.(?:test|spec)\.|\b(?:fixtures?|playground)\b/.test(file))).toEqual([])
    const texts = await Promise.all(files.map(file => readFile(join(dir, file), 'utf8')))
    expect(files.filter((_, index) => texts[index]!.includes(process.cwd()) || texts[index]!.includes('sourceMappingURL'))).toEqual([])
  })

  it('holds every file that its entry points name', () => {
    const named = Object.values(manifest.exports).flatMap(entry => typeof entry === 'string' ? [entry] : Object.values(entry))
    expect(named.map(path => path.replace('./', '')).filter(path => !files.includes(path))).toEqual([])
  })

  it('holds the files of noble as they were published', async () => {
    const included = files.filter(file => file.startsWith('dist/noble/'))
    const published = (file: string): string => join(import.meta.dirname, '../../node_modules/@noble', file.slice('dist/noble/'.length))
    const code = included.filter(file => !file.endsWith('package.json'))
    const differences = await Promise.all(code.map(async file => await readFile(join(dir, file), 'utf8') === await readFile(published(file), 'utf8') ? [] : file))
    expect(included).toEqual(expect.arrayContaining(['ciphers', 'hashes'].flatMap(name => [`dist/noble/${name}/LICENSE`, `dist/noble/${name}/package.json`])))
    expect(differences.flat()).toEqual([])
    for (const file of included.filter(file => file.endsWith('package.json'))) {
      const { name, version } = JSON.parse(await readFile(published(file), 'utf8')) as { name: string, version: string }
      expect(JSON.parse(await readFile(join(dir, file), 'utf8'))).toMatchObject({ name, version, type: 'module' })
    }
  })

  it('holds no declarations of code that only builds and servers run', () => {
    const declarations = files.filter(file => file.endsWith('.d.ts'))
    expect(declarations).toEqual(expect.arrayContaining(['dist/nitro.d.ts', 'dist/runtime/app/use-client-session.d.ts', 'dist/runtime/server/routes/session.d.ts']))
    expect(declarations.filter(file => /^dist\/(?:build|runtime\/server\/(?:nitro\d|scan|devtools))\//.test(file)).toSorted()).toEqual(['dist/build/guard.d.ts', 'dist/build/nitro.d.ts'])
  })

  it('declares every package that it imports', async () => {
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
    const undeclared = new Set<string>()
    for (const file of files.filter(file => file.startsWith('dist/'))) {
      const { importedFiles } = ts.preProcessFile(await readFile(join(dir, file), 'utf8'))
      for (const { fileName } of importedFiles.filter(({ fileName }) => isBare(fileName))) {
        const name = fileName.split('/').slice(0, fileName.startsWith('@') ? 2 : 1).join('/')
        if (!declared.includes(name))
          undeclared.add(`${name} in ${file}`)
      }
    }
    expect([...undeclared]).toEqual([])
  })

  it('imports every package that it depends on', async () => {
    const texts = await Promise.all(files.filter(file => file.endsWith('.js')).map(file => readFile(join(dir, file), 'utf8')))
    const imported = texts.flatMap(text => ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName))
    const unused = Object.keys(manifest.dependencies).filter(name => !imported.some(path => path === name || path.startsWith(`${name}/`)))
    expect(unused).toEqual([])
  })
})

describe('the judges of packages', () => {
  it('publint has no complaint', async () => {
    const { stdout } = await run('npx', ['publint', tarball, '--strict'])
    expect(stdout).toContain('All good!')
  })

  it('arethetypeswrong has no complaint', async () => {
    const { stdout } = await run('npx', ['attw', tarball, '--profile', 'esm-only', '--format', 'json'], { maxBuffer: 2 ** 26 })
    const { analysis } = JSON.parse(stdout) as { analysis: { entrypoints: Record<string, unknown> } }
    expect(Object.keys(analysis.entrypoints)).toEqual(expect.arrayContaining(['.', './nuxt', './server', './core']))
  })
})

/** A package, and not a file, a virtual module or a part of Node. */
function isBare(specifier: string): boolean {
  return !/^(?:[./#]|node:)/.test(specifier) && !builtinModules.includes(specifier)
}
