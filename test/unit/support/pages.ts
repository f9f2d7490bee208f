import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../../..')

/** A page of the guides. */
export function readPage(name: string): string {
  return readFileSync(join(root, 'docs', `${name}.md`), 'utf8')
}

/** What an installed package documents. */
export function readReadme(name: string): string {
  return readFileSync(join(root, 'node_modules', name, 'README.md'), 'utf8')
}

/** What follows a heading, to the next of its level or above. */
export function sectionOf(page: string, heading: string): string {
  const { length } = /^#+/.exec(heading)![0]
  return page.split(`\n${heading}\n`)[1]!.split(new RegExp(`\n#{1,${length}} `))[0]!
}

/** The code in the first column of all tables that begin with `there`. */
export function callsThere(text: string): string[] {
  const tables = text.split('\n\n').filter(block => block.startsWith('| there |'))
  return tables.flatMap(table => table.trimEnd().split('\n').slice(2).flatMap(row =>
    [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(match => match[1]!)))
}

/** Those of the names that no call stands for. */
export function missingIn(calls: readonly string[], names: readonly string[]): string[] {
  return names.filter(name => !calls.some(call => call === name || (call.startsWith(name) && !/[\w.]/.test(call[name.length]!))))
}

/** The first group of every match. */
export function allOf(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(match => match[1]!))]
}
