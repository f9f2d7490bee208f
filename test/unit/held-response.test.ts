import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { HeaderList } from '../../src/http/headers'
import type { Held, Hold } from './support/server'
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { holdNodeResponse } from '../../src/http/held-response/index'
import { watchProcess } from './support/process-problems'
import { createSwitch, fail, hold as holdServer, holdCalls, OURS, release, serve, serveHeld as serveHeldServer, setOurs } from './support/server'

/** A way to make a response wait. What is particular to one is tested in `node-response.test.ts` or `held-calls.test.ts`. */
interface Way {
  name: string
  hold: Hold
  /** How a client goes away for good. */
  leave: (socket: Socket) => unknown
  /** Whose callbacks run: of a write before a 503 (a), and of a write (b) and an end (c) behind it. */
  calledBack: string[]
}

const WAYS: Way[] = [
  {
    name: 'waiting bytes',
    hold: holdNodeResponse,
    // A client that only closes its own side is still sent the answer.
    leave: socket => socket.resetAndDestroy(),
    // The end is that of a response whose client went away: Node does not call back.
    calledBack: ['a', 'b'],
  },
  {
    name: 'waiting calls',
    hold: holdCalls,
    leave: socket => socket.destroy(),
    calledBack: ['a', 'b', 'c'],
  },
]

const CHUNK = Buffer.alloc(64 * 1024, 'stream of five megabytes ')
const CHUNKS = 80
const STREAM_HASH = hash(Buffer.concat(Array.from({ length: CHUNKS }, () => CHUNK)))

describe.each(WAYS)('with $name', (way) => {
  const hold = (res: ServerResponse, settle: () => Promise<void> | undefined, finish?: (headers: HeaderList) => void): void => holdServer(res, settle, finish, way.hold)
  const serveHeld = (handler: (res: ServerResponse) => unknown, finish?: (headers: HeaderList) => void): Promise<Held> => serveHeldServer(handler, finish, way.hold)

  describe('a held response', () => {
    it('sends no byte before settle resolves', async () => {
      const { server, settled, handled } = await serveHeld((res) => {
        res.writeHead(201)
        res.write('a')
        res.flushHeaders()
        res.end('b')
      })
      let received = ''
      const socket = connect(server.port, '127.0.0.1')
      socket.on('data', chunk => received += String(chunk))
      socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      const res = await handled
      for (let turn = 0; turn < 20; turn++)
        await nextTurn()
      expect([received, res.req.socket.bytesWritten, res.writableFinished]).toEqual(['', 0, true])
      settled.resolve()
      await new Promise(resolve => socket.on('close', resolve))
      expect(received).toMatch(/^HTTP\/1\.1 201 Created\r\n/)
    })

    it('passes everything on at once when there is nothing to wait for', async () => {
      const order: string[] = []
      const server = await serve((_, res) => {
        hold(res, () => undefined, () => order.push('finish'))
        res.end('x')
        order.push(`sent: ${res.headersSent}`)
      })
      expect([(await server.fetch()).text, order]).toEqual(['x', ['finish', 'sent: true']])
    })

    it('asks what to wait for at the first call, and once more before it lets go', async () => {
      let asked = 0
      const server = await serve((_, res) => {
        hold(res, () => {
          asked++
          return Promise.resolve()
        })
        expect(asked).toBe(0)
        res.write('a')
        res.write('b')
        res.end('c')
      })
      expect([(await server.fetch()).text, asked]).toEqual(['abc', 2])
    })

    it('looks sent to its handler', async () => {
      const held = await serveHeld(res => res.end('x'))
      const answer = held.server.fetch()
      const res = await held.handled
      expect(res.headersSent).toBe(true)
      held.settled.resolve()
      await answer
    })

    it('looks unsent before anything was written', async () => {
      const held = await serveHeld((res) => {
        expect(res.headersSent).toBe(false)
        res.end()
      })
      expect((await release(held)).status).toBe(200)
    })

    it('keeps the order of everything', async () => {
      const held = await serveHeld((res) => {
        res.writeHead(202, 'Fine', { 'x-a': '1' })
        res.write('1')
        res.write(Buffer.from('2'))
        res.write('Mw==', 'base64')
        res.end('34', 'hex')
      })
      const { status, statusMessage, headers, text } = await release(held)
      expect([status, statusMessage, headers['x-a'], text]).toEqual([202, 'Fine', '1', '1234'])
    })

    it('emits finish once', async () => {
      let finished = 0
      const held = await serveHeld(res => res.on('finish', () => finished++).end('x'))
      await release(held)
      expect(finished).toBe(1)
    })

    it('can end with a callback only', async () => {
      const ended = createSwitch()
      const held = await serveHeld(res => res.end(() => ended.resolve()))
      expect((await release(held)).text).toBe('')
      await ended.promise
    })

    it('lets writeHead be chained', async () => {
      const held = await serveHeld(res => res.writeHead(204).end())
      expect((await release(held)).status).toBe(204)
    })

    it('sends the headers set before the hold and by finish', async () => {
      const held = await serveHeld((res) => {
        res.setHeader('x-a', '1')
        res.end('x')
      }, setOurs)
      const { headers, setCookies } = await release(held)
      expect([headers['x-a'], setCookies]).toEqual(['1', [OURS]])
    })

    it('sends a Content-Length for a body in one piece', async () => {
      const held = await serveHeld(res => res.end('grüße'))
      const { headers, text } = await release(held)
      expect([headers['content-length'], text]).toEqual(['7', 'grüße'])
    })

    it('sends headers at flushHeaders, before there is a body', async () => {
      const flushed = createSwitch()
      const held = await serveHeld((res) => {
        res.flushHeaders()
        void flushed.promise.then(() => res.end('late'))
      }, setOurs)
      const answer = new Promise<string>((resolve) => {
        const socket = connect(held.server.port, '127.0.0.1')
        socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        let received = ''
        socket.on('data', (chunk) => {
          received += String(chunk)
          flushed.resolve()
        })
        socket.on('close', () => resolve(received))
      })
      await held.handled
      held.settled.resolve()
      expect(await answer).toMatch(/session=ours[\s\S]*late/)
    })

    it('sends no body to HEAD, with its headers', async () => {
      const held = await serveHeld(res => res.setHeader('content-length', 5).end('12345'), setOurs)
      const { status, headers, setCookies, body } = await release(held, { method: 'HEAD' })
      expect([status, headers['content-length'], setCookies, body.length]).toEqual([200, '5', [OURS], 0])
    })

    it.each([204, 304])('sends a %i', async (code) => {
      const held = await serveHeld(res => res.writeHead(code).end(), setOurs)
      const { status, setCookies, body } = await release(held)
      expect([status, setCookies, body.length]).toEqual([code, [OURS], 0])
    })

    it('redirects', async () => {
      const held = await serveHeld(res => res.writeHead(302, { location: '/next' }).end(), setOurs)
      const { status, headers, setCookies } = await release(held)
      expect([status, headers.location, setCookies]).toEqual([302, '/next', [OURS]])
    })

    it('ends once when it is ended twice', async () => {
      const problems = watchProcess()
      const held = await serveHeld((res) => {
        res.end('first')
        res.end()
      })
      expect([(await release(held)).text, problems]).toEqual(['first', []])
    })

    it('passes on what is written after it was released', async () => {
      const held = await serveHeld(res => res.write('a'))
      const answer = held.server.fetch()
      const res = await held.handled
      held.settled.resolve()
      await nextTurn()
      res.write('b')
      res.end('c')
      expect((await answer).text).toBe('abc')
    })

    it('passes on what is written while it is being held, later than the first call', async () => {
      const held = await serveHeld(res => res.write('a'))
      const answer = held.server.fetch()
      const res = await held.handled
      await nextTurn()
      res.write('b')
      res.end('c')
      held.settled.resolve()
      expect((await answer).text).toBe('abc')
    })
  })

  describe('the headers of writeHead', () => {
    it.each<[what: string, args: unknown[]]>([
      ['an object', [200, { 'Set-Cookie': 'theirs=1', 'x-a': '1' }]],
      ['an object with an array', [200, { 'set-cookie': ['theirs=1'], 'x-a': '1' }]],
      ['an object behind a status message', [200, 'OK', { 'set-cookie': 'theirs=1', 'x-a': '1' }]],
      ['a raw array', [200, ['x-a', '1', 'Set-Cookie', 'theirs=1']]],
      ['a raw array with an array', [200, ['x-a', '1', 'Set-Cookie', ['theirs=1']]]],
      ['a raw array behind a status message', [200, 'OK', ['Set-Cookie', 'theirs=1', 'x-a', '1']]],
    ])('as %s keep their cookies beside ours and those set before', async (_, args) => {
      const held = await serveHeld((res) => {
        res.setHeader('set-cookie', ['earlier=1'])
        ;(res.writeHead as (...args: unknown[]) => ServerResponse).apply(res, args)
        res.end('x')
      }, setOurs)
      const { setCookies, headers, text } = await release(held)
      expect([setCookies.toSorted(), headers['x-a'], text]).toEqual([['earlier=1', OURS, 'theirs=1'], '1', 'x'])
    })

    it('may have several cookies of theirs', async () => {
      const held = await serveHeld(res => res.writeHead(200, ['set-cookie', 'a=1', 'x-a', '1', 'set-cookie', 'b=2']).end(), setOurs)
      expect((await release(held)).setCookies.toSorted()).toEqual(['a=1', 'b=2', OURS])
    })

    it('cannot replace our cookie', async () => {
      const held = await serveHeld(res => res.writeHead(200, { 'set-cookie': 'session=theirs' }).end(), setOurs)
      expect((await release(held)).setCookies).toEqual([OURS])
    })

    it('may be missing', async () => {
      const held = await serveHeld(res => res.writeHead(200, undefined).end('x'), setOurs)
      const { setCookies, text } = await release(held)
      expect([setCookies, text]).toEqual([[OURS], 'x'])
    })

    it('that are invalid throw to the handler when there is nothing to wait for', async () => {
      const server = await serve((_, res) => {
        hold(res, () => undefined)
        expect(() => res.writeHead(200, { 'x-bad': 'a\nb' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_CHAR' }))
        res.removeHeader('x-bad')
        res.statusCode = 500
        res.end('handled')
      })
      const { status, text } = await server.fetch()
      expect([status, text]).toEqual([500, 'handled'])
    })

    it('in a list of pairs with several values each arrive as they are', async () => {
      const held = await serveHeld((res) => {
        res.writeHead(200, [['set-cookie', ['a=1', 'b=2']], ['x-y', 'z']] as never)
        res.end('x')
      })
      const { setCookies, headers } = await release(held)
      expect([setCookies, headers['x-y']]).toEqual([['a=1', 'b=2'], 'z'])
    })
  })

  describe('a stream into a held response', () => {
    it.each<[string, (res: ServerResponse, source: Readable) => unknown]>([
      ['stream.pipeline', (res, source) => pipeline(source, res)],
      ['pipe', (res, source) => source.pipe(res)],
      ['pipeline of an async iterator', (res, source) => pipeline(async function* () {
        yield* source
      }, res)],
    ])('by %s arrives whole, and is read ahead by little more than a megabyte while it is held', async (_, send) => {
      let read = 0
      const held = await serveHeld((res) => {
        const source = new Readable({
          read() {
            this.push(read < CHUNKS ? CHUNK : null)
            read++
          },
        })
        void send(res, source)
      }, setOurs)
      const answer = held.server.fetch()
      await held.handled
      for (let turn = 0; turn < 50; turn++)
        await nextTurn()
      const readAhead = read
      held.settled.resolve()
      const { body, setCookies } = await answer
      expect([hash(body), setCookies]).toEqual([STREAM_HASH, [OURS]])
      expect(readAhead).toBeLessThan(24)
    })

    it('resolves its pipeline', async () => {
      const done = createSwitch<string>()
      const held = await serveHeld((res) => {
        void pipeline(Readable.from(['a', 'b']), res).then(() => done.resolve('done'))
      })
      expect((await release(held)).text).toBe('ab')
      expect(await done.promise).toBe('done')
    })

    it('that fails before the release closes the connection and not the process', async () => {
      const problems = watchProcess()
      const failed = createSwitch<string>()
      const held = await serveHeld((res) => {
        const source = new Readable({
          read() {
            this.push('x')
            this.destroy(new Error('source'))
          },
        })
        pipeline(source, res).catch((error: Error) => failed.resolve(error.message))
      })
      const answer = held.server.fetch().then(() => 'answered', () => 'connection closed')
      await held.handled
      for (let turn = 0; turn < 20; turn++)
        await nextTurn()
      // Newer versions of Node tell of the failure when the connection has closed.
      held.settled.resolve()
      expect([await answer, await failed.promise, problems]).toEqual(['connection closed', 'source', []])
    })
  })

  describe('a client that goes away while its response is held', () => {
    async function visitAndLeave(held: Held): Promise<void> {
      const socket = connect(held.server.port, '127.0.0.1')
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
      const res = await held.handled
      const closed = new Promise(resolve => res.req.socket.on('close', resolve))
      way.leave(socket)
      await closed
      expect(res.closed).toBe(true)
    }

    it('does not end the process, and the response is let go', async () => {
      const problems = watchProcess()
      const held = await serveHeld((res) => {
        res.writeHead(200, { 'content-type': 'text/plain' })
        res.write('a')
        res.end('b')
      })
      await visitAndLeave(held)
      held.settled.resolve()
      await nextTurn()
      await nextTurn()
      expect(problems).toEqual([])
    })

    it('ends a pipeline into it', async () => {
      const problems = watchProcess()
      const ended = createSwitch<string>()
      const held = await serveHeld((res) => {
        let read = 0
        const source = new Readable({
          read() {
            this.push(read++ < 5000 ? Buffer.alloc(1000) : null)
          },
        })
        pipeline(source, res).then(() => ended.resolve('done'), (error: NodeJS.ErrnoException) => ended.resolve(error.code ?? 'error'))
      })
      await visitAndLeave(held)
      held.settled.resolve()
      expect([await ended.promise, problems]).toEqual(['ERR_STREAM_PREMATURE_CLOSE', []])
    })

    it('does not end the process when settle rejects afterwards', async () => {
      const problems = watchProcess()
      const held = await serveHeld(res => res.end('x'))
      await visitAndLeave(held)
      held.settled.reject(new Error('storage'))
      await nextTurn()
      await nextTurn()
      expect(problems).toEqual([])
    })
  })

  describe('a response whose settle rejects', () => {
    it.each<[string, (res: ServerResponse) => unknown]>([
      ['end', res => res.end('secret page')],
      ['writeHead and end', res => res.writeHead(200, { 'content-type': 'text/html', 'content-length': 11 }).end('secret page')],
      ['write and end', (res) => {
        res.write('secret ')
        res.end('page')
      }],
      ['flushHeaders', (res) => {
        res.flushHeaders()
        res.end('secret page')
      }],
      ['a redirect', res => res.writeHead(302, { location: '/secret' }).end()],
      ['a 204', res => res.writeHead(204).end()],
    ])('is the 503 in place of %s', async (_, respond) => {
      const { status, statusMessage, headers, text } = await fail(await serveHeld(respond))
      expect([status, statusMessage, text]).toEqual([503, 'Service Unavailable', '{"error":true}'])
      expect([headers['content-type'], headers['cache-control'], headers.location]).toEqual(['application/json', 'no-store', undefined])
    })

    it('has none of the headers that described the other body', async () => {
      const held = await serveHeld((res) => {
        res.setHeader('content-length', 3)
        res.setHeader('content-encoding', 'gzip')
        res.setHeader('etag', '"x"')
        res.setHeader('last-modified', new Date(0).toUTCString())
        res.setHeader('location', '/x')
        res.setHeader('cache-control', 'public, max-age=60')
        res.setHeader('x-request-id', '7')
        res.end('xyz')
      })
      const { headers, text } = await fail(held)
      expect([headers['content-encoding'], headers.etag, headers['last-modified'], headers.location, headers['cache-control'], headers['x-request-id'], text]).toEqual([undefined, undefined, undefined, undefined, 'no-store', '7', '{"error":true}'])
    })

    it('has no header that lets others keep or change it', async () => {
      const held = await serveHeld((res) => {
        res.setHeader('cdn-cache-control', 'max-age=600')
        res.setHeader('expires', new Date(Date.now() + 600_000).toUTCString())
        res.setHeader('x-accel-redirect', '/protected/a.pdf')
        res.setHeader('refresh', '0; url=/next')
        res.end('x')
      })
      const { status, headers } = await fail(held)
      expect([status, headers['cdn-cache-control'], headers.expires, headers['x-accel-redirect'], headers.refresh]).toEqual([503, undefined, undefined, undefined, undefined])
    })

    it('has the cookies that finish leaves, and nobody else\'s less', async () => {
      const held = await serveHeld((res) => {
        res.setHeader('set-cookie', ['theirs=1', OURS])
        res.end('x')
      }, headers => headers.set('set-cookie', 'theirs=1'))
      expect((await fail(held)).setCookies).toEqual(['theirs=1'])
    })

    it('swallows later writes, with their callbacks called', async () => {
      const problems = watchProcess()
      const log: string[] = []
      const held = await serveHeld(res => res.write('a', () => log.push('a')))
      const answer = held.server.fetch()
      const res = await held.handled
      held.settled.reject(new Error('storage'))
      const { status, text } = await answer
      res.write('b', () => log.push('b'))
      res.end('c', () => log.push('c'))
      await nextTurn()
      expect([status, text, log, problems]).toEqual([503, '{"error":true}', way.calledBack, []])
    })

    it('still looks sent to its handler', async () => {
      const held = await serveHeld(res => res.write('a'))
      const answer = held.server.fetch()
      const res = await held.handled
      held.settled.reject(new Error('storage'))
      await answer
      expect(res.headersSent).toBe(true)
    })

    it('answers HEAD without a body', async () => {
      const { status, body } = await fail(await serveHeld(res => res.end('x')), { method: 'HEAD' })
      expect([status, body.length]).toEqual([503, 0])
    })

    it('ends a stream that was being piped into it', async () => {
      const problems = watchProcess()
      const ended = createSwitch<string>()
      const held = await serveHeld((res) => {
        let read = 0
        const source = new Readable({
          read() {
            this.push(read++ < 1000 ? Buffer.alloc(10_000) : null)
          },
        })
        pipeline(source, res).then(() => ended.resolve('done'), () => ended.resolve('failed'))
      })
      const { status, text } = await fail(held)
      expect([status, text]).toEqual([503, '{"error":true}'])
      await ended.promise
      expect(problems).toEqual([])
    })

    it.each<[how: string, respond: (res: ServerResponse) => unknown]>([
      ['ended', res => res.end('secret')],
      ['destroyed', (res) => {
        res.write('secret')
        res.destroy()
      }],
    ])('closes the connection when no answer can be made in place of one that is %s, and the process goes on', async (_, respond) => {
      const problems = watchProcess()
      const server = await serve((_, res) => {
        way.hold(res as never, {
          flush: () => nextTurn().then(() => Promise.reject(new Error('storage'))),
          finish: () => {},
          toErrorResponse: () => {
            throw new Error('hook')
          },
        })
        respond(res)
      })
      await expect(server.fetch()).rejects.toThrow(/socket hang up|ECONNRESET/)
      expect(problems).toEqual([])
    })

    it('keeps the connection usable for the next request', async () => {
      const first = createSwitch()
      let count = 0
      const server = await serve((_, res) => {
        hold(res, () => ++count === 1 ? first.promise : Promise.resolve())
        res.end('page')
        first.reject(new Error('storage'))
      })
      const socket = connect(server.port, '127.0.0.1')
      let received = ''
      socket.on('data', chunk => received += String(chunk))
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
      await new Promise(resolve => socket.on('close', resolve))
      expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 503', 'HTTP/1.1 200'])
    })
  })

  describe('a handler or guard that ends twice', () => {
    it.each<[string, (res: ServerResponse) => unknown]>([
      ['by a guard that runs out of time while storage is slow', (res) => {
        res.end('first')
        setTimeout(() => res.writableEnded || res.end('late'), 5)
      }],
      ['by a guard that looks at `finished`', (res) => {
        res.end('first')
        setImmediate(() => res.finished || res.end('late'))
      }],
      ['at once, behind a look at `writableEnded`', (res) => {
        res.end('first')
        if (!res.writableEnded)
          res.end('second')
      }],
      ['at once, behind a look at `finished`', (res) => {
        res.end('first')
        if (!res.finished)
          res.end('second')
      }],
      ['in a later turn without a look', (res) => {
        res.end('first')
        setTimeout(() => res.end('late'), 5)
      }],
      ['by a write behind the end, in a later turn', (res) => {
        res.end('first')
        setTimeout(() => res.write('late'), 5)
      }],
    ])('%s', async (_, respond) => {
      const problems = watchProcess()
      const done = createSwitch()
      const held = await serveHeld((res) => {
        respond(res)
        setTimeout(() => done.resolve(), 20)
      })
      const answer = held.server.fetch()
      await held.handled
      await done.promise
      held.settled.resolve()
      expect([(await answer).text, problems]).toEqual(['first', []])
    })
  })
})

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
