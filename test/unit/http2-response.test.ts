import type { ClientHttp2Session, Http2ServerResponse, OutgoingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { HeldHttp2, Http2Answer, Http2Handler } from './support/http2-server'
import type { Switch } from './support/server'
import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { connect as connectHttp2, constants, createSecureServer, sensitiveHeaders } from 'node:http2'
import { get } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { generate } from 'selfsigned'
import { describe, expect, it, onTestFinished } from 'vitest'
import { holdNodeResponse } from '../../src/http/held-response/index'
import { ask, holdHttp2, resetConnection, serveHeldHttp2, serveHttp2 } from './support/http2-server'
import { createRandom } from './support/random'
import { createSwitch, OURS } from './support/server'
import { watchProcess } from './support/process-problems'

/** What a client lets a stream send before it has read anything. */
const WINDOW = 65_535

/** Lets the handler run, then lets its response go or fail, and gives the answer. */
async function answerOf(held: HeldHttp2, end: 'resolve' | 'reject' = 'resolve', headers?: OutgoingHttpHeaders): Promise<Http2Answer> {
  const { answer } = ask(held.client, headers)
  await held.handled
  await passTurns()
  finish(held, end)
  return answer
}

function finish({ settled }: Pick<HeldHttp2, 'settled'>, end: 'resolve' | 'reject'): void {
  if (end === 'resolve')
    settled.resolve()
  else
    settled.reject(new Error('storage'))
}

/** Resolves when the server has seen the end of the response. */
function closeOf(res: Http2ServerResponse): Promise<void> {
  return new Promise(resolve => res.stream.once('close', resolve))
}

/** Missing in the types. */
function flushHeaders(res: Http2ServerResponse): void {
  (res as Http2ServerResponse & { flushHeaders(): void }).flushHeaders()
}

/** Enough for whatever is on its way between two ends in one process. */
async function passTurns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++)
    await nextTurn()
}

describe('a held response of HTTP/2', () => {
  it('sends nothing before settle resolves, and looks sent to its handler', async () => {
    const held = await serveHeldHttp2((res) => {
      res.setHeader('x-a', '1')
      res.write('a')
      res.end('b')
    })
    let isAnswered = false
    const { stream, answer } = ask(held.client)
    stream.on('response', () => isAnswered = true)
    const res = await held.handled
    await passTurns()
    expect([isAnswered, res.headersSent, res.writableEnded]).toEqual([false, true, true])
    expect(() => res.setHeader('x-b', '2')).toThrow(expect.objectContaining({ code: 'ERR_HTTP2_HEADERS_SENT' }))
    held.settled.resolve()
    const { status, headers, cookies, text } = await answer
    expect([status, headers['x-a'], cookies, text]).toEqual([200, '1', [OURS], 'ab'])
  })

  it('passes everything on at once when there is nothing to wait for', async () => {
    const order: string[] = []
    const { connect } = await serveHttp2((res) => {
      holdHttp2(res, () => undefined, (headers) => {
        order.push('finish')
        headers.set('x-a', '1')
      })
      res.end('x')
      order.push(`sent: ${res.headersSent}`)
    })
    const { headers, text } = await ask(connect()).answer
    expect([headers['x-a'], text, order]).toEqual(['1', 'x', ['finish', 'sent: true']])
  })

  it('asks what to wait for at the first call, and once more before it lets go', async () => {
    let asked = 0
    const { connect } = await serveHttp2((res) => {
      holdHttp2(res, () => {
        asked++
        return Promise.resolve()
      })
      expect(asked).toBe(0)
      res.write('a')
      res.write('b')
      res.end('c')
    })
    expect([(await ask(connect()).answer).text, asked]).toEqual(['abc', 2])
  })

  it('keeps the order of everything', async () => {
    const held = await serveHeldHttp2((res) => {
      res.writeHead(202, { 'x-a': '1' })
      res.write('1')
      res.write(Buffer.from('2'))
      res.write('Mw==', 'base64')
      res.end('34', 'hex')
    })
    const { status, headers, text } = await answerOf(held)
    expect([status, headers['x-a'], text]).toEqual([202, '1', '1234'])
  })

  it('calls the callbacks of its writes, in order, as if all had left', async () => {
    const log: string[] = []
    const written = createSwitch()
    const held = await serveHeldHttp2((res) => {
      res.write('a', () => log.push('a'))
      res.write('b', 'utf8', () => {
        log.push('b')
        written.resolve()
      })
      res.end('c', () => log.push('end'))
    })
    const { answer } = ask(held.client)
    await written.promise
    held.settled.resolve()
    expect([(await answer).text, log]).toEqual(['abc', ['a', 'b', 'end']])
  })

  it('emits finish and close once', async () => {
    const log: string[] = []
    const closed = createSwitch()
    const held = await serveHeldHttp2((res) => {
      res.on('finish', () => log.push('finish'))
      res.on('close', () => {
        log.push('close')
        closed.resolve()
      })
      res.end('x')
    })
    await answerOf(held)
    await closed.promise
    await passTurns()
    expect(log).toEqual(['finish', 'close'])
  })

  it('can end with a callback only', async () => {
    const ended = createSwitch()
    const held = await serveHeldHttp2(res => res.end(() => ended.resolve()))
    expect((await answerOf(held)).text).toBe('')
    await ended.promise
  })

  it('sends headers at flushHeaders, before there is a body', async () => {
    const held = await serveHeldHttp2(res => flushHeaders(res))
    const { stream, answer } = ask(held.client)
    stream.on('response', () => void held.handled.then(res => res.end('late')))
    await held.handled
    held.settled.resolve()
    const { cookies, text } = await answer
    expect([cookies, text]).toEqual([[OURS], 'late'])
  })

  it('redirects', async () => {
    const { status, headers, cookies } = await answerOf(await serveHeldHttp2(res => res.writeHead(302, { location: '/next' }).end()))
    expect([status, headers.location, cookies]).toEqual([302, '/next', [OURS]])
  })

  it('passes on what is written later, while it is held and after its release', async () => {
    const held = await serveHeldHttp2(res => res.write('a'))
    const { stream, answer } = ask(held.client)
    const res = await held.handled
    await nextTurn()
    res.write('b')
    stream.once('data', () => {
      res.write('c')
      res.end('d')
    })
    held.settled.resolve()
    expect((await answer).text).toBe('abcd')
  })

  it.each<[string, Http2Handler]>([
    ['at once', (res) => {
      res.end('first')
      res.end()
    }],
    ['at once, with a body', (res) => {
      res.end('first')
      res.end('second')
    }],
    ['at once, behind a look at `writableEnded`', (res) => {
      res.end('first')
      if (!res.writableEnded)
        res.end('second')
    }],
    ['later, behind a look at `finished`', (res) => {
      res.end('first')
      setImmediate(() => res.finished || res.end('late'))
    }],
    ['later without a look', (res) => {
      res.end('first')
      setImmediate(() => res.end('late'))
    }],
    ['later by a write behind the end', (res) => {
      res.end('first')
      setImmediate(() => res.write('late'))
    }],
  ])('whose handler ends twice, %s', async (_, respond) => {
    const problems = watchProcess()
    const held = await serveHeldHttp2(respond)
    const { answer } = ask(held.client)
    await held.handled
    await passTurns()
    held.settled.resolve()
    expect([(await answer).text, problems]).toEqual(['first', []])
  })

  it.each([204, 205, 304])('sends a %i', async (code) => {
    const { status, cookies, text } = await answerOf(await serveHeldHttp2(res => res.writeHead(code).end()))
    expect([status, cookies, text]).toEqual([code, [OURS], ''])
  })

  it('sends no body to HEAD', async () => {
    const held = await serveHeldHttp2(res => res.setHeader('content-length', 1) ?? res.end('x'))
    const { status, headers, cookies, text } = await answerOf(held, 'resolve', { ':method': 'HEAD' })
    expect([status, headers['content-length'], cookies, text]).toEqual([200, '1', [OURS], ''])
  })

  it.each<[string, 'resolve' | 'reject', Http2Handler]>([
    ['the response', 'resolve', res => res.end('x')],
    ['the response', 'reject', res => res.end('x')],
    ['the response that goes on', 'reject', res => res.write('x')],
    ['a 204', 'reject', res => res.writeHead(204).end()],
    ['the stream', 'resolve', ({ stream }) => {
      stream.respond()
      stream.end('x')
    }],
    ['the stream', 'reject', ({ stream }) => {
      stream.respond()
      stream.end('x')
    }],
  ])('lets its client stop sending what nobody reads: %s, and settle %ss', async (_, end, handler) => {
    const held = await serveHeldHttp2(handler)
    const { stream, answer } = ask(held.client, { ':method': 'POST' }, { endStream: false })
    stream.write(Buffer.alloc(WINDOW * 4))
    await held.handled
    await passTurns()
    finish(held, end)
    const { status } = await answer
    expect([status, stream.rstCode]).toEqual([end === 'resolve' ? 200 : 503, 0])
  })

  it('over TLS is held and completed, and so is one of HTTP/1.1 on the same server', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }])
    const server = createSecureServer({ key, cert, allowHTTP1: true }, (_, res) => {
      const settled = createSwitch()
      holdHttp2(res, () => settled.promise)
      res.write('a')
      res.end(Buffer.from('b'))
      setImmediate(() => settled.resolve())
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const client = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
    const { cookies, text } = await ask(client).answer
    client.close()
    const old = await new Promise<Readable & { headers: OutgoingHttpHeaders }>(resolve => get({ host: '127.0.0.1', port, rejectUnauthorized: false, agent: false }, resolve))
    expect([cookies, text]).toEqual([[OURS], 'ab'])
    expect([old.headers['set-cookie'], String(Buffer.concat(await old.toArray() as Buffer[]))]).toEqual([[OURS], 'ab'])
  })
})

describe('the headers of writeHead of HTTP/2', () => {
  it.each<[what: string, args: unknown[]]>([
    ['an object', [201, { 'Set-Cookie': 'theirs=1', 'x-a': '1' }]],
    ['an object with an array', [201, { 'set-cookie': ['theirs=1'], 'x-a': '1' }]],
    ['a raw array', [201, ['x-a', '1', 'Set-Cookie', 'theirs=1']]],
    ['a raw array with an array', [201, ['x-a', '1', 'Set-Cookie', ['theirs=1']]]],
    ['a list of pairs', [201, [['Set-Cookie', 'theirs=1'], ['x-a', '1']]]],
  ])('as %s keep their cookies beside ours and those set before', async (_, args) => {
    const held = await serveHeldHttp2((res) => {
      res.setHeader('set-cookie', 'earlier=1')
      ;(res.writeHead as (...args: unknown[]) => unknown).apply(res, args)
      res.end('x')
    })
    const { status, headers, cookies, text } = await answerOf(held)
    expect([status, headers['x-a'], cookies, text]).toEqual([201, '1', ['earlier=1', 'theirs=1', OURS], 'x'])
  })

  it('cannot be written twice', async () => {
    const thrown = createSwitch<unknown>()
    const held = await serveHeldHttp2((res) => {
      res.writeHead(201, { 'x-head': 'a' })
      try {
        res.writeHead(202, { 'x-head': 'b' })
      }
      catch (error) {
        thrown.resolve(error)
      }
      res.end('x')
    })
    const { status, headers } = await answerOf(held)
    expect([status, headers['x-head'], await thrown.promise]).toEqual([201, 'a', expect.objectContaining({ code: 'ERR_HTTP2_HEADERS_SENT' })])
  })

  it.each([
    ['there is nothing to wait for', () => undefined],
    ['there is something to wait for', () => nextTurn()],
  ])('that are invalid throw to the handler when %s', async (_, settle) => {
    const thrown: unknown[] = []
    const { connect } = await serveHttp2((res) => {
      holdHttp2(res, settle)
      try {
        res.writeHead(200, { 'content-type': ['a', 'b'] } as never)
      }
      catch (error) {
        thrown.push(error)
      }
      res.removeHeader('content-type')
      res.statusCode = 500
      res.end('handled')
    })
    const { status, cookies, text } = await ask(connect()).answer
    expect([status, cookies, text, thrown]).toEqual([500, [OURS], 'handled', [expect.objectContaining({ code: 'ERR_HTTP2_HEADER_SINGLE_VALUE' })]])
  })

  it.each(['resolve', 'reject'] as const)('that are invalid leave nothing unhandled: settle %ss', async (end) => {
    const problems = watchProcess()
    const held = await serveHeldHttp2((res) => {
      expect(() => res.writeHead(200, { 'content-type': ['a', 'b'] } as never)).toThrow('Header field "content-type" must only have a single value')
      res.removeHeader('content-type')
      // Past `respond`, and closed at once: all must be as if nothing had been tried.
      res.stream.end('handled')
      res.stream.close()
    })
    const { status, cookies, text } = await answerOf(held, end)
    await passTurns()
    expect([status, cookies, text, problems]).toEqual(end === 'resolve' ? [200, [OURS], 'handled', []] : [503, [OURS], '{"error":true}', []])
  })
})

describe('what else a stream of HTTP/2 can send', () => {
  it('hints leave at once, before the head that waits', async () => {
    const held = await serveHeldHttp2((res) => {
      res.stream.additionalHeaders({ ':status': 103, 'x-hint': '1' })
      res.writeEarlyHints({ link: '</a.css>; rel=preload' })
      res.end('x')
    })
    const { stream, answer } = ask(held.client)
    const hints: unknown[] = []
    await new Promise<void>(resolve => stream.on('headers', headers => hints.push(headers[':status']) === 2 && resolve()))
    expect([hints, stream.sentHeaders[':path']]).toEqual([[103, 103], '/'])
    held.settled.resolve()
    const { status, headers, cookies, text } = await answer
    expect([status, headers['x-hint'], headers.link, cookies, text]).toEqual([200, undefined, undefined, [OURS], 'x'])
  })

  it('hints leave before the 503', async () => {
    const held = await serveHeldHttp2((res) => {
      res.stream.additionalHeaders({ ':status': 103, 'x-hint': '1' })
      res.end('x')
    })
    const { status, hints, text } = await answerOf(held, 'reject')
    expect([status, hints.map(headers => headers['x-hint']), text]).toEqual([503, ['1'], '{"error":true}'])
  })

  it('hints come too late once the head waits, as if it had left', async () => {
    const thrown = createSwitch<unknown>()
    const held = await serveHeldHttp2((res) => {
      flushHeaders(res)
      try {
        res.stream.additionalHeaders({ ':status': 103 })
      }
      catch (error) {
        thrown.resolve(error)
      }
      res.end([res.writeEarlyHints({ link: '</a>; rel=preload' }), res.writeContinue()].join())
    })
    const { hints, text } = await answerOf(held)
    expect([hints, text, await thrown.promise]).toEqual([[], 'false,false', expect.objectContaining({ code: 'ERR_HTTP2_HEADERS_AFTER_RESPOND' })])
  })

  it('a client that waits for 100 (Continue) sends its body', async () => {
    const held = await serveHeldHttp2((res, req) => req.pipe(res))
    const { stream, answer } = ask(held.client, { ':method': 'POST', 'expect': '100-continue' }, { endStream: false })
    stream.once('continue', () => stream.end('the body'))
    await held.handled
    held.settled.resolve()
    expect((await answer).text).toBe('the body')
  })

  it('trailers', async () => {
    const held = await serveHeldHttp2((res) => {
      res.addTrailers({ 'x-end': 'yes' })
      res.end('x')
    })
    const { text, trailers } = await answerOf(held)
    expect([text, trailers['x-end']]).toEqual(['x', 'yes'])
  })

  it('no trailers behind a 503', async () => {
    const held = await serveHeldHttp2((res) => {
      res.setHeader('trailer', 'x-end')
      res.addTrailers({ 'x-end': 'yes' })
      res.end('x')
    })
    const { status, headers, text, trailers } = await answerOf(held, 'reject')
    expect([status, headers.trailer, text, trailers]).toEqual([503, undefined, '{"error":true}', {}])
  })

  it('another stream, which does not wait for the one that pushes it', async () => {
    const held = await serveHeldHttp2((res) => {
      res.createPushResponse({ ':path': '/pushed' }, (_, pushed) => pushed.end('pushed'))
      res.end('x')
    })
    const pushed = new Promise<string>(resolve => held.client.on('stream', async stream => resolve(String(Buffer.concat(await stream.toArray())))))
    const { answer } = ask(held.client)
    expect(await pushed).toBe('pushed')
    held.settled.resolve()
    expect((await answer).text).toBe('x')
  })
})

describe('a handler that answers on the stream of HTTP/2', () => {
  const handlers: [string, Http2Handler][] = [
    ['with headers', ({ stream }) => {
      stream.respond({ ':status': 201, 'x-a': '1', 'set-cookie': ['theirs=1', 'theirs=2'] })
      stream.end('x')
    }],
    ['without headers', ({ stream }) => {
      stream.respond()
      stream.end('x')
    }],
    ['with capitals', ({ stream }) => {
      stream.respond({ ':status': 201, 'X-A': '1', 'Set-Cookie': 'theirs=1', 'ETag': '"x"', 'Content-Length': 1, 'Content-Type': 'text/plain' })
      stream.end('x')
    }],
    ['with a list, where Node takes one', ({ stream }) => {
      try {
        stream.respond([':status', '201', 'X-A', '1', 'Set-Cookie', 'theirs=1', 'Set-Cookie', 'theirs=2', 'ETag', '"x"'] as never)
      }
      catch {
        stream.respond({ 'x-list': 'refused' })
      }
      stream.end('x')
    }],
    ['with the end at once', ({ stream }) => stream.respond({ ':status': 404 }, { endStream: true })],
    ['with a 204', ({ stream }) => stream.respond({ ':status': 204 })],
    ['with trailers', ({ stream }) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      // The response would send its own.
      stream.removeAllListeners('wantTrailers').on('wantTrailers', () => stream.sendTrailers({ 'x-end': 'yes' }))
      stream.end('x')
    }],
    ['and closes it behind the end', ({ stream }) => {
      stream.respond({ ':status': 200 })
      stream.end('x')
      stream.close()
    }],
    ['with bytes alone', ({ stream }) => stream.end('x')],
    ['with a pipeline', ({ stream }) => void pipeline(Readable.from(['a', 'b', 'c']), stream)],
  ]

  it.each(handlers)('%s sends what it would without a wait, and our cookie', async (_, handler) => {
    const plain = await ask((await serveHttp2(handler)).connect()).answer
    const held = await answerOf(await serveHeldHttp2(handler))
    const ownHeaders = ({ headers }: Http2Answer): object => Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'date' && name !== 'set-cookie'))
    expect([held.status, ownHeaders(held), held.trailers, held.text]).toEqual([plain.status, ownHeaders(plain), plain.trailers, plain.text])
    expect(held.cookies).toEqual([...plain.cookies, OURS])
  })

  it.each(handlers)('%s is the 503 when settle rejects', async (_, handler) => {
    const { status, headers, cookies, trailers, text } = await answerOf(await serveHeldHttp2(handler), 'reject')
    expect([status, cookies.at(-1), headers.etag, headers['content-length'], headers['content-type'], trailers, text]).toEqual([503, OURS, undefined, '14', 'application/json', {}, '{"error":true}'])
  })

  it('with headers that are secret has them sent as such', async () => {
    const held = await serveHeldHttp2(({ stream }) => stream.respond({ 'x-secret': '1', [sensitiveHeaders]: ['x-secret'] }, { endStream: true }))
    const { headers } = await answerOf(held)
    expect([headers['x-secret'], Reflect.get(headers, sensitiveHeaders)]).toEqual(['1', ['x-secret']])
  })

  it.each<[string, number, Http2Handler]>([
    ['behind the end', constants.NGHTTP2_CANCEL, (res) => {
      res.end('x')
      res.stream.close(constants.NGHTTP2_CANCEL)
    }],
    ['before the end', constants.NGHTTP2_CANCEL, (res) => {
      res.write('x')
      res.stream.close(constants.NGHTTP2_CANCEL)
    }],
    ['before the end, without an error', constants.NGHTTP2_NO_ERROR, (res) => {
      res.write('x')
      res.stream.close()
    }],
  ])('by a reset %s need not wait', async (_, code, handler) => {
    const held = await serveHeldHttp2(handler)
    await expect(ask(held.client).answer).rejects.toThrow(`closed with ${code}`)
  })

  const here = fileURLToPath(import.meta.url)
  const files: [string, Http2Handler][] = [
    ['by its name', ({ stream }) => stream.respondWithFile(here, { 'content-type': 'text/plain' })],
    ['that is open', ({ stream }) => {
      const file = openSync(here, 'r')
      stream.once('close', () => closeSync(file))
      stream.respondWithFD(file, { 'content-type': 'text/plain' })
    }],
    ['that is open, with an end behind it', (res) => {
      const file = openSync(here, 'r')
      res.stream.once('close', () => closeSync(file))
      res.stream.respondWithFD(file, { 'content-type': 'text/plain' })
      res.end()
    }],
  ]

  it.each(files)('with a file %s sends it when it may', async (_, handler) => {
    const held = await serveHeldHttp2(handler)
    const { stream, answer } = ask(held.client)
    let isAnswered = false
    stream.on('response', () => isAnswered = true)
    const res = await held.handled
    await passTurns()
    expect([isAnswered, res.headersSent]).toEqual([false, true])
    held.settled.resolve()
    const { status, headers, cookies, text } = await answer
    expect([status, headers['content-type'], cookies, text]).toEqual([200, 'text/plain', [OURS], readFileSync(here, 'utf8')])
  })

  it.each(files)('with a file %s sends it at once when there is nothing to wait for', async (_, handler) => {
    const { connect } = await serveHttp2((res, req) => {
      holdHttp2(res, () => undefined)
      handler(res, req)
    })
    const { status, cookies, text } = await ask(connect()).answer
    expect([status, cookies, text]).toEqual([200, [OURS], readFileSync(here, 'utf8')])
  })

  it.each(files)('with a file %s is the 503 when settle rejects', async (_, handler) => {
    const { status, headers, cookies, text } = await answerOf(await serveHeldHttp2(handler), 'reject')
    expect([status, headers['content-type'], cookies, text]).toEqual([503, 'application/json', [OURS], '{"error":true}'])
  })

  it('with a file behind another head is told that this is too late, and the head waits on', async () => {
    const thrown = createSwitch<unknown>()
    let finished = 0
    const settled = createSwitch()
    const { connect } = await serveHttp2((res) => {
      holdHttp2(res, () => settled.promise, () => finished++)
      res.write('x')
      try {
        res.stream.respondWithFile(here)
      }
      catch (error) {
        thrown.resolve(error)
      }
      res.end(`finished: ${finished}`)
    })
    const { answer } = ask(connect())
    expect(await thrown.promise).toMatchObject({ code: 'ERR_HTTP2_HEADERS_SENT' })
    settled.resolve()
    expect((await answer).text).toBe('xfinished: 0')
  })

  it.each(['resolve', 'reject'] as const)('with a file for a client that has gone does not end the process: settle %ss', async (end) => {
    const problems = watchProcess()
    const held = await serveHeldHttp2(({ stream }) => stream.respondWithFile(here))
    const { stream, answer } = ask(held.client)
    const closed = closeOf(await held.handled)
    stream.close(constants.NGHTTP2_CANCEL)
    await closed
    finish(held, end)
    await passTurns()
    await expect(answer).rejects.toThrow('closed with 8')
    expect(problems).toEqual([])
  })

  it('with a file that is missing is told, and the process goes on', async () => {
    const problems = watchProcess()
    const told = createSwitch<unknown>()
    const held = await serveHeldHttp2(({ stream }) => stream.respondWithFile(`${here}.missing`, {}, {
      onError(error) {
        told.resolve(error.code)
        stream.respond({ ':status': 404 }, { endStream: true })
      },
    }))
    const { status, text } = await answerOf(held)
    expect([status, text, await told.promise, problems]).toEqual([404, '', 'ENOENT', []])
  })

  it('with a file to HEAD, which Node refuses, is reset, and the process goes on', async () => {
    const problems = watchProcess()
    const held = await serveHeldHttp2(({ stream }) => stream.respondWithFile(here))
    await expect(answerOf(held, 'resolve', { ':method': 'HEAD' })).rejects.toThrow('NGHTTP2_INTERNAL_ERROR')
    expect(problems).toEqual([])
  })
})

/** Where a stream is closed too early, nghttp2 sends empty frames until the process has no memory left. */
describe('a stream of HTTP/2 that its handler closes behind the end', () => {
  const requests: [string, (client: ClientHttp2Session) => ReturnType<typeof ask>][] = [
    ['GET', client => ask(client)],
    ['POST without a body', (client) => {
      const exchange = ask(client, { ':method': 'POST' }, { endStream: false })
      exchange.stream.end()
      return exchange
    }],
    ['POST whose body nobody reads', (client) => {
      const exchange = ask(client, { ':method': 'POST' }, { endStream: false })
      exchange.stream.write(Buffer.alloc(WINDOW * 4))
      return exchange
    }],
  ]
  const responses = ['', 'x', 'x'.repeat(WINDOW * 3)].flatMap((body): [what: string, body: string, handler: Http2Handler][] => [
    [`a body of ${body.length}`, body, res => res.end(body)],
    [`a body of ${body.length} on the stream`, body, ({ stream }) => {
      stream.respond()
      stream.end(body)
    }],
    [`a pipe of ${body.length}`, `${body}yz`, res => void Readable.from([`${body}y`, 'z']).pipe(res)],
  ])
  const cases = requests.flatMap(([request, send]) => responses.flatMap(([what, body, handler]) => (['resolve', 'reject'] as const).map(end => [request, what, end, send, body, handler] as const)))

  it.each(cases)('is whole: %s, %s, and settle %ss', async (_, __, end, send, body, handler) => {
    const held = await serveHeldHttp2((res, req) => {
      handler(res, req)
      const closeBehind = (): unknown => res.stream.writableEnded ? res.stream.close() : setImmediate(closeBehind)
      closeBehind()
    })
    const { answer } = send(held.client)
    await held.handled
    await passTurns()
    finish(held, end)
    const { status, text } = await answer
    expect([status, text]).toEqual(end === 'resolve' ? [200, body] : [503, '{"error":true}'])
  })
})

describe('a stream into a held response of HTTP/2', () => {
  const CHUNK = Buffer.alloc(16 * 1024, 'stream of two megabytes ')
  const CHUNKS = 128
  const digest = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex')
  const expected = digest(Buffer.concat(Array.from({ length: CHUNKS }, () => CHUNK)))

  it.each<[string, (res: Http2ServerResponse, source: Readable) => unknown]>([
    ['stream.pipeline', (res, source) => pipeline(source, res)],
    ['pipe', (res, source) => source.pipe(res)],
    ['pipeline of an async iterator', (res, source) => pipeline(async function* () {
      yield* source
    }, res)],
  ])('by %s arrives whole, and is read ahead by little more than a client takes at first', async (_, send) => {
    let read = 0
    const held = await serveHeldHttp2((res) => {
      const source = new Readable({
        read() {
          this.push(read < CHUNKS ? CHUNK : null)
          read++
        },
      })
      void send(res, source)
    })
    const { answer } = ask(held.client)
    await held.handled
    await passTurns()
    await passTurns()
    const readAhead = read
    held.settled.resolve()
    const { cookies, text } = await answer
    expect([digest(text), cookies]).toEqual([expected, [OURS]])
    expect(readAhead).toBeLessThan(16)
  })

  it('goes on at drain when it was told to wait', async () => {
    const log: string[] = []
    const held = await serveHeldHttp2((res) => {
      log.push(`write: ${res.write('a'.repeat(WINDOW + 1))}`)
      res.on('drain', () => {
        log.push('drain')
        res.end('b')
      })
    })
    const { answer } = ask(held.client)
    await held.handled
    await passTurns()
    expect(log).toEqual(['write: false'])
    held.settled.resolve()
    expect([(await answer).text, log]).toEqual(['a'.repeat(WINDOW + 1) + 'b', ['write: false', 'drain']])
  })

  it.each<[string, (res: Http2ServerResponse) => unknown]>([
    ['destroyed', res => res.destroy()],
    ['closed', res => res.stream.close()],
  ])('leaves whole when it is %s behind its end, while its client reads slowly', async (_, end) => {
    const settled = createSwitch()
    const handled = createSwitch<Http2ServerResponse>()
    const { connect } = await serveHttp2((res) => {
      holdHttp2(res, () => settled.promise)
      res.write('a'.repeat(50_000))
      handled.resolve(res)
    })
    const { stream, answer } = ask(connect({ settings: { initialWindowSize: 1000 } }))
    const res = await handled.promise
    const responded = new Promise(resolve => stream.once('response', resolve))
    stream.pause()
    settled.resolve()
    await responded
    res.write('b')
    res.end('c')
    await passTurns()
    end(res)
    await passTurns()
    stream.resume()
    expect((await answer).text).toBe(`${'a'.repeat(50_000)}bc`)
  })

  it('resolves its pipeline', async () => {
    const done = createSwitch<string>()
    const held = await serveHeldHttp2((res) => {
      void pipeline(Readable.from(['a', 'b']), res).then(() => done.resolve('done'))
    })
    expect((await answerOf(held)).text).toBe('ab')
    expect(await done.promise).toBe('done')
  })

  it('that fails before the release resets the stream and does not end the process', async () => {
    const problems = watchProcess()
    const failed = createSwitch<string>()
    const held = await serveHeldHttp2((res) => {
      const source = new Readable({
        read() {
          this.push('x')
          this.destroy(new Error('source'))
        },
      })
      pipeline(source, res).catch((error: Error) => failed.resolve(error.message))
    })
    const { answer } = ask(held.client)
    await held.handled
    await passTurns()
    held.settled.resolve()
    await expect(answer).rejects.toThrow('NGHTTP2_INTERNAL_ERROR')
    expect([await failed.promise, problems]).toEqual(['source', []])
  })
})


describe('a response of HTTP/2 whose settle rejects', () => {
  it.each<[string, Http2Handler, method?: string]>([
    ['end', res => res.end('secret')],
    ['write and end', (res) => {
      res.write('sec')
      res.end('ret')
    }],
    ['a stream that goes on', res => res.write('secret')],
    ['headers alone', res => res.writeHead(200)],
    ['flushHeaders', res => flushHeaders(res)],
    ['flushHeaders and end', (res) => {
      flushHeaders(res)
      res.end('secret')
    }],
    ['a redirect', res => res.writeHead(302, { location: '/secret' }).end()],
    ['a 204', res => res.writeHead(204).end()],
    ['a 205', res => res.writeHead(205).end()],
    ['a 304', res => res.writeHead(304).end()],
    ['an answer to HEAD', res => res.end('secret'), 'HEAD'],
    ['headers in answer to HEAD', res => res.writeHead(200, { 'content-length': 6 }), 'HEAD'],
    ['a 304 in answer to HEAD', res => res.writeHead(304).end(), 'HEAD'],
  ])('is the 503 in place of %s', async (_, respond, method = 'GET') => {
    const held = await serveHeldHttp2((res) => {
      res.setHeader('etag', '"x"')
      respond(res, res.req)
    })
    const { status, headers, cookies, text } = await answerOf(held, 'reject', { ':method': method })
    expect([status, cookies, text]).toEqual([503, [OURS], method === 'HEAD' ? '' : '{"error":true}'])
    expect([headers.etag, headers.location, headers['content-type'], headers['content-length'], headers['cache-control']]).toEqual([undefined, undefined, 'application/json', '14', 'no-store'])
  })

  it('has none of the headers that described the other body, and no others less', async () => {
    const held = await serveHeldHttp2((res) => {
      res.setHeader('content-length', 3)
      res.setHeader('content-encoding', 'gzip')
      res.setHeader('cdn-cache-control', 'max-age=600')
      res.setHeader('expires', new Date(Date.now() + 600_000).toUTCString())
      res.setHeader('x-request-id', '7')
      res.setHeader('set-cookie', 'theirs=1')
      res.end('xyz')
    })
    const { headers, cookies, text } = await answerOf(held, 'reject')
    expect([headers['content-encoding'], headers['cdn-cache-control'], headers.expires, headers['x-request-id'], cookies, text]).toEqual([undefined, undefined, undefined, '7', ['theirs=1', OURS], '{"error":true}'])
  })

  it('has no body when that is empty', async () => {
    const { connect } = await serveHttp2((res) => {
      holdNodeResponse(res as never, {
        flush: () => Promise.reject(new Error('storage')),
        finish: () => {},
        toErrorResponse: () => ({ statusCode: 503, statusMessage: '', body: '' }),
      })
      res.end('secret')
    })
    const { status, headers, text } = await ask(connect()).answer
    expect([status, headers['content-length'], text]).toEqual([503, '0', ''])
  })

  it('takes no more than a client takes at first of a body, and is the 503 in place of all of it', async () => {
    const log: string[] = []
    const held = await serveHeldHttp2((res) => {
      res.on('drain', () => log.push('drain'))
      log.push(`first: ${res.write(Buffer.alloc(WINDOW + 1))}`)
    })
    const { answer } = ask(held.client)
    const res = await held.handled
    await passTurns()
    res.write('behind it', () => log.push('behind it'))
    res.end('end')
    await passTurns()
    expect(log).toEqual(['first: false'])
    held.settled.reject(new Error('storage'))
    const { status, text } = await answer
    expect([status, text]).toEqual([503, '{"error":true}'])
    await expect.poll(() => log).toEqual(['first: false', 'behind it'])
  })

  it('is to a writer that waits for drain as if its client had gone', async () => {
    const told = createSwitch<string>()
    const held = await serveHeldHttp2((res) => {
      for (const event of ['drain', 'close'])
        res.once(event, () => told.resolve(event))
      res.write(Buffer.alloc(WINDOW + 1))
    })
    const { status, text } = await answerOf(held, 'reject')
    expect([status, text, await told.promise]).toEqual([503, '{"error":true}', 'close'])
  })

  it('swallows later writes, and still looks sent', async () => {
    const problems = watchProcess()
    const held = await serveHeldHttp2(res => res.write('a'))
    const { answer } = ask(held.client)
    const res = await held.handled
    held.settled.reject(new Error('storage'))
    const { status, text } = await answer
    res.write('b')
    res.end('c')
    await passTurns()
    expect([status, text, res.headersSent, problems]).toEqual([503, '{"error":true}', true, []])
  })

  it('is whole when its handler writes on in the same turn', async () => {
    const problems = watchProcess()
    const { connect } = await serveHttp2((res) => {
      const settled = createSwitch()
      holdHttp2(res, () => settled.promise)
      res.write('a')
      setImmediate(() => {
        settled.reject(new Error('storage'))
        // Right behind what answers in its place.
        process.nextTick(() => queueMicrotask(() => queueMicrotask(() => setImmediate(() => {
          res.write('b')
          res.end('c')
        }))))
      })
    })
    const { status, text } = await ask(connect()).answer
    expect([status, text, problems]).toEqual([503, '{"error":true}', []])
  })

  it.each<[string, (res: Http2ServerResponse, source: Readable) => Promise<unknown>]>([
    ['pipeline', (res, source) => pipeline(source, res)],
    ['pipe', (res, source) => new Promise(resolve => source.pipe(res).on('close', resolve))],
  ])('ends a stream that was being piped into it by %s', async (_, send) => {
    const problems = watchProcess()
    const ended = createSwitch<string>()
    const held = await serveHeldHttp2((res) => {
      let read = 0
      const source = new Readable({
        read() {
          this.push(read++ < 100 ? Buffer.alloc(10_000) : null)
        },
      })
      send(res, source).then(() => ended.resolve('done'), () => ended.resolve('failed'))
    })
    const { status, text } = await answerOf(held, 'reject')
    expect([status, text]).toEqual([503, '{"error":true}'])
    await ended.promise
    expect(problems).toEqual([])
  })
})

describe('a client of HTTP/2 that goes away while its response is held', () => {
  const handlers: [string, Http2Handler][] = [
    ['before its end', (res) => {
      res.writeHead(200, { 'content-type': 'text/plain' })
      res.write('a')
    }],
    ['behind its end', (res) => {
      res.write('a')
      res.end('b')
    }],
    ['while it is told to wait', res => res.write(Buffer.alloc(WINDOW + 1))],
    ['behind its end, told to wait', res => res.end(Buffer.alloc(WINDOW + 1))],
    ['in answer to HEAD', (res) => {
      res.write('a')
      res.end('b')
    }],
    ['behind a 204', res => res.writeHead(204).end()],
    ['when its handler has destroyed it', (res) => {
      res.write('a')
      res.destroy()
    }],
  ]
  const ways = [
    ['it cancels the stream', ({ stream }) => stream.close(constants.NGHTTP2_CANCEL)],
    ['it closes the stream without an error', ({ stream }) => stream.close()],
    ['it destroys the stream', ({ stream }) => stream.destroy()],
    ['it destroys the connection', ({ stream }) => stream.session!.destroy()],
    ['it destroys the connection with an error', ({ stream }) => stream.session!.destroy(new Error('client'), constants.NGHTTP2_PROTOCOL_ERROR)],
    ['its socket is reset', ({ stream }) => resetConnection(stream.session as ClientHttp2Session)],
  ] satisfies [string, (exchange: ReturnType<typeof ask>) => unknown][]
  // Node itself keeps a stream that is closed without an error while a write waits.
  const isKept = (when: string, how: string): boolean => when.includes('told to wait') && / the stream(?: without|$)/.test(how) && !how.includes('cancels')
  const cases = handlers.flatMap(([when, handler]) => ways.flatMap(([how, go]) => (['resolve', 'reject'] as const).map(end => [when, how, end, handler, go] as const))).filter(([when, how]) => !isKept(when, how))

  it.each(cases)('%s: %s, and settle then %ss', async (when, _, end, handler, go) => {
    const problems = watchProcess()
    const held = await serveHeldHttp2(handler)
    const other = await serveHeldHttp2(res => res.end('other'))
    const exchange = ask(held.client, { ':method': when.includes('HEAD') ? 'HEAD' : 'GET' })
    const res = await held.handled
    const closed = closeOf(res)
    go(exchange)
    await expect(exchange.answer).rejects.toThrow(/closed with|client/)
    await passTurns()
    finish(held, end)
    await closed
    await passTurns()
    expect([res.stream.destroyed, (await answerOf(other)).text, problems]).toEqual([true, 'other', []])
  })

  it('ends a pipeline into it', async () => {
    const problems = watchProcess()
    const ended = createSwitch<string>()
    const held = await serveHeldHttp2((res) => {
      let read = 0
      const source = new Readable({
        read() {
          this.push(read++ < 1000 ? Buffer.alloc(1000) : null)
        },
      })
      pipeline(source, res).then(() => ended.resolve('done'), (error: NodeJS.ErrnoException) => ended.resolve(error.code ?? 'error'))
    })
    const { stream } = ask(held.client)
    await held.handled
    stream.close(constants.NGHTTP2_CANCEL)
    expect([await ended.promise, problems]).toEqual(['ERR_STREAM_PREMATURE_CLOSE', []])
    held.settled.resolve()
  })

  it('does not hinder the others of its connection', async () => {
    const problems = watchProcess()
    const held = await serveHeldHttp2((res, req) => res.end(req.url))
    const gone = ask(held.client, { ':path': '/gone' })
    const stays = ask(held.client, { ':path': '/stays' })
    await held.handled
    gone.stream.close(constants.NGHTTP2_CANCEL)
    await passTurns()
    held.settled.resolve()
    expect([(await stays.answer).text, problems]).toEqual(['/stays', []])
    await expect(gone.answer).rejects.toThrow('closed with 8')
  })
})

describe('a response of HTTP/2 that several hold', () => {
  it('waits for all, is one answer, and has the cookies of all', async () => {
    const first = createSwitch()
    const second = createSwitch()
    const { connect } = await serveHttp2((res) => {
      holdHttp2(res, () => first.promise, headers => headers.append('set-cookie', 'first=1'))
      holdHttp2(res, () => second.promise, headers => headers.append('set-cookie', 'second=2'))
      res.setHeader('set-cookie', 'theirs=1')
      res.end('x')
      first.resolve()
    })
    const { stream, answer } = ask(connect())
    let answers = 0
    stream.on('response', () => answers++)
    await expect.poll(() => stream.pending).toBe(false)
    await passTurns()
    expect(answers).toBe(0)
    second.resolve()
    const { cookies, text } = await answer
    expect([cookies, text, answers]).toEqual([['theirs=1', 'first=1', 'second=2'], 'x', 1])
  })

  it.each([['first'], ['second'], ['first', 'second']])('is one 503, by who has failed, when %s fails', async (...failing) => {
    const { connect } = await serveHttp2((res) => {
      for (const name of ['first', 'second']) {
        holdNodeResponse(res as never, {
          flush: () => nextTurn().then(() => failing.includes(name) ? Promise.reject(new Error(name)) : undefined),
          finish: headers => headers.append('set-cookie', `${name}=1`),
          toErrorResponse: error => ({ statusCode: 503, statusMessage: '', body: `${name}: ${(error as Error).message}` }),
        })
      }
      res.end('secret')
    })
    const { status, cookies, text } = await ask(connect()).answer
    expect([status, cookies, text]).toEqual([503, ['first=1', 'second=1'], `${failing[0]}: ${failing[0]}`])
  })
})

describe('a stream of HTTP/2 for which no answer can be made', () => {
  const fail = (): never => {
    throw new Error('hook')
  }
  const endings: [string, Http2Handler][] = [
    ['that has ended', res => res.end('secret')],
    ['that goes on', res => res.write('secret')],
    ['that its handler has destroyed', (res) => {
      res.write('secret')
      res.destroy()
    }],
  ]

  /** What comes of a stream that is broken, and of others on its connection at the same time and later. */
  async function answersBeside(respond: (res: Http2ServerResponse, isBroken: boolean) => void): Promise<unknown[]> {
    const problems = watchProcess()
    const { connect } = await serveHttp2((res, req) => respond(res, req.url === '/broken'))
    const client = connect()
    const broken = ask(client, { ':path': '/broken' })
    const other = ask(client)
    const outcome = await broken.answer.then(({ status }) => status, () => 'reset')
    return [outcome, (await other.answer).text, (await ask(client).answer).text, problems]
  }

  it.each(endings)('since toErrorResponse throws, %s, is reset, and the others of its connection go on', async (_, end) => {
    expect(await answersBeside((res, isBroken) => {
      holdNodeResponse(res as never, { flush: () => nextTurn().then(isBroken ? fail : undefined), finish: () => {}, toErrorResponse: fail })
      if (isBroken)
        end(res, res.req)
      else
        res.end('other')
    })).toEqual(['reset', 'other', 'other', []])
  })

  it.each(endings.flatMap(([what, end]) => (['resolve', 'reject'] as const).map(settling => [what, settling, end] as const)))('since finish throws, %s, is reset when settle %ss, and the others of its connection go on', async (_, settling, end) => {
    expect(await answersBeside((res, isBroken) => {
      holdHttp2(res, () => nextTurn().then(isBroken && settling === 'reject' ? fail : undefined), isBroken ? fail : () => {})
      if (isBroken)
        end(res, res.req)
      else
        res.end('other')
    })).toEqual(['reset', 'other', 'other', []])
  })

  it('since finish throws where there is nothing to wait for, tells its handler', async () => {
    const { connect } = await serveHttp2((res) => {
      let isBroken = true
      holdHttp2(res, () => undefined, () => isBroken && fail())
      expect(() => res.end('secret')).toThrow('hook')
      isBroken = false
      res.stream.respond({ ':status': 500 }, { endStream: true })
    })
    const { status, text } = await ask(connect()).answer
    expect([status, text]).toEqual([500, ''])
  })
})

describe('a connection of HTTP/2 with many responses that are held', () => {
  /** A server whose responses are let go by their paths. */
  async function serveMany(handler: Http2Handler): Promise<{ settle: (path: string, end: 'resolve' | 'reject') => void, arrived: (count: number) => Promise<void> } & Awaited<ReturnType<typeof serveHttp2>>> {
    const switches = new Map<string, Switch>()
    const server = await serveHttp2((res, req) => {
      const settled = createSwitch()
      switches.set(req.url, settled)
      holdHttp2(res, () => settled.promise)
      handler(res, req)
    })
    return {
      ...server,
      settle: (path, end) => finish({ settled: switches.get(path)! }, end),
      async arrived(count) {
        await expect.poll(() => switches.size).toBe(count)
      },
    }
  }

  it.each([1, 2, 3])('gives each its own answer, in whatever order they are let go (seed %i)', async (seed) => {
    const random = createRandom(seed)
    const problems = watchProcess()
    const bodies = Array.from({ length: 50 }, (_, index) => `${index} `.repeat(random.pick([0, 1, 1000, 10_000, 40_000])))
    const kinds: ((res: Http2ServerResponse, body: string) => unknown)[] = [
      (res, body) => res.end(`${body}.`),
      (res, body) => res.write(`${body}.`, () => res.end()),
      (res, body) => pipeline(Readable.from([body, '.']), res).catch(() => {}),
    ]
    const chosen = bodies.map(() => random.pick(kinds))
    const server = await serveMany((res, req) => {
      const index = Number(req.url.slice(1))
      res.writeHead(210 + index, { 'x-path': req.url, 'set-cookie': `theirs=${index}` })
      chosen[index]!(res, bodies[index]!)
    })
    const client = server.connect()
    const answers = bodies.map((_, index) => ask(client, { ':path': `/${index}` }).answer)
    await server.arrived(bodies.length)
    const ends = bodies.map(() => random.pick(['resolve', 'resolve', 'reject'] as const))
    const order = bodies.map((_, index) => ({ index, place: random.below(1_000_000) })).sort((a, b) => a.place - b.place)
    for (const { index } of order) {
      server.settle(`/${index}`, ends[index]!)
      if (random.below(3) === 0)
        await nextTurn()
    }
    const seen = (await Promise.all(answers)).map(({ status, headers, cookies, text }) => [status, headers['x-path'], cookies, text.length, text])
    expect(seen).toEqual(bodies.map((body, index) => {
      const text = ends[index] === 'reject' ? '{"error":true}' : `${body}.`
      return [ends[index] === 'reject' ? 503 : 210 + index, `/${index}`, [`theirs=${index}`, OURS], text.length, text]
    }))
    expect(problems).toEqual([])
  })

  it('goes on for others while one is not read by its client', async () => {
    const server = await serveMany((res, req) => res.end(req.url === '/big' ? 'b'.repeat(WINDOW * 2) : req.url))
    const client = server.connect({ settings: { initialWindowSize: 1000 } })
    const big = ask(client, { ':path': '/big' })
    big.stream.pause()
    const small = ask(client, { ':path': '/small' })
    await server.arrived(2)
    server.settle('/big', 'resolve')
    await passTurns()
    server.settle('/small', 'resolve')
    expect((await small.answer).text).toBe('/small')
    big.stream.resume()
    expect((await big.answer).text).toBe('b'.repeat(WINDOW * 2))
  })

  const PATHS = ['/a', '/b', '/c', '/d']
  const respond: Http2Handler = (res, req) => {
    if (req.url === '/a' || req.url === '/b')
      res.end(req.url)
    else
      void pipeline(Readable.from([req.url]), res)
  }
  const ends = { '/a': 'resolve', '/b': 'reject', '/c': 'resolve', '/d': 'reject' } as const
  const expected = [[200, '/a'], [503, '{"error":true}'], [200, '/c'], [503, '{"error":true}']]

  it('is closed by its client when all have been answered', async () => {
    const problems = watchProcess()
    const server = await serveMany(respond)
    const client = server.connect()
    const answers = PATHS.map(path => ask(client, { ':path': path }).answer)
    await server.arrived(PATHS.length)
    const closed = new Promise<void>(resolve => client.once('close', resolve))
    client.close()
    await passTurns()
    Object.entries(ends).forEach(([path, end]) => server.settle(path, end))
    expect((await Promise.all(answers)).map(({ status, text }) => [status, text])).toEqual(expected)
    await closed
    expect(problems).toEqual([])
  })

  it.each([
    ['destroyed', undefined],
    ['destroyed with an error', new Error('client')],
  ])('lets go of all when it is %s by its client', async (_, error) => {
    const problems = watchProcess()
    const closed: string[] = []
    const server = await serveMany((res, req) => {
      res.stream.once('close', () => closed.push(req.url))
      respond(res, req)
    })
    const sessions: unknown[] = []
    server.server.on('session', session => session.on('close', () => sessions.push('closed')))
    const client = server.connect()
    PATHS.forEach(path => ask(client, { ':path': path }))
    await server.arrived(PATHS.length)
    client.destroy(error)
    await passTurns()
    Object.entries(ends).forEach(([path, end]) => server.settle(path, end))
    await expect.poll(() => [closed.toSorted(), sessions]).toEqual([PATHS, ['closed']])
    await passTurns()
    expect(problems).toEqual([])
  })

  it('is answered before its server closes', async () => {
    const problems = watchProcess()
    const server = await serveMany(respond)
    let session: { close(): void } | undefined
    server.server.on('session', opened => session = opened)
    const client = server.connect()
    const answers = PATHS.map(path => ask(client, { ':path': path }).answer)
    await server.arrived(PATHS.length)
    let isClosed = false
    const closed = new Promise<void>(resolve => server.server.close(() => resolve())).then(() => isClosed = true)
    // Newer versions of Node do this themselves.
    session!.close()
    await passTurns()
    expect(isClosed).toBe(false)
    Object.entries(ends).forEach(([path, end]) => server.settle(path, end))
    expect((await Promise.all(answers)).map(({ status, text }) => [status, text])).toEqual(expected)
    await closed
    expect(problems).toEqual([])
  })
})
