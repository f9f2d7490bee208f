import type { Session } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { App, Browser, MODES, OLD_SECRET, returning } from './support/app'
import { codeOf } from './support/errors'
import { silentExchange } from './support/exchange'

describe.each(MODES)('destroying in $mode', ({ options }) => {
  it('ends the session and expires the cookie', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const setCookies = await browser.run(app, async (session, visit) => {
      await session.destroy()
      return visit.setCookies
    })
    expect(setCookies).toEqual(['session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax'])
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })

  it('expires the cookie at once', async () => {
    const app = new App(options)
    const visit = await (await returning(app)).visit(app)
    void visit.session.destroy()
    expect(visit.setCookies).toHaveLength(1)
  })

  it('empties the handle', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session, visit) => {
      await session.destroy()
      expect([session.data, session.get('user'), visit.request.exists]).toEqual([{}, undefined, false])
    })
  })

  it('is harmless without a session', async () => {
    const app = new App(options)
    const visit = await new Browser().visit(app)
    await visit.session.destroy()
    await visit.end()
    expect([visit.setCookies, app.driver.calls]).toEqual([[], []])
  })

  it('is harmless without a session when the data was looked at', async () => {
    const app = new App(options)
    const visit = await new Browser().visit(app)
    void visit.session.data
    await visit.session.destroy()
    await visit.end()
    expect([visit.setCookies, app.driver.calls]).toEqual([[], []])
  })

  it('is harmless twice', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const setCookies = await browser.run(app, async (session, visit) => {
      await session.destroy()
      await session.destroy()
      return visit.setCookies
    })
    expect([setCookies.length, browser.jar.size, app.driver.count('remove') < 2]).toEqual([1, 0, true])
  })

  it('before anything was loaded ends the session too', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const cookies: (string | undefined)[] = []
    const request = app.manager.open({ ...silentExchange(browser.cookieHeader), setCookies: (_, lines) => void cookies.push(lines.at(-1)) })
    await request.handle.destroy()
    await request.commit()
    expect([cookies.at(-1), await app.keys()]).toEqual([expect.stringContaining('session=; Max-Age=0'), []])
  })

  it('and then writing is a fresh session with another id', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const before = await browser.run(app, session => session.id)
    await browser.run(app, async (session) => {
      await session.destroy()
      session.set('a', 1)
    })
    expect(await browser.run(app, session => [session.id, session.data])).toEqual([expect.not.stringMatching(before), { a: 1 }])
    expect((await app.keys()).length).toBeLessThan(2)
  })

  it('forgets changes that were made before it', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      session.set('a', 1)
      session.setLifetime({ persistent: false })
      await session.destroy()
      session.set('b', 2)
    })
    const seen = await browser.run(app, (session, visit) => {
      session.set('b', 3)
      return [Object.keys(session.data), visit.setCookies[0]?.includes('Max-Age')]
    })
    expect(seen).toEqual([['b'], true])
  })

  it('of a session begun in the same request leaves no cookie', async () => {
    const app = new App(options)
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    await visit.session.destroy()
    await visit.end()
    expect([visit.setCookies, await app.keys()]).toEqual([[], []])
  })

  it('of a session begun and saved in the same request leaves nothing', async () => {
    const app = new App(options)
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    await visit.session.save()
    await visit.session.destroy()
    await visit.end()
    expect([visit.setCookies, await app.keys()]).toEqual([[], []])
  })

  it('stays done although the handler fails afterwards', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const visit = await browser.visit(app)
    const handler = async (): Promise<void> => {
      await visit.session.destroy()
      throw new Error('handler')
    }
    await handler().catch(() => {})
    await visit.end()
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })

  it('stays done although an update fails afterwards', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      await session.destroy()
      await session.update(() => {
        throw new RangeError('mine')
      }).catch(() => {})
    })
    expect(browser.jar.size).toBe(0)
  })

  it('expires a cookie whose session is unknown or over', async () => {
    const app = new App({ ...options, maxAge: 100 })
    const browser = await returning(app)
    app.wait(100)
    await browser.run(app, session => session.destroy())
    expect(browser.jar.size).toBe(0)
  })

  it.each(['foreign', '', '%', '"', 'abcdefghijklmnopqrstuvwx.c2lnbmF0dXJl'])('removes a cookie of our name that nobody can verify: %j', async (value) => {
    const app = new App(options)
    const visit = await new Browser([['session', value]]).visit(app)
    await visit.session.destroy()
    await visit.end()
    expect([visit.setCookies, app.driver.calls]).toEqual([[expect.stringMatching(/^session=; Max-Age=0; /)], []])
  })

  it.each<[what: string, spell: (token: string) => string]>([
    ['as it was', token => token],
    ['in quotes', token => `"${token}"`],
    ['percent-encoded', token => token.replaceAll('.', '%2E')],
  ])('removes a cookie of a former secret, %s', async (_, spell) => {
    const before = new App({ ...options, secret: OLD_SECRET })
    const { token } = await returning(before)
    const visit = await new Browser([['session', spell(token)]]).visit(before.redeploy(options))
    expect(visit.request.exists).toBe(false)
    await visit.session.destroy()
    await visit.end()
    expect(visit.setCookies).toEqual([expect.stringMatching(/^session=; Max-Age=0; /)])
  })

  it('removes a cookie of a former secret beside one of ours, which ends', async () => {
    const before = new App({ ...options, secret: OLD_SECRET })
    const app = before.redeploy(options)
    const [former, { token }] = [await returning(before), await returning(app)]
    for (const value of [`${former.token}; session=${token}`, `${token}; session=${former.token}`]) {
      const visit = await new Browser([['session', value]]).visit(app)
      await visit.session.destroy()
      await visit.end()
      expect(visit.setCookies.filter(line => !line.startsWith('session=; Max-Age=0; '))).toEqual([])
      expect(visit.setCookies.at(-1)).toMatch(/^session=; Max-Age=0; Path=\/;/)
    }
    expect(await app.sessionKeys()).toHaveLength(options.mode === 'storage' ? 1 : 0)
  })

  it('says nothing to a browser that has no cookie of our name', async () => {
    const visit = await new Browser([['sessions', 'foreign']]).visit(new App(options))
    await visit.session.destroy()
    await visit.end()
    expect(visit.setCookies).toEqual([])
  })

  it('after regenerating in the same request leaves nothing', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      await session.regenerate({ userId: 7 })
      await session.destroy()
    })
    expect([browser.jar.size, await app.sessionKeys()]).toEqual([0, []])
  })

  it('with saveUninitialized leaves no session behind in this request', async () => {
    const app = new App({ ...options, saveUninitialized: true })
    const browser = await returning(app)
    await browser.run(app, session => session.destroy())
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })
})

describe('destroying in storage mode', () => {
  it('makes the old cookie nobody, from any client', async () => {
    const app = new App()
    const browser = await returning(app)
    const copy = browser.clone()
    await browser.run(app, session => session.destroy())
    expect(await copy.hasSession(app)).toBe(false)
  })

  it('does not write what was changed before it', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      session.set('a', 1)
      await session.destroy()
    })
    expect(app.driver.count('write')).toBe(0)
  })

  it('works after the response was sent', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    visit.exchange.isSent = true
    await visit.session.destroy()
    expect(await app.keys()).toEqual([])
  })

  it('while the session loads ends it', async () => {
    const app = new App()
    const browser = await returning(app)
    const request = app.manager.open(silentExchange(browser.cookieHeader))
    const gate = app.driver.hold('read')
    const loaded = request.load()
    await gate.reached
    const destroyed = request.handle.destroy()
    gate.release()
    await Promise.all([loaded, destroyed])
    expect([request.exists, request.handle.data, await app.keys()]).toEqual([false, {}, []])
  })

  it('loses nothing that is set after it when an older save finds the session gone', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await browser.clone().run(app, session => session.destroy())
    visit.session.set('a', 1)
    const gate = app.driver.hold('read')
    const saved = codeOf(() => visit.session.save())
    await gate.reached
    const destroyed = visit.session.destroy()
    visit.session.set('user', 'bob')
    gate.release()
    expect(await saved).toBe('EXPIRED_SESSION')
    await destroyed
    await visit.end()
    expect(await browser.read(app)).toEqual({ user: 'bob' })
  })

  it('while its own first write is on its way leaves no record', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    const gate = app.driver.hold('write')
    const saved = visit.session.save()
    await gate.reached
    const destroyed = visit.session.destroy()
    gate.release()
    await Promise.all([saved, destroyed])
    await visit.end()
    expect([visit.setCookies, await app.keys()]).toEqual([[], []])
  })

  it.each([
    ['an update', (session: Session): unknown => session.update({ cart: 1 })],
    ['a write of what was cleared since', (session: Session): unknown => {
      session.set('cart', 1)
      const saving = session.save()
      session.clear()
      return saving
    }],
    ['an update and a login', (session: Session): unknown => Promise.allSettled([session.update({ cart: 1 }), session.regenerate({ userId: 7 })])],
  ])('while %s of a new session is on its way leaves no record and no session', async (_, begin) => {
    const app = new App()
    const browser = new Browser()
    await browser.run(app, async (session) => {
      await Promise.all([begin(session), session.destroy()])
    })
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })

  it('while several updates are on their way ends them all', async () => {
    const app = new App()
    const browser = await returning(app)
    const results = await browser.run(app, session => Promise.allSettled([session.update({ a: 1 }), session.update({ b: 1 }), session.destroy(), session.regenerate({ c: 1 })]))
    expect(results.map(({ status }) => status).slice(1, 3)).toEqual(['rejected', 'fulfilled'])
    expect(results[1]).toMatchObject({ reason: { code: 'EXPIRED_SESSION' } })
    // What was asked for after the end is a session of its own.
    expect(await browser.read(app)).toEqual({ c: 1 })
    expect(await app.sessionKeys()).toHaveLength(1)
  })

  it('while its own update is on its way expires the cookie all the same', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    const gate = app.driver.hold('write')
    const updated = visit.session.update({ a: 1 })
    await gate.reached
    const destroyed = visit.session.destroy()
    gate.release()
    await Promise.all([updated, destroyed])
    await visit.end()
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })
})

describe('destroying in cookie mode', () => {
  it.each([true, false])('is refused after the response was sent, for the cookie would stay (encrypt: %s)', async (encrypt) => {
    const app = new App({ mode: 'cookie', encrypt })
    const visit = await (await returning(app)).visit(app)
    visit.exchange.isSent = true
    expect(await codeOf(() => visit.session.destroy())).toBe('COOKIE_ERROR')
  })
})
