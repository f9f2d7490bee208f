import type { Session } from '../../src/core/types'
import { describe, expect, it } from 'vitest'
import { createKeyedLock } from '../../src/core/lock'
import { App, Browser, returning } from './support/app'
import { codeOf } from './support/errors'

describe('parallel changes of one request', () => {
  it('lose no update that the function of another one makes by mistake', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      let inner: Promise<unknown> | undefined
      await session.update(() => {
        inner ??= session.update({ inner: 1 })
        return { outer: 1 }
      })
      await inner
    })
    expect(await browser.read(app)).toEqual({ user: 'ada', inner: 1, outer: 1 })
  })
})

describe('parallel requests of one visitor', () => {
  it('count fifty increments as fifty', async () => {
    const app = new App()
    const browser = await returning(app, { n: 0 })
    await Promise.all(Array.from({ length: 50 }, () => browser.run(app, session => session.update(data => ({ n: data.n as number + 1 })))))
    expect(await browser.read(app)).toEqual({ n: 50 })
  })

  it('count increments of managers with other options over the same storage too', async () => {
    const app = new App()
    const browser = await returning(app, { n: 0 })
    const apps = [app, app.redeploy({ maxAge: 1000 })]
    await Promise.all(apps.flatMap(one => Array.from({ length: 10 }, () => browser.run(one, session => session.update(data => ({ n: data.n as number + 1 }))))))
    expect(await browser.read(app)).toEqual({ n: 20 })
  })

  it('keep both of two different keys', async () => {
    const app = new App()
    const browser = await returning(app)
    const [a, b] = [await browser.visit(app), await browser.visit(app)]
    a.session.set('a', 1)
    b.session.set('b', 2)
    await Promise.all([a.end(), b.end()])
    expect(await browser.read(app)).toEqual({ user: 'ada', a: 1, b: 2 })
  })

  it('keep fifty different keys', async () => {
    const app = new App()
    const browser = await returning(app)
    await Promise.all(Array.from({ length: 50 }, (_, n) => browser.run(app, session => session.set(`k${n}`, n))))
    expect(Object.keys(await browser.read(app))).toHaveLength(51)
  })

  it('leave a deleted key deleted when another request, loaded before, changes something', async () => {
    const app = new App()
    const browser = await returning(app, { a: 1, b: 2 })
    const slow = await browser.visit(app)
    await browser.run(app, session => session.delete('a'))
    slow.session.set('b', 3)
    await slow.end()
    expect(await browser.read(app)).toEqual({ b: 3 })
  })

  it('delete a key also when another request, loaded before, changes something else', async () => {
    const app = new App()
    const browser = await returning(app, { a: 1, b: 2 })
    const deleter = await browser.visit(app)
    await browser.run(app, session => session.set('b', 3))
    deleter.session.delete('a')
    await deleter.end()
    expect(await browser.read(app)).toEqual({ b: 3 })
  })

  it('clear everything, also what was added meanwhile', async () => {
    const app = new App()
    const browser = await returning(app, { a: 1 })
    const cleaner = await browser.visit(app)
    await browser.clone().run(app, session => session.set('b', 2))
    cleaner.session.clear()
    cleaner.session.set('c', 3)
    await cleaner.end()
    expect(await browser.read(app)).toEqual({ c: 3 })
  })

  it('give the last writer the word on the same key', async () => {
    const app = new App()
    const browser = await returning(app)
    const [first, second] = [await browser.visit(app), await browser.visit(app)]
    first.session.set('user', 'first')
    second.session.set('user', 'second')
    await second.end()
    await first.end()
    expect(await browser.read(app)).toEqual({ user: 'first' })
  })

  it('are not undone by a slow reader', async () => {
    const app = new App()
    const browser = await returning(app, { n: 1 })
    const reader = await browser.visit(app)
    await browser.run(app, session => session.set('n', 2))
    expect(reader.session.get('n')).toBe(1)
    await reader.end()
    expect([await browser.read(app), reader.setCookies]).toEqual([{ n: 2 }, []])
  })

  it('are not undone by a slow reader that leaves a flash message', async () => {
    const app = new App()
    const browser = await returning(app, { n: 1 })
    const reader = await browser.visit(app)
    await browser.run(app, session => session.set('n', 2))
    reader.session.flash('key', 'message')
    await reader.end()
    expect(await browser.read(app)).toEqual({ n: 2 })
  })

  it('log out for good when the logout comes during a slow write', async () => {
    const app = new App()
    const browser = await returning(app)
    const writer = await browser.visit(app)
    writer.session.set('a', 1)
    const gate = app.driver.hold('write')
    const written = writer.end()
    await gate.reached
    const loggedOut = browser.run(app, session => session.destroy())
    gate.release()
    await Promise.all([written, loggedOut])
    expect([await browser.hasSession(app), await app.keys()]).toEqual([false, []])
  })

  it('log out for good when the logout comes between a writer\'s load and its write', async () => {
    const app = new App()
    const browser = await returning(app)
    const writer = await browser.visit(app)
    await browser.run(app, session => session.destroy())
    writer.session.set('a', 1)
    expect(await codeOf(() => writer.end())).toBe('EXPIRED_SESSION')
    expect([await app.keys(), writer.setCookies]).toEqual([[], []])
  })

  it('log out for good against a slow update', async () => {
    const app = new App()
    const browser = await returning(app)
    const writer = await browser.visit(app)
    await browser.run(app, session => session.destroy())
    expect(await codeOf(() => writer.session.update({ a: 1 }))).toBe('EXPIRED_SESSION')
    await writer.end()
    expect([await app.keys(), writer.setCookies]).toEqual([[], []])
  })

  it('refuse every later change of a request whose session ended', async () => {
    const app = new App()
    const browser = await returning(app)
    const writer = await browser.visit(app)
    await browser.run(app, session => session.destroy())
    await codeOf(() => writer.session.update({ a: 1 }))
    expect([
      await codeOf(() => writer.session.set('b', 1)),
      await codeOf(() => writer.session.flash('b', 1)),
      await codeOf(() => writer.session.update({ b: 1 })),
      await codeOf(() => writer.session.regenerate()),
    ]).toEqual(Array.from({ length: 4 }, () => 'EXPIRED_SESSION'))
  })

  it('show the data that an update really stored', async () => {
    const app = new App()
    const browser = await returning(app, { n: 1 })
    const slow = await browser.visit(app)
    await browser.run(app, session => session.set('n', 10))
    expect(await slow.session.update(data => ({ n: data.n as number + 1 }))).toEqual({ n: 11 })
    expect(slow.session.get('n')).toBe(11)
  })

  it('write one after the other: the second reads what the first wrote', async () => {
    const app = new App()
    const browser = await returning(app, { n: 0 })
    const [a, b] = [await browser.visit(app), await browser.visit(app)]
    const gate = app.driver.hold('write')
    const first = a.session.update(data => ({ n: data.n as number + 1 }))
    await gate.reached
    const second = b.session.update(data => ({ n: data.n as number + 1 }))
    gate.release()
    await Promise.all([first, second])
    expect(await browser.read(app)).toEqual({ n: 2 })
  })

  it('removed by emptying stay removed for a slower writer', async () => {
    const app = new App()
    const browser = await returning(app)
    const writer = await browser.visit(app)
    await browser.run(app, session => session.clear())
    writer.session.set('a', 1)
    expect(await codeOf(() => writer.end())).toBe('EXPIRED_SESSION')
    expect(await app.keys()).toEqual([])
  })
})

describe('parallel requests of different visitors', () => {
  it('do not wait for each other', async () => {
    const app = new App()
    const [ada, bob] = [await returning(app), await returning(app)]
    const gate = app.driver.hold('write')
    const slow = ada.run(app, session => session.set('n', 1))
    await gate.reached
    await bob.run(app, session => session.set('n', 2))
    expect(await bob.read(app)).toEqual({ user: 'ada', n: 2 })
    gate.release()
    await slow
  })

  it('get ids of their own', async () => {
    const app = new App()
    const visitors = await Promise.all(Array.from({ length: 20 }, async (_, n) => {
      const browser = new Browser()
      await browser.run(app, session => session.set('n', n))
      return browser
    }))
    expect(await Promise.all(visitors.map(visitor => visitor.read(app)))).toEqual(visitors.map((_, n) => ({ n })))
  })
})

describe('the lock', () => {
  it('runs tasks of one key one after the other, in the order they came', async () => {
    const lock = createKeyedLock()
    const log: string[] = []
    const task = (name: string) => async (): Promise<void> => {
      log.push(`${name} begins`)
      await Promise.resolve()
      log.push(`${name} ends`)
    }
    await Promise.all([lock.run('k', task('a')), lock.run('k', task('b')), lock.run('k', task('c'))])
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })

  it('goes on after a task that failed', async () => {
    const lock = createKeyedLock()
    const failed = lock.run('k', () => Promise.reject(new Error('x')))
    const next = lock.run('k', () => Promise.resolve(2))
    await expect(failed).rejects.toThrow('x')
    expect(await next).toBe(2)
  })

  it('runs tasks of different keys side by side', async () => {
    const lock = createKeyedLock()
    let release = (): void => {}
    const held = lock.run('a', () => new Promise<void>(resolve => release = resolve))
    expect(await lock.run('b', () => Promise.resolve('b'))).toBe('b')
    release()
    await held
  })

  it.each<[string, (session: Session) => unknown]>([
    ['set', session => session.set('theme', 'dark')],
    ['update', session => session.update({ theme: 'dark' })],
  ])('keep what one changes by %s while another reads the last message of a session without data', async (_, change) => {
    const app = new App()
    const browser = new Browser()
    await browser.run(app, session => session.flash('notice', 'Hello'))
    const [slow, fast] = [await browser.visit(app), await browser.visit(app)]
    expect(fast.session.flash('notice')).toBe('Hello')
    await fast.end()
    await change(slow.session)
    await slow.end()
    expect([await browser.read(app), await browser.run(app, session => session.flash('notice')), (await app.keys()).length]).toEqual([{ theme: 'dark' }, undefined, 1])
  })
})
