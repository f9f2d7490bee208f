import type { Session } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { App, Browser, returning } from './support/app'
import { caught, codeOf } from './support/errors'
import { Recorder } from './support/observer'
import { movingIn } from './support/old-sessions'

const LIMIT = 2000

const BIG: [what: string, change: (session: Session, text: string) => unknown][] = [
  ['set', (session, text) => session.set('big', text)],
  ['flash', (session, text) => session.flash('big', text)],
  ['update', (session, text) => session.update({ big: text })],
  ['update by a function', (session, text) => session.update(() => ({ big: text }))],
  ['regenerate', (session, text) => session.regenerate({ big: text })],
]

/** How many bytes storage really holds. */
async function storedBytes(app: App): Promise<number> {
  const records = (await app.records()).filter(record => !record.isReplaced)
  expect(records).toHaveLength(1)
  return Buffer.byteLength(JSON.stringify(records[0]))
}

describe.each(BIG)('a record that becomes too big by %s', (_, change) => {
  it('is INVALID_VALUE that names the size, the limit and the largest keys, and changes nothing', async () => {
    const app = new App({ maxBytes: LIMIT })
    const browser = await returning(app, { user: 'ada', list: 'l'.repeat(300), note: 'n'.repeat(30) })
    const id = await browser.run(app, session => session.id)
    await browser.run(app, async (session, visit) => {
      const error = await caught(() => change(session, 'x'.repeat(LIMIT)))
      expect(error).toMatchObject({ code: 'INVALID_VALUE', details: { key: 'big', limit: LIMIT, largest: [{ key: 'big', bytes: LIMIT + 2 }, { key: 'list', bytes: 302 }, { key: 'note', bytes: 32 }] } })
      expect(error.message).toMatch(/ 2\d{3} bytes; `maxBytes` allows 2000\. The largest keys are `big` \(2002 bytes\), `list` \(302 bytes\), `note` \(32 bytes\)\./)
      expect([session.id, Object.keys(session.data), visit.setCookies, visit.request.commit()]).toEqual([id, ['user', 'list', 'note'], [], undefined])
    })
    expect([app.driver.count('write'), await browser.run(app, session => [session.id, Object.keys(session.data)])]).toEqual([0, [id, ['user', 'list', 'note']]])
  })

  it('is none of a new visitor either', async () => {
    const app = new App({ maxBytes: LIMIT })
    const visit = await new Browser().visit(app)
    expect(await codeOf(() => change(visit.session, 'x'.repeat(LIMIT)))).toBe('INVALID_VALUE')
    await visit.end()
    expect([visit.setCookies, app.driver.calls]).toEqual([[], []])
  })

  it('is told before it is bigger than the limit, and not long before', async () => {
    let least = LIMIT
    for (const text of ['x', 'é', '👋🏽', '"', '\u0000', '\uD800']) {
      for (let length = 1; ; length++) {
        const app = new App({ maxBytes: LIMIT })
        const browser = await returning(app)
        // Near the limit at once.
        const whole = text.repeat(Math.floor((LIMIT - 400) / (Buffer.byteLength(JSON.stringify(text)) - 2)) + length)
        const error: unknown = await browser.run(app, session => change(session, whole)).then(() => undefined, (reason: unknown) => reason)
        if (error) {
          expect(error).toMatchObject({ code: 'INVALID_VALUE' })
          break
        }
        const bytes = await storedBytes(app)
        expect(bytes).toBeLessThanOrEqual(LIMIT)
        least = bytes
      }
      expect(least).toBeGreaterThan(LIMIT - 80)
    }
  })

  it('is told although another request made the sum too big', async () => {
    const app = new App({ maxBytes: LIMIT })
    const browser = await returning(app)
    const slow = await browser.visit(app)
    const id = await browser.run(app, (session) => {
      session.set('other', 'o'.repeat(LIMIT / 2))
      return session.id
    })
    const failed = await codeOf(async () => {
      await change(slow.session, 'x'.repeat(LIMIT / 2))
      await slow.session.save()
    })
    expect(failed).toBe('INVALID_VALUE')
    slow.session.delete('big')
    slow.session.flash('big')
    slow.session.set('small', 1)
    await slow.end()
    expect(await browser.read(app)).toEqual({ user: 'ada', other: 'o'.repeat(LIMIT / 2), small: 1 })
    expect(await browser.run(app, session => session.id)).toBe(id)
    expect(await app.keys()).toHaveLength(1)
  })
})

describe('a response whose changes are too big beside those of another request', () => {
  it('fails, with nothing stored and no cookie', async () => {
    const app = new App({ maxBytes: LIMIT })
    const browser = await returning(app)
    const slow = await browser.visit(app)
    slow.session.set('big', 'x'.repeat(LIMIT / 2))
    await browser.run(app, session => session.set('other', 'o'.repeat(LIMIT / 2)))
    expect(await codeOf(() => slow.end())).toBe('INVALID_VALUE')
    expect([slow.setCookies, Object.keys(await browser.read(app))]).toEqual([[], ['user', 'other']])
  })
})

describe('a record that is too big already', () => {
  it('can be read, used and made smaller, and not bigger', async () => {
    const app = new App()
    const browser = await returning(app, { big: 'x'.repeat(5000), other: 'o'.repeat(500) })
    const stricter = app.redeploy({ maxBytes: LIMIT, idleTimeout: 600 })
    app.wait(400)
    expect(Object.keys(await browser.read(stricter))).toEqual(['big', 'other'])
    await browser.run(stricter, session => session.delete('other'))
    await browser.run(stricter, async (session) => {
      expect(await codeOf(() => session.set('more', 1))).toBe('INVALID_VALUE')
      expect(await codeOf(() => session.update({ more: 1 }))).toBe('INVALID_VALUE')
      session.set('big', 'y'.repeat(4000))
      await session.update({ big: 'y'.repeat(3000) })
      await session.regenerate()
    })
    expect(await browser.read(stricter)).toEqual({ big: 'y'.repeat(3000) })
  })
})

describe('a session of another package that is too big', () => {
  it('stays there', async () => {
    const { app, old, browser } = await movingIn({ maxBytes: LIMIT }, { user: 'ada', big: 'x'.repeat(LIMIT) })
    const recorder = new Recorder()
    const visit = await browser.visit(app, recorder)
    await visit.end()
    expect([visit.request.exists, recorder.events, old.ids.length, await app.app.keys(), [...browser.jar.keys()]]).toEqual([false, ['corrupt'], 1, [], ['connect.sid']])
  })
})

describe('the size of a record', () => {
  it('follows every change', async () => {
    const app = new App({ maxBytes: LIMIT })
    const browser = await returning(app)
    await browser.run(app, (session) => {
      for (let n = 0; n < 50; n++) {
        session.set('a', 'x'.repeat(n * 20))
        session.flash('m', 'y'.repeat(600))
        session.set(`k${n}`, 'z'.repeat(100))
        session.delete(`k${n}`)
        session.flash('m')
      }
      session.clear()
      session.set('b', 'x'.repeat(LIMIT - 400))
    })
    expect(Object.keys(await browser.read(app))).toEqual(['b'])
  })

  it('is not limited in cookie mode but by the cookie', async () => {
    const { session } = await new Browser().visit(new App({ mode: 'cookie', maxBytes: 10 }))
    session.set('a', 'x'.repeat(1000))
    expect(await codeOf(() => session.set('a', 'x'.repeat(10_000)))).toBe('COOKIE_ERROR')
  })
})
