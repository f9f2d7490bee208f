import type { Session } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { App, Browser, MODES, returning } from './support/app'
import { countWork, type Work } from './support/work'

/** Functions of ours that look at all that a session holds. */
const WHOLE = ['copyOf', 'patchKeys', 'measure', 'sizeOf', 'applyPatch', 'isEmpty']

function callsOfWhole(work: Work): number {
  return WHOLE.reduce((all, name) => all + work.calls(name), 0)
}

const EACH: [what: string, each: (session: Session, n: number) => unknown][] = [
  ['set', (session, n) => session.set(`k${n}`, n)],
  ['set of one key', (session, n) => session.set('k', n)],
  ['set and delete', (session, n) => [session.set(`k${n}`, n), session.delete(`k${n}`)]],
  ['set, get and has', (session, n) => [session.set(`k${n}`, n), session.get(`k${n}`), session.has('user')]],
  ['flash', (session, n) => session.flash(`k${n}`, n)],
  ['flash, written and read', (session, n) => [session.flash(`k${n}`, n), session.flash(`k${n}`)]],
  ['all in turn', (session, n) => [session.set(`k${n}`, n), session.flash(`k${n}`, n), session.get('user'), session.delete(`k${n - 1}`), session.flash(`k${n - 1}`)]],
  ['set, with clear in between', (session, n) => n % 100 === 99 ? session.clear() : session.set(`k${n}`, n)],
]

async function workOf(each: (session: Session, n: number) => unknown, count: number): Promise<Work> {
  const app = new App()
  const visit = await (await returning(app)).visit(app)
  return countWork(() => {
    for (let n = 0; n < count; n++)
      each(visit.session, n)
  })
}

describe('n changes of one request', () => {
  it.each(EACH)('cost n steps: %s', async (_, each) => {
    const [some, many] = [await workOf(each, 500), await workOf(each, 2000)]
    expect(many.steps / some.steps).toBeLessThan(4.2)
    // Of these each call is one step only where V8 itself does the work, such as a copy.
    expect(callsOfWhole(many)).toBeLessThan(2000 / 20)
  })

  it('are all there, and stored by one write', async () => {
    const app = new App()
    const browser = await returning(app, { old: 1, gone: 1 })
    await browser.run(app, (session) => {
      for (let n = 0; n < 4000; n++)
        session.set(`k${n}`, n)
      session.delete('gone')
      session.delete('k7')
      session.set('k8', 'eight')
    })
    const data = await browser.read(app)
    expect([Object.keys(data).length, data.old, data.gone, data.k7, data.k8, data.k3999]).toEqual([4000, 1, undefined, undefined, 'eight', 3999])
    expect(app.driver.count('write')).toBe(1)
  })

  it.each(MODES.slice(1))('cost no more than the bytes of the cookie in $mode', async ({ options }) => {
    const workOf = async (count: number): Promise<Work> => {
      const app = new App(options)
      const { session } = await (await returning(app)).visit(app)
      return countWork(() => {
        for (let n = 0; n < count; n++) {
          session.set(`k${n}`, n)
          session.delete(`k${n}`)
        }
      })
    }
    const [some, many] = [await workOf(200), await workOf(800)]
    expect(many.steps / some.steps).toBeLessThan(4.2)
    // It looks at all that was ever changed, also at what is gone by now.
    expect(many.calls('copyOf')).toBeLessThan(800 / 20)
  })
})

describe('data that was shown', () => {
  it('stay as they were when the session changes', async () => {
    const { session } = await new Browser().visit(new App())
    session.set('a', { n: 1 })
    const before = session.data
    session.set('a', { n: 2 })
    session.set('b', 1)
    session.delete('a')
    expect([before, session.data]).toEqual([{ a: { n: 1 } }, { b: 1 }])
  })

  it.each(MODES)('stay as they were when a change is refused, in $mode', async ({ options }) => {
    const app = new App({ ...options, maxBytes: 5000 })
    const browser = await returning(app, { a: 1, b: { n: 1 } })
    const { session } = await browser.visit(app)
    session.set('c', 1)
    session.delete('a')
    const before = session.data
    for (const key of ['a', 'b', 'c', 'd'])
      expect(() => session.set(key, 'x'.repeat(10_000))).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(?:INVALID_VALUE|COOKIE_ERROR)$/) }))
    expect(() => session.flash('e', 'x'.repeat(10_000))).toThrow(/bytes/)
    expect([before, session.data, session.flash('e')]).toEqual([{ b: { n: 1 }, c: 1 }, { b: { n: 1 }, c: 1 }, undefined])
    session.set('d', 1)
    expect(session.data).toEqual({ b: { n: 1 }, c: 1, d: 1 })
  })
})
