import type { Visitor } from '../support/browser'
import type { NitroBuild, RunningServer } from '../support/nitro'
import type { Socket } from '../support/socket'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { COOKIE, createVisitor } from '../support/browser'
import { buildNitro, startServer } from '../support/nitro'
import { buildNitro3 } from '../support/nitro3'
import { openGreeted, openRefused, openSocket } from '../support/socket'

const MAJORS = [
  { name: 'Nitro 2', build: () => buildNitro('nitro-sockets') },
  { name: 'Nitro 3', build: () => buildNitro3('nitro3-sockets') },
]

describe.each(MAJORS)('the sessions of WebSockets in $name', ({ name, build }) => {
  let built: NitroBuild
  let server: RunningServer
  const sockets: Socket[] = []
  const newcomer = (): Visitor => createVisitor(server.url)
  const user = async (): Promise<Visitor> => {
    const visitor = newcomer()
    await visitor.fetch('/login?user=ada')
    return visitor
  }
  const open = async (visitor: Visitor, path = '/socket'): ReturnType<typeof openGreeted> => {
    const socket = await openGreeted(visitor, server.url, path)
    sockets.push(socket)
    return socket
  }
  const refused = (visitor: Visitor, path: string): ReturnType<typeof openRefused> => openRefused(visitor, server.url, path)
  const failing = (...operations: string[]): Promise<Response> => newcomer().fetch(`/break?${operations.map(operation => `failing=${operation}`).join('&')}`)
  const told = (): Promise<object[]> => newcomer().json('/told')

  beforeAll(async () => {
    built = await build()
  })
  afterEach(async () => {
    await Promise.all(sockets.splice(0).map(socket => socket.close()))
  })
  afterAll(() => built?.remove())

  describe.each(['storage', 'cookie'] as const)('%s mode', (mode) => {
    beforeAll(async () => {
      server = await startServer(built.entry, { NITRO_SESSION_MODE: mode })
    })
    afterAll(() => server?.stop())

    it('a visitor without a cookie has none, and gets none', async () => {
      const socket = await open(newcomer())
      expect(socket.greeting).toEqual({ opened: { data: {}, exists: false } })
      expect(socket.headers['set-cookie']).toBeUndefined()
    })

    it('that of the cookie is read when it opens and at every message', async () => {
      const socket = await open(await user())
      expect(socket.greeting).toEqual({ opened: { data: { user: 'ada' }, exists: true } })
      expect(await socket.ask({ do: 'see' })).toEqual({ result: { data: { user: 'ada' }, exists: true } })
    })

    it('a forged cookie is a visitor without one', async () => {
      const visitor = await user()
      visitor.cookies.set(COOKIE, visitor.cookies.get(COOKIE)!.replace(/.$/, last => last === 'A' ? 'B' : 'A'))
      expect((await open(visitor)).greeting).toEqual({ opened: { data: {}, exists: false } })
    })

    it('the guard in `upgrade` lets users in and refuses others, with 401 or 403', async () => {
      expect((await open(await user(), '/socket?do=guard')).greeting).toMatchObject({ opened: { exists: true } })
      expect(await refused(newcomer(), '/socket?do=guard')).toMatchObject({ status: 401, cookies: [], body: expect.stringContaining('sign in first') })
      expect((await refused(newcomer(), '/socket?do=role')).status).toBe(401)
      expect((await refused(await user(), '/socket?do=role')).status).toBe(403)
    })

    it('the guard in `message` gives users their data, and closes the connection of others', async () => {
      const [known, stranger] = [await open(await user()), await open(newcomer())]
      expect(await known.ask({ do: 'user' })).toEqual({ user: 'ada' })
      expect(await stranger.endBy({ do: 'user' })).toEqual({ code: 4401, reason: 'Unauthorized' })
      expect(await known.endBy({ do: 'admin' })).toEqual({ code: 4403, reason: 'Forbidden' })
    })

    it('the guard in `open` does, too', async () => {
      expect((await open(await user(), '/socket?open=guard')).greeting).toMatchObject({ opened: { exists: true } })
      const socket = await openSocket(newcomer(), server.url, '/socket?open=guard')
      expect(await socket.ended).toEqual({ code: 4401, reason: 'Unauthorized' })
    })

    it('a guard that refuses many messages at once closes once, and is no error of the server', async () => {
      const socket = await openSocket(newcomer(), server.url, '/socket')
      await Promise.all(Array.from({ length: 20 }, () => socket.endBy({ do: 'user' })))
      expect(await socket.ended).toMatchObject({ code: 4401 })
      expect((await open(await user())).greeting).toMatchObject({ opened: { exists: true } })
      expect(server.output()).not.toMatch(/SessionError|INVALID_SESSION|Rejection/)
    })

    it.each(['set', 'update', 'regenerate', 'headers'])('the cookie of one that begins in `upgrade` (%s) reaches the browser and works over HTTP', async (how) => {
      const visitor = newcomer()
      const socket = await open(visitor, `/socket?do=${how}`)
      expect(socket.headers['set-cookie']!.filter(line => line.startsWith(`${COOKIE}=`))).toHaveLength(1)
      expect(socket.greeting).toEqual({ opened: { data: { upgraded: true }, exists: true } })
      expect(await visitor.json('/data')).toEqual({ upgraded: true })
    })

    it('headers that `upgrade` sets itself are kept', async () => {
      const { headers } = await open(newcomer(), '/socket?do=headers')
      expect(headers['x-upgraded']).toBe('yes')
      expect(headers['set-cookie']).toContain('other=1; Path=/')
    })

    it('an id that `upgrade` replaced is the one of the connection', async () => {
      const visitor = await user()
      const before = visitor.cookies.get(COOKIE)
      const socket = await open(visitor, '/socket?do=regenerate')
      expect(visitor.cookies.get(COOKIE)).not.toBe(before)
      expect(await socket.ask({ do: 'see' })).toEqual({ result: { data: { user: 'ada', upgraded: true }, exists: true } })
    })

    it('one that `upgrade` ends is gone for the browser and the connection', async () => {
      const visitor = await user()
      const socket = await open(visitor, '/socket?do=destroy')
      expect(visitor.cookies.has(COOKIE)).toBe(false)
      expect(socket.greeting).toEqual({ opened: { data: {}, exists: false } })
    })

    it.each([['refuse', 403], ['throw', 401]])('a refusal (%s) is passed on', async (how, status) => {
      const visitor = newcomer()
      const { body, cookies, ...answer } = await refused(visitor, `/socket?do=${how}`)
      expect({ ...answer, body }).toEqual({ status, body: 'not you' })
      // crossws 0.3 would escape it.
      expect(cookies).toHaveLength(name === 'Nitro 2' ? 0 : 1)
      expect(await visitor.json('/data')).toEqual(name === 'Nitro 2' ? {} : { refused: true })
    })

    it.each(['set', 'save', 'add', 'regenerate'])('what would need a cookie (%s) is refused where there is no session, and nothing is stored', async (how) => {
      const visitor = newcomer()
      const socket = await open(visitor)
      expect(await socket.ask({ do: how, key: 'key', value: 1 })).toEqual({ code: 'COOKIE_ERROR', message: expect.stringContaining('over HTTP') })
      expect(await socket.ask({ do: 'see' })).toEqual({ result: { data: {}, exists: false } })
    })

    it.each(['regenerate', 'lifetime'])('what would need another cookie (%s) is refused, and the session stays', async (how) => {
      const visitor = await user()
      const socket = await open(visitor)
      expect(await socket.ask({ do: how })).toEqual({ code: 'COOKIE_ERROR', message: expect.stringContaining('over HTTP') })
      expect(await visitor.json('/data')).toEqual({ user: 'ada' })
    })
  })

  describe('cookie mode', () => {
    beforeAll(async () => {
      server = await startServer(built.entry, { NITRO_SESSION_MODE: 'cookie' })
    })
    afterAll(() => server?.stop())

    it.each(['set', 'save', 'add', 'clear', 'destroy'])('refuses %s with the remedy', async (how) => {
      const visitor = await user()
      const socket = await open(visitor)
      expect(await socket.ask({ do: how, key: 'key', value: 1 })).toEqual({ code: 'COOKIE_ERROR', message: expect.stringContaining('mode: \'storage\'') })
      expect(await socket.ask({ do: 'see' })).toEqual({ result: { data: { user: 'ada' }, exists: true } })
    })
  })

  describe('storage mode', () => {
    beforeAll(async () => {
      server = await startServer(built.entry)
    })
    beforeEach(told)
    afterAll(() => server?.stop())

    it('a change over HTTP is seen by the next message', async () => {
      const visitor = await user()
      const socket = await open(visitor)
      await visitor.fetch('/set?theme=dark')
      expect(await socket.ask({ do: 'see' })).toEqual({ result: { data: { user: 'ada', theme: 'dark' }, exists: true } })
    })

    it.each(['/logout', '/login?user=bob'])('one that ends over HTTP (%s) is noticed by the next message', async (path) => {
      const visitor = await user()
      const socket = await open(visitor)
      await visitor.fetch(path)
      expect(await socket.ask({ do: 'see' })).toEqual({ result: { data: {}, exists: false } })
      expect(await socket.ask({ do: 'reload' })).toMatchObject({ code: 'EXPIRED_SESSION' })
    })

    it.each(['/logout', '/login?user=bob'])('the guard closes the connection of one that ended over HTTP (%s) at its next message', async (path) => {
      const visitor = await user()
      const socket = await open(visitor, '/socket?do=guard')
      expect(await socket.ask({ do: 'user' })).toEqual({ user: 'ada' })
      await visitor.fetch(path)
      expect(await socket.endBy({ do: 'user' })).toEqual({ code: 4401, reason: 'Unauthorized' })
    })

    it('the guard lets in whom a change over HTTP allowed it', async () => {
      const visitor = await user()
      const socket = await open(visitor)
      await visitor.fetch('/set?role=admin')
      expect(await socket.ask({ do: 'admin' })).toEqual({ isAdmin: true })
    })

    it.each(['/logout', '/login?user=bob'])('one that ended over HTTP (%s) does not come back by a change', async (path) => {
      const visitor = await user()
      const copy = createVisitor(server.url, new Map(visitor.cookies))
      const socket = await open(visitor)
      await visitor.fetch(path)
      expect(await socket.ask({ do: 'save', key: 'key', value: 1 })).toMatchObject({ code: expect.stringMatching(/^(?:COOKIE_ERROR|EXPIRED_SESSION)$/) })
      expect(await copy.json('/data')).toEqual({})
    })

    it('one that expires is noticed', async () => {
      const brief = await startServer(built.entry, { NITRO_SESSION_MAX_AGE: '1' })
      const visitor = createVisitor(brief.url)
      const socket = await openGreeted(visitor, brief.url, '/socket?do=set')
      await expect.poll(() => socket.ask({ do: 'see' })).toEqual({ result: { data: {}, exists: false } })
      const late = await openGreeted(visitor, brief.url, '/socket')
      expect(late.greeting).toEqual({ opened: { data: {}, exists: false } })
      await Promise.all([socket.close(), late.close()])
      await brief.stop()
    })

    it('what `set` changes is stored without anything else, and seen over HTTP', async () => {
      const visitor = await user()
      const socket = await open(visitor)
      expect(await socket.ask({ do: 'set', key: 'theme', value: 'dark' })).toEqual({})
      await expect.poll(() => visitor.json('/data')).toEqual({ user: 'ada', theme: 'dark' })
    })

    it('what was saved is there over HTTP at once', async () => {
      const visitor = await user()
      const socket = await open(visitor)
      await socket.ask({ do: 'save', key: 'theme', value: 'dark' })
      expect(await visitor.json('/data')).toEqual({ user: 'ada', theme: 'dark' })
    })

    it('a change that is still being written is seen by the same connection', async () => {
      const socket = await open(await user())
      expect(await socket.ask({ do: 'twice', key: 'theme', value: 'dark' })).toMatchObject({ result: { data: { theme: 'dark' } } })
    })

    it('connections that count in parallel lose nothing', async () => {
      const visitor = await user()
      const [first, second] = [await open(visitor), await open(visitor)]
      await Promise.all([first, second].map(async (socket) => {
        for (let time = 0; time < 10; time++)
          await socket.ask({ do: 'add', key: 'count' })
      }))
      expect(await visitor.json('/data')).toEqual({ user: 'ada', count: 20 })
    })

    it('a message that one connection leaves is read once', async () => {
      const visitor = await user()
      const [first, second] = [await open(visitor), await open(visitor)]
      await first.ask({ do: 'flash', key: 'success', value: 'saved' })
      await expect.poll(() => second.ask({ do: 'read', key: 'success' })).toEqual({ result: 'saved' })
      await expect.poll(() => first.ask({ do: 'read', key: 'success' })).toEqual({})
    })

    it.each(['clear', 'destroy'])('%s ends the session, also over HTTP', async (how) => {
      const visitor = await user()
      const socket = await open(visitor)
      await socket.ask({ do: how })
      await expect.poll(() => visitor.json('/data')).toEqual({})
      expect(await socket.ask({ do: 'see' })).toEqual({ result: { data: {}, exists: false } })
    })

    it('after `destroy` a change is refused', async () => {
      const socket = await open(await user())
      expect(await socket.ask({ do: 'again', key: 'key' })).toMatchObject({ code: 'COOKIE_ERROR' })
    })

    it('a second session has its own cookie', async () => {
      const visitor = await user()
      const socket = await open(visitor)
      expect(await socket.ask({ do: 'cart' })).toEqual({ result: {} })
      expect(await socket.ask({ do: 'cart', value: 'tea' })).toMatchObject({ code: 'COOKIE_ERROR' })
      expect(await socket.ask({ do: 'see' })).toMatchObject({ result: { data: { user: 'ada' } } })
    })

    it('a session for every visitor (saveUninitialized) begins in `upgrade` at the latest, and its cookie reaches the browser', async () => {
      const eager = await startServer(built.entry, { NITRO_SESSION_SAVE_UNINITIALIZED: 'true' })
      const visitor = createVisitor(eager.url)
      const socket = await openGreeted(visitor, eager.url, '/socket?do=read')
      expect(socket.greeting).toEqual({ opened: { data: {}, exists: true } })
      expect(socket.headers['set-cookie']).toHaveLength(1)
      await socket.ask({ do: 'save', key: 'theme', value: 'dark' })
      expect(await visitor.json('/data')).toEqual({ theme: 'dark' })
      await socket.close()
      await eager.stop()
    })

    it('the hooks of the app are told, with the path', async () => {
      const socket = await open(await user(), '/socket?from=here')
      await socket.ask({ do: 'save', key: 'theme', value: 'dark' })
      expect(await told()).toEqual(expect.arrayContaining([{ loaded: '/socket?from=here' }, { saved: '/socket?from=here' }]))
    })

    describe('when storage fails', () => {
      afterEach(() => failing())

      it.each(['set', 'update'])('an upgrade that changes the session (%s) is answered with 503 and no cookie', async (how) => {
        await failing('setItem')
        const visitor = newcomer()
        expect(await refused(visitor, `/socket?do=${how}`)).toMatchObject({ status: 503, cookies: [] })
        expect(visitor.cookies.has(COOKIE)).toBe(false)
        expect(await told()).toContainEqual({ error: 'STORAGE_ERROR' })
      })

      it('an upgrade that has to read it is answered with 503', async () => {
        const visitor = await user()
        await failing('getItem')
        expect((await refused(visitor, '/socket?do=guard')).status).toBe(503)
      })

      it('`save` in a message rejects, and the connection goes on', async () => {
        const visitor = await user()
        const socket = await open(visitor)
        await failing('setItem')
        expect(await socket.ask({ do: 'save', key: 'theme', value: 'dark' })).toMatchObject({ code: 'STORAGE_ERROR' })
        await failing()
        expect(await socket.ask({ do: 'see' })).toEqual({ result: { data: { user: 'ada' }, exists: true } })
      })

      it('a change that nobody awaits goes to the error hook and the log', async () => {
        const socket = await open(await user())
        await failing('setItem')
        await socket.ask({ do: 'set', key: 'theme', value: 'dark' })
        await expect.poll(told).toContainEqual({ error: 'STORAGE_ERROR' })
        await expect.poll(() => server.output()).toContain('/socket')
      })

      it('a session that cannot begin for every visitor (saveUninitialized) is a refusal with 503', async () => {
        const eager = await startServer(built.entry, { NITRO_SESSION_SAVE_UNINITIALIZED: 'true' })
        const visitor = createVisitor(eager.url)
        await createVisitor(eager.url).fetch('/break?failing=setItem')
        expect(await openRefused(visitor, eager.url, '/socket?do=read')).toMatchObject({ status: 503, cookies: [] })
        await eager.stop()
      })
    })

    it('whatever happened, nothing was left unhandled', () => {
      expect(server.output()).not.toMatch(/unhandledRejection|uncaughtException/)
    })
  })
})
