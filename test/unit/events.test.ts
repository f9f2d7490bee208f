import type { CoreSessionOptions } from '../../src/core/options'
import type { SessionObserver } from '../../src/core/ports'
import type { Session, SessionEventName } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { App, Browser, MODES, OLD_SECRET, returning } from './support/app'
import { silentExchange } from './support/exchange'
import { Recorder } from './support/observer'

async function eventsOf(app: App, browser: Browser, handler: (session: Session) => unknown = () => {}): Promise<string[]> {
  const recorder = new Recorder()
  const visit = await browser.visit(app, recorder)
  await handler(visit.session)
  await visit.end()
  return recorder.events
}

describe.each(MODES)('the events in $mode', ({ options }) => {
  it('of a visitor without a cookie who is only read are none', async () => {
    expect(await eventsOf(new App(options), new Browser(), session => [session.data, session.get('a')])).toEqual([])
  })

  it('of a visitor without a cookie who is logged out are none', async () => {
    expect(await eventsOf(new App(options), new Browser(), session => session.destroy())).toEqual([])
  })

  it('of a visitor without a cookie who is read and logged out are none', async () => {
    expect(await eventsOf(new App(options), new Browser(), (session) => {
      session.get('a')
      return session.destroy()
    })).toEqual([])
  })

  it('of a first write are created and saved, once each', async () => {
    expect(await eventsOf(new App(options), new Browser(), (session) => {
      session.set('a', 1)
      session.set('b', 2)
    })).toEqual(['created', 'saved'])
  })

  it('of a first write by update are created and saved', async () => {
    expect(await eventsOf(new App(options), new Browser(), session => session.update({ a: 1 }))).toEqual(['created', 'saved'])
  })

  it('of a read are loaded', async () => {
    const app = new App(options)
    expect(await eventsOf(app, await returning(app))).toEqual(['loaded'])
  })

  it('of a change are loaded and saved', async () => {
    const app = new App(options)
    expect(await eventsOf(app, await returning(app), session => session.set('a', 1))).toEqual(['loaded', 'saved'])
  })

  it('of a login are one regenerated', async () => {
    const app = new App(options)
    const events = await eventsOf(app, await returning(app), session => session.regenerate({ userId: 7 }))
    expect([events[0], events.filter(event => event === 'regenerated').length, events.includes('created')]).toEqual(['loaded', 1, false])
  })

  it('of a logout are loaded and destroyed', async () => {
    const app = new App(options)
    expect(await eventsOf(app, await returning(app), session => session.destroy())).toEqual(['loaded', 'destroyed'])
  })

  it('of an ended session are expired', async () => {
    const app = new App({ ...options, maxAge: 100 })
    const browser = await returning(app)
    app.wait(100)
    expect(await eventsOf(app, browser)).toEqual(['expired'])
  })

  it('of a forged cookie are one rejected', async () => {
    const app = new App(options)
    const browser = await returning(app)
    expect(await eventsOf(app, new Browser([['session', 'x']]))).toEqual(['malformed'])
    expect(await eventsOf(app.redeploy({ ...options, secret: OLD_SECRET }), browser)).toEqual(['signature'])
  })

  it('of a good cookie beside a forged one are no rejected', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const recorder = new Recorder()
    await app.manager.open(silentExchange(`session=x; ${browser.cookieHeader}`), recorder).load()
    expect(recorder.events).toEqual(['loaded'])
  })

  it('tell the session as it was when it ended', async () => {
    const app = new App(options)
    const recorder = new Recorder()
    const visit = await (await returning(app)).visit(app, recorder)
    await visit.session.destroy()
    expect(recorder.sessions.at(-1)?.data).toEqual({ user: 'ada' })
  })

  it('tell an expired session that cannot be changed', async () => {
    const app = new App({ ...options, maxAge: 100 })
    const browser = await returning(app)
    app.wait(100)
    const recorder = new Recorder()
    await browser.visit(app, recorder)
    expect(recorder.sessions[0]?.get('user')).toBe('ada')
    expect(() => recorder.sessions[0]?.set('user', 'bob')).toThrow(expect.objectContaining({ code: 'EXPIRED_SESSION' }))
  })

  it.each<[SessionEventName, CoreSessionOptions]>([['created', {}], ['saved', {}]])('let a listener of %s change the session, and that is stored', async (name) => {
    const app = new App(options)
    const browser = new Browser()
    const observer: SessionObserver = {
      session: (event, session) => event === name && session.set('by', 'listener'),
      rejected() {},
    }
    const visit = await browser.visit(app, observer)
    visit.session.set('a', 1)
    await visit.end()
    expect(await browser.read(app)).toEqual({ a: 1, by: 'listener' })
  })

  it('let a listener of loaded change the session', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const observer: SessionObserver = {
      session: (event, session) => event === 'loaded' && session.set('seen', true),
      rejected() {},
    }
    const visit = await browser.visit(app, observer)
    await visit.end()
    expect(await browser.read(app)).toEqual({ user: 'ada', seen: true })
  })

  it('do not go on for ever when a listener of saved changes the session each time', async () => {
    const app = new App(options)
    let n = 0
    const observer: SessionObserver = {
      session: (event, session) => event === 'saved' && session.set('n', n++),
      rejected() {},
    }
    const visit = await new Browser().visit(app, observer)
    visit.session.set('a', 1)
    await visit.end()
    expect(n).toBeLessThan(20)
  })
})

describe('the events in storage mode', () => {
  it('of an id that storage does not know are one rejected', async () => {
    const app = new App()
    const browser = await returning(app)
    const copy = browser.clone()
    await browser.run(app, session => session.destroy())
    expect(await eventsOf(app, copy)).toEqual(['unknown'])
  })

  it('of a corrupt record are one rejected', async () => {
    const app = new App()
    const browser = await returning(app)
    app.overwriteAll('{"version":')
    expect(await eventsOf(app, browser)).toEqual(['corrupt'])
  })

  it('of a failed write are no saved', async () => {
    const app = new App()
    const recorder = new Recorder()
    const visit = await (await returning(app)).visit(app, recorder)
    app.driver.fail('write')
    visit.session.set('a', 1)
    await visit.end().catch(() => {})
    expect(recorder.events).toEqual(['loaded'])
  })

  it('of a failed logout are no destroyed', async () => {
    const app = new App()
    const recorder = new Recorder()
    const visit = await (await returning(app)).visit(app, recorder)
    app.driver.fail('remove')
    await visit.session.destroy().catch(() => {})
    expect(recorder.events).toEqual(['loaded'])
  })

  it('never hold the id or the token in what is logged of them', async () => {
    const { inspect } = await import('node:util')
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    const logged = inspect([visit.session, visit.request, app.manager.open(visit.exchange)], { depth: 9 })
    expect(logged.replaceAll(inspect(visit.exchange.cookieHeader), '')).not.toContain(visit.session.id)
  })
})
