import type { SessionObserver } from '../../src/core/ports'
import { describe, expect, it } from 'vitest'
import { App, Browser, returning, Visit } from './support/app'
import { caught, codeOf } from './support/errors'
import { silentExchange } from './support/exchange'

describe('a session in storage mode', () => {
  it('makes exactly one record and one cookie at the first write', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    visit.session.set('b', 2)
    visit.session.flash('c', 3)
    await visit.end()
    expect([app.driver.count('write'), (await app.keys()).length, visit.setCookies.length]).toEqual([1, 1, 1])
  })

  it('leaves the storage empty after a hundred bots', async () => {
    const app = new App()
    await Promise.all(Array.from({ length: 100 }, () => new Browser().read(app)))
    expect([app.driver.calls, await app.keys()]).toEqual([[], []])
  })

  it('is read once in a request however often it is opened', async () => {
    const app = new App()
    const browser = await returning(app)
    const { request } = await browser.visit(app)
    await Promise.all([request.load(), request.load(), request.load()])
    expect(app.driver.count('read')).toBe(1)
  })

  it('is read once by parallel opens', async () => {
    const app = new App()
    const browser = await returning(app)
    const request = app.manager.open(silentExchange(browser.cookieHeader))
    await Promise.all([request.load(), request.load()])
    expect(app.driver.count('read')).toBe(1)
  })

  it('writes nothing before the response begins', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    await Promise.resolve()
    expect(app.driver.calls).toEqual([])
  })

  it('has written when save resolves', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    await visit.session.save()
    expect((await app.records()).map(({ data }) => data)).toEqual([{ a: 1 }])
  })

  it('does not write again at the end what save has written', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    await visit.session.save()
    await visit.end()
    expect(app.driver.count('write')).toBe(1)
  })

  it('is settled only when the store has answered', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    const gate = app.driver.hold('write')
    let isSettled = false
    const end = visit.end().then(() => isSettled = true)
    await gate.reached
    expect(isSettled).toBe(false)
    gate.release()
    await end
    expect(await app.records()).toHaveLength(1)
  })

  it('hands the remaining lifetime to the driver', async () => {
    const app = new App({ maxAge: 600 })
    const browser = await returning(app)
    app.wait(100)
    await browser.run(app, session => session.set('a', 1))
    expect(app.driver.calls.find(({ operation }) => operation === 'write')?.ttl).toBe(500)
  })

  it('keeps its record under a SHA-256 of its id, and the id nowhere', async () => {
    const app = new App()
    const browser = new Browser()
    const id = await browser.run(app, (session) => {
      session.set('a', 1)
      return session.id
    })
    const keys = await app.keys()
    expect(keys).toEqual([expect.stringMatching(/^session:[\da-f]{64}$/)])
    expect(JSON.stringify([keys, await app.records()])).not.toContain(id)
  })

  it('never adopts an id that the store does not know', async () => {
    const app = new App()
    const browser = await returning(app)
    const id = await browser.run(app, session => session.id)
    const thief = browser.clone()
    await browser.run(app, session => session.destroy())
    const fresh = await thief.run(app, (session) => {
      session.set('a', 1)
      return session.id
    })
    expect(fresh).not.toBe(id)
    expect(await thief.read(app)).toEqual({ a: 1 })
  })

  it.each([
    ['broken JSON', '{"version":1,'],
    ['an empty text', ''],
    ['an array', '[]'],
    ['a string', '"x"'],
    ['null', 'null'],
    ['another version', '{"version":2,"data":{"user":"x"},"flash":{},"createdAt":1,"expiresAt":9999999999999,"lastSeenAt":1}'],
    ['a record without times', '{"version":1,"data":{"user":"x"},"flash":{}}'],
    ['data that is an array', '{"version":1,"data":["x"],"flash":{},"createdAt":1,"expiresAt":9999999999999,"lastSeenAt":1}'],
    ['data that is null', '{"version":1,"data":null,"flash":{},"createdAt":1,"expiresAt":9999999999999,"lastSeenAt":1}'],
  ])('is not there, and no error, when storage holds %s', async (_, text) => {
    const app = new App()
    const browser = await returning(app)
    app.overwriteAll(text)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('half written by a driver that rewrites in place is read again when the writer is done', async () => {
    const app = new App()
    const browser = await returning(app)
    const writer = await browser.visit(app)
    writer.session.set('a', 1)
    const gate = app.driver.hold('write')
    const written = writer.end()
    await gate.reached
    app.overwriteAll('{"version":1,"da')
    const half = app.driver.hold('read', 'after')
    const reading = browser.clone().read(app)
    await half.reached
    half.release()
    gate.release()
    await written
    expect(await reading).toEqual({ user: 'ada', a: 1 })
  })

  it('is not found under the key of another prefix of the same mount', async () => {
    const app = new App()
    const browser = await returning(app)
    const [key = ''] = await app.keys()
    const data = (app.driver.driver.getInstance as () => Map<string, string>)()
    data.set(key.replace('session:', 'cache:'), data.get(key) ?? '')
    data.delete(key)
    expect(await browser.hasSession(app)).toBe(false)
  })

  it('cannot be read synchronously before it was loaded', async () => {
    const app = new App()
    const browser = await returning(app)
    const request = app.manager.open(silentExchange(browser.cookieHeader))
    const error = await caught(() => request.assertLoaded())
    expect([error.code, error.message]).toEqual(['INVALID_SESSION', expect.stringContaining('await useSession(event)')])
  })

  it('can be read synchronously without loading by a visitor without a cookie', () => {
    const request = new App().manager.open(silentExchange(undefined))
    request.assertLoaded()
    expect(request.exists).toBe(false)
  })

  it('shows a value while its write is on the way', async () => {
    const app = new App()
    const visit = await (await returning(app)).visit(app)
    visit.session.set('a', 1)
    const gate = app.driver.hold('write')
    const saved = visit.session.save()
    await gate.reached
    const seen = [visit.session.get('a'), visit.session.has('a')]
    gate.release()
    await saved
    expect(seen).toEqual([1, true])
  })

  it('exists while its first write is on the way', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    visit.session.set('a', 1)
    const gate = app.driver.hold('write')
    const saved = visit.session.save()
    await gate.reached
    const { exists } = visit.request
    gate.release()
    await saved
    expect(exists).toBe(true)
  })

  it('deletes a key also when the write that set it is still on the way', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    visit.session.set('a', 1)
    const gate = app.driver.hold('write')
    const saved = visit.session.save()
    await gate.reached
    visit.session.delete('a')
    gate.release()
    await saved
    await visit.end()
    expect(await browser.read(app)).toEqual({ user: 'ada' })
  })

  it('keeps a change that was made while an earlier one was on the way', async () => {
    const app = new App()
    const browser = new Browser()
    const visit = await browser.visit(app)
    visit.session.set('a', 1)
    const gate = app.driver.hold('write')
    const saved = visit.session.save()
    await gate.reached
    visit.session.set('b', 2)
    gate.release()
    await saved
    await visit.end()
    expect(await browser.read(app)).toEqual({ a: 1, b: 2 })
  })

  it('shows the newest data after reload', async () => {
    const app = new App()
    const browser = await returning(app, { n: 1 })
    const visit = await browser.visit(app)
    await browser.run(app, session => session.set('n', 2))
    expect(visit.session.get('n')).toBe(1)
    await visit.session.reload()
    expect(visit.session.get('n')).toBe(2)
  })

  it('says that it ended when reload finds it gone', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = await browser.visit(app)
    await browser.run(app, session => session.destroy())
    expect(await codeOf(() => visit.session.reload())).toBe('EXPIRED_SESSION')
  })

  it('shares no object with the storage', async () => {
    const app = new App()
    const browser = new Browser()
    const list = [1]
    await browser.run(app, (session) => {
      session.set('list', list)
      list.push(2)
    })
    list.push(3)
    expect(await browser.read(app)).toEqual({ list: [1] })
  })

  it('keeps what is set while the write that empties it is on the way', async () => {
    const app = new App()
    const browser = await returning(app, {})
    await browser.run(app, session => session.set('a', 1))
    const visit = await browser.visit(app)
    visit.session.clear()
    const gate = app.driver.hold('read')
    const saved = visit.session.save()
    await gate.reached
    visit.session.set('b', 2)
    gate.release()
    await saved
    await visit.end()
    expect(await browser.read(app)).toEqual({ b: 2 })
  })

  it('remembers a lifetime that was saved before the first data', async () => {
    const app = new App()
    const visit = await new Browser().visit(app)
    visit.session.setLifetime({ persistent: false })
    await visit.session.save()
    visit.session.set('a', 1)
    await visit.end()
    expect(visit.setCookies[0]).not.toContain('Max-Age')
  })

  it('stays logged out although something was set and deleted after an unread destroy', async () => {
    const app = new App()
    const browser = await returning(app)
    const visit = new Visit(browser, app)
    await visit.session.destroy()
    visit.session.set('x', 1)
    visit.session.delete('x')
    await visit.end()
    expect(browser.jar.size).toBe(0)
  })

  it('is stored once more and no end is waited for when a hook of saved updates it', async () => {
    const app = new App()
    let told = 0
    const observer: SessionObserver = {
      session: (name, session) => name === 'saved' && session.update({ told: ++told }),
      rejected: () => {},
    }
    const browser = new Browser()
    const visit = await browser.visit(app, observer)
    visit.session.set('a', 1)
    await visit.end()
    expect([told, await browser.read(app)]).toEqual([1, { a: 1, told: 1 }])
  })
})
