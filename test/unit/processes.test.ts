import type { CoreSessionOptions } from '../../src/core/options'
import type { Session, SessionStore } from '../../src/core/types'
import type { Server, Visit } from './support/app'
import type { StoreOperation } from './support/held-store'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createSessionManager } from '../../src/core/session-manager'
import { resolveOptions } from '../../src/core/resolve-options'
import { Browser, SECRET } from './support/app'
import { caught, codeOf } from './support/errors'
import { Processes } from './support/processes'

type Step = readonly [operation: StoreOperation, when: 'before' | 'after']

const BEFORE_READING: Step = ['get', 'before']
const AFTER_READING: Step = ['get', 'after']
const BEFORE_WRITING: Step = ['compareAndSet', 'before']
const AFTER_WRITING: Step = ['compareAndSet', 'after']

const LOST = { code: 'EXPIRED_SESSION', cookies: [] }

const start = (options?: CoreSessionOptions): Promise<Processes> => Processes.start(options)

const increment = (session: Session): Promise<unknown> => session.update(data => ({ n: data.n as number + 1 }))

/** Changes the session elsewhere, so that who loaded it before has to read it again to change it. */
function fallBehind(browser: Browser, elsewhere: Server): Promise<unknown> {
  return browser.clone().run(elsewhere, session => session.set('seen', true))
}

/** How a visit goes: its error, if there is one, and its cookies. */
async function outcome(visit: Visit, act: (session: Session) => unknown): Promise<{ code: string, cookies: string[] }> {
  const code = await Promise.resolve().then(() => act(visit.session)).then(() => visit.end()).then(() => 'OK', (error: { code: string }) => error.code)
  if (code !== 'OK')
    await visit.end().catch(() => {})
  return { code, cookies: visit.setCookies }
}

describe('a slow reader in one process', () => {
  it('does not undo what a fast writer in another stored', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning({ n: 1 })
    const reader = await browser.visit(b)
    await browser.clone().run(a, session => session.set('n', 2))
    expect(reader.session.get('n')).toBe(1)
    await reader.end()
    expect([await browser.read(b), reader.setCookies]).toEqual([{ n: 2 }, []])
  })

  it('that leaves a message does not undo what a fast writer in another stored', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning({ n: 1 })
    const reader = await browser.visit(b)
    await browser.clone().run(a, session => session.set('n', 2))
    reader.session.flash('notice', 'Hello')
    await reader.end()
    expect([await browser.read(a), await browser.run(a, session => session.flash('notice'))]).toEqual([{ n: 2 }, 'Hello'])
  })
})

describe('a logout in one process', () => {
  const update = (session: Session): unknown => session.update({ cart: 1 })
  const set = (session: Session): unknown => session.set('cart', 1)
  const flash = (session: Session): unknown => session.flash('notice', 'Hello')
  const regenerate = (session: Session): unknown => session.regenerate({ cart: 1 })

  it.each<[string, Step, (session: Session) => unknown]>([
    ['an update before it reads', BEFORE_READING, update],
    ['an update between its reading and its writing', AFTER_READING, update],
    ['an update before it writes', BEFORE_WRITING, update],
    ['a set before it writes', BEFORE_WRITING, set],
    ['a message before it is written', BEFORE_WRITING, flash],
    ['a login before it reads', BEFORE_READING, regenerate],
    ['a login between its reading and its writing', AFTER_READING, regenerate],
    ['a login before it writes', BEFORE_WRITING, regenerate],
    ['a login between its two writes', AFTER_WRITING, regenerate],
  ])('wins over %s in another', async (_, [operation, when], act) => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const stale = browser.clone()
    const visit = await browser.clone().visit(b)
    if (operation === 'get')
      await fallBehind(browser, a)
    const gate = b.store.hold(operation, when)
    const writing = outcome(visit, act)
    await gate.reached
    await browser.run(a, session => session.destroy())
    gate.release()
    expect(await writing).toEqual(LOST)
    expect([await stale.hasSession(a), await stale.hasSession(b), await servers.records()]).toEqual([false, false, []])
  })

  it.each<[string, (session: Session) => unknown]>([
    ['an update', update],
    ['a set', set],
    ['a message', flash],
  ])('ends the session also when %s in another has just been written and not answered', async (_, act) => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const slow = browser.clone()
    const visit = await slow.visit(b)
    const gate = b.store.hold(...AFTER_WRITING)
    const writing = outcome(visit, act)
    await gate.reached
    await browser.run(a, session => session.destroy())
    gate.release()
    expect((await writing).code).toBe('OK')
    expect([await slow.hasSession(a), await browser.hasSession(b), await servers.records()]).toEqual([false, false, []])
  })

  it('held between its reading and its removal still ends a session that another changed meanwhile', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const slow = browser.clone()
    const visit = await browser.visit(a)
    const gate = a.store.hold(...BEFORE_WRITING)
    const leaving = outcome(visit, session => session.destroy())
    await gate.reached
    await slow.run(b, session => session.update({ cart: 1 }))
    gate.release()
    expect((await leaving).code).toBe('OK')
    expect([await slow.hasSession(b), await servers.records()]).toEqual([false, []])
  })

  it('in both at once is a logout, and no error', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const visits = [await browser.visit(a), await browser.visit(b)]
    const codes = await Promise.all(visits.map(visit => outcome(visit, session => session.destroy())))
    expect([codes.map(({ code }) => code), await servers.records()]).toEqual([['OK', 'OK'], []])
  })
})

describe('regenerating in two processes at once', () => {
  it.each<[string, Step]>([
    ['before it reads', BEFORE_READING],
    ['between its reading and its writing', AFTER_READING],
    ['before its new record is written', BEFORE_WRITING],
    ['before the old record is replaced', AFTER_WRITING],
  ])('one id is won by one of them: the other, held %s, fails without a cookie', async (_, step) => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const visit = await browser.clone().visit(b)
    const gate = b.store.hold(...step)
    const regenerating = outcome(visit, session => session.regenerate())
    await gate.reached
    await browser.run(a, session => session.regenerate())
    gate.release()
    expect(await regenerating).toEqual(LOST)
    expect([await browser.read(b), (await servers.sessions()).length]).toEqual([{ user: 'ada' }, 1])
  })

  it('without any order leaves one winner, one live record and no cookie to another', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const browsers = [browser.clone(), browser.clone()] as const
    const visits = [await browsers[0].visit(a), await browsers[1].visit(b)] as const
    const outcomes = await Promise.all(visits.map(visit => outcome(visit, session => session.regenerate())))
    expect(outcomes.map(({ code }) => code).sort()).toEqual(['EXPIRED_SESSION', 'OK'])
    expect(outcomes.map(({ cookies }) => cookies.length).sort()).toEqual([0, 1])
    const winner = outcomes[0]?.code === 'OK' ? browsers[0] : browsers[1]
    expect([await winner.read(a), (await servers.sessions()).length]).toEqual([{ user: 'ada' }, 1])
  })
})

describe('two parallel logins', () => {
  it('of a visitor without a cookie are two sessions, both good', async () => {
    const servers = await start()
    const { a, b } = servers
    const [phone, laptop] = [new Browser(), new Browser()]
    await Promise.all([
      phone.run(a, session => session.regenerate({ user: 'ada', on: 'phone' })),
      laptop.run(b, session => session.regenerate({ user: 'ada', on: 'laptop' })),
    ])
    expect([await phone.read(b), await laptop.read(a), (await servers.records()).length]).toEqual([{ user: 'ada', on: 'phone' }, { user: 'ada', on: 'laptop' }, 2])
  })

  it('with one old session are two sessions, of which the slower one has its own patch only', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning({ cart: 1 })
    const [first, second] = [browser.clone(), browser.clone()]
    const visit = await second.visit(b)
    const gate = b.store.hold(...AFTER_WRITING)
    const late = outcome(visit, session => session.regenerate({ user: 'bob' }))
    await gate.reached
    await first.run(a, session => session.regenerate({ user: 'ada' }))
    gate.release()
    expect(await late).toMatchObject({ code: 'OK', cookies: [expect.stringContaining('session=')] })
    expect([await first.read(b), await second.read(b), (await servers.sessions()).length]).toEqual([{ cart: 1, user: 'ada' }, { user: 'bob' }, 2])
  })

  it('without a patch are won by one', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning({ cart: 1 })
    const [first, second] = [browser.clone(), browser.clone()]
    const visit = await second.visit(b)
    const gate = b.store.hold(...AFTER_WRITING)
    const late = outcome(visit, session => session.regenerate())
    await gate.reached
    await first.run(a, session => session.regenerate())
    gate.release()
    expect(await late).toEqual(LOST)
    expect([await first.read(b), await second.hasSession(b), (await servers.sessions()).length]).toEqual([{ cart: 1 }, false, 1])
  })
})

describe('updates in two processes', () => {
  it.each<[string, Step]>([
    ['before it reads', BEFORE_READING],
    ['between its reading and its writing', AFTER_READING],
    ['before it writes', BEFORE_WRITING],
    ['before its answer arrives', AFTER_WRITING],
  ])('both count when a form is sent twice and one is held %s', async (_, step) => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning({ n: 0 })
    const visit = await browser.clone().visit(b)
    if (step[0] === 'get')
      await fallBehind(browser, a)
    const gate = b.store.hold(...step)
    const slow = outcome(visit, increment)
    await gate.reached
    await browser.run(a, increment)
    gate.release()
    expect([(await slow).code, await browser.run(a, session => session.get('n'))]).toEqual(['OK', 2])
  })

  it('are judged by the newest data where a function fails on what was loaded', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning({ credits: 0 })
    const visit = await browser.clone().visit(b)
    await browser.run(a, session => session.set('credits', 5))
    const spent = await outcome(visit, session => session.update((data) => {
      if (data.credits === 0)
        throw Object.assign(new Error('no credits'), { code: 'NO_CREDITS' })
      return { credits: Number(data.credits) - 1 }
    }))
    expect([spent.code, await browser.read(a)]).toEqual(['OK', { credits: 4 }])
  })

  it('count twice twenty-five increments as fifty', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning({ n: 0 })
    await Promise.all(Array.from({ length: 50 }, (_, turn) => browser.clone().run(turn % 2 ? a : b, increment)))
    expect(await browser.read(a)).toEqual({ n: 50 })
  })

  it('run the function again with the newest data', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning({ n: 1 })
    const visit = await browser.clone().visit(b)
    const seen: unknown[] = []
    const gate = b.store.hold(...BEFORE_WRITING)
    const updated = visit.session.update((data) => {
      seen.push(data.n)
      return { n: data.n as number + 1 }
    })
    await gate.reached
    await browser.run(a, session => session.set('n', 10))
    gate.release()
    expect([await updated, seen, visit.session.get('n')]).toEqual([{ n: 11 }, [1, 10], 11])
    await visit.end()
  })

  it('keep both of two different keys', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const visits = [await browser.clone().visit(a), await browser.clone().visit(b)] as const
    visits[0].session.set('a', 1)
    visits[1].session.set('b', 2)
    await Promise.all(visits.map(visit => visit.end()))
    expect(await browser.read(a)).toEqual({ user: 'ada', a: 1, b: 2 })
  })

  it('leave a deleted key deleted when the other, loaded before, sets another', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning({ x: 1, y: 2 })
    const slow = await browser.clone().visit(b)
    await browser.run(a, session => session.delete('x'))
    slow.session.set('y', 3)
    await slow.end()
    expect(await browser.read(a)).toEqual({ y: 3 })
  })

  it('delete a key when the other sets another meanwhile, which stays', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning({ x: 1, y: 2 })
    const visit = await browser.clone().visit(b)
    visit.session.delete('x')
    const gate = b.store.hold(...BEFORE_WRITING)
    const ended = visit.end()
    await gate.reached
    await browser.run(a, session => session.set('y', 3))
    gate.release()
    await ended
    expect(await browser.read(a)).toEqual({ y: 3 })
  })
})

describe('removing the last key in one process', () => {
  it('keeps what another set and was told is stored before', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const visit = await browser.clone().visit(a)
    const gate = a.store.hold(...BEFORE_WRITING)
    const emptying = outcome(visit, session => session.delete('user'))
    await gate.reached
    const setting = await outcome(await browser.visit(b), session => session.set('cart', 1))
    gate.release()
    expect([setting.code, (await emptying).code, await browser.read(a)]).toEqual(['OK', 'OK', { cart: 1 }])
  })

  it('keeps what another set in a session of its own after', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const visit = await browser.clone().visit(a)
    const gate = a.store.hold(...AFTER_WRITING)
    const emptying = outcome(visit, session => session.delete('user'))
    await gate.reached
    const setting = await outcome(await browser.visit(b), session => session.set('cart', 1))
    gate.release()
    await emptying
    expect([setting.code, await browser.read(a)]).toEqual(['OK', { cart: 1 }])
  })

  it('fails a slower set of another that was loaded before, which gets no cookie', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const visit = await browser.clone().visit(b)
    const gate = b.store.hold(...BEFORE_WRITING)
    const setting = outcome(visit, session => session.set('cart', 1))
    await gate.reached
    await browser.run(a, session => session.delete('user'))
    gate.release()
    expect([await setting, await servers.records()]).toEqual([LOST, []])
  })
})

describe('a logout that loses to a regenerate', () => {
  it('says so, also when it cannot be read why', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const logout = await browser.clone().visit(b)
    await browser.run(a, session => session.regenerate())
    b.store.fail('get')
    expect(await codeOf(() => logout.session.destroy())).toBe('STORAGE_ERROR')
    b.store.repair()
    expect(await browser.hasSession(a)).toBe(true)
  })
})

describe('messages in two processes', () => {
  it('are not lost when one is written while another is read', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    await browser.run(a, session => session.flash('old', 1))
    const reader = await browser.clone().visit(b)
    expect(reader.session.flash('old')).toBe(1)
    const gate = b.store.hold(...BEFORE_WRITING)
    const ended = reader.end()
    await gate.reached
    await browser.run(a, session => session.flash('new', 2))
    gate.release()
    await ended
    expect(await browser.run(a, session => [session.flash('old'), session.flash('new')])).toEqual([undefined, 2])
  })

  it('are not lost when one is written under the key of the one that is being read', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    await browser.run(a, session => session.flash('notice', 'first'))
    const reader = await browser.clone().visit(b)
    expect(reader.session.flash('notice')).toBe('first')
    const gate = b.store.hold(...BEFORE_WRITING)
    const ended = reader.end()
    await gate.reached
    await browser.run(a, session => session.flash('notice', 'second'))
    gate.release()
    await ended
    expect(await browser.run(a, session => session.flash('notice'))).toBe('second')
  })

  it('are not lost when one is read while another is being written', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    await browser.run(a, session => session.flash('old', 1))
    const writer = await browser.clone().visit(b)
    const gate = b.store.hold(...BEFORE_WRITING)
    const written = outcome(writer, session => session.flash('new', 2))
    await gate.reached
    expect(await browser.run(a, session => session.flash('old'))).toBe(1)
    gate.release()
    await written
    expect(await browser.run(a, session => [session.flash('old'), session.flash('new')])).toEqual([undefined, 2])
  })

  it('are shown once, one reader after the other', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    await browser.run(a, session => session.flash('notice', 'Hello'))
    const read = (session: Session): unknown => session.flash('notice')
    expect([await browser.run(b, read), await browser.run(a, read), await browser.run(b, read)]).toEqual(['Hello', undefined, undefined])
  })

  it('read by one are not brought back by a change of another that was loaded before', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    await browser.run(a, session => session.flash('notice', 'Hello'))
    const slow = await browser.clone().visit(b)
    await browser.run(a, session => session.flash('notice'))
    slow.session.set('cart', 1)
    await slow.end()
    expect(await browser.run(b, session => [session.flash('notice'), session.get('cart')])).toEqual([undefined, 1])
  })
})

describe('expiry while a write is on its way in another process', () => {
  it.each<[string, (session: Session) => unknown]>([
    ['a set', session => session.set('cart', 1)],
    ['an update', session => session.update({ cart: 1 })],
    ['a login', session => session.regenerate({ user: 'bob' })],
  ])('is not undone by %s when the session was met and removed meanwhile', async (_, act) => {
    const servers = await start({ idleTimeout: 100 })
    const { a, b } = servers
    const browser = await servers.returning()
    const visit = await browser.clone().visit(b)
    const gate = b.store.hold(...BEFORE_WRITING)
    const writing = outcome(visit, act)
    await gate.reached
    servers.wait(151)
    expect(await browser.clone().hasSession(a)).toBe(false)
    gate.release()
    expect([await writing, await browser.hasSession(a), await servers.records()]).toEqual([LOST, false, []])
  })

  it.each<[string, Step]>([
    ['before it reads', BEFORE_READING],
    ['after it has read', AFTER_READING],
  ])('fails an update that is held %s', async (_, step) => {
    const servers = await start({ idleTimeout: 100 })
    const { a, b } = servers
    const browser = await servers.returning()
    const visit = await browser.clone().visit(b)
    await fallBehind(browser, a)
    const gate = b.store.hold(...step)
    const writing = outcome(visit, session => session.update({ cart: 1 }))
    await gate.reached
    servers.wait(151)
    gate.release()
    expect([await writing, await browser.hasSession(b)]).toEqual([LOST, false])
  })

  it('by the absolute limit is not moved by a write that lands after it', async () => {
    const servers = await start({ maxAge: 100 })
    const { a, b } = servers
    const browser = await servers.returning()
    const visit = await browser.clone().visit(b)
    const gate = b.store.hold(...BEFORE_WRITING)
    const writing = outcome(visit, session => session.set('cart', 1))
    await gate.reached
    servers.wait(100)
    gate.release()
    await writing
    expect(await browser.hasSession(a)).toBe(false)
  })
})

describe('a change that waits for another of its process', () => {
  it.each<[string, (visit: Visit) => Promise<unknown>]>([
    ['an update', visit => visit.session.update({ cart: 2 })],
    ['an update by a function', visit => visit.session.update(({ n }) => ({ cart: Number(n) + 1 }))],
    ['a set that is stored at the end of the request', async (visit) => {
      visit.session.set('cart', 2)
      await visit.end()
    }],
  ])('sees that another process kept the session alive: %s', async (_, act) => {
    const servers = await start({ idleTimeout: 60 })
    const browser = await servers.returning()
    const [first, second] = [await browser.visit(servers.a), await browser.visit(servers.a)]
    servers.wait(80)
    const gate = servers.a.store.hold('get')
    const nothing = first.session.update(() => ({}))
    await gate.reached
    const waiting = act(second)
    await browser.run(servers.b, session => session.update({ n: 1 }))
    servers.wait(15)
    gate.release()
    await Promise.all([nothing, waiting])
    expect((await servers.sessions())[0]!.data).toMatchObject({ n: 1, cart: 2 })
  })
})

describe('an idle session that two processes read at once', () => {
  it('is touched by one write', async () => {
    const servers = await start({ idleTimeout: 100 })
    const { a, b } = servers
    const browser = await servers.returning()
    const before = a.store.count('compareAndSet', true)
    servers.wait(60)
    const visits = [await browser.clone().visit(a), await browser.clone().visit(b)]
    await Promise.all(visits.map(visit => visit.end()))
    expect(a.store.count('compareAndSet', true) - before + b.store.count('compareAndSet', true)).toBe(1)
    servers.wait(90)
    expect(await browser.hasSession(a)).toBe(true)
  })

  it('is touched without undoing a change of the other', async () => {
    const servers = await start({ idleTimeout: 100 })
    const { a, b } = servers
    const browser = await servers.returning()
    servers.wait(60)
    const reader = await browser.clone().visit(b)
    const gate = b.store.hold(...BEFORE_WRITING)
    const ended = reader.end()
    await gate.reached
    await browser.run(a, session => session.set('user', 'bob'))
    gate.release()
    await ended
    expect(await browser.read(b)).toEqual({ user: 'bob' })
  })

  it('is not brought back by a touch when the other destroyed it, and that is no error', async () => {
    const servers = await start({ idleTimeout: 100 })
    const { a, b } = servers
    const browser = await servers.returning()
    servers.wait(60)
    const reader = await browser.clone().visit(b)
    const gate = b.store.hold(...BEFORE_WRITING)
    const ended = outcome(reader, () => {})
    await gate.reached
    await browser.run(a, session => session.destroy())
    gate.release()
    expect([await ended, await servers.records()]).toEqual([{ code: 'OK', cookies: [] }, []])
  })
})

describe('regenerating in one process while another updates', () => {
  it.each<[string, Step]>([
    ['before it reads', BEFORE_READING],
    ['between its reading and its writing', AFTER_READING],
    ['before its new record is written', BEFORE_WRITING],
    ['before the old record is replaced', AFTER_WRITING],
  ])('takes the acknowledged change along when it is held %s', async (_, step) => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const visit = await browser.visit(a)
    const gate = a.store.hold(...step)
    const regenerated = outcome(visit, session => session.regenerate({ user: 'bob' }))
    await gate.reached
    const updating = await outcome(await browser.clone().visit(b), session => session.update({ cart: 1 }))
    gate.release()
    expect([(await regenerated).code, updating.code]).toEqual(['OK', 'OK'])
    expect([await browser.read(b), (await servers.sessions()).length]).toEqual([{ user: 'bob', cart: 1 }, 1])
  })

  it.each<[string, Step]>([
    ['before it reads', BEFORE_READING],
    ['between its reading and its writing', AFTER_READING],
    ['before it writes', BEFORE_WRITING],
  ])('fails an update that is held %s, which gets no cookie', async (_, step) => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const visit = await browser.clone().visit(b)
    if (step[0] === 'get')
      await fallBehind(browser, a)
    const gate = b.store.hold(...step)
    const updating = outcome(visit, session => session.update({ cart: 1 }))
    await gate.reached
    await browser.run(a, session => session.regenerate({ user: 'bob' }))
    gate.release()
    expect([await updating, await browser.run(b, session => session.get('user')), (await servers.sessions()).length]).toEqual([LOST, 'bob', 1])
  })
})

describe('regenerating that storage interrupts', () => {
  it.each<[string, (servers: Processes) => Promise<unknown>]>([
    ['before the new record is stored', async ({ a }) => {
      a.store.fail('compareAndSet')
    }],
    ['between storing the new record and replacing the old one', async ({ a }) => {
      const gate = a.store.hold(...AFTER_WRITING)
      void gate.reached.then(() => {
        a.store.fail('compareAndSet')
        gate.release()
      })
    }],
  ])('%s is a 503, and the old session is as good as before', async (_, interrupt) => {
    const servers = await start()
    const browser = await servers.returning({ user: 'ada', cart: [1, 2] })
    await browser.run(servers.a, session => session.flash('notice', 'Hello'))
    const visit = await browser.visit(servers.a)
    await interrupt(servers)
    expect(await caught(() => visit.session.regenerate({ user: 'bob' }))).toMatchObject({ code: 'STORAGE_ERROR', statusCode: 503 })
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(visit.setCookies).toEqual([])
    expect(await browser.run(servers.b, session => [session.data, session.flash('notice')])).toEqual([{ user: 'ada', cart: [1, 2] }, 'Hello'])
  })
})

describe('a store without compare-and-set, within one process', () => {
  /** A store that somebody wrote: three functions over a map. */
  function startPlain(): { server: Server, data: Map<string, unknown> } {
    const data = new Map<string, unknown>()
    const turn = (): Promise<unknown> => new Promise(resolve => setImmediate(resolve))
    const store: SessionStore = {
      get: key => turn().then(() => structuredClone(data.get(key))),
      set: (key, record) => turn().then(() => void data.set(key, structuredClone(record))),
      delete: key => turn().then(() => void data.delete(key)),
    }
    const options = resolveOptions({ secret: SECRET }, { isProduction: true })
    return { server: { manager: createSessionManager(options, { store }) }, data }
  }

  it('counts fifty increments as fifty', async () => {
    const { server } = startPlain()
    const browser = new Browser()
    await browser.run(server, session => session.set('n', 0))
    await Promise.all(Array.from({ length: 50 }, () => browser.clone().run(server, increment)))
    expect(await browser.read(server)).toEqual({ n: 50 })
  })

  it('ends a session for good, whatever others are writing', async () => {
    const { server, data } = startPlain()
    const browser = new Browser()
    await browser.run(server, session => session.set('n', 0))
    const writers = await Promise.all(Array.from({ length: 10 }, () => browser.clone().visit(server)))
    const leaver = await browser.clone().visit(server)
    const outcomes = writers.map((writer, turn) => outcome(writer, turn % 2 ? increment : session => session.set('n', turn)))
    await leaver.session.destroy()
    await leaver.end()
    const codes = (await Promise.all(outcomes)).map(({ code }) => code)
    expect(codes.filter(code => !['OK', 'EXPIRED_SESSION'].includes(code))).toEqual([])
    expect([await browser.hasSession(server), data.size]).toEqual([false, 0])
  })

  it('gives one of two parallel logins the session', async () => {
    const { server, data } = startPlain()
    const browser = new Browser()
    await browser.run(server, session => session.set('cart', 1))
    const browsers = [browser.clone(), browser.clone()]
    const visits = await Promise.all(browsers.map(one => one.visit(server)))
    const outcomes = await Promise.all(visits.map((visit, user) => outcome(visit, session => session.regenerate({ user }))))
    expect(outcomes.map(({ code }) => code)).toEqual(['OK', 'OK'])
    // With what is left of the old one.
    expect([await browsers[0]!.read(server), await browsers[1]!.read(server), data.size]).toEqual([{ cart: 1, user: 0 }, { user: 1 }, 3])
  })
})

describe('regenerating again in the request that storage interrupted', () => {
  it('ends with one live record, the one of the cookie', async () => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const visit = await browser.visit(a)
    const gate = a.store.hold(...AFTER_WRITING)
    const first = codeOf(() => visit.session.regenerate({ user: 'bob' }))
    await gate.reached
    a.store.fail('compareAndSet')
    gate.release()
    expect(await first).toBe('STORAGE_ERROR')
    a.store.repair()
    await visit.session.save()
    await visit.end()
    expect([await browser.read(b), (await servers.sessions()).length]).toEqual([{ user: 'bob' }, 1])
  })
})

describe('a store that is always faster', () => {
  // No pauses between the attempts.
  beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0))
  afterEach(() => void vi.restoreAllMocks())

  it.each<[string, (session: Session) => unknown]>([
    ['an update', session => session.update({ cart: 1 })],
    ['a set', session => session.set('cart', 1)],
    ['a login', session => session.regenerate({ cart: 1 })],
    ['the removal of the last key', session => session.delete('user')],
  ])('makes %s give up with CONFLICT_ERROR, and nothing is changed', async (_, act) => {
    const servers = await start()
    const { a, b } = servers
    const browser = await servers.returning()
    const before = await servers.records()
    const visit = await browser.clone().visit(b)
    b.store.isAlwaysBeaten = true
    expect(await outcome(visit, act)).toMatchObject({ code: 'CONFLICT_ERROR' })
    expect([await servers.records(), await browser.read(a)]).toEqual([before, { user: 'ada' }])
  })

  it('answers 409 after a bounded number of attempts', async () => {
    const servers = await start()
    const { b } = servers
    const visit = await (await servers.returning()).visit(b)
    b.store.isAlwaysBeaten = true
    visit.session.set('cart', 1)
    expect(await caught(() => visit.end())).toMatchObject({ code: 'CONFLICT_ERROR', statusCode: 409 })
    expect(b.store.count('compareAndSet')).toBeLessThan(100)
  })

  it.each<[string, (session: Session) => unknown]>([
    ['a new session', session => session.set('cart', 1)],
    ['a login without a session', session => session.regenerate({ user: 'ada' })],
  ])('sends no cookie of %s', async (_, act) => {
    const servers = await start()
    const { b } = servers
    const visit = await new Browser().visit(b)
    b.store.isAlwaysBeaten = true
    expect([await outcome(visit, act), await servers.records()]).toEqual([{ code: 'CONFLICT_ERROR', cookies: [] }, []])
  })

  it('sends no cookie of a login that gives up', async () => {
    const servers = await start()
    const { b } = servers
    const visit = await (await servers.returning()).visit(b)
    b.store.isAlwaysBeaten = true
    expect((await outcome(visit, session => session.regenerate())).cookies).toEqual([])
  })
})
