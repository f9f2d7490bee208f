import type { Session } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { createRecord } from '../../src/core/record/record'
import { createSealedPayloadCodec, createSignedPayloadCodec } from '../../src/core/cookie/token'
import { App, Browser, NOON, returning, SECRET } from './support/app'
import { caught, codeOf } from './support/errors'

const VARIANTS = [{ kind: 'encrypted', encrypt: true }, { kind: 'signed', encrypt: false }]
const random = (length: number): string => Array.from({ length }, (_, n) => String.fromCharCode(97 + n * 7 % 26)).join('')

describe.each(VARIANTS)('a session in an $kind cookie', ({ encrypt }) => {
  const options = { mode: 'cookie', encrypt } as const

  it('over 4096 bytes is refused at once, with its size and its largest keys', async () => {
    const { session } = await (await returning(new App(options))).visit(new App(options))
    session.set('small', 1)
    const error = await caught(() => session.set('bio', random(5000)))
    expect(error).toMatchObject({ code: 'COOKIE_ERROR', details: { limit: 4096, size: expect.any(Number) } })
    expect(error.message).toContain(`${String(error.details.size)} bytes`)
    expect(error.message).toMatch(/keys are `bio` \(5002 bytes\)/)
    expect(error.details.size).toBeGreaterThan(5000)
  })

  it('is not opened again, however often somebody else\'s is written meanwhile', async () => {
    const app = new App(options)
    const [quiet, busy] = [await returning(app, { user: 'ada' }), await returning(app, { text: random(1000) })]
    const look = (): Promise<unknown> => quiet.run(app, session => session.data)
    const first = await look()
    for (let count = 0; count < 2000; count++)
      await busy.run(app, session => [session.set('count', count), session.set('count', -count)])
    expect(await look()).toBe(first)
  })

  it('does not show its values in that message', async () => {
    const { session } = await new Browser().visit(new App(options))
    const error = await caught(() => session.set('bio', random(5000)))
    expect(`${error.message}${JSON.stringify(error.details)}`).not.toContain(random(20))
  })

  it('keeps the cookie of the change before the one that was refused', async () => {
    const app = new App(options)
    const browser = new Browser()
    const visit = await browser.visit(app)
    visit.session.set('small', 1)
    const before = visit.setCookies
    await codeOf(() => visit.session.set('bio', random(5000)))
    expect(visit.setCookies).toEqual(before)
    await visit.end()
    expect(await browser.read(app)).toEqual({ small: 1 })
  })

  it('rolls the refused change back', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      await codeOf(() => session.set('bio', random(5000)))
      expect(session.data).toEqual({ user: 'ada' })
      session.set('theme', 'dark')
    })
    expect(await browser.read(app)).toEqual({ user: 'ada', theme: 'dark' })
  })

  it('sends no cookie when its only change was refused', async () => {
    const visit = await new Browser().visit(new App(options))
    await codeOf(() => visit.session.set('bio', random(5000)))
    await visit.end()
    expect(visit.setCookies).toEqual([])
  })

  it.each<[string, (session: Session) => unknown]>([
    ['update', session => session.update({ bio: random(5000) })],
    ['an update function', session => session.update(() => ({ bio: random(5000) }))],
    ['regenerate', session => session.regenerate({ bio: random(5000) })],
    ['flash', session => session.flash('bio', random(5000))],
  ])('refuses what is too big in %s, and stays as it was', async (_, change) => {
    const app = new App(options)
    const browser = await returning(app)
    const id = await browser.run(app, session => session.id)
    await browser.run(app, async (session) => {
      expect(await codeOf(() => change(session))).toBe('COOKIE_ERROR')
      expect([session.id, session.data]).toEqual([id, { user: 'ada' }])
    })
    expect(await browser.run(app, session => [session.id, session.data, session.flash('bio')])).toEqual([id, { user: 'ada' }, undefined])
  })

  it('names a flash message that makes it too big', async () => {
    const { session } = await (await returning(new App(options))).visit(new App(options))
    session.set('small', 1)
    expect((await caught(() => session.flash('notice', random(5000)))).message).toContain('`notice`')
  })

  it('never sends more than 4096 bytes, and takes all that fits', async () => {
    const app = new App(options)
    const fits = async (length: number): Promise<boolean> => {
      const visit = await new Browser().visit(app)
      try {
        visit.session.set('a', random(length))
      }
      catch {
        return false
      }
      expect(visit.setCookies[0]?.length).toBeLessThanOrEqual(4096)
      return true
    }
    let most = 0
    for (let step = 2048; step >= 1; step /= 2) {
      if (await fits(most + step))
        most += step
    }
    const visit = await new Browser().visit(app)
    visit.session.set('a', random(most))
    expect(visit.setCookies[0]?.length).toBeGreaterThan(4092)
  })

  it('keeps text of 2.5 kB with emoji', async () => {
    const app = new App(options)
    const browser = new Browser()
    const text = '👋'.repeat(630)
    await browser.run(app, session => session.set('text', text))
    expect(await browser.read(app)).toEqual({ text })
  })

  it('past its end is refused, whatever the browser thinks', async () => {
    const app = new App({ ...options, maxAge: 100 })
    const browser = await returning(app)
    app.wait(100)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('gives equal data of two visitors different cookies', async () => {
    const app = new App(options)
    const [a, b] = [await returning(app), await returning(app)]
    expect(a.token).not.toBe(b.token)
  })
})

describe('a correctly signed cookie of more than 4096 bytes', () => {
  it.each(VARIANTS)('is nobody ($kind)', async ({ encrypt }) => {
    const codec = (encrypt ? createSealedPayloadCodec : createSignedPayloadCodec)([SECRET], 'session')
    const tokenOf = (data: object): string => codec.write({ id: 'abcdefghijklmnopqrstuvwx', record: { ...createRecord(NOON, { maxAge: 60, idleTimeout: 0 }), data: { ...data } } })
    const app = new App({ mode: 'cookie', encrypt })
    const [fitting, oversized] = [tokenOf({ a: 1 }), tokenOf({ a: random(5000) })]
    expect([await new Browser([['session', fitting]]).hasSession(app), await new Browser([['session', oversized]]).hasSession(app)]).toEqual([true, false])
  })
})

describe('a session in an encrypted cookie', () => {
  it('shows no plaintext', async () => {
    const browser = await returning(new App({ mode: 'cookie' }), { email: 'ada@example.com' })
    const text = browser.token + Buffer.from(browser.token, 'base64url').toString('latin1')
    expect(['email', 'ada', 'example', 'version'].filter(part => text.includes(part))).toEqual([])
  })

  it('gets another cookie at every write, although the data is the same', async () => {
    const app = new App({ mode: 'cookie' })
    const browser = await returning(app, { n: 1 })
    const before = browser.token
    await browser.run(app, (session) => {
      session.set('n', 2)
      session.set('n', 1)
    })
    expect(browser.token).not.toBe(before)
  })
})

describe('a session in storage mode', () => {
  it('has no limit of 4096 bytes', async () => {
    const app = new App()
    const browser = new Browser()
    await browser.run(app, session => session.set('bio', random(50_000)))
    expect(await browser.read(app)).toEqual({ bio: random(50_000) })
  })
})
