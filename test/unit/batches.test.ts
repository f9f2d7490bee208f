import type { Session } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { App, returning } from './support/app'
import { codeOf } from './support/errors'
import { HeldStore } from './support/held-store'

interface Setup {
  app: App
  store: HeldStore
  /** Sessions of requests of one visitor, all loaded. */
  sessions: Session[]
  end(): Promise<unknown>
  read(): Promise<Readonly<Record<string, unknown>>>
}

async function setUp(count: number): Promise<Setup> {
  const base = new App()
  const store = new HeldStore(base.store)
  const app = new App({ maxBytes: 2000 }, { driver: base.driver, clock: base.clock, store })
  const browser = await returning(app, { n: 0 })
  const visits = await Promise.all(Array.from({ length: count }, () => browser.clone().visit(app)))
  return {
    app,
    store,
    sessions: visits.map(({ session }) => session),
    end: () => Promise.all(visits.map(visit => visit.end())),
    read: () => browser.read(app),
  }
}

function countUp(session: Session): Promise<unknown> {
  return session.update(({ n }) => ({ n: Number(n) + 1 }))
}

describe('changes of one session that wait for each other', () => {
  it('are one compare-and-set, and each has its own result', async () => {
    const { store, sessions, end, read } = await setUp(32)
    const before = store.calls.length
    const results = await Promise.all(sessions.map(async session => (await countUp(session) as { n: number }).n))
    expect(results).toEqual(Array.from({ length: 32 }, (_, n) => n + 1))
    expect(store.calls.slice(before).map(({ operation }) => operation)).toEqual(['compareAndSet', 'get', 'compareAndSet'])
    await end()
    expect(await read()).toEqual({ n: 32 })
  })

  it.each<[what: string, fail: (session: Session) => unknown, code: string | undefined]>([
    ['a function that throws', session => session.update(() => {
      throw new Error('mine')
    }), undefined],
    ['a value that cannot be kept', session => session.update(() => ({ when: new Date() })), 'INVALID_VALUE'],
    ['one that is too big', session => session.update(() => ({ big: 'x'.repeat(3000) })), 'INVALID_VALUE'],
  ])('%s takes nobody with it', async (_, fail, code) => {
    const { sessions, end, read } = await setUp(9)
    const others = sessions.filter((_, index) => index !== 4)
    const all = sessions.map((session, index) => index === 4 ? code ? codeOf(() => fail(session)) : expect(fail(session)).rejects.toThrow('mine').then(() => undefined) : countUp(session))
    const results = await Promise.all(all)
    expect(results[4]).toBe(code)
    expect((results.filter((_, index) => index !== 4) as { n: number }[]).map(({ n }) => n)).toEqual(others.map((_, n) => n + 1))
    await end()
    expect(await read()).toEqual({ n: 8 })
  })

  it('end with the session that one of them empties', async () => {
    const { app, sessions, end } = await setUp(6)
    const results = await Promise.allSettled(sessions.map((session, index) => {
      if (index !== 3)
        return countUp(session)
      session.clear()
      return session.save()
    }))
    expect(results.slice(0, 4).map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => 'fulfilled'))
    expect(results.slice(4).map(result => result.status === 'rejected' && (result.reason as { code: string }).code)).toEqual(['EXPIRED_SESSION', 'EXPIRED_SESSION'])
    await end().catch(() => {})
    expect(await app.sessionKeys()).toEqual([])
  })

  it('all fail where storage fails, each with its own error, and nothing is lost', async () => {
    const { app, sessions, end, read } = await setUp(5)
    const first = countUp(sessions[0]!)
    app.driver.fail('write')
    const codes = await Promise.all([first.then(() => 'done', (error: { code: string }) => error.code), ...sessions.slice(1).map(session => codeOf(() => countUp(session)))])
    expect(codes.every(code => code === 'STORAGE_ERROR')).toBe(true)
    await end().catch(() => {})
    app.driver.repair()
    expect(await read()).toEqual({ n: 0 })
  })

  it('are made anew together when another process was faster', async () => {
    const { app, store, sessions, end, read } = await setUp(8)
    const gate = store.hold('compareAndSet')
    const counted = sessions.map(session => countUp(session))
    await gate.reached
    const stored = (app.driver.driver.getInstance as () => Map<string, string>)()
    for (const [key, text] of stored)
      stored.set(key, JSON.stringify({ ...JSON.parse(text) as object, data: { n: 100 }, revision: 'another1' }))
    gate.release()
    await Promise.all(counted)
    await end()
    expect(await read()).toEqual({ n: 108 })
  })

  it('come before what was asked for later', async () => {
    const { sessions, end } = await setUp(4)
    const results = await Promise.allSettled([
      sessions[0]!.update({ a: 1 }),
      sessions[1]!.update({ b: 1 }),
      sessions[2]!.regenerate({ c: 1 }),
      sessions[3]!.update({ d: 1 }),
    ])
    expect(results.map(({ status }) => status)).toEqual(Array.from({ length: 4 }, () => 'fulfilled'))
    expect(sessions[2]!.data).toMatchObject({ n: 0, a: 1, b: 1, c: 1 })
    await end().catch(() => {})
  })

  it('have errors of their own', async () => {
    const { store, sessions, end } = await setUp(3)
    store.fail('compareAndSet')
    const results = await Promise.allSettled(sessions.map(session => countUp(session)))
    const errors = results.map(result => result.status === 'rejected' && result.reason as unknown)
    expect(new Set(errors).size).toBe(3)
    await end().catch(() => {})
  })

  it('go on with what is stored', async () => {
    const { sessions, end, read } = await setUp(4)
    await Promise.all(sessions.map(session => countUp(session)))
    for (const session of sessions) {
      await countUp(session)
      session.set(`by${sessions.indexOf(session)}`, true)
    }
    await end()
    expect(await read()).toEqual({ n: 8, by0: true, by1: true, by2: true, by3: true })
  })
})
