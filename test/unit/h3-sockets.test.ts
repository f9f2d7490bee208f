import type { AddressInfo } from 'node:net'
import type { SessionEvent } from '../../src/adapters/event'
import type { SessionOptions } from '../../src/h3'
import type { Visitor } from '../support/browser'
import { once } from 'node:events'
import { createServer } from 'node:http'
import nodeAdapter from 'crossws/adapters/node'
import { plugin } from 'crossws/server'
import { createApp, defineWebSocketHandler, eventHandler, toNodeListener } from 'h3'
import { defineWebSocketHandler as defineV2Handler, H3, serve } from 'h3-v2'
import { createStorage } from 'unstorage'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createUnstorageStore, destroySession, getSession, sessionMiddleware, socketSessions, updateSession, useSession } from '../../src/h3'
import { createVisitor } from '../support/browser'
import { openGreeted } from '../support/socket'
import { SECRET } from './support/app'

type Handler = (event: SessionEvent) => unknown

interface Peer { context: object, send(data: unknown): unknown }

/** The hooks as the app wrote them, and as they are with their sessions. */
interface Hooks {
  upgrade(request: Request & { context?: Record<string, unknown> }): Promise<undefined>
  open(peer: Peer): Promise<void>
  message(peer: Peer, message: { text(): string }): Promise<void>
}

interface Host {
  name: string
  start(hooks: Hooks, handler: Handler, options: SessionOptions): Promise<Visitor & { url: string }>
}

const HOSTS: Host[] = [
  {
    name: 'h3 v1',
    async start(hooks, handler, options) {
      const app = createApp()
      app.use(sessionMiddleware(options) as never)
      app.use('/socket', defineWebSocketHandler(hooks as never))
      app.use(eventHandler(event => handler(event)))
      const server = createServer(toNodeListener(app))
      const { handleUpgrade } = nodeAdapter(app.websocket as never)
      server.on('upgrade', (...args) => handleUpgrade(...args as Parameters<typeof handleUpgrade>))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      onTestFinished(() => void server.close())
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      return Object.assign(createVisitor(url), { url })
    },
  },
  {
    name: 'h3 v2',
    async start(hooks, handler, options) {
      const app = new H3({ silent: true })
      app.use((event, next) => sessionMiddleware(options)(event, next))
      app.get('/socket', defineV2Handler(hooks as never))
      app.all('/**', event => handler(event))
      const resolve = async (request: Request): Promise<object> => (await app.fetch(request) as { crossws?: object }).crossws ?? {}
      const server = serve(app, { port: 0, hostname: '127.0.0.1', silent: true, plugins: [plugin({ resolve })] as never })
      onTestFinished(() => server.close(true))
      await server.ready()
      return Object.assign(createVisitor(server.url!), { url: server.url! })
    },
  },
]

const MODES = [
  { mode: 'storage mode', of: (): SessionOptions => ({ secret: SECRET, store: createStorage() }) },
  { mode: 'storage mode, the storage promised', of: (): SessionOptions => ({ secret: SECRET, store: createUnstorageStore({ type: 'memory' }) }) },
  { mode: 'cookie mode', of: (): SessionOptions => ({ secret: SECRET, mode: 'cookie' }) },
]

/** Answers requests and messages with what the session holds. */
function createHooks(options: SessionOptions): Hooks {
  const tell = async (peer: Peer): Promise<void> => {
    await useSession(peer, options)
    peer.send(JSON.stringify(getSession(peer)))
  }
  return socketSessions(options, {
    async upgrade(request) {
      (await useSession(request, options)).set('opened', true)
      return undefined
    },
    open: tell,
    async message(peer, message) {
      if (message.text() === '{"do":"change"}')
        await updateSession(peer, { changed: true }).then(() => tell(peer), error => peer.send(JSON.stringify(error.code)))
      else
        await tell(peer)
    },
  } satisfies Hooks)
}

const handler: Handler = async (event) => {
  if (String(Reflect.get(event, 'path')).startsWith('/logout'))
    await destroySession(event)
  return getSession(event) ?? {}
}

describe.each(HOSTS)('the sessions of WebSockets in an app of $name', ({ start }) => {
  it.each(MODES)('$mode: the cookie of one that begins in `upgrade` reaches the browser and works over HTTP', async ({ of }) => {
    const options = of()
    const visitor = await start(createHooks(options), handler, options)
    const socket = await openGreeted(visitor, visitor.url, '/socket')
    expect(socket.greeting).toEqual({ opened: true })
    expect(await visitor.json('/')).toEqual({ opened: true })
    await socket.close()
  })

  it('storage mode: one that a message changes is changed over HTTP, and its end is noticed', async () => {
    const options = MODES[0]!.of()
    const visitor = await start(createHooks(options), handler, options)
    const socket = await openGreeted(visitor, visitor.url, '/socket')
    expect(await socket.ask({ do: 'change' })).toEqual({ opened: true, changed: true })
    expect(await visitor.json('/')).toEqual({ opened: true, changed: true })
    await visitor.fetch('/logout')
    expect(await socket.ask({ do: 'see' })).toBeNull()
    await socket.close()
  })

  it('cookie mode: a change in a message is refused', async () => {
    const options = MODES.at(-1)!.of()
    const visitor = await start(createHooks(options), handler, options)
    const socket = await openGreeted(visitor, visitor.url, '/socket')
    expect(await socket.ask({ do: 'change' })).toBe('COOKIE_ERROR')
    await socket.close()
  })
})

it('an upgrade leaves nothing in a context that its host may give to all requests', async () => {
  const options = MODES[0]!.of()
  const context = {}
  const { upgrade } = createHooks(options)
  const answer = await upgrade(Object.assign(new Request('http://127.0.0.1/socket'), { context }))
  expect(answer).toHaveProperty('headers')
  expect(Reflect.ownKeys(context)).toEqual([])
})
