import { describe, expect, it } from 'vitest'
import { App, Browser, MODES, NOON, returning } from './support/app'
import { codeOf } from './support/errors'

describe.each(MODES)('regenerating in $mode', ({ options }) => {
  it('gives a new id and keeps the data', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const before = await browser.run(app, session => session.id)
    await browser.run(app, session => session.regenerate())
    const after = await browser.run(app, session => [session.id, session.data])
    expect(after).toEqual([expect.not.stringMatching(before), { user: 'ada' }])
  })

  it('shows the new id at once', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      const before = session.id
      await session.regenerate()
      expect(session.id).not.toBe(before)
    })
  })

  it('applies a patch in the same go', async () => {
    const app = new App(options)
    const browser = await returning(app, { a: 1, b: 2 })
    await browser.run(app, session => session.regenerate({ userId: 7, a: undefined }))
    expect(await browser.read(app)).toEqual({ userId: 7, b: 2 })
  })

  it('sends one cookie', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const setCookies = await browser.run(app, async (session, visit) => {
      session.set('a', 1)
      await session.regenerate({ userId: 7 })
      return visit.setCookies
    })
    expect(setCookies).toHaveLength(1)
  })

  it('keeps changes made before and after it in the same request', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      session.set('before', 1)
      await session.regenerate({ patch: 2 })
      session.set('after', 3)
    })
    expect(await browser.read(app)).toEqual({ user: 'ada', before: 1, patch: 2, after: 3 })
  })

  it('begins a new lifetime', async () => {
    const app = new App({ ...options, maxAge: 100 })
    const browser = await returning(app)
    app.wait(90)
    await browser.run(app, session => session.regenerate())
    expect(await browser.run(app, session => session.createdAt)).toEqual(new Date(NOON + 90_000))
    app.wait(99)
    expect(await browser.hasSession(app)).toBe(true)
  })

  it('stores nothing for a visitor without data', async () => {
    const app = new App(options)
    const visit = await new Browser().visit(app)
    await visit.session.regenerate()
    await visit.end()
    expect([visit.setCookies, await app.keys()]).toEqual([[], []])
  })

  it('with a patch starts a session for a new visitor', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, session => session.regenerate({ userId: 7 }))
    expect(await browser.read(app)).toEqual({ userId: 7 })
  })

  it('of a session that becomes empty leaves no cookie and no record', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      session.delete('user')
      await session.regenerate()
    })
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })

  it('side by side with an update of a new session loses neither', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, async (session) => {
      session.set('a', 1)
      await Promise.all([session.save(), session.regenerate({ b: 2 })])
    })
    expect(await browser.read(app)).toEqual({ a: 1, b: 2 })
  })

  it.each([
    ['a new session', undefined],
    ['a stored session', { user: 'ada' }],
  ])('side by side with the function of an update of %s loses neither, and leaves one record', async (_, data) => {
    const app = new App(options)
    const browser = data ? await returning(app, data) : new Browser()
    const updated = await browser.run(app, async (session) => {
      const [updated] = await Promise.all([session.update(() => ({ cart: 1 })), session.regenerate({ userId: 7 })])
      return updated
    })
    expect(updated).toMatchObject({ ...data, cart: 1 })
    expect(await browser.read(app)).toEqual({ ...data, cart: 1, userId: 7 })
    expect(await app.sessionKeys()).toHaveLength(options.mode === 'storage' ? 1 : 0)
  })

  it('while the write that empties the session is on its way begins a new one', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      session.delete('user')
      await Promise.all([session.save(), session.regenerate({ userId: 7 })])
    })
    expect(await browser.read(app)).toEqual({ userId: 7 })
  })

  it('twice, with everything cleared in between, leaves one record', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, async (session) => {
      const first = session.regenerate({ a: 1 })
      session.clear()
      await Promise.all([first, session.regenerate({ b: 1 })])
    })
    expect(await browser.read(app)).toEqual({ b: 1 })
    expect(await app.sessionKeys()).toHaveLength(options.mode === 'storage' ? 1 : 0)
  })

  it('does not revive a destroyed session', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      await session.destroy()
      await session.regenerate()
    })
    expect(await browser.hasSession(app)).toBe(false)
  })
})

describe('regenerating in storage mode', () => {
  it('makes the old cookie nobody at once', async () => {
    const app = new App()
    const browser = await returning(app)
    const old = browser.clone()
    await browser.run(app, session => session.regenerate())
    expect(await old.hasSession(app)).toBe(false)
  })

  it('does not log in an attacker whose cookie the victim was given', async () => {
    const app = new App()
    const attacker = await returning(app, { cart: 1 })
    const victim = attacker.clone()
    await victim.run(app, session => session.regenerate({ userId: 7 }))
    expect([await attacker.read(app), await victim.read(app)]).toEqual([{}, { cart: 1, userId: 7 }])
  })

  it('with a patch writes the new record once, and what is left of the old one', async () => {
    const app = new App()
    const browser = await returning(app)
    const [before] = await app.keys()
    await browser.run(app, session => session.regenerate({ userId: 7 }))
    const [after] = await app.sessionKeys()
    expect(app.driver.calls.filter(call => call.operation !== 'read').map(call => [call.operation, call.key])).toEqual([['write', after], ['write', before]])
  })

  it('is done, nothing left of the old record but its end, when its promise resolves', async () => {
    const app = new App()
    const browser = await returning(app)
    const [before] = await app.keys()
    const visit = await browser.visit(app)
    await visit.session.regenerate()
    const keys = await app.sessionKeys()
    expect([keys.length, keys.includes(before ?? '')]).toEqual([1, false])
    expect((await app.records()).filter(record => record.isReplaced).map(({ data, flash }) => ({ data, flash }))).toEqual([{ data: {}, flash: {} }])
  })

  it('twice in a request leaves one record, the one of the cookie', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      await session.regenerate()
      await session.regenerate()
    })
    expect([(await app.sessionKeys()).length, await browser.read(app)]).toEqual([1, { user: 'ada' }])
  })

  it('twice at the same time leaves one record, the one of the cookie', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, session => Promise.all([session.regenerate({ a: 1 }), session.regenerate({ b: 2 })]))
    expect([(await app.sessionKeys()).length, await browser.read(app)]).toEqual([1, { user: 'ada', a: 1, b: 2 }])
  })

  it('again while the first is being written leaves one record, the one of the cookie', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    const gate = app.driver.hold('write')
    const first = visit.session.regenerate({ a: 1 })
    await gate.reached
    const second = visit.session.regenerate({ b: 2 })
    gate.release()
    await Promise.allSettled([first, second])
    await visit.end().catch(() => {})
    expect([(await app.sessionKeys()).length, await browser.read(app)]).toEqual([1, { user: 'ada', a: 1, b: 2 }])
  })

  it('while the first write of a new session is on its way loses nothing', async () => {
    const app = new App()
    const browser = new Browser()
    const visit = await browser.visit(app)
    visit.session.set('a', 1)
    const gate = app.driver.hold('write')
    const saved = visit.session.save()
    await gate.reached
    const regenerated = visit.session.regenerate()
    gate.release()
    await Promise.all([saved, regenerated])
    await visit.end()
    expect([(await app.sessionKeys()).length, await browser.read(app)]).toEqual([1, { a: 1 }])
  })

  it('takes what a parallel request stored meanwhile along', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await browser.clone().run(app, session => session.set('cart', 3))
    await visit.session.regenerate({ userId: 7 })
    await visit.end()
    expect(await browser.read(app)).toEqual({ user: 'ada', cart: 3, userId: 7 })
  })

  it('of a session that was destroyed meanwhile does not bring it back', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await browser.clone().run(app, session => session.destroy())
    expect(await codeOf(() => visit.session.regenerate({ userId: 7 }))).toBe('EXPIRED_SESSION')
    await visit.end()
    expect([visit.setCookies, await app.keys()]).toEqual([[], []])
  })

  it('that fails leaves the old session and sends no cookie', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    app.driver.fail('write')
    expect(await codeOf(() => visit.session.regenerate({ userId: 7 }))).toBe('STORAGE_ERROR')
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    app.driver.repair()
    expect([visit.setCookies, await browser.read(app)]).toEqual([[], { user: 'ada' }])
  })

  it('fails a change of a request that was in flight with the old id, which gets no cookie', async () => {
    const app = new App()
    const browser = await returning(app)
    const slow = await browser.clone().visit(app)
    await browser.run(app, session => session.regenerate())
    slow.session.set('late', 1)
    expect(await codeOf(() => slow.end())).toBe('EXPIRED_SESSION')
    expect(slow.setCookies).toEqual([])
  })

  it('fails a change of a request that arrives with the old id within ten seconds, and gives it no cookie', async () => {
    const app = new App()
    const browser = await returning(app)
    const late = browser.clone()
    await browser.run(app, session => session.regenerate())
    app.wait(9.9)
    const visit = await late.visit(app)
    expect([visit.request.exists, visit.session.get('user')]).toEqual([false, undefined])
    expect(await codeOf(() => visit.session.set('a', 1))).toBe('EXPIRED_SESSION')
    expect(await codeOf(() => visit.session.update({ a: 1 }))).toBe('EXPIRED_SESSION')
    expect(await codeOf(() => visit.session.regenerate())).toBe('EXPIRED_SESSION')
    await visit.end()
    expect(visit.setCookies).toEqual([])
  })

  it('lets a request with the old id read, without a cookie, also with saveUninitialized', async () => {
    const app = new App({ saveUninitialized: true })
    const browser = await returning(app)
    const late = browser.clone()
    await browser.run(app, session => session.regenerate())
    const setCookies = await late.run(app, (session, visit) => [session.data, session.flash('news'), visit.setCookies])
    expect(setCookies).toEqual([{}, undefined, []])
  })

  it('fails a logout with the old id, which cannot end the new one, and leaves its cookie alone', async () => {
    const app = new App()
    const browser = await returning(app)
    const visits = [await browser.clone().visit(app)]
    const late = browser.clone()
    await browser.run(app, session => session.regenerate())
    visits.push(await late.visit(app))
    for (const visit of visits) {
      expect(await codeOf(() => visit.session.destroy())).toBe('EXPIRED_SESSION')
      expect(await codeOf(() => visit.session.set('a', 1))).toBe('EXPIRED_SESSION')
      await visit.end()
      expect(visit.setCookies).toEqual([])
    }
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })

  it.each([0, 1, 2, 3, 4, 5, 6, 8, 10, 15])('does not survive a destroy of the same request that comes %i turns later', async (turns) => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      const regenerated = session.regenerate({ userId: 7 }).catch(() => {})
      for (let turn = 0; turn < turns; turn++)
        await Promise.resolve()
      await session.destroy()
      await regenerated
    })
    expect([browser.jar.size, await app.sessionKeys()]).toEqual([0, []])
  })

  it('takes back the cookie of a request that had stored its change before', async () => {
    const app = new App()
    const browser = await returning(app)
    const slow = await browser.visit(app)
    await slow.session.update({ a: 1 })
    await browser.run(app, session => session.regenerate({ admin: true }))
    await slow.end()
    expect([slow.setCookies, await browser.read(app)]).toEqual([[], { user: 'ada', a: 1, admin: true }])
  })

  it.each(Array.from({ length: 12 }, (_, turns) => turns))('of a new visitor works while an update that changes nothing is %i turns old', async (turns) => {
    const app = new App()
    const browser = new Browser()
    await browser.run(app, async (session) => {
      const updated = session.update(() => ({}))
      for (let turn = 0; turn < turns; turn++)
        await Promise.resolve()
      await session.regenerate({ userId: 7 })
      await updated
    })
    expect(await browser.read(app)).toEqual({ userId: 7 })
  })

  it('is followed by the end of what was left of earlier ids, without a sweep', async () => {
    const app = new App()
    const browser = await returning(app)
    for (let time = 0; time < 5; time++) {
      await browser.run(app, session => session.regenerate())
      app.wait(10)
    }
    await browser.run(app, session => session.regenerate())
    await new Promise(resolve => setImmediate(resolve))
    expect((await app.records()).filter(record => record.isReplaced)).toHaveLength(1)
  })

  it('lets a request with the old id start anew after ten seconds', async () => {
    const app = new App()
    const browser = await returning(app)
    const late = browser.clone()
    await browser.run(app, session => session.regenerate())
    app.wait(10)
    await late.run(app, session => session.set('a', 1))
    expect([await late.read(app), await browser.read(app)]).toEqual([{ a: 1 }, { user: 'ada' }])
  })

  it('tells a driver to keep what is left of the old id for ten seconds', async () => {
    const app = new App()
    const browser = await returning(app)
    const [before] = await app.keys()
    await browser.run(app, session => session.regenerate())
    expect(app.driver.calls.filter(call => call.key === before && call.operation === 'write').map(call => call.ttl)).toEqual([10])
  })
})
