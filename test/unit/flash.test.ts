import { describe, expect, it } from 'vitest'
import { App, Browser, MODES, returning } from './support/app'
import { codeOf } from './support/errors'

describe.each(MODES)('a flash message in $mode', ({ options }) => {
  it('is shown once by the next request and gone after it', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, session => session.flash('success', 'Saved'))
    const seen = []
    for (let page = 0; page < 3; page++)
      seen.push(await browser.run(app, session => session.flash('success')))
    expect(seen).toEqual(['Saved', undefined, undefined])
  })

  it('survives any number of redirects on which nobody reads it', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, session => session.flash('success', 'Saved'))
    for (let redirect = 0; redirect < 5; redirect++)
      await browser.run(app, session => session.set('hop', redirect))
    expect(await browser.run(app, session => session.flash('success'))).toBe('Saved')
  })

  it('can be read by the request that wrote it, and is gone then', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const seen = await browser.run(app, (session) => {
      session.flash('success', 'Saved')
      return [session.flash('success'), session.flash('success')]
    })
    expect([...seen, await browser.run(app, session => session.flash('success'))]).toEqual(['Saved', undefined, undefined])
  })

  it.each([0, '', false, null, [[]], { nested: { list: [1] } }].map(value => ({ value })))('can be $value', async ({ value }) => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, session => session.flash('key', value))
    expect(await browser.run(app, session => session.flash('key'))).toEqual(value)
    expect(await browser.run(app, session => session.flash('key'))).toBeUndefined()
  })

  it('is undefined when there is none, and reading that changes nothing', async () => {
    const app = new App(options)
    const browser = await returning(app)
    const visit = await browser.visit(app)
    expect(visit.session.flash('missing')).toBeUndefined()
    expect([visit.setCookies, visit.request.commit()]).toEqual([[], undefined])
  })

  it('cannot be undefined', async () => {
    const { session } = await new Browser().visit(new App(options))
    expect(await codeOf(() => session.flash('key', undefined))).toBe('INVALID_VALUE')
  })

  it('is not consumed by a request that reads another key', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, (session) => {
      session.flash('a', 1)
      session.flash('b', 2)
    })
    await browser.run(app, session => session.flash('a'))
    expect(await browser.run(app, session => session.flash('b'))).toBe(2)
  })

  it('replaces an earlier one under the same key', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, session => session.flash('key', 'first'))
    await browser.run(app, session => session.flash('key', 'second'))
    expect(await browser.run(app, session => session.flash('key'))).toBe('second')
  })

  it('is no data: both may have the same key', async () => {
    const app = new App(options)
    const browser = await returning(app, { key: 'data' })
    await browser.run(app, session => session.flash('key', 'message'))
    const seen = await browser.run(app, session => [session.data, session.flash('key'), session.get('key')])
    expect(seen).toEqual([{ key: 'data' }, 'message', 'data'])
  })

  it('survives regeneration', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, session => session.flash('success', 'Welcome'))
    await browser.run(app, session => session.regenerate())
    expect(await browser.run(app, session => session.flash('success'))).toBe('Welcome')
  })

  it('written in the request that regenerates is kept', async () => {
    const app = new App(options)
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      session.flash('before', 1)
      await session.regenerate()
      session.flash('after', 2)
    })
    expect(await browser.run(app, session => [session.flash('before'), session.flash('after')])).toEqual([1, 2])
  })

  it('alone makes a session, which ends when it was read', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, session => session.flash('success', 'Saved'))
    expect(await browser.hasSession(app)).toBe(true)
    await browser.run(app, session => session.flash('success'))
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })

  it('cannot be changed by its reader', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, session => session.flash('list', [1]))
    await browser.run(app, (session) => {
      const list = session.flash('list') as number[]
      expect(() => list.push(2)).toThrow(TypeError)
    })
  })

  it('does not follow the writer\'s object', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, (session) => {
      const list = [1]
      session.flash('list', list)
      list.push(2)
    })
    expect(await browser.run(app, session => session.flash('list'))).toEqual([1])
  })

  it('goes with the session when that is destroyed', async () => {
    const app = new App(options)
    const browser = new Browser()
    await browser.run(app, session => session.flash('success', 'Saved'))
    await browser.run(app, session => session.destroy())
    expect(await browser.run(app, session => session.flash('success'))).toBeUndefined()
  })
})

describe('a flash message in storage mode', () => {
  it('read by one request is not brought back by a parallel change', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, session => session.flash('key', 1))
    const slow = await browser.visit(app)
    slow.session.set('other', 1)
    await browser.run(app, session => session.flash('key'))
    await slow.end()
    expect(await browser.run(app, session => session.flash('key'))).toBeUndefined()
  })

  it('written by a parallel request is kept when another one is read', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, session => session.flash('old', 1))
    const slow = await browser.visit(app)
    slow.session.flash('old')
    await browser.run(app, session => session.flash('new', 2))
    await slow.end()
    expect(await browser.run(app, session => [session.flash('old'), session.flash('new')])).toEqual([undefined, 2])
  })

  it('is not shown twice by one request while the removal is on its way', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, session => session.flash('key', 1))
    const visit = await browser.visit(app)
    const first = visit.session.flash('key')
    const gate = app.driver.hold('write')
    const saved = visit.session.save()
    await gate.reached
    const second = visit.session.flash('key')
    gate.release()
    await saved
    expect([first, second]).toEqual([1, undefined])
  })

  it('only reading it brings no ended session back and fails no response', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, session => session.flash('key', 1))
    const slow = await browser.visit(app)
    slow.session.flash('key')
    await browser.run(app, session => session.destroy())
    await slow.end()
    expect([slow.setCookies, await app.keys()]).toEqual([[], []])
  })
})
