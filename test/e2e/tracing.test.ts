import type { Visitor } from '../support/browser'
import type { NitroBuild, RunningServer } from '../support/nitro'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { COOKIE, createVisitor } from '../support/browser'
import { buildNitro, startServer } from '../support/nitro'

interface Span {
  name: string
  attributes: Record<string, unknown>
  status: { code: number, message?: string }
  id: string
  parent?: string
}

const ERROR = 2

let built: NitroBuild
let folder: string
let server: RunningServer
let visitor: Visitor
beforeAll(async () => {
  built = await buildNitro('nitro-tracing')
  folder = await mkdtemp(join(tmpdir(), 'unsession-'))
})
afterAll(async () => {
  await built?.remove()
  await rm(folder, { recursive: true, force: true })
})

/** The spans of sessions since the last call, when the requests of that path have ended. */
async function spansOf(path: string, requests = 1): Promise<{ spans: Span[], text: string }> {
  const all: Span[] = []
  await expect.poll(async () => {
    all.push(...await createVisitor(server.url).json<Span[]>('/spans'))
    return all.filter(({ name }) => name === path).length
  }).toBe(requests)
  const spans = all.filter(({ name }) => name.startsWith('session '))
  expect(spans.map(({ parent }) => all.find(({ id }) => id === parent)?.name)).toEqual(spans.map(() => expect.stringMatching(/^\//)))
  return { spans, text: JSON.stringify(all) }
}

const shown = ({ spans }: { spans: Span[] }): unknown => spans.map(({ name, attributes, status: { code } }) => [name, attributes, ...code === ERROR ? ['failed'] : []])

describe.each(['storage', 'cookie'])('the spans that the guide makes, in %s mode', (mode) => {
  beforeAll(async () => {
    server = await startServer(built.entry, { NITRO_SESSION_MODE: mode }, folder)
  })
  afterAll(() => server?.stop())
  beforeEach(async () => {
    visitor = createVisitor(server.url)
  })

  it('are children of the span of their request', async () => {
    await visitor.post('/login')
    const login = await spansOf('/login')
    expect(shown(login)).toEqual([
      ['session load', { 'session.mode': mode, 'session.result': 'none' }],
      ['session commit', { 'session.mode': mode, 'session.action': 'create', 'session.result': 'written' }],
    ])
    await visitor.json('/visits')
    expect(shown(await spansOf('/visits'))).toEqual([
      ['session load', { 'session.mode': mode, 'session.result': 'found' }],
      ['session commit', { 'session.mode': mode, 'session.action': 'update', 'session.result': 'written' }],
    ])
    await visitor.post('/logout')
    expect(shown(await spansOf('/logout'))).toContainEqual(['session commit', { 'session.mode': mode, 'session.action': 'destroy', 'session.result': 'written' }])
  })

  it('hold no id and no cookie', async () => {
    const id = await (await visitor.post('/login')).text()
    const cookie = visitor.cookies.get(COOKIE)!
    await visitor.json('/visits')
    visitor.cookies.set(COOKIE, `${cookie}x`)
    await visitor.json('/visits')
    const { text } = await spansOf('/visits', 2)
    expect([id, cookie, cookie.slice(0, 20), 'Grace'].filter(secret => text.includes(secret))).toEqual([])
    expect(text).toContain('"session.reason"')
  })
})

it('a storage that fails is a span with an error', async () => {
  server = await startServer(built.entry, {}, folder)
  onTestFinished(() => server.stop())
  visitor = createVisitor(server.url)
  await visitor.post('/login')
  await spansOf('/login')
  // There is nothing below a file.
  await rm(join(folder, '.data'), { recursive: true })
  await writeFile(join(folder, '.data'), '')
  expect((await visitor.fetch('/visits')).status).toBe(503)
  const { spans } = await spansOf('/visits')
  expect(spans.map(({ name, status }) => [name, status])).toEqual([['session load', { code: ERROR, message: 'The session failed with STORAGE_ERROR.' }]])
})
