import type { RunningServer } from '../support/nitro'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNitro, writeTypes } from 'nitropack/core'
import { sessionHeaders } from 'unsession/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVisitor, setCookiesOf } from '../support/browser'
import { MAJORS } from '../support/majors'
import { startCommand } from '../support/nitro'

const STORED = { user: { name: 'ada', roles: [] } }

/** Changes of data in place, and what to write instead. */
const WRITES: [name: string, write: string, line: string][] = [
  ['assign', 'session.data.theme = 1', 'session.set(\'theme\', value)'],
  ['remove', 'delete session.data.user', 'session.delete(\'user\')'],
  ['assignInside', 'session.data.user.name = 1', 'session.set(\'user\', { ...session.data.user, name: value })'],
  ['push', 'session.data.user.roles.push(1)', 'session.set(\'user\', { ...session.data.user, roles: [...session.data.user.roles, value] })'],
  ['getKey', 'session.get(\'user\').name = 1', 'session.set(\'user\', { ...session.data.user, name: value })'],
  ['getData', 'getSession(event).theme = 1', 'session.set(\'theme\', value)'],
  ['update', 'await updateSession(event, function update(data) { data.theme = 1 })', 'data => ({ theme: value })'],
  ['handle', 'session.theme = 1', 'session.set(\'theme\', value)'],
]

/** A route that runs what the query names, each in a function of that name, and answers with its error. */
function writingRoute(isNitro3: boolean): string {
  return `${isNitro3 ? 'import { defineHandler as defineEventHandler } from \'nitro\'\n' : ''}
import { getSession, updateSession, useSession } from 'unsession/server'

const writes = {
  start: (event, session) => session.update(${JSON.stringify(STORED)}),
  read() {},
${WRITES.map(([name, write]) => `  async ${name}(event, session) { ${write} },`).join('\n')}
}

export default defineEventHandler(async (event) => {
  const session = await useSession(event)
  try {
    await writes[event.path.split('?')[1]](event, session)
    return { data: session.data, clone: structuredClone(session.data) }
  }
  catch ({ code, message, stack }) {
    return { code, message, frame: stack.split('\\n    at ')[1] }
  }
})
`
}

const root = join(import.meta.dirname, '../..')

describe.each(MAJORS)('the development server of $name, with an empty secret', ({ name, fixture, routes, cli, files }) => {
  let project: string
  let server: RunningServer
  const start = (): Promise<RunningServer> => startCommand(process.execPath, [cli, 'dev', '--dir', project, '--host', '127.0.0.1', '--port', '0'], { NITRO_SESSION_SECRET: '' })

  beforeAll(async () => {
    project = await mkdtemp(join(root, 'test/fixtures/.dev-'))
    await cp(join(root, 'test/fixtures', fixture), project, { recursive: true, filter: source => !/\/\.(?:output|nitro|data)/.test(source) })
    await writeFile(join(project, routes, 'write.js'), writingRoute(name === 'Nitro 3'))
    server = await start()
  })
  afterAll(async () => {
    await server?.stop()
    await rm(project, { recursive: true, force: true })
  })

  it('keeps sessions, without Secure, also over a restart', async () => {
    const visitor = createVisitor(server.url)
    const response = await visitor.fetch('/visit')
    expect(await response.json()).toEqual({ visits: 1 })
    expect(setCookiesOf(response, 'session')[0]).not.toContain('Secure')

    await server.stop()
    server = await start()
    expect(await createVisitor(server.url, visitor.cookies).json('/visit')).toEqual({ visits: 2 })
  })

  it('takes the sessions of tests', async () => {
    const headers = await sessionHeaders({ visits: 5 })
    const visit = async (): Promise<unknown> => (await fetch(`${server.url}/visit`, { headers })).json()
    expect([await visit(), await visit()]).toEqual([{ visits: 6 }, { visits: 7 }])
  })

  it.each(WRITES)('says what to write in place of a change of data in place: %s, `%s`', async (how, _, line) => {
    const visitor = createVisitor(server.url)
    await visitor.json('/write?start')
    expect(await visitor.json(`/write?${how}`)).toEqual({
      code: 'INVALID_VALUE',
      message: expect.stringContaining(`\`${line}\``),
      frame: expect.stringContaining(how),
    })
    expect(await visitor.json('/write?read')).toEqual({ data: STORED, clone: STORED })
  })

  it('shows the session of the browser at /__unsession__', async () => {
    const visitor = createVisitor(server.url)
    await visitor.json('/visit')
    const page = await visitor.fetch('/__unsession__')
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(page.headers.get('content-security-policy')).toContain('frame-ancestors \'self\'')
    expect(await visitor.json('/__unsession__/state')).toMatchObject({ mode: 'storage', current: { record: { data: { visits: 1 } } } })
  })

  it('keeps /__unsession__ from sites that let a name of theirs point here', async () => {
    const visitor = createVisitor(server.url)
    await visitor.json('/visit')
    const { current } = await visitor.json<{ current: { handle: string } }>('/__unsession__/state')
    const ask = (method: string, path: string, host: string): Promise<{ status: number, text: string }> => new Promise((resolve, reject) => {
      const { port } = new URL(server.url)
      request({ host: '127.0.0.1', port, method, path, headers: { host, cookie: `session=${visitor.cookies.get('session')}` } }, async (response) => {
        let text = ''
        for await (const chunk of response)
          text += chunk
        resolve({ status: response.statusCode!, text })
      }).once('error', reject).end()
    })
    for (const [method, path] of [['GET', ''], ['GET', '/icon.svg'], ['GET', '/state'], ['HEAD', '/state'], ['DELETE', `/sessions/${current.handle}`], ['GET', '/nothing']] as const) {
      const { status, text } = await ask(method, `/__unsession__${path}`, 'evil.example')
      expect([method, path, status]).toEqual([method, path, 403])
      expect(method === 'HEAD' ? '' : text).toContain(method === 'HEAD' ? '' : 'DNS rebinding). Open http://localhost:<port>/__unsession__ instead.')
    }
    expect((await visitor.json<{ current: object }>('/__unsession__/state')).current).toMatchObject({ handle: current.handle })
    expect((await ask('GET', '/__unsession__', 'app.localhost:3000')).status).toBe(200)
    // The app itself answers to any name.
    expect((await ask('GET', '/visit', 'evil.example')).status).toBe(200)
  })

  it('says once that another app on this host has a cookie of the same name, and what helps', async () => {
    const visitor = createVisitor(server.url)
    const start = (env: Record<string, string>): Promise<RunningServer> => startCommand(process.execPath, [cli, 'dev', '--dir', project, '--host', '127.0.0.1', '--port', '0'], env)
    const visit = (at: RunningServer): Promise<{ visits: number }> => createVisitor(at.url, visitor.cookies).json('/visit')

    const other = await start({ NITRO_SESSION_SECRET: 'the secret of another app on this very host' })
    // Cookies do not know ports: each takes the place of the other's.
    expect([await visit(server), await visit(other), await visit(server), await visit(other)].map(({ visits }) => visits)).toEqual([1, 1, 1, 1])
    await other.stop()
    for (const { output } of [server, other]) {
      const told = output().split('\n').filter(line => line.includes('that the secret of this app did not sign'))
      expect(told).toEqual([expect.stringMatching(/'session'.*`session: \{ cookie: \{ name: 'my-app' \} \}`.*NITRO_SESSION_COOKIE_NAME/)])
    }

    const named = await start({ NITRO_SESSION_SECRET: 'the secret of another app on this very host', NITRO_SESSION_COOKIE_NAME: 'other' })
    visitor.cookies.clear()
    expect([await visit(server), await visit(named), await visit(server), await visit(named)].map(({ visits }) => visits)).toEqual([1, 1, 2, 2])
    await named.stop()
    expect(named.output()).not.toContain('did not sign')
  })

  it('reloads with a changed route and keeps the session', async () => {
    const visitor = createVisitor(server.url)
    await visitor.json('/visit')
    await cp(join(project, routes, 'who.ts'), join(project, routes, 'new.ts'))
    // A request that meets the reload may never be answered.
    const status = (): Promise<number | undefined> => visitor.fetch('/new', { signal: AbortSignal.timeout(10_000) }).then(response => response.status, () => undefined)
    await expect.poll(status, { timeout: 120_000, interval: 500 }).toBe(200)
    expect(await visitor.json('/visit')).toEqual({ visits: 2 })
    await rm(join(project, routes, 'new.ts'))
  })

  it('warns of nothing', () => {
    expect(server.output()).not.toMatch(/warn|duplicated|deprecated/i)
  })

  it('writes nothing into the project but its data folder and Nitro\'s own', async () => {
    // The last is Nitro 3's, where wrangler is installed.
    expect((await readdir(project)).filter(file => file !== '.wrangler').sort()).toEqual(files)
    expect(await readFile(join(project, 'nitro.config.ts'), 'utf8')).toBe(await readFile(join(root, 'test/fixtures', fixture, 'nitro.config.ts'), 'utf8'))
  })
})

it('h3\'s session utils are replaced in the types that Nitro 2 generates', async () => {
  const buildDir = await mkdtemp(join(tmpdir(), 'unsession-types-'))
  const nitro = await createNitro({ rootDir: join(root, 'test/fixtures/nitro-bare'), buildDir, logLevel: 1 })
  await writeTypes(nitro)
  await nitro.close()
  const types = await readFile(join(buildDir, 'types/nitro-imports.d.ts'), 'utf8')
  const declared = types.split('\n').filter(line => /const (?:useSession|getSession|updateSession|clearSession)\b/.test(line))
  expect(declared).toHaveLength(4)
  for (const line of declared)
    expect(line).toContain('runtime/server/index')
  await rm(buildDir, { recursive: true })
})
