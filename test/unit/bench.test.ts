import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { IncomingMessage as NodeRequest, ServerResponse as NodeResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { BIG_TEXT, PATHS, TEXT } from '../bench/peers/peer'
import { fire } from '../bench/support/cannon'
import { checkPeer } from '../bench/support/check'
import { CookieJar, MAX_COOKIE_BYTES, setCookiesOf } from '../bench/support/cookie-jar'
import { Connection, InProcessServer, readJson } from '../bench/support/in-process'
import { toHttpCost } from '../bench/support/http-results'
import { overheadOf } from '../bench/support/overhead'
import { quantile } from '../bench/support/stats'
import { serve } from './support/server'

describe('quantile', () => {
  it('is the number that the given share lies below', () => {
    const numbers = [7, 3, 9, 1, 5, 2, 8, 4, 6, 10]
    expect([0, 0.1, 0.5, 0.99, 1].map(fraction => quantile(numbers, fraction))).toEqual([1, 2, 6, 10, 10])
  })

  it('sorts by value, not by digits, and leaves the list as it is', () => {
    const numbers = [100, 9, 20]
    expect(quantile(numbers, 0.5)).toBe(20)
    expect(numbers).toEqual([100, 9, 20])
  })
})

describe('overheadOf', () => {
  const ten = (first: number): number[] => Array.from({ length: 10 }, (_, index) => first + index)

  it('compares the same quantile of both', () => {
    const app = { times: ten(100).map(time => time * 2), cpu: ten(50), garbage: [-5000, ...ten(300).slice(1)] }
    const bare = { times: ten(10), cpu: ten(20), garbage: ten(100) }
    expect(overheadOf(app, bare)).toEqual({ p10: 202 - 11, median: 210 - 15, cpu: 30, garbage: 200, ratio: 202 / 11, bare: 11, samples: 10 })
  })
})

describe('toHttpCost', () => {
  it('takes shares within each round, and the median of them', () => {
    const app = { rates: [10, 100, 30], cpu: [200, 20, 50] }
    const bare = { rates: [20, 400, 60], cpu: [100, 5, 25] }
    expect(toHttpCost(app, bare)).toEqual({ rate: 30, bareRate: 60, rateShare: 0.5, cpu: 50, bareCpu: 25, cpuShare: 0.5 })
  })
})

describe('fire', () => {
  async function listen(listener: RequestListener): Promise<string> {
    const { port } = await serve(listener)
    return `http://127.0.0.1:${port}`
  }

  it('asks so many times, each with their own cookie, and checks what each expects', async () => {
    const counts: Record<string, number> = {}
    const origin = await listen((req, res) => {
      const cookie = req.headers.cookie!
      counts[cookie] = (counts[cookie] ?? 0) + 1
      res.end(`{"count":${counts[cookie]}}`)
    })
    const shooters = ['a=1', 'a=2'].map((cookie) => {
      let count = 0
      return { cookie, expect: () => ++count }
    })
    await fire(origin, '/write', shooters, 10)
    expect(counts).toEqual({ 'a=1': 5, 'a=2': 5 })
  })

  it.each<[string, RequestListener, RegExp]>([
    ['counts wrong', (req, res) => void res.end('{"count":2}'), /\/read answered 200 \{"count":2\} in place of \{"count":1\}/],
    ['fails', (req, res) => void res.writeHead(500).end('{"count":1}'), /\/read answered 500/],
    ['breaks the connection', (req, res) => void res.socket!.resetAndDestroy(), /\/read was answered 0 times of 4/],
  ])('rejects when a server %s', async (_, listener, message) => {
    await expect(fire(await listen(listener), '/read', [{ cookie: 'a=1', expect: () => 1 }], 4)).rejects.toThrow(message)
  })
})

describe('setCookiesOf', () => {
  it('finds each header, however it is spelled', () => {
    const head = 'HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\ncontent-type: text/plain\r\nset-cookie: b=2'
    expect(setCookiesOf(head)).toEqual(['a=1; Path=/', 'b=2'])
  })

  it('takes no other header for one', () => {
    expect(setCookiesOf('HTTP/1.1 200 OK\r\nx-set-cookie: a=1\r\nvary: set-cookie: b')).toEqual([])
  })
})

describe('CookieJar', () => {
  function headerAfter(...setCookies: string[]): string | undefined {
    const jar = new CookieJar()
    jar.keep(setCookies)
    return jar.header
  }

  it('sends all cookies, of each name the newest', () => {
    expect(headerAfter('a=1; Path=/', 'b=x=y==; HttpOnly', 'a=2')).toBe('a=2; b=x=y==')
  })

  it('drops what has expired', () => {
    expect(headerAfter('a=1', 'b=2', 'a=; Max-Age=0', 'b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT')).toBeUndefined()
  })

  it('keeps a cookie as large as browsers do, and none that is larger', () => {
    const largest = `a=${'x'.repeat(MAX_COOKIE_BYTES - 2)}`
    expect(headerAfter(`${largest}; Path=/`)).toBe(largest)
    expect(headerAfter('a=1', `${largest}x; Path=/`)).toBe('a=1')
  })
})

describe('a connection within this process', () => {
  it('gives the server a request and a response of Node', async () => {
    let seen: [IncomingMessage, ServerResponse] | undefined
    const connection = new Connection(new InProcessServer((req, res) => {
      seen = [req, res]
      res.end()
    }))
    await connection.ask('/path', 'a=1')
    const [req, res] = seen!
    expect(req).toBeInstanceOf(NodeRequest)
    expect(res).toBeInstanceOf(NodeResponse)
    expect([req.url, req.headers.cookie]).toEqual(['/path', 'a=1'])
  })

  it('reads answers of known length and in chunks, one after the other', async () => {
    const connection = new Connection(new InProcessServer((req, res) => {
      if (req.url === '/chunks') {
        res.write('{"count"')
        res.write(':12}')
        res.end()
      }
      else {
        res.statusCode = 404
        res.end('{"count":3}')
      }
    }))
    const first = await connection.ask('/chunks', undefined)
    const second = await connection.ask('/', undefined)
    expect([first.status, readJson(first), second.status, readJson(second)]).toEqual([200, { count: 12 }, 404, { count: 3 }])
  })
})

describe('the check of a peer', () => {
  interface Flaws { isForgetful?: boolean, isOpen?: boolean, isTalkative?: boolean }

  /** Sessions in memory under a number, or with a flaw. */
  function createApp({ isForgetful, isOpen, isTalkative }: Flaws = {}): RequestListener {
    const sessions = new Map<string, { count: number, text: string }>()
    return (req, res) => {
      const id = /id=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1] ?? ''
      const session = sessions.get(id) ?? (isOpen && id ? { count: 1, text: TEXT } : undefined)
      const start = (text: string): object => {
        const newId = crypto.randomUUID()
        sessions.set(newId, { count: 1, text })
        res.setHeader('set-cookie', `id=${newId}`)
        return { count: 1 }
      }
      const routes: Record<string, () => object> = {
        '/new': () => start(TEXT),
        '/new-big': () => start(BIG_TEXT),
        '/read': () => ({ count: session?.count ?? null }),
        '/text': () => ({ text: session?.text ?? null }),
        '/untouched': () => ({ count: 0 }),
        '/write': () => ({ count: isForgetful ? session!.count + 1 : ++session!.count }),
      }
      const route = routes[req.url!]
      if (isTalkative && session)
        res.setHeader('set-cookie', `id=${id}`)
      res.statusCode = route ? 200 : 404
      res.end(route && JSON.stringify(route()))
    }
  }
  const bare: RequestListener = (req, res) => {
    res.end(PATHS.some(path => path === req.url) ? '{"count":0}' : '')
  }

  it('passes one that works', async () => {
    const { big, lost, setCookie } = await checkPeer({ app: createApp(), bare })
    expect({ big, lost, setCookie }).toEqual({ big: 'kept', lost: 0, setCookie: { visitor: 0, new: 39, read: 0, write: 0 } })
  })

  it.each<[string, Flaws, RegExp]>([
    ['forgets what was written', { isForgetful: true }, /\/read answered/],
    ['takes a changed cookie for a session', { isOpen: true }, /changed cookie/],
    ['sets a cookie for who did not ask', { isTalkative: true }, /\/untouched set a cookie/],
  ])('finds one that %s', async (_, flaws, message) => {
    await expect(checkPeer({ app: createApp(flaws), bare })).rejects.toThrow(message)
  })
})
