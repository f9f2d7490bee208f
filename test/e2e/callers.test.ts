import type { NitroBuild, RunningServer } from '../support/nitro'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVisitor } from '../support/browser'
import { buildNitro, startServer } from '../support/nitro'
import { buildNitro3 } from '../support/nitro3'

const CASES = readFileSync(join(import.meta.dirname, '../fixtures/callers/cases.ts'), 'utf8').split('\n')

interface Failure { code: string, message: string, frame: string }

/** The name of a case, the code of its error, and what the line to blame holds. */
const ROWS: [name: string, code: string, line: string, message: string][] = [
  ['setDate', 'INVALID_VALUE', '.set(\'user\'', 'user.at'],
  ['setObject', 'INVALID_VALUE', '.set({', 'await session.update({ key: value })'],
  ['setLifetime', 'INVALID_VALUE', '.setLifetime(\'7d\')', 'session.setLifetime({ maxAge: 3600 })'],
  ['flashDate', 'INVALID_VALUE', 'flash(event, \'at\'', '`at`'],
  ['flashNothing', 'INVALID_VALUE', 'flash(event)', 'flash(event, \'key\')'],
  ['updateDate', 'INVALID_VALUE', 'session.update({', '`at`'],
  ['updateByFunction', 'INVALID_VALUE', 'session.update(()', '`at`'],
  ['updateUtil', 'INVALID_VALUE', 'updateSession(event, ()', '`at`'],
  ['regenerateText', 'INVALID_VALUE', 'session.regenerate(\'x\')', 'await session.regenerate({ key: value })'],
  ['h3Update', 'CONFIG_ERROR', 'updateSession(event, CONFIG', 'write `await updateSession(event, patch)`'],
  ['h3Use', 'CONFIG_ERROR', 'useSession(event, CONFIG', 'write `await useSession(event)`'],
  ['h3Get', 'CONFIG_ERROR', 'getSession(event, CONFIG', 'write `getSession(event)`'],
  ['misspelled', 'CONFIG_ERROR', 'useSession(event, {', '`useSession(event, options)` are not valid.\n  - nme: There is no such option. '],
  ['ofConfig', 'CONFIG_ERROR', 'useSession(event, {', '- mode: It is one for all sessions. Set it in the config.\n  - storage: It is one for all sessions. Set it in the config.'],
  ['badValue', 'CONFIG_ERROR', 'useSession(event, {', '- maxAge: "7d" is not allowed.'],
  ['badCookie', 'CONFIG_ERROR', 'useSession(event, {', '- cookie: "cart" is not allowed.'],
  ['noEvent', 'INVALID_VALUE', 'useSession(undefined', 'got undefined.'],
  ['context', 'INVALID_VALUE', 'getSession((event', 'takes the event of the handler'],
]

describe.each([
  { name: 'Nitro 2', build: (config: object) => buildNitro('nitro-callers', config) },
  { name: 'Nitro 3', build: (config: object) => buildNitro3('nitro3-callers', config) },
])('a mistake of a handler in a production server of $name', ({ build }) => {
  let built: NitroBuild
  let server: RunningServer
  beforeAll(async () => {
    built = await build({ sourceMap: true, sourcemap: true })
    server = await startServer(built.entry, { NODE_OPTIONS: '--enable-source-maps' })
  })
  afterAll(async () => {
    await server?.stop()
    await built?.remove()
  })

  it.each(ROWS)('%s is %s at the line %s', async (name, code, line, message) => {
    const failure = await createVisitor(server.url).json<Failure>(`/${name}`)
    expect(failure).toMatchObject({ code, message: expect.stringContaining(message) })
    expect(failure.message).not.toContain('32 characters or more')
    const [, number] = /callers\/cases\.ts:(\d+):\d+/.exec(failure.frame) ?? []
    expect(number ? CASES[Number(number) - 1] : failure.frame).toContain(line)
  })

  it('begins in the bundle of the handler without source maps, too', async () => {
    const plain = await startServer(built.entry)
    for (const [name] of ROWS) {
      const { frame } = await createVisitor(plain.url).json<Failure>(`/${name}`)
      expect(frame, name).toContain(name)
    }
    await plain.stop()
  })
})
