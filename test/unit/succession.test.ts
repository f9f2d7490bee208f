import type { Succession } from '../../src/core/record/succession'
import type { RegenerateOptions, Session, SessionRecord } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { NO_CHANGES, patchOf } from '../../src/core/record/patch'
import { hasData, succeed } from '../../src/core/record/succession'
import { App, Browser, MODES, NOON, returning } from './support/app'
import { caught } from './support/errors'
import { Recorder } from './support/observer'
import { EMPTY_RECORD } from './support/records'

async function messagesOf(app: App, browser: Browser): Promise<unknown[]> {
  return browser.run(app, session => ['old', 'new'].map(key => session.flash(key)))
}

describe.each(MODES)('what regenerate keeps in $mode', ({ options }) => {
  const DATA = { userId: 'root', isAdmin: true, cart: [1], theme: 'dark' }

  async function setUp(extra: object = {}): Promise<{ app: App, browser: Browser }> {
    const app = new App({ ...options, ...extra })
    const browser = await returning(app, DATA)
    await browser.run(app, session => session.flash('old', 'message'))
    app.driver.calls.length = 0
    return { app, browser }
  }

  it.each<[what: string, options: RegenerateOptions | undefined, data: object, messages: unknown[]]>([
    ['all by default', undefined, { ...DATA, userId: 'bob' }, ['message', undefined]],
    ['all by true', { keep: true }, { ...DATA, userId: 'bob' }, ['message', undefined]],
    ['all by undefined', { keep: undefined, lifetime: undefined }, { ...DATA, userId: 'bob' }, ['message', undefined]],
    ['nothing by false', { keep: false }, { userId: 'bob' }, [undefined, undefined]],
    ['keys by an array, and the messages', { keep: ['cart', 'theme', 'missing', '__proto__'] }, { cart: [1], theme: 'dark', userId: 'bob' }, ['message', undefined]],
    ['no key by an empty array, and the messages', { keep: [] }, { userId: 'bob' }, ['message', undefined]],
  ])('is %s, with the patch on top', async (_, given, data, messages) => {
    const { app, browser } = await setUp()
    const now = await browser.run(app, async (session) => {
      await session.regenerate({ userId: 'bob' }, given)
      return session.data
    })
    expect([now, await browser.read(app)]).toEqual([data, data])
    expect(await messagesOf(app, browser)).toEqual(messages)
  })

  it('counts what the request changed before as kept or not, and leaves what it changes after', async () => {
    const { app, browser } = await setUp()
    await browser.run(app, async (session) => {
      session.set('cart', [2])
      session.set('draft', 1)
      session.delete('theme')
      session.flash('old', 'changed')
      await session.regenerate({ userId: 'bob' }, { keep: ['cart', 'theme'] })
      session.set('later', 1)
      session.flash('new', 'later')
    })
    expect(await browser.read(app)).toEqual({ cart: [2], userId: 'bob', later: 1 })
    expect(await messagesOf(app, browser)).toEqual(['changed', 'later'])
  })

  it('is decided anew each time', async () => {
    const { app, browser } = await setUp()
    await browser.run(app, async (session) => {
      await Promise.all([session.regenerate({ a: 1 }, { keep: ['cart', 'theme'] }), session.regenerate({ b: 1 }, { keep: ['cart', 'a'] })])
    })
    expect(await browser.read(app)).toEqual({ cart: [1], a: 1, b: 1 })
  })

  it('shows at once, also while nobody awaits it', async () => {
    const { app, browser } = await setUp()
    await browser.run(app, (session) => {
      void session.regenerate({ userId: 'bob' }, { keep: false })
      expect([session.data, session.flash('old')]).toEqual([{ userId: 'bob' }, undefined])
    })
    expect(await browser.read(app)).toEqual({ userId: 'bob' })
  })

  it('ends a session of which nothing is kept and to which nothing is added', async () => {
    const { app, browser } = await setUp()
    await browser.run(app, session => session.regenerate(undefined, { keep: false }))
    expect([browser.jar.size, await app.sessionKeys()]).toEqual([0, []])
  })

  describe('with a userKey', () => {
    it.each<RegenerateOptions | undefined>([undefined, { keep: true }, { keep: ['isAdmin', 'cart', 'userId'] }, { keep: false }])('is nothing of a former user: %j', async (given) => {
      const { app, browser } = await setUp({ userKey: 'userId' })
      await browser.run(app, async (session) => {
        session.set('draft', 'of root')
        session.flash('new', 'for root')
        await session.regenerate({ userId: 'bob', theme: 'light' }, given)
        expect(session.data).toEqual({ userId: 'bob', theme: 'light' })
      })
      expect(await browser.read(app)).toEqual({ userId: 'bob', theme: 'light' })
      expect(await messagesOf(app, browser)).toEqual([undefined, undefined])
    })

    it.each<[who: string, patch: object, data: object]>([
      ['the same user', { userId: 'root', n: 1 }, { ...DATA, n: 1 }],
      ['the same user, who is not named', { n: 1 }, { ...DATA, n: 1 }],
      ['nobody, who was a user before', { userId: undefined, n: 1 }, { n: 1 }],
      ['null, who was a user before', { userId: null }, { userId: null }],
      ['a user of another type', { userId: 0 }, { userId: 0 }],
    ])('goes by who it is: %s', async (_, patch, data) => {
      const { app, browser } = await setUp({ userKey: 'userId' })
      await browser.run(app, session => session.regenerate(patch))
      expect(await browser.read(app)).toEqual(data)
    })

    it.each([[{}], [{ userId: null }]])('is all of a visitor who was nobody: %j', async (nobody) => {
      const app = new App({ ...options, userKey: 'userId' })
      const browser = await returning(app, { ...nobody, cart: [1] })
      await browser.run(app, session => session.regenerate({ userId: 'bob' }))
      expect(await browser.read(app)).toEqual({ userId: 'bob', cart: [1] })
    })

    it('is what the request changed together with the user, and nothing else', async () => {
      const { app, browser } = await setUp({ userKey: 'userId' })
      await browser.run(app, async (session) => {
        session.set('userId', 'bob')
        session.set('name', 'Bob')
        await session.regenerate()
      })
      expect(await browser.read(app)).toEqual({ userId: 'bob', name: 'Bob' })
      expect(await messagesOf(app, browser)).toEqual([undefined, undefined])
    })

    it('is nothing of a user who was removed before', async () => {
      const { app, browser } = await setUp({ userKey: 'userId' })
      await browser.run(app, async (session) => {
        session.delete('userId')
        await session.regenerate({ userId: 'bob' })
      })
      expect(await browser.read(app)).toEqual({ userId: 'bob' })
    })

    it('is the lifetime that this request set, not that of the former user', async () => {
      const { app, browser } = await setUp({ userKey: 'userId', maxAge: 100 })
      await browser.run(app, session => session.setLifetime({ maxAge: 5000, persistent: false }))
      await browser.run(app, async (session) => {
        session.setLifetime({ idleTimeout: 1000 })
        await session.regenerate({ userId: 'bob' })
        expect(session.expiresAt).toEqual(new Date(app.clock.now + 100_000))
      })
      app.wait(100)
      expect(await browser.hasSession(app)).toBe(false)
    })
  })
})

describe('what regenerate keeps in storage mode', () => {
  it.each<[RegenerateOptions, object]>([
    [{ keep: ['cart'] }, { cart: [2], userId: 'bob' }],
    [{ keep: false }, { userId: 'bob' }],
    [{}, { cart: [2], secret: 1, theme: 'dark', userId: 'bob' }],
  ])('is decided by the newest record: %j', async (given, data) => {
    const app = new App()
    const browser = await returning(app, { theme: 'dark' })
    const visit = await browser.visit(app)
    await browser.clone().run(app, (session) => {
      session.set('cart', [2])
      session.set('secret', 1)
    })
    await visit.session.regenerate({ userId: 'bob' }, given)
    await visit.end()
    expect(await browser.read(app)).toEqual(data)
  })

  it('is nothing of a user who signed in meanwhile', async () => {
    const app = new App({ userKey: 'userId' })
    const browser = await returning(app, { cart: 1 })
    const visit = await browser.visit(app)
    await browser.clone().run(app, session => session.update({ userId: 'root', isAdmin: true }))
    await visit.session.regenerate({ userId: 'bob' })
    await visit.end()
    expect(await browser.read(app)).toEqual({ userId: 'bob' })
  })
})

describe.each(MODES)('the lifetime after regenerate in $mode', ({ options }) => {
  it('goes on with `same`: an id that is renewed again and again ends', async () => {
    const app = new App({ ...options, maxAge: 100 })
    const browser = await returning(app)
    app.wait(90)
    await browser.run(app, session => session.regenerate(undefined, { lifetime: 'same' }))
    expect(await browser.run(app, session => [session.createdAt, session.expiresAt])).toEqual([new Date(NOON), new Date(NOON + 100_000)])
    app.wait(10)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('is new otherwise', async () => {
    const app = new App({ ...options, maxAge: 100 })
    const browser = await returning(app)
    for (let time = 0; time < 5; time++) {
      app.wait(90)
      await browser.run(app, session => session.regenerate(undefined, { lifetime: 'new' }))
    }
    expect(await browser.hasSession(app)).toBe(true)
  })

  it('keeps what setLifetime gave, with `same`', async () => {
    const app = new App({ ...options, maxAge: 100 })
    const browser = await returning(app)
    await browser.run(app, session => session.setLifetime({ maxAge: 1000, persistent: false }))
    app.wait(900)
    const setCookies = await browser.run(app, async (session, visit) => {
      await session.regenerate({ a: 1 }, { lifetime: 'same', keep: false })
      return visit.setCookies
    })
    expect(setCookies[0]).not.toContain('Max-Age')
    app.wait(99)
    expect(await browser.clone().hasSession(app)).toBe(true)
    app.wait(1)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('counts the idle time from now, with `same`', async () => {
    const app = new App({ ...options, maxAge: 10_000, idleTimeout: 100 })
    const browser = await returning(app)
    app.wait(40)
    await browser.run(app, session => session.regenerate(undefined, { lifetime: 'same' }))
    app.wait(149)
    expect(await browser.hasSession(app)).toBe(true)
  })
})

describe.each(MODES)('limits that regenerate is given in $mode', ({ options }) => {
  it('are those of the session from now on, and outlive later changes', async () => {
    const app = new App({ ...options, maxAge: 100 })
    const browser = await returning(app)
    const [line] = await browser.run(app, async (session, visit) => {
      await session.regenerate({ userId: 'bob' }, { lifetime: { maxAge: 1000 } })
      return visit.setCookies
    })
    expect(line).toContain('Max-Age=1000;')
    app.wait(900)
    await browser.run(app, session => session.set('theme', 'dark'))
    app.wait(99)
    expect(await browser.read(app)).toEqual({ user: 'ada', userId: 'bob', theme: 'dark' })
    app.wait(1)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('take the place of all that it had', async () => {
    const app = new App({ ...options, maxAge: 100 })
    const browser = await returning(app)
    await browser.run(app, session => session.setLifetime({ maxAge: 50, persistent: false }))
    const lines = await browser.run(app, async (session, visit) => {
      session.setLifetime({ idleTimeout: 5 })
      await session.regenerate({ userId: 'bob' }, { lifetime: { maxAge: 1000 }, keep: false })
      return visit.setCookies
    })
    expect(lines[0]).toContain('Max-Age=1000;')
    app.wait(999)
    expect(await browser.clone().hasSession(app)).toBe(true)
  })

  it('can be a cookie that the browser forgets', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, async (session, visit) => {
      await session.regenerate({ userId: 'bob' }, { lifetime: { persistent: false } })
      expect(visit.setCookies).toEqual([expect.not.stringContaining('Max-Age')])
    })
    expect(await browser.read(app)).toEqual({ userId: 'bob' })
  })

  it.each<[limits: unknown, problem: string]>([
    [{ maxAge: '30d' }, 'takes whole seconds'], [{ maxAge: 0 }, 'takes whole seconds'], [{ idleTimeout: -1 }, 'takes whole seconds'],
    [{ persistent: 1 }, 'takes whole seconds'], [{ maxage: 5 }, 'Did you mean `maxAge`?'], [null, 'got null'], [[60], 'got an array'], [new Date(), 'got an instance'],
  ])('are refused when they are none: %j', async (lifetime, problem) => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session, visit) => {
      const error = await caught(() => session.regenerate({ userId: 'bob' }, { lifetime: lifetime as never }))
      expect([error.code, error.message]).toEqual(['INVALID_VALUE', expect.stringContaining(problem)])
      expect(error.message).toContain('`lifetime` of `regenerate`')
      expect([session.data, visit.setCookies]).toEqual([{ user: 'ada' }, []])
    })
  })
})

it('a login that is sent twice has the limits of both', async () => {
  const app = new App({ maxAge: 100 })
  const browser = await returning(app)
  const twice = browser.clone()
  const login = (session: Session): Promise<void> => session.regenerate({ userId: 'bob' }, { lifetime: { maxAge: 1000 } })
  await browser.run(app, login)
  await twice.run(app, login)
  app.wait(900)
  expect([await browser.read(app), await twice.read(app)]).toEqual([{ user: 'ada', userId: 'bob' }, { userId: 'bob' }])
})

describe('regenerate', () => {
  const ANOTHER_OBJECT = 'The options of `regenerate` can be an object.'
  const OTHER_OPTIONS = 'The options of `regenerate` can be `keep` and `lifetime`.'
  const ANOTHER_KEEP = 'The `keep` of `regenerate` can be true, false or an array of data keys.'
  const ANOTHER_LIFETIME = 'The `lifetime` of `regenerate` can be \'new\', \'same\' or limits such as `{ maxAge: 3600 }`.'

  it.each<[given: unknown, allowed: string]>([
    [{ keep: 'cart' }, ANOTHER_KEEP],
    [{ keep: [1] }, ANOTHER_KEEP],
    [{ keep: ['cart', 1] }, ANOTHER_KEEP],
    [{ keep: null }, ANOTHER_KEEP],
    [{ keep: { cart: true } }, ANOTHER_KEEP],
    [{ lifetime: 'old' }, ANOTHER_LIFETIME],
    [{ lifetime: '' }, ANOTHER_LIFETIME],
    [{ lifetime: 100 }, ANOTHER_LIFETIME],
    [{ lifetime: true }, ANOTHER_LIFETIME],
    [{ kept: ['cart'] }, OTHER_OPTIONS],
    [{ keep: true, maxAge: 5 }, OTHER_OPTIONS],
    [null, ANOTHER_OBJECT],
    ['same', ANOTHER_OBJECT],
    [true, ANOTHER_OBJECT],
    [['cart'], ANOTHER_OBJECT],
    [new Map(), ANOTHER_OBJECT],
  ])('refuses the options %j, with the line to write, and changes nothing', async (given, allowed) => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, async (session, visit) => {
      const error = await caught(() => (session.regenerate as (...args: unknown[]) => Promise<void>)({ a: 1 }, given))
      expect([error.code, error.message]).toEqual(['INVALID_VALUE', `${allowed} Write for example \`regenerate(patch, { keep: ['cart'], lifetime: 'same' })\`.`])
      expect([session.data, visit.setCookies]).toEqual([{ user: 'ada' }, []])
    })
  })
})

describe('the record that follows on another', () => {
  const LIMITS = { maxAge: 1000, idleTimeout: 0 }
  const ALL = { keep: true, lifetime: 'new' } as const
  const record: SessionRecord = { ...EMPTY_RECORD, lifetime: { maxAge: 500 }, data: { userId: 'root', undefined: 1, a: 1 }, flash: { m: 1 }, revision: 'r' }
  const login = new Map([['userId', 'bob']])

  it.each<[what: string, asked: Partial<Succession>, userKey: string | undefined, expected: Partial<SessionRecord>]>([
    ['is all of it', {}, undefined, { data: record.data, flash: record.flash, lifetime: { maxAge: 500 } }],
    ['is all of it, of the same user', {}, 'userId', { data: record.data, flash: record.flash, lifetime: { maxAge: 500 } }],
    ['is all of it, of nobody', { data: login }, undefined, { data: { ...record.data, userId: 'bob' }, flash: record.flash, lifetime: { maxAge: 500 } }],
    ['is nothing of another user', { data: login }, 'userId', { data: { userId: 'bob' }, flash: {} }],
    ['is the lifetime of another user when that is asked for', { data: login, lifetime: 'same' }, 'userId', { data: { userId: 'bob' }, flash: {}, createdAt: 0, lifetime: { maxAge: 500 } }],
    ['is nothing of it by `keep`', { keep: false }, 'userId', { data: {}, flash: {}, lifetime: { maxAge: 500 } }],
    ['is what `keep` names', { keep: ['a', 'toString'] }, 'userId', { data: { a: 1 }, flash: record.flash, lifetime: { maxAge: 500 } }],
  ])('%s', (_, asked, userKey, expected) => {
    const { expiresAt, ...successor } = succeed(record, NO_CHANGES, { data: new Map(), ...ALL, ...asked }, 7000, { ...LIMITS, userKey })
    expect(successor).toStrictEqual({ version: 1, createdAt: 7000, lastSeenAt: 7000, ...expected })
    expect(expiresAt).toBe(successor.createdAt + (successor.lifetime?.maxAge ?? 1000) * 1000)
  })

  it('is what was changed for another user, also without a key that names one', () => {
    const changes = patchOf({ data: new Map<string, unknown>([['undefined', 2], ['userId', 'bob']]), lifetime: { persistent: false } })
    const { data, lifetime } = succeed(record, changes, { data: new Map(), ...ALL }, 7000, LIMITS)
    expect([data, lifetime]).toEqual([{ userId: 'bob', undefined: 2, a: 1 }, { maxAge: 500, persistent: false }])
    expect(succeed(record, changes, { data: new Map(), ...ALL }, 7000, { ...LIMITS, userKey: 'userId' })).toMatchObject({ data: { userId: 'bob', undefined: 2 }, flash: {}, lifetime: { persistent: false } })
  })

  it.each<[data: [string, unknown][], hasAny: boolean]>([
    [[], false],
    [[['a', undefined]], false],
    [[['a', undefined], ['b', 0]], true],
    [[['a', null]], true],
  ])('begins a session of its own with a patch that holds something: %j', (data, hasAny) => {
    expect(hasData({ ...ALL, data: new Map(data) })).toBe(hasAny)
  })
})

describe('a login that is sent again with the replaced id', () => {
  const login = (session: Session): Promise<void> => session.regenerate({ userId: 7 })

  it('begins a fresh session that holds the patch and nothing else', async () => {
    const app = new App()
    const browser = await returning(app, { cart: 1 })
    await browser.run(app, session => session.flash('old', 'message'))
    const lost = browser.clone()
    await lost.run(app, login)
    // Its answer was lost: the browser still has the old cookie.
    const ids = []
    for (let time = 0; time < 3; time++) {
      const again = browser.clone()
      await again.run(app, login)
      ids.push(await again.run(app, session => session.id))
      expect([await again.read(app), await messagesOf(app, again)]).toEqual([{ userId: 7 }, [undefined, undefined]])
    }
    expect(new Set(ids).size).toBe(3)
    expect(await lost.read(app)).toEqual({ cart: 1, userId: 7 })
  })

  it('keeps what is changed after it, and can be changed like any other', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.clone().run(app, login)
    await browser.run(app, async (session, visit) => {
      await login(session)
      session.set('theme', 'dark')
      session.flash('new', 'Welcome')
      await session.update({ n: 1 })
      await session.reload()
      expect([session.isNew, visit.request.exists]).toEqual([false, true])
    })
    expect(await browser.read(app)).toEqual({ userId: 7, theme: 'dark', n: 1 })
    expect(await messagesOf(app, browser)).toEqual([undefined, 'Welcome'])
  })

  it('works while both are on their way', async () => {
    const app = new App()
    const browser = await returning(app, { cart: 1 })
    const browsers = [browser.clone(), browser.clone(), browser.clone()]
    const visits = await Promise.all(browsers.map(one => one.visit(app)))
    await Promise.all(visits.map(async ({ session }, n) => {
      session.set('before', n)
      const renewed = session.regenerate({ userId: 7, n })
      session.set('after', n)
      await renewed
    }))
    await Promise.all(visits.map(visit => visit.end()))
    expect(await Promise.all(browsers.map(one => one.read(app)))).toEqual([
      { cart: 1, before: 0, userId: 7, n: 0, after: 0 },
      { userId: 7, n: 1, after: 1 },
      { userId: 7, n: 2, after: 2 },
    ])
    expect(await app.sessionKeys()).toHaveLength(3)
  })

  it('tells the hooks as for a new session', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.clone().run(app, login)
    const recorder = new Recorder()
    const visit = await browser.visit(app, recorder)
    await login(visit.session)
    await visit.end()
    expect(recorder.events).toEqual(['unknown', 'created', 'saved', 'regenerated'])
  })

  it('tells the hooks as for a new session, when both are on their way', async () => {
    const app = new App()
    const browser = await returning(app)
    const recorder = new Recorder()
    const visit = await browser.clone().visit(app, recorder)
    await browser.run(app, login)
    await login(visit.session)
    await visit.end()
    expect(recorder.events).toEqual(['loaded', 'created', 'saved', 'regenerated'])
  })

  it.each<[what: string, change: (session: Session) => unknown]>([
    ['set', session => session.set('a', 1)],
    ['flash', session => session.flash('a', 1)],
    ['update', session => session.update({ a: 1 })],
    ['regenerate without a patch', session => session.regenerate()],
    ['regenerate with a patch that holds nothing', session => session.regenerate({ a: undefined })],
    ['destroy', session => session.destroy()],
  ])('is the one change that a replaced id allows, not %s', async (_, change) => {
    const app = new App({ saveUninitialized: true })
    const browser = await returning(app)
    const late = [await browser.clone().visit(app), undefined]
    const old = browser.clone()
    await browser.run(app, login)
    late[1] = await old.visit(app)
    for (const visit of late) {
      expect((await caught(async () => {
        await change(visit!.session)
        await visit!.session.save()
      })).code).toBe('EXPIRED_SESSION')
      await visit!.end()
      expect(visit!.setCookies).toEqual([])
    }
    expect([await browser.read(app), (await app.sessionKeys()).length]).toEqual([{ user: 'ada', userId: 7 }, 1])
  })

  it('can be ended in the same request, which leaves the other login and its cookie alone', async () => {
    const app = new App()
    const browser = await returning(app)
    const old = browser.clone()
    await browser.run(app, login)
    const setCookies = await old.run(app, async (session, visit) => {
      await login(session)
      await session.destroy()
      return visit.setCookies
    })
    expect([setCookies, await browser.read(app), (await app.sessionKeys()).length]).toEqual([[], { user: 'ada', userId: 7 }, 1])
  })

  it('that cannot be stored sends no cookie', async () => {
    const app = new App()
    const browser = await returning(app)
    const old = browser.clone()
    await browser.run(app, login)
    const visit = await old.visit(app)
    app.driver.fail('write')
    expect((await caught(() => login(visit.session))).code).toBe('STORAGE_ERROR')
    expect((await caught(() => visit.end())).code).toBe('STORAGE_ERROR')
    expect([visit.setCookies, (await app.sessionKeys()).length]).toEqual([[], 1])
  })

  it('does not bring back what was destroyed', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await browser.clone().run(app, session => session.destroy())
    expect((await caught(() => login(visit.session))).code).toBe('EXPIRED_SESSION')
  })
})
