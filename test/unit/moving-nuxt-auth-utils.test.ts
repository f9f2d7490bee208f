import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { allOf, callsThere, missingIn, readPage, readReadme, sectionOf } from './support/pages'

const readme = readReadme('nuxt-auth-utils')
const calls = callsThere(sectionOf(readPage('moving-from-nuxt-auth-utils'), '## Every call'))
const codeOf = (path: string): string => readFileSync(join(import.meta.dirname, '../../node_modules/nuxt-auth-utils/dist/runtime', path), 'utf8')
const [, composable] = /interface UserSessionComposable \{([\s\S]*?)\n\}/.exec(readme)!

// What is different is seen in the apps, test/e2e/moving-nuxt-auth-utils.test.ts, and what comes from h3 in moving-h3.test.ts.
it.each<[what: string, names: string[], least: number]>([
  ['server util', ['session', 'password'].flatMap(file => allOf(codeOf(`server/utils/${file}.d.ts`), /export declare (?:function|const) (\w+)/g)).filter(name => name !== 'passwordNeedsReHash'), 8],
  ['util in its code', allOf(readme, /\b((?:\w+UserSession|\w+Password|passwordNeeds\w+)(?=\())/g), 8],
  ['handler', allOf(readme, /\b(define(?:OAuth|WebAuthn)(?:<\w+>|\w+)?EventHandler)\b/g), 4],
  ['function that a handler takes', allOf(readme, /^\W{2,6}(?:async )?(\w+)\([^)]*\) \{$/gm).filter(name => !/^(?:if|upgrade|open|message|signUp|signIn)$/.test(name)), 7],
  ['member of its composable', allOf(composable!, /^ {2}(\w+):/gm), 7],
  ['composable', allOf(readme, /\b(use(?:UserSession|WebAuthn|RequestFetch))\(/g), 3],
  ['type', allOf(readme, /^ *interface (\w+)/gm), 4],
  ['component', allOf(readme, /`(<\w+>)`/g), 1],
  ['hook', allOf(readme, /(sessionHooks\.hook\('\w+',)/g).map(hook => `${hook} ...)`), 2],
  ['variable of the environment', allOf(readme, /`(NUXT_[\w<>]+)`/g), 4],
  ['option of its sessions', allOf(/Our defaults are:\s+```ts\n([\s\S]*?)```/.exec(readme)![1]!, /^ {2}(\w+):/gm), 3],
  ['option of the module', allOf(readme, /^ {2}auth: \{\s+(\w+):/gm).map(name => name === 'loadStrategy' ? name : `auth.${name}`), 4],
  ['route', allOf(readme, /`(\/api\/\w+\/\w+)` route/g), 1],
])('the page has a line for every %s', (_, names, least) => {
  expect(names.length).toBeGreaterThanOrEqual(least)
  expect(missingIn(calls, names)).toEqual([])
})
