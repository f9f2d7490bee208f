import type { CoreSessionOptions } from '../../src/core/options'
import type { SessionLifetime } from '../../src/core/types'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { App, Browser, MODES, NOON, returning } from './support/app'
import { codeOf } from './support/errors'
import { parseSetCookie } from './support/exchange'

function maxAgeOf(header: string | undefined): string | undefined {
  return parseSetCookie(header ?? '').attributes.get('max-age')
}

describe.each(MODES)('the lifetime of a session in $mode', ({ options }) => {
  const create = (limits: CoreSessionOptions): App => new App({ ...options, ...limits })

  it('is maxAge from its creation, to the second', async () => {
    const app = create({ maxAge: 100 })
    const browser = await returning(app)
    app.wait(99.999)
    expect(await browser.clone().hasSession(app)).toBe(true)
    app.wait(0.001)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('is absolute: it ends although the session is used', async () => {
    const app = create({ maxAge: 100 })
    const browser = await returning(app)
    for (let n = 0; n < 9; n++) {
      app.wait(10)
      await browser.run(app, session => session.set('n', n))
    }
    app.wait(10)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('is judged by the server, whatever cookie the browser still sends', async () => {
    const app = create({ maxAge: 100 })
    const browser = await returning(app)
    app.wait(1_000_000)
    expect(await browser.read(app)).toEqual({})
  })

  it('shows in expiresAt and createdAt', async () => {
    const app = create({ maxAge: 100 })
    const browser = await returning(app)
    app.wait(10)
    expect(await browser.run(app, session => [session.createdAt, session.expiresAt])).toEqual([new Date(NOON), new Date(NOON + 100_000)])
  })

  it('that remains is what later cookies carry', async () => {
    const app = create({ maxAge: 100 })
    const browser = await returning(app)
    app.wait(30)
    const [header] = await browser.run(app, (session, visit) => {
      session.set('a', 1)
      return visit.setCookies
    })
    expect(maxAgeOf(header)).toBe('70')
  })

  it('ends between idleTimeout and one and a half times of it after the last request, whenever requests came', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 8 }), fc.integer({ min: 1, max: 200 }), async (pauses, idle) => {
      const app = create({ idleTimeout: 100 })
      const browser = await returning(app)
      for (const seconds of pauses) {
        app.wait(seconds)
        expect(await browser.hasSession(app)).toBe(true)
      }
      app.wait(idle)
      const isAlive = await browser.hasSession(app)
      if (idle <= 100)
        expect(isAlive).toBe(true)
      if (idle >= 150)
        expect(isAlive).toBe(false)
    }), { numRuns: 200 })
  })

  it('is moved at most once per half of the idle time', async () => {
    const app = create({ idleTimeout: 100 })
    const browser = await returning(app)
    let moved = 0
    for (let second = 0; second < 1000; second++) {
      app.wait(1)
      moved += (await browser.run(app, (_, visit) => visit.setCookies)).length
    }
    expect(moved).toBe(20)
  })

  it('slides with use', async () => {
    const app = create({ idleTimeout: 100 })
    const browser = await returning(app)
    for (let n = 0; n < 10; n++) {
      app.wait(90)
      await browser.read(app)
    }
    expect(await browser.hasSession(app)).toBe(true)
  })

  it('slides no further than the absolute limit', async () => {
    const app = create({ idleTimeout: 100, maxAge: 250 })
    const browser = await returning(app)
    app.wait(90)
    await browser.read(app)
    app.wait(90)
    const [header] = await browser.run(app, (_, visit) => visit.setCookies)
    expect(maxAgeOf(header)).toBe('70')
    app.wait(70)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('gives the cookie the sooner of both limits', async () => {
    const app = create({ idleTimeout: 100, maxAge: 1000 })
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    expect(maxAgeOf(visit.setCookies[0])).toBe('150')
    expect(visit.session.expiresAt).toEqual(new Date(NOON + 150_000))
  })

  it('is not touched by a read in the first half of the idle time', async () => {
    const app = create({ idleTimeout: 100 })
    const browser = await returning(app)
    app.wait(49)
    const setCookies = await browser.run(app, (_, visit) => visit.setCookies)
    expect([setCookies, app.driver.count('write')]).toEqual([[], 0])
  })

  it('is touched by a read in the second half, with a new cookie', async () => {
    const app = create({ idleTimeout: 100 })
    const browser = await returning(app)
    app.wait(50)
    const [header] = await browser.run(app, (_, visit) => visit.setCookies)
    expect(maxAgeOf(header)).toBe('150')
  })

  it('is touched without any change to the data', async () => {
    const app = create({ idleTimeout: 100 })
    const browser = await returning(app, { a: [1] })
    await browser.run(app, session => session.flash('b', 2))
    app.wait(60)
    await browser.read(app)
    expect(await browser.run(app, session => [session.data, session.flash('b')])).toEqual([{ a: [1] }, 2])
  })

  it('never comes back once it ended', async () => {
    const app = create({ idleTimeout: 100 })
    const browser = await returning(app)
    const ended = browser.clone()
    app.wait(151)
    await ended.read(app)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('that ended makes room for a new session with another id', async () => {
    const app = create({ maxAge: 100 })
    const browser = await returning(app)
    const before = await browser.run(app, session => session.id)
    app.wait(100)
    const after = await browser.run(app, (session) => {
      session.set('a', 1)
      return session.id
    })
    expect(after).not.toBe(before)
    expect(await browser.read(app)).toEqual({ a: 1 })
  })

  it('that ends while a request runs is not begun again by that request', async () => {
    const app = create({ idleTimeout: 100 })
    const browser = await returning(app)
    const slow = await browser.visit(app)
    app.wait(151)
    const change = async (): Promise<void> => {
      slow.session.set('late', 1)
      await slow.end()
    }
    expect(await codeOf(change)).toBe('EXPIRED_SESSION')
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('can be longer for one session, and stays so', async () => {
    const app = create({ maxAge: 100 })
    const browser = await returning(app)
    const [header] = await browser.run(app, (session, visit) => {
      session.setLifetime({ maxAge: 1000 })
      return visit.setCookies
    })
    expect(maxAgeOf(header)).toBe('1000')
    app.wait(500)
    await browser.run(app, session => session.set('a', 1))
    app.wait(499)
    expect(await browser.hasSession(app)).toBe(true)
    app.wait(1)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('can be shorter for one session', async () => {
    const app = create({ maxAge: 1000 })
    const browser = await returning(app)
    await browser.run(app, session => session.setLifetime({ maxAge: 10 }))
    app.wait(10)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('can be set before the first data', async () => {
    const app = create({ maxAge: 1000 })
    const browser = new Browser()
    await browser.run(app, (session) => {
      session.setLifetime({ maxAge: 10 })
      session.set('a', 1)
    })
    app.wait(10)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('alone stores nothing for a visitor without data', async () => {
    const app = create({})
    const visit = await new Browser().visit(app)
    visit.session.setLifetime({ maxAge: 10 })
    await visit.end()
    expect([visit.setCookies, await app.keys()]).toEqual([[], []])
  })

  it('can have an idle limit of its own, or none', async () => {
    const app = create({ idleTimeout: 100 })
    const strict = await returning(app)
    const patient = await returning(app)
    await strict.run(app, session => session.setLifetime({ idleTimeout: 10 }))
    await patient.run(app, session => session.setLifetime({ idleTimeout: 0 }))
    app.wait(16)
    expect([await strict.hasSession(app), await patient.hasSession(app)]).toEqual([false, true])
    app.wait(1000)
    expect(await patient.hasSession(app)).toBe(true)
  })

  it('can end with the browser, while the server\'s limits stay', async () => {
    const app = create({ maxAge: 100 })
    const browser = await returning(app)
    const headers = []
    headers.push(...await browser.run(app, (session, visit) => {
      session.setLifetime({ persistent: false })
      return visit.setCookies
    }))
    headers.push(...await browser.run(app, (session, visit) => {
      session.set('a', 1)
      return visit.setCookies
    }))
    expect(headers.map(maxAgeOf)).toEqual([undefined, undefined])
    app.wait(100)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it.each<[what: string, lifetime: SessionLifetime]>([
    ['all that it has', { maxAge: 1000, idleTimeout: 600, persistent: false }],
    ['one that it has', { persistent: false }],
    ['no limit', {}],
  ])('is not changed by %s: nothing is written, no cookie sent', async (_, lifetime) => {
    const app = create({ maxAge: 100 })
    const browser = await returning(app)
    await browser.run(app, session => session.setLifetime({ maxAge: 1000, idleTimeout: 600, persistent: false }))
    app.driver.calls.length = 0
    const cookies = await browser.run(app, (session, visit) => {
      session.setLifetime(lifetime)
      return visit.setCookies
    })
    expect([cookies, app.driver.count('write')]).toEqual([[], 0])
  })

  it('keeps the limits set earlier when another one is set', async () => {
    const app = create({ maxAge: 100 })
    const browser = await returning(app)
    await browser.run(app, session => session.setLifetime({ maxAge: 1000 }))
    await browser.run(app, session => session.setLifetime({ persistent: false }))
    app.wait(999)
    expect(await browser.hasSession(app)).toBe(true)
  })

  it('set for one session survives regeneration, from the new beginning', async () => {
    const app = create({ maxAge: 100 })
    const browser = await returning(app)
    await browser.run(app, session => session.setLifetime({ maxAge: 1000 }))
    app.wait(900)
    await browser.run(app, session => session.regenerate())
    app.wait(999)
    expect(await browser.hasSession(app)).toBe(true)
  })

  it('is never longer than 400 days', async () => {
    const visit = await new Browser().visit(create({}))
    visit.session.set('a', 1)
    visit.session.setLifetime({ maxAge: 999_999_999 })
    expect(maxAgeOf(visit.setCookies[0])).toBe('34560000')
  })

  it.each([
    { maxAge: 0 },
    { maxAge: -1 },
    { maxAge: 1.5 },
    { maxAge: Number.NaN },
    { maxAge: Number.POSITIVE_INFINITY },
    { maxAge: '7d' },
    { idleTimeout: -1 },
    { idleTimeout: Number.NaN },
    { idleTimeout: '30' },
    { persistent: 'no' },
  ])('is not set by %j', async (lifetime) => {
    const { session } = await new Browser().visit(create({}))
    expect(await codeOf(() => session.setLifetime(lifetime as { maxAge?: number }))).toBe('INVALID_VALUE')
  })

})

describe('the lifetime of a record in storage', () => {
  it('is touched once by a hundred reads', async () => {
    const app = new App({ idleTimeout: 100 })
    const browser = await returning(app)
    app.wait(60)
    for (let n = 0; n < 100; n++)
      await browser.read(app)
    expect(app.driver.count('write')).toBe(1)
  })

  it('ends with its removal when it is met', async () => {
    const app = new App({ maxAge: 100 })
    const browser = await returning(app)
    app.wait(100)
    await browser.read(app)
    expect(await app.keys()).toEqual([])
  })

  it('ends even if the removal fails, without an error', async () => {
    const app = new App({ maxAge: 100 })
    const browser = await returning(app)
    app.wait(100)
    app.driver.fail('remove')
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('that was just extended is not removed by a slow reader of the old one', async () => {
    const app = new App({ idleTimeout: 100 })
    const browser = await returning(app)
    const gate = app.driver.hold('read', 'after')
    const slow = browser.clone().visit(app)
    await gate.reached
    app.wait(149)
    await browser.read(app)
    app.wait(2)
    gate.release()
    await slow
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })

  it('that ended between load and touch is not touched, and the response is no error', async () => {
    const app = new App({ idleTimeout: 100 })
    const browser = await returning(app)
    app.wait(60)
    const slow = await browser.visit(app)
    await browser.run(app, session => session.destroy())
    await slow.end()
    expect([slow.setCookies, await app.keys()]).toEqual([[], []])
  })

  it('that is only touched does not undo a parallel change', async () => {
    const app = new App({ idleTimeout: 100 })
    const browser = await returning(app)
    app.wait(60)
    const reader = await browser.visit(app)
    await browser.run(app, session => session.set('user', 'bob'))
    await reader.end()
    expect(await browser.read(app)).toEqual({ user: 'bob' })
  })
})
