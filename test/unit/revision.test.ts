import type { Session } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { createRevision, followsOn } from '../../src/core/record/revision'
import { Browser } from './support/app'
import { codeOf } from './support/errors'
import { Processes } from './support/processes'

const increment = (session: Session): Promise<unknown> => session.update(data => ({ n: data.n as number + 1 }))

describe('a revision', () => {
  it('is another at every write', () => {
    const revisions = Array.from({ length: 1000 }, () => createRevision('before'))
    expect(new Set(revisions).size).toBe(1000)
  })

  it('follows on itself and on the one before it', () => {
    const first = createRevision()
    const second = createRevision(first)
    expect([followsOn(first, first), followsOn(second, first), followsOn(second, second)]).toEqual([true, true, true])
  })

  it('follows on no later one and on no stranger', () => {
    const first = createRevision()
    expect([followsOn(first, createRevision(first)), followsOn(createRevision(first), createRevision())]).toEqual([false, false])
  })

  it('does not follow on another that was made from the same', () => {
    const first = createRevision()
    expect(followsOn(createRevision(first), createRevision(first))).toBe(false)
  })

  it('begins with one mark, and has one more with each write', () => {
    const first = createRevision()
    expect([first.length, createRevision(first).length, createRevision(first).endsWith(first)]).toEqual([8, 16, true])
  })

  it('does not grow for ever', () => {
    let revision = createRevision()
    for (let write = 0; write < 100; write++)
      revision = createRevision(revision)
    expect(createRevision(revision)).toHaveLength(revision.length)
  })
})

describe('a write that storage did and denies', () => {
  it.each<[string, (session: Session) => unknown]>([
    ['an increment', increment],
    ['an increment by a value', session => session.set('n', session.get('n') as number + 1)],
  ])('is counted once: %s', async (_, act) => {
    const servers = await Processes.start()
    const browser = await servers.returning({ n: 0 })
    servers.a.store.loseAnswers()
    await browser.run(servers.a, async (session) => {
      await act(session)
    })
    expect(await browser.read(servers.b)).toEqual({ n: 1 })
  })

  it.each([1, 2, 5])('is counted once although %s others have written meanwhile', async (others) => {
    const servers = await Processes.start()
    const { a, b } = servers
    const browser = await servers.returning({ n: 0 })
    const visit = await browser.clone().visit(a)
    a.store.loseAnswers()
    const gate = a.store.hold('compareAndSet', 'after')
    const updated = increment(visit.session)
    await gate.reached
    for (let other = 0; other < others; other++)
      await browser.run(b, increment)
    gate.release()
    await updated
    await visit.end()
    expect(await browser.read(b)).toEqual({ n: 1 + others })
  })

  it('is counted once although every answer is lost, in two processes at once', async () => {
    const servers = await Processes.start()
    const { a, b } = servers
    const browser = await servers.returning({ n: 0 })
    a.store.loseAnswers(1000)
    b.store.loseAnswers(1000)
    await Promise.all(Array.from({ length: 8 }, (_, turn) => browser.clone().run(turn % 2 ? a : b, increment)))
    expect(await browser.read(a)).toEqual({ n: 8 })
  })

  it('is a new session all the same, one and good', async () => {
    const servers = await Processes.start()
    const browser = new Browser()
    servers.a.store.loseAnswers()
    await browser.run(servers.a, session => session.set('user', 'ada'))
    expect([await browser.read(servers.b), (await servers.records()).length]).toEqual([{ user: 'ada' }, 1])
  })

  it.each([1, 2])('is a login all the same, when %s of its answers are lost', async (count) => {
    const servers = await Processes.start()
    const browser = await servers.returning({ cart: 1 })
    const old = browser.clone()
    servers.a.store.loseAnswers(count)
    await browser.run(servers.a, session => session.regenerate({ user: 'ada' }))
    expect([await browser.read(servers.b), await old.hasSession(servers.b), (await servers.sessions()).length]).toEqual([{ cart: 1, user: 'ada' }, false, 1])
  })

  it('is a logout all the same', async () => {
    const servers = await Processes.start()
    const browser = await servers.returning()
    servers.a.store.loseAnswers()
    await browser.run(servers.a, session => session.destroy())
    expect([browser.jar.size, await servers.records()]).toEqual([0, []])
  })

  it('is the removal of the last key all the same, with the cookie', async () => {
    const servers = await Processes.start()
    const browser = await servers.returning()
    servers.a.store.loseAnswers()
    await browser.run(servers.a, session => session.delete('user'))
    expect([browser.jar.size, await servers.records()]).toEqual([0, []])
  })

  it('is no session any more, and no cookie, when another destroyed it meanwhile', async () => {
    const servers = await Processes.start()
    const { a, b } = servers
    const browser = await servers.returning()
    const visit = await browser.clone().visit(a)
    a.store.loseAnswers()
    const gate = a.store.hold('compareAndSet', 'after')
    const updated = codeOf(() => visit.session.update({ cart: 1 }))
    await gate.reached
    await browser.run(b, session => session.destroy())
    gate.release()
    expect(await updated).toBe('EXPIRED_SESSION')
    await visit.end()
    expect([visit.setCookies, await servers.records()]).toEqual([[], []])
  })

  it('sends no cookie of the old id when another has replaced that meanwhile', async () => {
    const servers = await Processes.start()
    const { a, b } = servers
    const browser = await servers.returning()
    const visit = await browser.clone().visit(a)
    a.store.loseAnswers()
    const gate = a.store.hold('compareAndSet', 'after')
    const updated = visit.session.update({ cart: 1 }).catch(() => {})
    await gate.reached
    await browser.run(b, session => session.regenerate())
    gate.release()
    await updated
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect([visit.setCookies, await browser.read(b)]).toEqual([[], { user: 'ada', cart: 1 }])
  })
})
