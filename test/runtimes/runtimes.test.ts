import type { Workshop } from './workshop'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createVisitor } from '../support/browser'
import { checksOf } from './checks'
import { companionsOf, toText, travel } from './journey'
import { CELLS, nameOf } from './matrix'
import { createWorkshop } from './workshop'

/** What differs most, in few installs and builds; `npm run test:matrix` runs all cells. */
const SUBSET = [
  'Nitro 2.13.6 on Node 24',
  'Nitro 2.13.6 on Bun',
  'Nitro 2.13.6 on Deno',
  'Nitro 2.13.6 on workerd',
  'Nitro 2.13.6 on workerd, nodejs_compat',
  'Nitro 3.0.260903-beta on Node 20',
  'Nitro 3.0.260903-beta on Bun',
  'h3 1.15.11, toWebHandler on Bun',
  'h3 2.0.8, serve on Deno',
]

const cells = SUBSET.map(name => CELLS.find(cell => nameOf(cell) === name) ?? expect.fail(`The matrix has no cell '${name}'.`))

let workshop: Workshop
beforeAll(() => {
  workshop = createWorkshop(inject('tarball'))
})
afterAll(() => workshop?.close())

describe.each(cells.map(cell => ({ name: nameOf(cell), cell })))('$name', ({ cell }) => {
  it.each(checksOf(cell))('keeps sessions: $title', async ({ run }) => {
    await expect(run(workshop)).resolves.toBeUndefined()
  })
})

describe.each(cells.filter(({ runtime }) => !runtime.startsWith('workerd')).map(cell => ({ name: nameOf(cell), cell })))('$name', ({ cell }) => {
  it.each(['cookie', cell.stores[0]] as const)('has tracing channels: %s', async (keeping) => {
    const server = await workshop.start(cell, keeping, join(import.meta.dirname, 'listen.mjs'))
    const visitor = createVisitor(server.url)
    await visitor.post('/login')
    await visitor.json('/visits')
    const mode = keeping === 'cookie' ? 'cookie' : 'storage'
    const ended = JSON.stringify({ mode, action: 'update', result: 'written' })
    // Cookies are there at once, and so may be what is in storage.
    await expect.poll(() => server.output()).toMatch(new RegExp(`trace commit:(?:${mode === 'cookie' ? 'end' : 'asyncEnd'}) ${ended}`))
    expect(server.output()).toContain(`trace load:${mode === 'cookie' ? 'end' : 'asyncEnd'} ${JSON.stringify({ mode, result: 'found' })}`)
    await server.stop()
  })
})

describe('a visitor who goes from runtime to runtime', () => {
  it.each(['cookie', 'redis'] as const)('is known everywhere: %s', async (keeping) => {
    const refusals = await travel(workshop, companionsOf(cells, keeping), keeping)
    expect(refusals.map(toText)).toEqual([])
  })
})
