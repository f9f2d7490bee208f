import type { Session } from '../../src/core/types'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createStorage } from 'unstorage'
import { sessionMiddleware, useSession } from '../../src/h3'
import type { SessionEvent } from '../../src/adapters/event'
import { destroySession, flash, getSession, updateSession } from '../../src/http/utils'
import { setCookiesOf, type Visitor } from '../support/browser'
import { App, Browser, MODES, returning, SECRET, Visit } from './support/app'
import { ControlledDriver } from './support/driver'
import { caught, codeOf } from './support/errors'
import { type Handler, HOSTS } from './support/h3-hosts'
import { createSwitch } from './support/server'

const save = (change: (session: Session) => unknown) => async (session: Session): Promise<unknown> => {
  change(session)
  return session.save()
}

const CHANGES: [what: string, change: (session: Session) => unknown, data: object][] = [
  ['set and save', save(session => session.set('a', 1)), { user: 'ada', a: 1 }],
  ['delete and save', save(session => session.delete('user')), { n: 1 }],
  ['update', session => session.update({ a: 1 }), { user: 'ada', a: 1 }],
  ['update by a function', session => session.update(({ user }) => ({ user: `${String(user)}!` })), { user: 'ada!' }],
  ['flash and save', save(session => session.flash('news', 1)), { user: 'ada' }],
]

const NEEDING_A_COOKIE: [what: string, change: (session: Session) => unknown][] = [
  ['regenerate', session => session.regenerate({ a: 1 })],
  ['setLifetime', session => session.setLifetime({ maxAge: 5 })],
]

const BEGINNING: [what: string, change: (session: Session) => unknown][] = [
  ['set', session => session.set('a', 1)],
  ['flash', session => session.flash('a', 1)],
  ['update', session => session.update({ a: 1 })],
  ['update by a function', session => session.update(() => ({ a: 1 }))],
  ...NEEDING_A_COOKIE,
]

describe('after the response began, in storage mode', () => {
  it.each(CHANGES)('an existing session can change: %s', async (what, change, data) => {
    const app = new App()
    const browser = await returning(app, what.startsWith('delete') ? { user: 'ada', n: 1 } : { user: 'ada' })
    const visit = await browser.visit(app)
    await visit.end()
    await change(visit.session)
    expect([await browser.read(app), visit.request.commit()]).toEqual([data, undefined])
    expect(await browser.run(app, session => session.flash('news'))).toBe(what.startsWith('flash') ? 1 : undefined)
  })

  it('a message can be read, and is gone', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, session => session.flash('news', 'Hello'))
    const visit = await browser.visit(app)
    await visit.end()
    expect(visit.session.flash('news')).toBe('Hello')
    await visit.session.save()
    expect(await browser.run(app, session => session.flash('news'))).toBeUndefined()
  })

  it.each<[what: string, end: (session: Session) => unknown]>([
    ['destroy', session => session.destroy()],
    ['clear', save(session => session.clear())],
    ['the removal of the last key', save(session => session.delete('user'))],
  ])('an existing session can end, though its cookie stays: %s', async (_, end) => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await visit.end()
    await end(visit.session)
    expect([await app.keys(), browser.jar.size, await browser.hasSession(app)]).toEqual([[], 1, false])
  })

  it('a session can end that was never loaded', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = new Visit(browser, app)
    visit.exchange.isSent = true
    await visit.session.destroy()
    expect(await app.keys()).toEqual([])
  })

  it.each<[what: string, before: (session: Session) => unknown, data: object]>([
    ['that began with this response', session => session.set('user', 'ada'), { user: 'ada', a: 1 }],
    ['that got its id with this response', session => session.regenerate({ user: 'ada' }), { user: 'ada', a: 1 }],
    ['that began in the place of another', async (session) => {
      session.set('old', 1)
      await session.destroy()
      session.set('user', 'ada')
    }, { user: 'ada', a: 1 }],
  ])('one can change %s', async (_, before, data) => {
    const app = new App()
    const browser = new Browser()
    const visit = await browser.visit(app)
    await before(visit.session)
    await visit.end()
    await visit.session.update({ a: 1 })
    visit.session.set('b', 2)
    await visit.session.save()
    expect([await browser.read(app), (await app.sessionKeys()).length]).toEqual([{ ...data, b: 2 }, 1])
  })

  it.each(NEEDING_A_COOKIE)('what needs a cookie is COOKIE_ERROR, with the remedy: %s', async (_, change) => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await visit.end()
    const error = await caught(() => change(visit.session))
    expect([error.code, error.message]).toEqual(['COOKIE_ERROR', expect.stringMatching(/The response has begun.*before sending or streaming\.$/)])
    expect([visit.request.commit(), await browser.read(app), (await app.keys()).length]).toEqual([undefined, { user: 'ada' }, 1])
  })

  it.each(BEGINNING)('no session begins: %s', async (_, change) => {
    for (const saveUninitialized of [false, true]) {
      const app = new App({ saveUninitialized })
      const visit = new Visit(new Browser(), app)
      visit.exchange.isSent = true
      await visit.request.load()
      const error = await caught(() => change(visit.session))
      expect([error.code, error.message]).toEqual(['COOKIE_ERROR', expect.stringContaining('before sending or streaming')])
      void visit.session.data
      await visit.request.commit()
      expect([visit.request.exists, await app.keys()]).toEqual([false, []])
    }
  })

  it.each<[what: string, end: (session: Session) => unknown]>([
    ['destroyed', session => session.destroy()],
    ['emptied', save(session => session.clear())],
  ])('none begins in the place of one that was %s', async (_, end) => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await visit.end()
    await end(visit.session)
    expect(await codeOf(() => visit.session.update({ a: 1 }))).toBe('COOKIE_ERROR')
    expect(await app.keys()).toEqual([])
  })

  it.each<[what: string, end: (session: Session) => unknown]>([
    ['destroyed', session => session.destroy()],
    ['renewed', session => session.regenerate({ b: 1 })],
  ])('one that another request has %s stays so', async (_, end) => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await visit.end()
    await browser.clone().run(app, end)
    expect(await codeOf(() => visit.session.update({ a: 1 }))).toBe('EXPIRED_SESSION')
    expect((await app.records()).some(({ data }) => 'a' in data)).toBe(false)
  })

  it('one that is loaded only now can be read and changed, its idle time is moved, and nothing is sent', async () => {
    const app = new App({ idleTimeout: 100 })
    const browser = await returning(app)
    app.wait(60)
    const visit = new Visit(browser, app)
    visit.exchange.isSent = true
    await visit.request.load()
    expect(visit.session.get('user')).toBe('ada')
    await visit.session.update({ a: 1 })
    expect([visit.setCookies, await app.records()]).toEqual([[], [expect.objectContaining({ data: { user: 'ada', a: 1 }, lastSeenAt: app.clock.now })]])
  })

  it('a failed write is told to its caller, and can be made again', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await visit.end()
    app.driver.fail('write')
    expect(await codeOf(() => visit.session.update({ a: 1 }))).toBe('STORAGE_ERROR')
    app.driver.repair()
    await visit.session.update({ a: 2 })
    expect(await browser.read(app)).toEqual({ user: 'ada', a: 2 })
  })
})

describe.each(MODES.slice(1))('after the response began, in $mode', ({ options }) => {
  it.each<[what: string, change: (session: Session) => unknown]>([
    ...BEGINNING,
    ['delete', session => session.delete('user')],
    ['clear', session => session.clear()],
    ['destroy', session => session.destroy()],
  ])('every change is COOKIE_ERROR: %s', async (_, change) => {
    const app = new App(options)
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await visit.end()
    const error = await caught(() => change(visit.session))
    expect([error.code, error.message]).toEqual(['COOKIE_ERROR', expect.stringMatching(/In cookie mode the cookie is the session.*mode: 'storage'/)])
    expect(visit.session.data).toEqual({ user: 'ada' })
  })
})

describe.each(HOSTS)('after the response began, with $name', ({ start, major }) => {
  beforeEach(() => void vi.spyOn(console, 'error').mockImplementation(() => {}))
  afterEach(() => void vi.restoreAllMocks())

  /** An app whose stream does something when a part of it has arrived at its visitor. */
  async function serveStream(late: (event: SessionEvent) => unknown, { isFront = true, mode = 'storage' as 'storage' | 'cookie' } = {}): Promise<{
    visitor: Visitor
    driver: ControlledDriver
    /** Asks for the stream; what was done at its end, or its error code. */
    stream(): Promise<unknown>
  }> {
    const driver = new ControlledDriver()
    const options = { secret: SECRET, mode, store: createStorage({ driver: driver.driver }) }
    let arrived = createSwitch()
    let outcome: unknown
    const handler: Handler = async (event) => {
      await useSession(event, options)
      const path = String(Reflect.get(event, 'path')).split('?')[0]
      if (path === '/begin') {
        await updateSession(event, { user: 'ada' })
        flash(event, 'news', 'Hello')
        return 'begun'
      }
      if (path === '/data')
        return { ...getSession(event), news: flash(event, 'news') ?? null }
      return new ReadableStream({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode('first '))
          await arrived.promise
          outcome = await Promise.resolve().then(() => late(event)).then(() => 'done', error => (error as { code?: string }).code ?? error)
          controller.enqueue(new TextEncoder().encode('last'))
          controller.close()
        },
      })
    }
    const visitor = await start(handler, isFront ? [sessionMiddleware(options)] : [])
    return {
      visitor,
      driver,
      async stream() {
        arrived = createSwitch()
        const response = await visitor.fetch('/stream')
        const reader = response.body!.getReader()
        await reader.read()
        arrived.resolve()
        while (!(await reader.read()).done);
        expect(setCookiesOf(response, 'session')).toEqual([])
        return outcome
      },
    }
  }

  describe.each([true, false])('the middleware in front: %s', (isFront) => {
    it.each<[what: string, late: (event: SessionEvent) => unknown, data: object]>([
      ['updateSession', event => updateSession(event, { answer: 42 }), { user: 'ada', answer: 42, news: 'Hello' }],
      ['set and save', async (event) => {
        const session = await useSession(event)
        session.set('answer', 42)
        await session.save()
      }, { user: 'ada', answer: 42, news: 'Hello' }],
      ['flash, written', async (event) => {
        flash(event, 'news', 'Done')
        await (await useSession(event)).save()
      }, { user: 'ada', news: 'Done' }],
      ['flash, read', async (event) => {
        expect(flash(event, 'news')).toBe('Hello')
        await (await useSession(event)).save()
      }, { user: 'ada', news: null }],
      ['destroySession', event => destroySession(event), { news: null }],
    ])('a stream can end with %s', async (_, late, data) => {
      const { visitor, stream } = await serveStream(late, { isFront })
      await visitor.fetch('/begin')
      expect(await stream()).toBe('done')
      expect(await visitor.json('/data')).toEqual(data)
    })

    it('what nobody saves is stored all the same, as soon as the code gives way', async () => {
      const { visitor, driver, stream } = await serveStream(async (event) => {
        const session = await useSession(event)
        session.set('answer', 42)
        flash(event, 'news', 'Done')
      }, { isFront })
      await visitor.fetch('/begin')
      const before = driver.count('write')
      await stream()
      await expect.poll(() => driver.count('write')).toBe(before + 1)
      expect(await visitor.json('/data')).toEqual({ user: 'ada', answer: 42, news: 'Done' })
      expect(console.error).not.toHaveBeenCalled()
    })

    it.each<[what: string, late: (event: SessionEvent) => unknown]>([
      ['set', async event => (await useSession(event)).set('answer', 42)],
      ['an update that nobody awaits', (event) => {
        updateSession(event, { answer: 42 }).catch(() => {})
      }],
    ])('what nobody saves and cannot be stored is logged: %s', async (_, late) => {
      const { visitor, driver, stream } = await serveStream(late, { isFront })
      await visitor.fetch('/begin')
      driver.fail('write')
      await stream()
      await expect.poll(() => vi.mocked(console.error).mock.calls.flat()).toContainEqual(expect.objectContaining({ code: 'STORAGE_ERROR' }))
      driver.repair()
      expect(await visitor.json('/data')).toEqual({ user: 'ada', news: 'Hello' })
    })

    it.each<[what: string, late: (event: SessionEvent) => unknown]>([
      ['a first session', event => updateSession(event, { answer: 42 })],
      ['the end of none', event => destroySession(event)],
    ])('%s', async (what, late) => {
      const { driver, stream } = await serveStream(late, { isFront })
      expect(await stream()).toBe(what === 'a first session' ? 'COOKIE_ERROR' : 'done')
      expect(driver.count('write')).toBe(0)
    })

    it.each<[what: string, late: (session: Session) => unknown]>(NEEDING_A_COOKIE)('what needs a cookie is COOKIE_ERROR: %s', async (_, late) => {
      const { visitor, stream } = await serveStream(async event => late(await useSession(event) as Session), { isFront })
      await visitor.fetch('/begin')
      expect(await stream()).toBe('COOKIE_ERROR')
      expect(await visitor.json('/data')).toEqual({ user: 'ada', news: 'Hello' })
    })

    it('every change in cookie mode is COOKIE_ERROR', async () => {
      const { visitor, stream } = await serveStream(event => updateSession(event, { answer: 42 }), { isFront, mode: 'cookie' })
      await visitor.fetch('/begin')
      expect(await stream()).toBe('COOKIE_ERROR')
    })
  })

  it.runIf(major === 2)('waitUntil can be given a change', async () => {
    const driver = new ControlledDriver()
    const options = { secret: SECRET, store: createStorage({ driver: driver.driver }) }
    const isAnswered = createSwitch()
    const visitor = await start(async (event) => {
      const session = await useSession(event)
      if (!session.get('user')) {
        session.set('user', 'ada')
        return 'begun'
      }
      ;(event as { waitUntil?: (promise: Promise<unknown>) => void }).waitUntil?.(isAnswered.promise.then(() => updateSession(event, { answer: 42 })))
      return session.data
    }, [sessionMiddleware(options)])
    await visitor.fetch('/')
    await (await visitor.fetch('/')).text()
    isAnswered.resolve()
    await expect.poll(() => driver.count('write')).toBe(2)
    expect(await visitor.json('/')).toEqual({ user: 'ada', answer: 42 })
  })
})
