import type { SessionObserver } from '../../src/core/ports'
import type { SessionStore } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { SessionError } from '../../src/core/errors'
import { App, Browser, MODES, NOON, returning } from './support/app'
import { caught, codeOf } from './support/errors'
import { Recorder } from './support/observer'

/** What the random walk found, one by one. */
describe('while a write is on its way', () => {
  it('a session that is set after a destroy sends no cookie when it cannot be stored', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    const gate = app.driver.hold('write')
    const updated = visit.session.update({ a: 1 })
    await gate.reached
    const destroyed = visit.session.destroy().catch(() => {})
    visit.session.set('b', 1)
    app.driver.fail('write')
    gate.release()
    await Promise.all([updated, destroyed])
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect([visit.setCookies, await app.keys()]).toEqual([[], []])
  })

  it('a session that is set while the write that empties it is made sends no cookie when it cannot be stored', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    visit.session.clear()
    const gate = app.driver.hold('remove')
    const saved = visit.session.save()
    await gate.reached
    visit.session.set('b', 1)
    app.driver.fail('write')
    gate.release()
    await saved
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })

  it('a change of a session that the write prolongs is no end of it', async () => {
    const app = new App({ idleTimeout: 100 })
    const browser = await returning(app)
    const visit = await browser.visit(app)
    const gate = app.driver.hold('write')
    const updated = visit.session.update({ a: 1 })
    await gate.reached
    app.wait(151)
    visit.session.set('b', 1)
    gate.release()
    await updated
    app.wait(-100)
    await visit.end()
    expect([await browser.read(app), (await app.keys()).length]).toEqual([{ user: 'ada', a: 1, b: 1 }, 1])
  })

  it('renewals are made in the order in which they were asked for', async () => {
    const app = new App()
    const browser = new Browser()
    const visit = await browser.visit(app)
    const gate = app.driver.hold('write')
    const updated = visit.session.update({ old: 1 })
    await gate.reached
    const renewed = [visit.session.regenerate({ a: 1 }, { keep: [] }), visit.session.regenerate({ b: 1 }), visit.session.regenerate({ c: 1 }, { keep: ['b'] })]
    gate.release()
    await Promise.all([updated, ...renewed])
    await visit.end()
    expect([await browser.read(app), (await app.sessionKeys()).length]).toEqual([{ b: 1, c: 1 }, 1])
  })
})

describe('a session that begins after the end of another', () => {
  it('leaves no record when the other was replaced by another request', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await browser.run(app, session => session.regenerate())
    const destroyed = codeOf(() => visit.session.destroy())
    await Promise.resolve()
    visit.session.set('a', 1)
    expect(await destroyed).toBe('EXPIRED_SESSION')
    expect(await codeOf(() => visit.end())).toBe('EXPIRED_SESSION')
    expect([visit.setCookies, await browser.read(app), (await app.sessionKeys()).length]).toEqual([[], { user: 'ada' }, 1])
  })

  it('keeps its cookie when the other can be removed at the second attempt only', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    app.driver.fail('remove')
    const destroyed = codeOf(() => visit.session.destroy())
    await Promise.resolve()
    visit.session.set('a', 1)
    expect(await destroyed).toBe('STORAGE_ERROR')
    app.driver.repair()
    await visit.session.save()
    await visit.end()
    expect([await browser.read(app), (await app.keys()).length]).toEqual([{ a: 1 }, 1])
  })
})

describe('a failed write', () => {
  it.each(['set', 'flash'] as const)('is followed by no cookie of what a %s leaves before the response', async (name) => {
    const app = new App()
    const visit = await new Browser().visit(app)
    app.driver.fail('write')
    await codeOf(() => visit.session.update({ a: 1 }))
    visit.session[name]('b', 1)
    expect(visit.setCookies).toEqual([])
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(visit.setCookies).toEqual([])
  })

  it('that a later one makes good has its cookie', async () => {
    const app = new App()
    const browser = new Browser()
    const visit = await browser.visit(app)
    app.driver.fail('write')
    await codeOf(() => visit.session.update({ a: 1 }))
    app.driver.repair()
    visit.session.set('b', 1)
    await visit.session.save()
    await visit.end()
    expect(await browser.read(app)).toEqual({ b: 1 })
  })

  it('whose answer was lost leaves no record after a destroy', async () => {
    const base = new App()
    let isLost = true
    const store: SessionStore = {
      get: key => base.store.get(key),
      set: (...args) => base.store.set(...args),
      delete: key => base.store.delete(key),
      async compareAndSet(...args) {
        const isDone = await base.store.compareAndSet!(...args)
        if (isLost)
          throw new SessionError('STORAGE_ERROR', 'The answer is lost.')
        return isDone
      },
    }
    const app = new App({}, { driver: base.driver, clock: base.clock, store })
    const visit = await new Browser().visit(app)
    expect(await codeOf(() => visit.session.update({ a: 1 }))).toBe('STORAGE_ERROR')
    expect(await app.keys()).toHaveLength(1)
    isLost = false
    await visit.session.destroy()
    await visit.end()
    expect([visit.setCookies, await app.keys()]).toEqual([[], []])
  })

  it('of an empty session, where these are stored, is a failure although it changes nothing', async () => {
    const app = new App({ saveUninitialized: true, idleTimeout: 100 })
    const browser = new Browser()
    await browser.run(app, () => {})
    const visit = await browser.visit(app)
    visit.session.clear()
    app.wait(151)
    app.driver.fail('write')
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(visit.setCookies).toEqual([])
  })
})

describe('a session that is found ended', () => {
  it.each<[string, (session: { update(patch: object): Promise<unknown>, reload(): Promise<void> }) => Promise<unknown>]>([
    ['an update', session => session.update({ a: 1 })],
    ['reload', session => session.reload()],
  ])('fails the response when what was set meanwhile is lost with it, whoever caught the error of %s', async (_, find) => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await browser.clone().run(app, session => session.destroy())
    const gate = app.driver.hold('read')
    const found = codeOf(() => find(visit.session))
    await gate.reached
    visit.session.set('b', 1)
    gate.release()
    expect(await found).toBe('EXPIRED_SESSION')
    expect(await codeOf(() => visit.end())).toBe('EXPIRED_SESSION')
    expect(visit.setCookies).toEqual([])
  })

  it('sends no cookie when nothing takes its place', async () => {
    const app = new App({ maxAge: 100 })
    const visit = await new Browser().visit(app)
    visit.session.flash('news', 1)
    await visit.session.save()
    app.wait(99)
    const gate = app.driver.hold('read')
    const updated = visit.session.update(() => ({}))
    await gate.reached
    app.wait(1)
    gate.release()
    await updated.catch(() => {})
    await visit.end()
    expect(visit.setCookies).toEqual([])
  })
})

describe('after the response began', () => {
  it('what failed before it cannot be saved any more, and says so', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    app.driver.fail('write')
    await codeOf(() => visit.end())
    app.driver.repair()
    expect((await caught(() => visit.session.save())).code).toBe('COOKIE_ERROR')
    expect(await app.keys()).toEqual([])
  })

  it('no session begins by an update that was asked for while another was emptied', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await visit.end()
    visit.session.clear()
    const saved = visit.session.save()
    const updated = codeOf(() => visit.session.update({ a: 1 }))
    await saved
    expect([await updated, await app.keys()]).toEqual(['COOKIE_ERROR', []])
  })
})

describe('hooks', () => {
  it.each(MODES)('are told of the beginning before anything is stored, in $mode', async ({ options }) => {
    const app = new App(options)
    const told: [string, number][] = []
    const observer: SessionObserver = { session: name => void told.push([name, app.driver.count('write')]), rejected() {} }
    const visit = await new Browser().visit(app, observer)
    visit.session.set('a', 1)
    await visit.end()
    expect(told[0]).toEqual(['created', 0])
  })

  it.each(MODES)('are not told of a new id where nothing is left that has one, in $mode', async ({ options }) => {
    const app = new App(options)
    for (const browser of [await returning(app), new Browser()]) {
      const recorder = new Recorder()
      const visit = await browser.visit(app, recorder)
      await visit.session.regenerate(undefined, { keep: false })
      await visit.end()
      expect(recorder.events).not.toContain('regenerated')
    }
  })
})

describe.each(MODES.slice(1))('a long request in $mode', ({ options }) => {
  it('shows the expiry that its cookie has', async () => {
    const app = new App({ ...options, idleTimeout: 100 })
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    app.wait(60)
    await visit.end()
    expect([visit.session.expiresAt, visit.setCookies]).toEqual([new Date(NOON + 210_000), [expect.stringContaining('Max-Age=150;')]])
  })
})
