import { expect, it } from 'vitest'
import { UTILS } from '../../src/build/auto-imports'
import * as stubs from '../../src/runtime/app/server-utils'

it.each(UTILS)('%s in the Vue app says what to write instead', (name) => {
  const stub = (stubs as Record<string, () => never>)[name]!
  expect(stub).toThrow(new RegExp(`^\`${name}\` is for server code. In the Vue app (?:write \`|call a server route)`))
})

it('there is a stub for nothing else', () => {
  expect(Object.keys(stubs).sort()).toEqual([...UTILS].sort())
})
