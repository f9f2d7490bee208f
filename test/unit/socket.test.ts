import type { CoreSessionOptions } from '../../src/core/options'
import { describe, expect, it } from 'vitest'
import { SocketSessions, withCookies } from '../../src/http/sockets/connection'
import { fromH3Session } from '../../src/core/index'
import { H3_VERSIONS, PASSWORD } from '../support/other-packages'
import { App, Browser, MODES, OLD_SECRET, returning, SECRET } from './support/app'
import { codeOf } from './support/errors'
import { Recorder } from './support/observer'
import { NewApp } from './support/old-sessions'

/** A connection that a browser opened, and what went wrong behind the back of its code. */
function connect(app: App, browser?: Browser, observer = new Recorder()): { socket: SocketSessions, failures: unknown[] } {
  const failures: unknown[] = []
  const socket = new SocketSessions({
    cookieHeader: browser?.cookieHeader,
    manager: () => app.manager,
    observer,
    onFailure: error => void failures.push(error),
  })
  return { socket, failures }
}

/** Lets what was begun come to its end. */
const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve))

describe('the session of an open WebSocket', () => {
  it('is kept alive by being used, in storage only', async () => {
    const app = new App({ idleTimeout: 100 })
    const { socket } = connect(app, await returning(app))
    for (const seconds of [60, 60, 60]) {
      app.wait(seconds)
      expect((await socket.load()).handle.data).toEqual({ user: 'ada' })
      await settled()
    }
    app.wait(151)
    expect((await socket.load()).exists).toBe(false)
  })

  it('ends in cookie mode when the cookie ends, however much it was used', async () => {
    const app = new App({ mode: 'cookie', idleTimeout: 100 })
    const { socket } = connect(app, await returning(app))
    app.wait(90)
    expect((await socket.load()).exists).toBe(true)
    app.wait(60)
    expect((await socket.load()).exists).toBe(false)
  })

  it('is not said to be saved in cookie mode, where nothing can be', async () => {
    const app = new App({ mode: 'cookie', idleTimeout: 100 })
    const recorder = new Recorder()
    const { socket } = connect(app, await returning(app), recorder)
    app.wait(60)
    await socket.load()
    await settled()
    expect(recorder.events).toEqual(['loaded'])
  })

  it.each(MODES)('is read from a cookie of an older secret in $mode', async ({ options }) => {
    const old = new App({ ...options, secret: OLD_SECRET } as CoreSessionOptions)
    const browser = await returning(old)
    const { socket } = connect(old.redeploy({ ...options, secret: [SECRET, OLD_SECRET] } as CoreSessionOptions), browser)
    expect((await socket.load()).handle.data).toEqual({ user: 'ada' })
  })

  it('changes also under a cookie of an older secret', async () => {
    const old = new App({ secret: OLD_SECRET })
    const app = old.redeploy({ secret: [SECRET, OLD_SECRET] })
    const browser = await returning(old)
    const { socket } = connect(app, browser)
    const { handle } = await socket.load()
    handle.set('theme', 'dark')
    await handle.save()
    expect(await browser.read(app)).toEqual({ user: 'ada', theme: 'dark' })
  })

  it('does not begin for a visitor without one, also where every visitor gets one', async () => {
    const app = new App({ saveUninitialized: true })
    const { socket, failures } = connect(app)
    const session = await socket.load()
    expect(session.handle.data).toEqual({})
    await session.handle.save()
    expect({ exists: session.exists, keys: await app.keys(), failures }).toEqual({ exists: false, keys: [], failures: [] })
  })

  it('does not become that of a visitor of another package, who gets a cookie over HTTP', async () => {
    const app = new App()
    const old = new Browser(await H3_VERSIONS[0]!.seal({}, { user: 'ada' }))
    const { manager } = new NewApp(fromH3Session({ password: PASSWORD }), {}, app)
    const socket = new SocketSessions({ cookieHeader: old.cookieHeader, manager: () => manager, onFailure() {} })
    expect((await socket.load()).exists).toBe(false)
    expect(await app.keys()).toEqual([])
    expect(await old.read({ manager })).toEqual({ user: 'ada' })
  })

  it('gets no first data (`generate`) where there is none', async () => {
    const { socket, failures } = connect(new App())
    const session = await socket.load()
    session.begin(() => ({ first: true }))
    expect({ data: session.handle.data, failures }).toEqual({ data: {}, failures: [] })
  })

  it('does not come back under another id by what is set while its end is being written', async () => {
    const app = new App()
    const { socket, failures } = connect(app, await returning(app))
    const { handle } = await socket.load()
    const gate = app.driver.hold('remove')
    handle.clear()
    await gate.reached
    handle.set('theme', 'dark')
    gate.release()
    await expect.poll(() => failures).toEqual([expect.objectContaining({ code: 'COOKIE_ERROR' })])
    await settled()
    expect(await app.keys()).toEqual([])
  })

  it('does not begin anew where its last message was read by somebody else', async () => {
    const app = new App()
    const browser = await returning(app, {})
    await browser.run(app, session => session.flash('success', 'saved'))
    const { socket } = connect(app, browser)
    const { handle } = await socket.load()
    await browser.run(app, session => session.flash('success'))
    expect(await codeOf(() => handle.update({ theme: 'dark' }))).toBe('EXPIRED_SESSION')
    expect(await app.keys()).toEqual([])
  })

  it('is written once by what changes together', async () => {
    const app = new App()
    const { socket } = connect(app, await returning(app))
    const { handle } = await socket.load()
    handle.set('theme', 'dark')
    handle.set('size', 'large')
    await settled()
    expect(app.driver.count('write')).toBe(1)
  })

  it('is loaded anew behind what the connection is still writing', async () => {
    const app = new App()
    const { socket } = connect(app, await returning(app))
    const { handle } = await socket.load()
    handle.set('theme', 'dark')
    expect((await socket.load()).handle.data).toEqual({ user: 'ada', theme: 'dark' })
  })

  it('is written once for changes between which the code only waits for what is there', async () => {
    const app = new App()
    const { socket } = connect(app, await returning(app))
    const { handle } = await socket.load()
    handle.set('a', 1)
    await undefined
    handle.set('b', 2)
    await settled()
    expect(app.driver.count('write')).toBe(1)
  })

  it('tells of a write that failed, and makes it again with the next change', async () => {
    const app = new App()
    const browser = await returning(app)
    const { socket, failures } = connect(app, browser)
    const { handle } = await socket.load()
    app.driver.fail('write')
    handle.set('theme', 'dark')
    await settled()
    expect(failures).toEqual([expect.objectContaining({ code: 'STORAGE_ERROR' })])

    app.driver.repair()
    handle.set('size', 'large')
    await settled()
    expect(failures).toHaveLength(1)
    expect(await browser.read(app)).toEqual({ user: 'ada', theme: 'dark', size: 'large' })
  })

  it('tells of an update that failed without having been awaited', async () => {
    const app = new App()
    const { socket, failures } = connect(app, await returning(app))
    const { handle } = await socket.load()
    app.driver.fail('write')
    void handle.update({ theme: 'dark' })
    await settled()
    expect(failures).toEqual([expect.objectContaining({ code: 'STORAGE_ERROR' })])
  })

  it('tells of a change that came too late', async () => {
    const app = new App()
    const browser = await returning(app)
    const { socket, failures } = connect(app, browser)
    const { handle } = await socket.load()
    await browser.run(app, session => session.destroy())
    handle.set('theme', 'dark')
    await expect.poll(() => failures).toEqual([expect.objectContaining({ code: 'EXPIRED_SESSION' })])
    expect(await app.keys()).toEqual([])
  })

  it('is for synchronous code the one that was loaded last, and none before', async () => {
    const app = new App()
    const { socket } = connect(app, await returning(app))
    expect(await codeOf(() => socket.current().assertLoaded())).toBe('INVALID_SESSION')
    const loaded = await socket.load()
    expect(socket.current()).toBe(loaded)
  })
})

describe('the cookies of a browser after an answer', () => {
  it.each([
    ['none before', undefined, 'session=new; Path=/', 'session=new'],
    ['one in the place of another', 'a=1; session=old; b=2', 'session=new; Path=/', 'session=new;a=1; b=2'],
    ['two of one name, which both go', 'session=old; session=tossed', 'session=new; Path=/', 'session=new'],
    ['an end', 'a=1; session=old', 'session=; Max-Age=0; Path=/', 'a=1'],
    ['an end of the only one', 'session=old', 'session=; Max-Age=0; Path=/', undefined],
    ['nothing said', 'session=old', undefined, 'session=old'],
    ['removals from other scopes before it', 'session=old; session=older; a=1', ['session=; Max-Age=0; Path=/x', 'session=new; Path=/'], 'session=new; a=1'],
  ])('%s', (_, before, header, after) => {
    expect(withCookies(before, new Map([['session', [header ?? []].flat()]]))).toBe(after)
  })
})
