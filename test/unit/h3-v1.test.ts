import type { EventExchange } from '../../src/http/response-cookies'
import type { Exchange } from '../../src/core/ports'
import type { SessionEvent } from '../../src/adapters/event'
import type { TestServer } from './support/server'
import type { ServerResponse } from 'node:http'
import { createApp, createError, defineEventHandler, sendRedirect, sendStream, setCookie, setResponseHeader, toNodeListener } from 'h3'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { describeEvent } from '../../src/adapters/event'
import { ResponseCookies } from '../../src/http/response-cookies'
import { App, Browser } from './support/app'
import { createSwitch, serve } from './support/server'

const OURS = 'session=ours; Path=/'

interface Context {
  exchange: EventExchange
  res: ServerResponse
}

/** A server that makes an exchange for each request, as a plugin does. */
function serveExchange(handler: (context: Context) => unknown, flush: () => Promise<void> | undefined = () => undefined): Promise<TestServer> {
  return serve((req, res) => {
    const exchange = new ResponseCookies(describeEvent({ context: {}, node: { req, res } } as SessionEvent), { flush, protect: () => {}, save: async () => {} }, {
      onUnsaved: () => {},
      onFailure: () => ({ statusCode: 503, statusMessage: 'Service Unavailable', body: '{}' }),
    })
    void handler({ exchange, res })
  })
}

describe('the exchange of an h3 v1 event', () => {
  it.each([
    { given: undefined, isPrivate: false, cacheControl: undefined },
    { given: undefined, isPrivate: true, cacheControl: 'no-store' },
    { given: 'public, max-age=60', isPrivate: false, cacheControl: 'public, max-age=60' },
    { given: 'public, max-age=60', isPrivate: true, cacheControl: 'no-store' },
    { given: 's-maxage=60', isPrivate: true, cacheControl: 'no-store' },
    { given: 'max-age=60', isPrivate: true, cacheControl: 'no-store' },
    { given: 'no-cache', isPrivate: true, cacheControl: 'no-cache' },
    { given: 'private, max-age=60', isPrivate: true, cacheControl: 'private, max-age=60' },
  ])('a response with Cache-Control $given, personal and private $isPrivate, leaves with $cacheControl', async ({ given, isPrivate, cacheControl }) => {
    const server = await serveExchange(({ exchange, res }) => {
      if (given)
        res.setHeader('cache-control', given)
      res.setHeader('x-shared', String(exchange.isForSharedCaches))
      exchange.markPrivate(isPrivate)
      res.end()
    })
    const { headers } = await server.fetch()
    expect([headers['cache-control'], headers['vary']]).toEqual([cacheControl, 'Cookie'])
    expect(headers['x-shared']).toBe(String(/^(?:public|s-maxage|max-age)/.test(given ?? '')))
  })

  it('takes a private response out of the caches of hosts too', async () => {
    const server = await serveExchange(({ exchange, res }) => {
      res.setHeader('CDN-Cache-Control', 'max-age=60')
      res.setHeader('Vercel-CDN-Cache-Control', 'max-age=60')
      res.setHeader('Surrogate-Control', 'max-age=60')
      exchange.markPrivate(true)
      res.end()
    })
    expect(Object.keys((await server.fetch()).headers).filter(name => /cdn|surrogate/.test(name))).toEqual([])
  })

  it('announces what changed, also while the response waits, and not after it was sent', async () => {
    const server = await serveExchange(({ exchange, res }) => {
      exchange.holdResponse()
      exchange.setChanges('data')
      res.end()
      exchange.setChanges('flash')
      exchange.markPrivate(true)
    })
    const { headers } = await server.fetch()
    expect([headers['session-changed'], headers['cache-control']]).toEqual(['data', undefined])
  })

  it('reads the raw Cookie header', async () => {
    const server = await serveExchange(({ exchange, res }) => res.end(String(exchange.cookieHeader)))
    expect((await server.fetch({ headers: { cookie: 'a=1; session="x"' } })).text).toBe('a=1; session="x"')
    expect((await server.fetch()).text).toBe('undefined')
  })

  it('sets our cookie and leaves those of others, set before and after', async () => {
    const server = await serveExchange(({ exchange, res }) => {
      res.appendHeader('set-cookie', 'before=1')
      exchange.setCookies('session', [OURS])
      res.appendHeader('set-cookie', 'after=1')
      res.end()
    })
    expect((await server.fetch()).setCookies.toSorted()).toEqual(['after=1', 'before=1', OURS])
  })

  it('shows our cookie in the response\'s headers at once', async () => {
    const server = await serveExchange(({ exchange, res }) => {
      exchange.setCookies('session', [OURS])
      res.end(JSON.stringify(res.getHeader('set-cookie')))
    })
    expect((await server.fetch()).text).toBe(JSON.stringify([OURS]))
  })

  it('sends the last of our cookies only', async () => {
    const server = await serveExchange(({ exchange, res }) => {
      exchange.setCookies('session', ['session=first'])
      exchange.setCookies('session', [OURS])
      res.end()
    })
    expect((await server.fetch()).setCookies).toEqual([OURS])
  })

  it('takes our cookie back', async () => {
    const server = await serveExchange(({ exchange, res }) => {
      res.setHeader('set-cookie', 'theirs=1')
      exchange.setCookies('session', [OURS])
      exchange.setCookies('session', [])
      res.end()
    })
    expect((await server.fetch()).setCookies).toEqual(['theirs=1'])
  })

  it('keeps cookies of two sessions, and those whose names begin alike', async () => {
    const server = await serveExchange(({ exchange, res }) => {
      res.setHeader('set-cookie', 'session2=theirs')
      exchange.setCookies('session', [OURS])
      exchange.setCookies('cart', ['cart=ours'])
      exchange.setCookies('session', [OURS])
      res.end()
    })
    expect((await server.fetch()).setCookies.toSorted()).toEqual(['cart=ours', 'session2=theirs', OURS])
  })

  it('has the last word on our cookie, when the app replaces all of them', async () => {
    const server = await serveExchange(({ exchange, res }) => {
      exchange.setCookies('session', [OURS])
      res.setHeader('set-cookie', ['theirs=1', 'session=forged'])
      res.end()
    })
    expect((await server.fetch()).setCookies).toEqual(['theirs=1', OURS])
  })

  it('can still set the cookie while the response waits for flush', async () => {
    const context = createSwitch<Exchange>()
    const settled = createSwitch()
    const server = await serveExchange(({ exchange, res }) => {
      exchange.holdResponse()
      res.end('x')
      context.resolve(exchange)
    }, () => settled.promise)
    const answer = server.fetch()
    const exchange = await context.promise
    exchange.setCookies('session', [OURS])
    settled.resolve()
    expect((await answer).setCookies).toEqual([OURS])
  })

  it('is sent once the response was, and then changes nothing', async () => {
    const seen: boolean[] = []
    const server = await serveExchange(({ exchange, res }) => {
      exchange.setCookies('session', [OURS])
      seen.push(exchange.isSent)
      res.write('x')
      seen.push(exchange.isSent)
      exchange.setCookies('session', ['session=late'])
      res.end()
    })
    expect([(await server.fetch()).setCookies, seen]).toEqual([[OURS], [false, true]])
  })

  it('is sent for a response that was written before anything was held', async () => {
    const seen: boolean[] = []
    const server = await serveExchange(({ exchange, res }) => {
      res.write('x')
      seen.push(exchange.isSent)
      exchange.holdResponse()
      exchange.setCookies('session', [OURS])
      res.end()
    })
    expect([(await server.fetch()).setCookies, seen]).toEqual([[], [true]])
  })

  it('forbids caching where it sets a cookie', async () => {
    const server = await serveExchange(({ exchange, res }) => {
      exchange.setCookies('session', [OURS])
      res.end()
    })
    const { headers } = await server.fetch()
    expect([headers['cache-control'], headers.vary]).toEqual(['no-store', 'Cookie'])
  })

  it('says nothing about caching where it sets none', async () => {
    const server = await serveExchange(({ exchange, res }) => {
      exchange.holdResponse()
      exchange.setCookies('session', [])
      res.end()
    }, () => Promise.resolve())
    const { headers } = await server.fetch()
    expect([headers['cache-control'], headers.vary]).toEqual([undefined, undefined])
  })

  it.each([['before', true], ['after', false]])('keeps the Cache-Control of the app, set %s', async (_, isBefore) => {
    const server = await serveExchange(({ exchange, res }) => {
      if (isBefore)
        res.setHeader('cache-control', 'private, max-age=5')
      exchange.setCookies('session', [OURS])
      if (!isBefore)
        res.setHeader('cache-control', 'private, max-age=5')
      res.end()
    })
    expect((await server.fetch()).headers['cache-control']).toBe('private, max-age=5')
  })

  it.each([
    ['Accept-Encoding', 'Accept-Encoding, Cookie'],
    ['cookie', 'cookie'],
    ['Accept, COOKIE , Origin', 'Accept, COOKIE , Origin'],
    ['*', '*'],
    ['Cookie2', 'Cookie2, Cookie'],
  ])('adds Cookie to the Vary of the app where it is missing: %s', async (vary, expected) => {
    const server = await serveExchange(({ exchange, res }) => {
      res.setHeader('vary', vary)
      exchange.setCookies('session', [OURS])
      res.end()
    })
    expect((await server.fetch()).headers.vary).toBe(expected)
  })

  it.each<[string, (res: ServerResponse) => unknown]>([
    ['setHeader', res => res.setHeader('vary', 'Origin').end()],
    ['writeHead', res => res.writeHead(200, { vary: 'Origin' }).end()],
  ])('adds Cookie to a Vary that the app sets afterwards by %s', async (_, respond) => {
    const server = await serveExchange(({ exchange, res }) => {
      exchange.setCookies('session', [OURS])
      respond(res)
    })
    expect((await server.fetch()).headers.vary?.split(/,\s*/).toSorted()).toEqual(['Cookie', 'Origin'])
  })

  it('leaves a response alone that has nothing to do with a session', async () => {
    const server = await serveExchange(({ res }) => res.end(String(Object.hasOwn(res, 'end'))))
    expect((await server.fetch()).text).toBe('false')
  })

  it('sends no cookie with a failure when it was taken back', async () => {
    const settled = createSwitch()
    const server = await serveExchange(({ exchange, res }) => {
      exchange.setCookies('session', [OURS])
      res.end('page')
      exchange.setCookies('session', [])
      settled.reject(new Error('storage'))
    }, () => settled.promise)
    const { status, setCookies, text } = await server.fetch()
    expect([status, setCookies, text]).toEqual([503, [], '{}'])
  })

  it('sends the removal of the cookie also with a failure', async () => {
    const settled = createSwitch()
    const server = await serveExchange(({ exchange, res }) => {
      exchange.setCookies('session', ['session=; Max-Age=0'])
      res.end('page')
      settled.reject(new Error('storage'))
    }, () => settled.promise)
    const { status, setCookies } = await server.fetch()
    expect([status, setCookies]).toEqual([503, ['session=; Max-Age=0']])
  })
})

describe('a session in an h3 v1 app', () => {
  /** Each kind of response, made after the session was changed. */
  const KINDS: Record<string, { status: number, respond: Parameters<typeof defineEventHandler>[0] }> = {
    'a returned value': { status: 200, respond: () => ({ ok: true }) },
    'a returned text': { status: 200, respond: () => 'text' },
    'nothing': { status: 204, respond: () => null },
    'a redirect': { status: 302, respond: event => sendRedirect(event, '/next') },
    'a thrown error': { status: 418, respond: () => {
      throw createError({ statusCode: 418 })
    } },
    'a stream': { status: 200, respond: event => sendStream(event, Readable.from(['a', 'b'])) },
    'a returned stream': { status: 200, respond: () => Readable.from(['a', 'b']) },
    'a web stream': { status: 200, respond: () => new Blob(['ab']).stream() },
    'a returned Response': { status: 201, respond: () => new Response('x', { status: 201, headers: { 'set-cookie': 'theirs=2' } }) },
    'a direct end': { status: 200, respond: (event) => {
      event.node.res.end('direct')
    } },
    'a direct writeHead': { status: 202, respond: (event) => {
      event.node.res.writeHead(202, { 'set-cookie': 'theirs=3' }).end('direct')
    } },
  }

  /** An h3 app over the session core; nothing but the held response waits for the writes. */
  function serveSession(app: App, respond: Parameters<typeof defineEventHandler>[0]): Promise<TestServer> {
    const h3 = createApp()
    h3.use(defineEventHandler(async (event) => {
      const request = app.manager.open(new ResponseCookies(describeEvent(event as unknown as SessionEvent), { flush: () => request.commit(), protect: () => {}, save: () => request.handle.save() }, {
        onUnsaved: () => {},
        onFailure: error => ({ statusCode: (error as { statusCode: number }).statusCode, statusMessage: '', body: 'failed' }),
      }))
      await request.load()
      setCookie(event, 'theirs', '1')
      setResponseHeader(event, 'x-app', 'yes')
      request.handle.set('a', 1)
      return (respond as (event: unknown) => unknown)(event)
    }))
    return serve(toNodeListener(h3))
  }

  describe.each(Object.entries(KINDS))('that answers with %s', (_, { status, respond }) => {
    it('sends one cookie of ours beside others, and has stored the session before', async () => {
      const app = new App()
      const server = await serveSession(app, respond)
      const gate = app.driver.hold('write')
      let isAnswered = false
      const answer = server.fetch().finally(() => isAnswered = true)
      await gate.reached
      expect(isAnswered).toBe(false)
      gate.release()
      const { setCookies, ...rest } = await answer
      expect([rest.status, setCookies.filter(line => line.startsWith('session=')).length, setCookies.some(line => line.startsWith('theirs='))]).toEqual([status, 1, true])
      const browser = new Browser()
      browser.receive(setCookies)
      browser.jar.delete('theirs')
      expect(await browser.read(app)).toEqual({ a: 1 })
    })

    it('is a 503 without our cookie when it cannot be stored', async () => {
      const app = new App()
      const server = await serveSession(app, respond)
      app.driver.fail('write')
      const { status, setCookies, text } = await server.fetch()
      expect([status, setCookies.filter(line => line.startsWith('session=')), text]).toEqual([503, [], 'failed'])
    })
  })

  it('sends its cookie in cookie mode without a store', async () => {
    const app = new App({ mode: 'cookie' })
    const browser = new Browser()
    const { setCookies } = await (await serveSession(app, () => 'x')).fetch()
    browser.receive(setCookies.filter(line => line.startsWith('session=')))
    expect(await browser.read(app)).toEqual({ a: 1 })
  })
})
