import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { cachedResponseError, isSessionError, SessionError } from '../../src/core/errors'
import { App, Browser, returning, SECRET } from './support/app'
import { caught } from './support/errors'
import { silentExchange } from './support/exchange'

describe('a SessionError', () => {
  it.each([
    ['CONFIG_ERROR', 500],
    ['COOKIE_ERROR', 500],
    ['INVALID_SESSION', 401],
    ['EXPIRED_SESSION', 401],
    ['STORAGE_ERROR', 503],
    ['INVALID_VALUE', 500],
    ['CRYPTO_ERROR', 500],
    ['CONFLICT_ERROR', 409],
    ['CACHED_RESPONSE', 500],
    ['FORBIDDEN', 403],
  ] as const)('%s answers with status %i', (code, status) => {
    const error = new SessionError(code, 'message')
    expect([error.code, error.statusCode, error.status]).toEqual([code, status, status])
  })

  it('is an Error with message, cause, details and a stack', () => {
    const cause = new Error('driver')
    const error = new SessionError('STORAGE_ERROR', 'message', { cause, details: { action: 'reading' } })
    expect(error).toBeInstanceOf(Error)
    expect([error.name, error.message, error.cause, error.details]).toEqual(['SessionError', 'message', cause, { action: 'reading' }])
    expect(error.stack).toContain('errors.test')
  })

  it('CACHED_RESPONSE says in one paragraph what happened and the two ways out', () => {
    const { message } = cachedResponseError('A session was used.')
    expect(message).not.toContain('\n')
    expect(message).toMatch(/^A session was used\. .* shown to every visitor.* Either do not cache this route \(.*\), or keep the session out of it and fetch the personal part in the browser/)
  })

  it('has no cause where none was given', () => {
    expect('cause' in new SessionError('STORAGE_ERROR', 'message')).toBe(false)
  })

  it('has empty details where none were given', () => {
    expect(new SessionError('COOKIE_ERROR', 'message').details).toEqual({})
  })

  it('is the server\'s fault from 500 on, and the visitor\'s below', () => {
    expect([new SessionError('STORAGE_ERROR', 'x').unhandled, new SessionError('EXPIRED_SESSION', 'x').unhandled]).toEqual([true, false])
  })

  it('is told apart from other errors, also one of another copy of this package', () => {
    const foreign = Object.assign(new Error('x'), { name: 'SessionError', code: 'STORAGE_ERROR' })
    const others = [new Error('x'), Object.assign(new Error('x'), { code: 'STORAGE_ERROR' }), { name: 'SessionError', code: 'X' }, null, undefined, 'SessionError']
    expect([new SessionError('COOKIE_ERROR', 'x'), foreign].map(isSessionError)).toEqual([true, true])
    expect(others.map(isSessionError)).toEqual(others.map(() => false))
  })
})

describe('what errors tell', () => {
  it.each<[string, (app: App, browser: Browser) => Promise<unknown>]>([
    ['of a read that failed', (app, browser) => {
      app.driver.fail('read')
      return browser.visit(app)
    }],
    ['of a write that failed', async (app, browser) => {
      const visit = await browser.visit(app)
      app.driver.fail('write')
      await visit.session.update({ a: 1 })
    }],
    ['of a removal that failed', async (app, browser) => {
      const visit = await browser.visit(app)
      app.driver.fail('remove')
      await visit.session.destroy()
    }],
    ['of a session that ended', async (app, browser) => {
      const visit = await browser.visit(app)
      await browser.clone().run(app, session => session.destroy())
      await visit.session.update({ a: 1 })
    }],
    ['of a response that was sent', async (app, browser) => {
      const visit = await browser.visit(app)
      visit.exchange.isSent = true
      visit.session.setLifetime({ maxAge: 5 })
    }],
    ['of a value that is refused', async (app, browser) => {
      const visit = await browser.visit(app)
      visit.session.set('a', new Date())
    }],
    ['of a session that was not loaded', async (app, browser) => {
      app.manager.open(silentExchange(browser.cookieHeader)).assertLoaded()
    }],
  ])('%s holds no id, no cookie value and no secret', async (_, fail) => {
    const app = new App()
    const browser = await returning(app)
    const id = await browser.run(app, session => session.id)
    const told = inspect(await caught(() => fail(app, browser)), { depth: 9, showHidden: true })
    expect([id, browser.token, SECRET].filter(secret => told.includes(secret))).toEqual([])
  })

  it('of a cookie that is too big holds none of its values', async () => {
    const { session } = await new Browser().visit(new App({ mode: 'cookie' }))
    const error = await caught(() => session.set('bio', 'very-private '.repeat(500)))
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('very-private')
  })
})
