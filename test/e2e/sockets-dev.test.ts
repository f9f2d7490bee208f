import type { RunningServer } from '../support/nitro'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createVisitor } from '../support/browser'
import { MAJORS } from '../support/majors'
import { startCommand } from '../support/nitro'
import { openGreeted } from '../support/socket'

const fixtures = join(import.meta.dirname, '../fixtures')

describe.each([
  { ...MAJORS[0]!, fixture: 'nitro-sockets' },
  { ...MAJORS[1]!, fixture: 'nitro3-sockets' },
])('WebSockets of the development server of $name', ({ cli, fixture }) => {
  let project: string
  let server: RunningServer
  beforeAll(async () => {
    project = await mkdtemp(join(fixtures, '.dev-'))
    await cp(join(fixtures, fixture), project, { recursive: true, filter: source => !/\/\.(?:output|nitro|data)/.test(source) })
    server = await startCommand(process.execPath, [cli, 'dev', '--dir', project, '--host', '127.0.0.1', '--port', '0'], { NITRO_SESSION_SECRET: '' })
  })
  afterAll(async () => {
    await server?.stop()
    await rm(project, { recursive: true, force: true })
  })

  it('share the session with requests: what `upgrade` begins, what a message changes, and its end', async () => {
    const visitor = createVisitor(server.url)
    const socket = await openGreeted(visitor, server.url, '/socket?do=set')
    expect(socket.greeting).toEqual({ opened: { data: { upgraded: true }, exists: true } })
    await socket.ask({ do: 'save', key: 'theme', value: 'dark' })
    expect(await visitor.json('/data')).toEqual({ upgraded: true, theme: 'dark' })
    await visitor.fetch('/logout')
    expect(await socket.ask({ do: 'see' })).toEqual({ result: { data: {}, exists: false } })
    await socket.close()
  })
})
