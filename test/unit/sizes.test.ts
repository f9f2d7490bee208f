import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'

const ROOT = join(import.meta.dirname, '../..')
const RULES = ['max-lines', 'max-lines-per-function', 'max-mutable-fields']

interface Complaint { filename: string, code: string }

/** Which of the rules about sizes `npm run lint` would find broken, by the name of the file. */
async function lint(files: Record<string, string>): Promise<Record<string, string[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'sizes-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await Promise.all(['.oxlintrc.json', 'lint'].map(name => cp(join(ROOT, name), join(folder, name), { recursive: true })))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, dirname(name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  const run = promisify(execFile)(join(ROOT, 'node_modules/.bin/oxlint'), ['--format', 'json', 'src'], { cwd: folder })
  // It exits with 1 when it has found something.
  const { stdout } = await run.catch((error: { stdout: string }) => error)
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Complaint[] }
  const broken = (name: string): string[] => RULES.filter(rule => diagnostics.some(({ filename, code }) => filename === name && code.endsWith(`(${rule})`)))
  return Object.fromEntries(Object.keys(files).map(name => [name, broken(name)]))
}

const lines = (count: number): string => '\n'.repeat(count)
const fields = (count: number, write: (index: number) => string): string => Array.from({ length: count }, (_, index) => `  ${write(index)}\n`).join('')

describe('lint', () => {
  it('finds files that are too long, blank lines and comments included', async () => {
    expect(await lint({
      'src/http/long.ts': `export const a = 1${lines(251)}`,
      'src/core/comments.ts': `export const a = 1\n${'// a\n'.repeat(250)}`,
      'src/runtime/app/long.vue': `<template><p /></template>\n<script setup lang="ts">\nconst a = 1${lines(251)}</script>\n`,
      'src/http/short.ts': `export const a = 1${lines(250)}`,
    })).toEqual({
      'src/http/long.ts': ['max-lines'],
      'src/core/comments.ts': ['max-lines'],
      'src/runtime/app/long.vue': ['max-lines'],
      'src/http/short.ts': [],
    })
  })

  it('finds functions of every kind that are too long', async () => {
    const long = ['max-lines-per-function']
    expect(await lint({
      'src/core/function.ts': `export function act(): void {${lines(40)}}\n`,
      'src/core/arrow.ts': `export const act = (): void => {${lines(40)}}\n`,
      'src/core/method.ts': `export class A {\n  act(): void {${lines(40)}}\n}\n`,
      'src/core/private.ts': `export class A {\n  #act(): void {${lines(40)}}\n  act = this.#act\n}\n`,
      'src/core/object.ts': `export const object = {\n  act(): void {${lines(40)}},\n}\n`,
      'src/core/called.ts': `export const called = ((): number => {${lines(39)}  return 1\n})()\n`,
      'src/core/short.ts': `export function act(): void {${lines(39)}}\n`,
    })).toEqual({
      'src/core/function.ts': long,
      'src/core/arrow.ts': long,
      'src/core/method.ts': long,
      'src/core/private.ts': long,
      'src/core/object.ts': long,
      'src/core/called.ts': long,
      'src/core/short.ts': [],
    })
  })

  it('finds classes with too many fields that can change', async () => {
    const many = ['max-mutable-fields']
    expect(await lint({
      'src/core/public.ts': `export class A {\n${fields(7, index => `field${index} = 1`)}}\n`,
      'src/core/private.ts': `export class A {\n${fields(7, index => `#field${index}?: number`)}}\n`,
      'src/core/static.ts': `export class A {\n${fields(7, index => `static field${index} = 1`)}}\n`,
      'src/core/declared.ts': `export abstract class A {\n${fields(7, index => `abstract field${index}: number`)}}\n`,
      'src/core/expression.ts': `export const A = class {\n${fields(7, index => `field${index} = 1`)}}\n`,
      'src/core/parameters.ts': `export class A {\n  constructor(\n${fields(7, index => `private field${index}: number,`)}  ) {}\n}\n`,
      'src/core/fixed.ts': `export class A {\n${fields(6, index => `field${index} = 1`)}${fields(9, index => `readonly #list${index} = []`)}  get size(): number { return 1 }\n}\n`,
    })).toEqual({
      'src/core/public.ts': many,
      'src/core/private.ts': many,
      'src/core/static.ts': many,
      'src/core/declared.ts': many,
      'src/core/expression.ts': many,
      'src/core/parameters.ts': many,
      'src/core/fixed.ts': [],
    })
  })
})

it('no comment switches these rules off', async () => {
  const names = (await readdir(join(ROOT, 'src'), { recursive: true })).filter(name => /\.(?:ts|vue)$/.test(name))
  const texts = await Promise.all(names.map(async name => ({ name, text: await readFile(join(ROOT, 'src', name), 'utf8') })))
  expect(names.length).toBeGreaterThan(100)
  expect(texts.filter(({ text }) => /lint-disable(?:-line|-next-line)?(?:\s*(?:\*\/|$)|.*max-)/m.test(text)).map(({ name }) => name)).toEqual([])
})
