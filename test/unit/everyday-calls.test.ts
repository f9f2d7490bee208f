import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const text = readFileSync(join(import.meta.dirname, '../../docs/everyday-calls.md'), 'utf8')
const [, table = ''] = /<!-- lines -->\n([\s\S]*?)<!-- \/lines -->/.exec(text) ?? []
const sections = text.split('\n## ').slice(1).map((section) => {
  const title = section.slice(0, section.indexOf('\n'))
  return { title, ours: linesIn(section, 'unsession'), theirs: linesIn(section, 'nuxt-auth-utils') }
})

/** The lines of code that a section takes from an app, without blank ones and comments. */
function linesIn(section: string, app: string): number {
  const fences = [...section.matchAll(/<!-- test\/fixtures\/everyday\/([\w-]+)\/\S+ -->\n```\w+\n([\s\S]*?)```/g)]
  const lines = fences.filter(fence => fence[1] === app).flatMap(fence => fence[2]!.split('\n'))
  return lines.filter(line => line.trim() !== '' && !/^\s*(?:\/\/|<!--)/.test(line)).length
}

describe('the everyday calls', () => {
  it('are the lines that the table says', () => {
    const rows = sections.map(({ title, ours, theirs }) => `| [${title}](#${title.toLowerCase().replaceAll(' ', '-')}) | ${ours} | ${theirs} |\n`)
    expect(table).toBe(['| | unsession | nuxt-auth-utils |\n', '| --- | --: | --: |\n', ...rows].join(''))
    expect(sections.length).toBeGreaterThanOrEqual(11)
  })

  it.each(sections)('$title: are as short as those of nuxt-auth-utils, or shorter', ({ ours, theirs }) => {
    expect(ours).toBeGreaterThan(0)
    expect(ours).toBeLessThanOrEqual(theirs)
  })
})
