import type { AddressInfo } from 'node:net'
import type { SessionEvent } from '../../src/adapters/event'
import type { SessionOptions } from '../../src/h3'
import type { UpgradeRequest } from '../../src/http/sockets/upgrade'
import type { Visitor } from '../support/browser'
import { once } from 'node:events'
import { createServer } from 'node:http'
import nodeAdapter from 'crossws/adapters/node'
import { plugin } from 'crossws/server'
import { createApp, defineWebSocketHandler, eventHandler, toNodeListener } from 'h3'
import { defineWebSocketHandler as defineV2Handler, H3, serve } from 'h3-v2'
import { createStorage } from 'unstorage'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createUnstorageStore, destroySession, getSession, requireSession, SessionError, sessionMiddleware, socketSessions, updateSession, useSession } from '../../src/h3'
import { createVisitor } from '../support/browser'
import { openGreeted, openRefused } from '../support/socket'
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
  start(hooks: object, handler: Handler, options: SessionOptions): Promise<Visitor & { url: string }>
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

describe.each(HOSTS)('requireSession in the WebSockets of an app of $name', ({ start }) => {
  it('refuses in `upgrade` and closes peers, without a word in the log', async () => {
    const logged = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => logged.mockRestore())
    const options = MODES[0]!.of()
    const hooks = socketSessions(options, {
      async upgrade(request: Request) {
        if (request.url.includes('guard'))
          await requireSession(request as UpgradeRequest, ({ user }) => user === 'ada' && !request.url.includes('admin'))
        return undefined
      },
      open: (peer: Peer) => void peer.send('{}'),
      async message(peer: Peer) {
        const { user } = await requireSession(peer, 'user')
        peer.send(JSON.stringify(user))
      },
    })
    const visitor = await start(hooks, event => updateSession(event, { user: 'ada' }), options)
    expect((await openRefused(visitor, visitor.url, '/socket?guard')).status).toBe(401)
    const stranger = await openGreeted(visitor, visitor.url, '/socket')
    expect(await stranger.endBy({})).toEqual({ code: 4401, reason: 'Unauthorized' })
    await visitor.fetch('/')
    expect((await openRefused(visitor, visitor.url, '/socket?guard=admin')).status).toBe(403)
    const socket = await openGreeted(visitor, visitor.url, '/socket?guard')
    expect(await socket.ask({})).toBe('ada')
    await socket.close()
    expect(logged).not.toHaveBeenCalled()
  })
})

describe('what a hook fails with', () => {
  it.each<[what: string, message: (peer: Peer) => unknown]>([
    ['an error of the app', async () => { throw new Error('of the app') }],
    ['one that is thrown at once', () => { throw new Error('of the app') }],
    ['one that looks like a refusal', async () => { throw new SessionError('FORBIDDEN', 'of the app') }],
    ['a guard that is misused', peer => requireSession(peer, undefined as never)],
    ['a guard in a handler without sessions', () => requireSession({ context: {} } as never)],
  ])('stays as it is, unless a guard refused: %s', async (_, message) => {
    const hooks = socketSessions(MODES[0]!.of(), { message })
    const close = vi.fn<() => void>()
    const peer = { context: {}, request: new Request('http://127.0.0.1/socket'), send() {}, close }
    await expect(Promise.resolve().then(() => hooks.message(peer))).rejects.toBeInstanceOf(Error)
    expect(close).not.toHaveBeenCalled()
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
