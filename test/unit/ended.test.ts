import type { SessionObserver } from '../../src/core/ports'
import type { Session } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { EventSessions } from '../../src/http/event-sessions'
import { setSessions } from '../../src/http/find-sessions'
import { destroySession, regenerateSession, updateSession } from '../../src/http/utils'
import { App, Browser, MODES, returning, Visit } from './support/app'
import { codeOf } from './support/errors'
import { FakeExchange } from './support/exchange'
import { Recorder } from './support/observer'
import { createSwitch } from './support/server'

const ASKED: [what: string, ask: (session: Session) => Promise<unknown>][] = [
  ['an update', session => session.update({ b: 1 })],
  ['an update by a function', session => session.update(() => ({ b: 1 }))],
  ['a login', session => session.regenerate({ b: 1 })],
]

describe('what was asked of a session that another request ended', () => {
  it.each(ASKED)('does not begin another one: %s beside an update', async (_, ask) => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await browser.clone().run(app, session => session.destroy())
    const results = await Promise.all([codeOf(() => visit.session.update({ a: 1 })), codeOf(() => ask(visit.session))])
    expect(results).toEqual(['EXPIRED_SESSION', 'EXPIRED_SESSION'])
    await visit.end()
    expect([visit.setCookies, await app.keys()]).toEqual([[], []])
  })
})

describe('what was asked of a session before its end', () => {
  it.each(ASKED)('does not begin another one when a hook was waited for: %s', async (_, ask) => {
    const app = new App()
    const browser = new Browser()
    const { promise: hook, resolve } = createSwitch()
    const observer: SessionObserver = { session: name => name === 'created' ? hook : undefined, rejected() {} }
    const visit = await browser.visit(app, observer)
    const asked = codeOf(() => ask(visit.session))
    await Promise.resolve()
    const destroyed = visit.session.destroy()
    resolve()
    await destroyed
    expect(await asked).toBe('EXPIRED_SESSION')
    await visit.end()
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })
})

describe('a session that is destroyed while it loads', () => {
  it.each<[what: string, ask: (event: object) => Promise<unknown>]>([
    ['an update', event => updateSession(event, { a: 1 })],
    ['a login', event => regenerateSession(event, { a: 1 })],
  ])('is not begun again by %s that waited for it', async (_, ask) => {
    const app = new App()
    const browser = await returning(app)
    const exchange = new FakeExchange(browser.cookieHeader)
    const event = { context: {} }
    const sessions = new EventSessions({ owner: event, cookieHeader: () => exchange.cookieHeader, createExchange: () => exchange, manager: () => app.manager })
    setSessions(event, sessions)
    const asked = ask(event)
    const [code] = await Promise.all([codeOf(() => asked), destroySession(event)])
    await sessions.flush()
    expect([code, await app.keys()]).toEqual(['EXPIRED_SESSION', []])
  })

  it('is not told as loaded', async () => {
    const app = new App()
    const browser = await returning(app)
    const recorder = new Recorder()
    const visit = new Visit(browser, app, recorder)
    const gate = app.driver.hold('read')
    const loaded = visit.request.load()
    await gate.reached
    const destroyed = visit.session.destroy()
    gate.release()
    await Promise.all([loaded, destroyed])
    await visit.end()
    expect([recorder.events, await app.keys()]).toEqual([['destroyed'], []])
  })
})

describe.each(MODES)('several sessions of one request in $mode', ({ options }) => {
  it('are each told as created', async () => {
    const app = new App(options)
    const browser = new Browser()
    const recorder = new Recorder()
    const visit = await browser.visit(app, recorder)
    visit.session.set('a', 1)
    await visit.session.save()
    await visit.session.destroy()
    visit.session.set('b', 2)
    await visit.end()
    expect(recorder.events).toEqual(['created', 'saved', 'destroyed', 'created', 'saved'])
    expect(await browser.read(app)).toEqual({ b: 2 })
  })
})

describe('a session that begins because another request read its last message', () => {
  it('is told as created', async () => {
    const app = new App()
    const browser = new Browser()
    await browser.run(app, session => session.flash('notice', 'Hello'))
    const recorder = new Recorder()
    const slow = await browser.visit(app, recorder)
    await browser.clone().run(app, session => session.flash('notice'))
    slow.session.set('theme', 'dark')
    await slow.end()
    expect(recorder.events).toEqual(['loaded', 'created', 'saved'])
  })
})

describe('a slow reload', () => {
  it('of an ended session leaves the one alone that was begun since', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    const gate = app.driver.hold('read')
    const reloaded = codeOf(() => visit.session.reload())
    await gate.reached
    const destroyed = visit.session.destroy()
    visit.session.set('b', 2)
    const saved = visit.session.save()
    gate.release()
    await Promise.all([destroyed, saved])
    expect(await reloaded).toBe('EXPIRED_SESSION')
    await visit.end()
    expect([await browser.read(app), (await app.keys()).length]).toEqual([{ b: 2 }, 1])
  })

  it('of a session that got a new id does not bring the old record back', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    const gate = app.driver.hold('read', 'after')
    const reloaded = visit.session.reload().catch(() => {})
    await gate.reached
    const regenerated = visit.session.regenerate({ b: 2 })
    gate.release()
    await Promise.all([reloaded, regenerated])
    expect(visit.session.data).toEqual({ user: 'ada', b: 2 })
    await visit.end()
    expect([await browser.read(app), (await app.sessionKeys()).length]).toEqual([{ user: 'ada', b: 2 }, 1])
  })
})

const READS: [what: string, read: (session: Session) => unknown][] = [
  ['id', session => session.id],
  ['data', session => session.data],
  ['a key', session => session.get('a')],
  ['a message', session => session.flash('a')],
  ['expiresAt', session => session.expiresAt],
]

describe.each(MODES)('with saveUninitialized, after an end in the same request, in $mode', ({ options }) => {
  it.each(READS)('reading %s begins no session', async (_, read) => {
    const app = new App({ ...options, saveUninitialized: true })
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      await session.destroy()
      read(session)
    })
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })

  it('setting a key begins one, and deleting it again none', async () => {
    const app = new App({ ...options, saveUninitialized: true })
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      await session.destroy()
      session.set('a', 1)
      session.delete('a')
    })
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
    await browser.run(app, async (session) => {
      await session.destroy()
      session.set('a', 1)
    })
    expect(await browser.read(app)).toEqual({ a: 1 })
  })
})

describe('with saveUninitialized, a request whose id a login replaced', () => {
  it.each(READS)('begins no session when it reads %s after its change was refused', async (_, read) => {
    const app = new App({ saveUninitialized: true })
    const browser = await returning(app)
    const slow = await browser.visit(app)
    await browser.run(app, session => session.regenerate({ userId: 7 }))
    expect(await codeOf(() => slow.session.update({ a: 1 }))).toBe('EXPIRED_SESSION')
    read(slow.session)
    await slow.end()
    expect(slow.setCookies).toEqual([])
    expect([await browser.read(app), (await app.sessionKeys()).length]).toEqual([{ user: 'ada', userId: 7 }, 1])
  })
})

describe.each(MODES)('the removal of a cookie whose session is gone, in $mode', ({ options }) => {
  it.each<[what: string, act: (session: Session) => unknown]>([
    ['setLifetime', session => session.setLifetime({ persistent: false })],
    ['clear', session => session.clear()],
    ['a key that is set and deleted', session => [session.set('a', 1), session.delete('a')]],
    ['an update that holds nothing', session => session.update({ a: undefined })],
    ['regenerate', session => session.regenerate()],
  ])('is not taken back by %s', async (_, act) => {
    const app = new App({ ...options, maxAge: 100 })
    const browser = await returning(app)
    app.wait(100)
    await browser.run(app, async (session) => {
      await session.destroy()
      await act(session)
    })
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })
})
