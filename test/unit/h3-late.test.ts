import type { SessionOptions } from '../../src/h3'
import { H3 } from 'h3-v2'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { destroySession, sessionMiddleware, useSession } from '../../src/h3'
import { OLD_SECRET, SECRET } from './support/app'
import { codeOf } from './support/errors'
import { createSwitch } from './support/server'

afterEach(() => void vi.useRealTimers())

/** An app in cookie mode, where nothing is loaded for handlers that do not ask. */
function createApp(options: SessionOptions = {}): H3 {
  const app = new H3({ silent: true })
  app.use(sessionMiddleware({ mode: 'cookie', secret: SECRET, ...options }))
  app.get('/begin', async (event) => {
    (await useSession(event)).set('user', 'ada')
    return 'begun'
  })
  app.get('/plain', () => 'plain')
  return app
}

function ask(path: string, cookie = ''): Request {
  return new Request(`http://localhost${path}`, { headers: { cookie } })
}

function cookieOf(response: Response): string | undefined {
  return response.headers.getSetCookie()[0]?.split(';')[0]
}

describe('a session in a cookie that no handler uses', () => {
  it('is left alone', async () => {
    const app = createApp()
    const cookie = cookieOf(await app.fetch(ask('/begin')))
    expect(cookieOf(await app.fetch(ask('/plain', cookie)))).toBeUndefined()
  })

  it('is kept alive where it has an idle time of its own', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    // Apps with equal options share what was made before, with the clock of that time.
    const app = createApp({ maxAge: 5000 })
    app.get('/remember', async (event) => {
      const session = await useSession(event)
      session.set('user', 'ada')
      session.setLifetime({ idleTimeout: 600 })
      return 'remembered'
    })
    const cookie = cookieOf(await app.fetch(ask('/remember')))
    vi.setSystemTime(Date.now() + 400_000)
    expect(cookieOf(await app.fetch(ask('/plain', cookie)))).toBeDefined()
  })

  it('is signed anew after a rotation of the secret', async () => {
    const cookie = cookieOf(await createApp({ secret: OLD_SECRET }).fetch(ask('/begin')))
    const again = cookieOf(await createApp({ secret: [SECRET, OLD_SECRET] }).fetch(ask('/plain', cookie)))
    expect(again).not.toBe(cookie)
    expect(again).toBeDefined()
  })
})

describe('a session that is asked for when the response has gone', () => {
  it('cannot change', async () => {
    const app = createApp()
    let late: (() => Promise<unknown>) | undefined
    app.get('/', (event) => {
      late = () => codeOf(async () => (await useSession(event)).set('user', 'ada'))
      return 'answered'
    })
    expect([cookieOf(await app.fetch(ask('/'))), await late?.()]).toEqual([undefined, 'COOKIE_ERROR'])
  })

  it('cannot end without the browser hearing of it', async () => {
    const app = createApp()
    const hasHeaders = createSwitch()
    let outcome: unknown
    app.get('/', event => new ReadableStream({
      async pull(controller) {
        await hasHeaders.promise
        outcome = await codeOf(() => destroySession(event))
        controller.close()
      },
    }))
    const cookie = cookieOf(await app.fetch(ask('/begin')))
    const response = await app.fetch(ask('/', cookie))
    hasHeaders.resolve()
    await response.text()
    expect(outcome).toBe('COOKIE_ERROR')
  })

  it('is another when the same request is made again', async () => {
    const app = createApp()
    const request = ask('/begin')
    await app.fetch(new Request(request))
    await app.fetch(request)
    expect(cookieOf(await app.fetch(request))).toBeDefined()
  })
})
