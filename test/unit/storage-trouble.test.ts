import { describe, expect, it } from 'vitest'
import { App, Browser, returning } from './support/app'
import { caught, codeOf } from './support/errors'
import { silentExchange } from './support/exchange'

describe('when reading fails', () => {
  it('loading rejects with STORAGE_ERROR, the driver\'s error as its cause', async () => {
    const app = new App()
    const browser = await returning(app)
    const cause = app.driver.fail('read')
    expect(await caught(() => browser.visit(app))).toMatchObject({ code: 'STORAGE_ERROR', statusCode: 503, cause })
  })

  it('loading rejects again at every call, without asking again', async () => {
    const app = new App()
    const browser = await returning(app)
    app.driver.fail('read')
    const request = app.manager.open(silentExchange(browser.cookieHeader))
    expect([await codeOf(() => request.load()), await codeOf(() => request.load()), await codeOf(() => request.assertLoaded())]).toEqual(['STORAGE_ERROR', 'STORAGE_ERROR', 'STORAGE_ERROR'])
    expect(app.driver.count('read')).toBe(1)
  })

  it('a visitor without a cookie is not concerned', async () => {
    const app = new App()
    app.driver.fail('read')
    expect(await new Browser().hasSession(app)).toBe(false)
  })

  it('the session can still be ended', async () => {
    const app = new App()
    const browser = await returning(app)
    app.driver.fail('read')
    const cookies: (string | undefined)[] = []
    const request = app.manager.open({ ...silentExchange(browser.cookieHeader), setCookies: (_, lines) => void cookies.push(lines.at(-1)) })
    await codeOf(() => request.load())
    await request.handle.destroy()
    expect([await app.keys(), cookies.at(-1)]).toEqual([[], expect.stringContaining('Max-Age=0')])
  })

  it('a change is not stored over what could not be read', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    app.driver.fail('read')
    visit.session.set('a', 1)
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(app.driver.count('write')).toBe(0)
  })

  it('reload says so and keeps what is there', async () => {
    const app = new App()
    const visit = await (await returning(app)).visit(app)
    app.driver.fail('read')
    expect(await codeOf(() => visit.session.reload())).toBe('STORAGE_ERROR')
    expect(visit.session.data).toEqual({ user: 'ada' })
  })
})

describe('when writing fails', () => {
  it('save rejects with STORAGE_ERROR, the driver\'s error as its cause', async () => {
    const app = new App()
    const { session } = await new Browser().visit(app)
    session.set('a', 1)
    const cause = app.driver.fail('write')
    expect(await caught(() => session.save())).toMatchObject({ code: 'STORAGE_ERROR', cause })
  })

  it('no cookie to nothing goes out', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    app.driver.fail('write')
    visit.session.set('a', 1)
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(visit.setCookies).toEqual([])
  })

  it('an update sends no cookie to nothing', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    app.driver.fail('write')
    expect(await codeOf(() => visit.session.update({ a: 1 }))).toBe('STORAGE_ERROR')
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(visit.setCookies).toEqual([])
  })

  it('the response fails although the handler swallowed the error', async () => {
    const app = new App()
    const visit = await (await returning(app)).visit(app)
    app.driver.fail('write')
    visit.session.set('a', 1)
    await visit.session.save().catch(() => {})
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
  })

  it('the response fails although nobody awaited the update', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    app.driver.fail('write')
    void visit.session.update({ a: 1 })
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
  })

  it('the changes are kept and can be saved again, with their cookie', async () => {
    const app = new App()
    const browser = new Browser()
    await browser.run(app, async (session) => {
      app.driver.fail('write')
      session.set('a', 1)
      await session.save().catch(() => {})
      expect(session.get('a')).toBe(1)
      app.driver.repair()
      session.set('b', 2)
      await session.save()
    })
    expect(await browser.read(app)).toEqual({ a: 1, b: 2 })
  })

  it('a change after it brings no cookie to nothing back', async () => {
    const app = new App()
    const browser = new Browser()
    const visit = await browser.visit(app)
    app.driver.fail('write')
    visit.session.set('a', 1)
    await visit.session.save().catch(() => {})
    visit.session.set('b', 2)
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(visit.setCookies).toEqual([])
  })

  it('storage is left as it was', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    app.driver.fail('write')
    visit.session.set('a', 1)
    await codeOf(() => visit.end())
    app.driver.repair()
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })

  it('the next request is not held up', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    app.driver.fail('write')
    visit.session.set('a', 1)
    await codeOf(() => visit.end())
    app.driver.repair()
    await browser.run(app, session => session.set('b', 2))
    expect(await browser.read(app)).toEqual({ user: 'ada', b: 2 })
  })

  it('nothing that fails ends the process when nobody awaits it', async () => {
    const app = new App()
    const unhandled: unknown[] = []
    const listener = (reason: unknown): number => unhandled.push(reason)
    process.on('unhandledRejection', listener)
    const visit = await (await returning(app)).visit(app)
    app.driver.fail('write')
    app.driver.fail('remove')
    visit.session.set('a', 1)
    void visit.session.save()
    void visit.session.update({ b: 1 })
    void visit.session.regenerate()
    void visit.session.destroy()
    await codeOf(() => visit.end())
    await new Promise(resolve => setImmediate(resolve))
    process.off('unhandledRejection', listener)
    expect(unhandled).toEqual([])
  })
})

describe('when removing fails', () => {
  it('destroy rejects and the response fails, and the browser\'s cookie is expired all the same', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    app.driver.fail('remove')
    expect(await codeOf(() => visit.session.destroy())).toBe('STORAGE_ERROR')
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(browser.jar.size).toBe(0)
  })

  it('emptying fails the response, and the browser\'s cookie is expired all the same', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    app.driver.fail('remove')
    visit.session.clear()
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(browser.jar.size).toBe(0)
  })

  it('a second destroy that succeeds makes good', async () => {
    const app = new App()
    const browser = await returning(app)
    await browser.run(app, async (session) => {
      app.driver.fail('remove')
      await session.destroy().catch(() => {})
      app.driver.repair()
      await session.destroy()
    })
    expect([browser.jar.size, await app.keys()]).toEqual([0, []])
  })

  it('a new session begun after it gets no cookie to nothing', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    app.driver.fail('remove')
    await visit.session.destroy().catch(() => {})
    visit.session.set('a', 1)
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(browser.jar.size).toBe(0)
  })
})

describe('when storage never answers', () => {
  const SLOW = { timeout: 20 }

  it('loading ends with STORAGE_ERROR after the timeout', async () => {
    const app = new App(SLOW)
    const browser = await returning(app)
    const gate = app.driver.hold('read')
    expect(await caught(() => browser.visit(app))).toMatchObject({ code: 'STORAGE_ERROR', cause: new Error('No answer within 20 ms.') })
    gate.release()
  })

  it('the response fails after the timeout, without a cookie', async () => {
    const app = new App(SLOW)
    const visit = await new Browser().visit(app)
    const gate = app.driver.hold('write')
    visit.session.set('a', 1)
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(visit.setCookies).toEqual([])
    gate.release()
  })

  it('a logout fails after the timeout, with the cookie expired', async () => {
    const app = new App(SLOW)
    const browser = await returning(app)
    const visit = await browser.visit(app)
    const gate = app.driver.hold('remove')
    expect(await codeOf(() => visit.session.destroy())).toBe('STORAGE_ERROR')
    expect(await codeOf(() => visit.end())).toBe('STORAGE_ERROR')
    expect(browser.jar.size).toBe(0)
    gate.release()
  })

  it('an error that comes after the timeout is nobody\'s problem', async () => {
    const app = new App(SLOW)
    const browser = await returning(app)
    const unhandled: unknown[] = []
    const listener = (reason: unknown): number => unhandled.push(reason)
    process.on('unhandledRejection', listener)
    app.driver.fail('read')
    const gate = app.driver.hold('read')
    await codeOf(() => browser.visit(app))
    gate.release()
    await new Promise(resolve => setImmediate(resolve))
    process.off('unhandledRejection', listener)
    expect(unhandled).toEqual([])
  })
})
