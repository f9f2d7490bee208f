import { createApp, eventHandler, toWebHandler } from 'h3'
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest'
import { createVisitor, type Visitor } from '../support/browser'
import { SECRET } from './support/app'

const FOREIGN = 's:abcdefghijklmnopqrstuvwx.abcdefghijklmnopqrstuvwxyzabcdefghijklmnopq'

let warn: MockInstance<typeof console.warn>
beforeEach(() => {
  vi.resetModules()
  warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

/** An app of a process of its own, as far as modules tell. */
async function start(environment: string | undefined, cookie = {}): Promise<(name: string, value: string) => Promise<Visitor>> {
  vi.stubEnv('NODE_ENV', environment)
  const { sessionMiddleware, getSession } = await import('../../src/h3')
  const app = createApp()
  app.use(eventHandler(sessionMiddleware({ secret: SECRET, mode: 'cookie', cookie })))
  app.use(eventHandler(event => ({ data: getSession(event) })))
  const handle = toWebHandler(app)
  return async (name, value) => {
    const visitor = createVisitor('http://localhost', new Map([[name, value]]), async (url, init) => handle(new Request(url, init)))
    expect(await visitor.json('/')).toEqual({ data: null })
    return visitor
  }
}

describe('a cookie of our name that our secret did not sign', () => {
  it.each([['of this package', FOREIGN], ['of something else', 'eyJhbGciOiJIUzI1NiJ9'], ['that is empty', '']])('%s is warned of once, in development', async (_, value) => {
    const visit = await start('development')
    await visit('session', value)
    await visit('session', value)
    expect(warn).toHaveBeenCalledTimes(1)
    const [[message]] = warn.mock.calls as [[string]]
    expect(message).toContain('\'session\'')
    expect(message).toContain('`cookie.name`')
    expect(value !== '' && message.includes(value)).toBe(false)
  })

  it('is named as it is called here', async () => {
    const visit = await start('development', { name: 'shop' })
    await visit('shop', FOREIGN)
    expect(warn.mock.calls[0]?.[0]).toContain('\'shop\'')
  })

  it.each(['production', 'test', undefined])('is no news where NODE_ENV is %s', async (environment) => {
    const visit = await start(environment, { secure: false })
    await visit('session', FOREIGN)
    expect(warn).not.toHaveBeenCalled()
  })

  it('is told from a cookie of another name', async () => {
    const visit = await start('development')
    await visit('other', FOREIGN)
    expect(warn).not.toHaveBeenCalled()
  })
})
