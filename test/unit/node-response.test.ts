import type { AddressInfo } from 'node:net'
import { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, get } from 'node:https'
import { connect, Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { generate } from 'selfsigned'
import { describe, expect, it, onTestFinished } from 'vitest'
import { watchProcess } from './support/process-problems'
import { createSwitch, hold, OURS, release, serve, serveHeld, setOurs } from './support/server'

// Only what is particular to Node's own connections and to `holdNodeResponse`: `held-response.test.ts` tests the rest, for every way to wait.

it('a held response calls every callback, in order, as if all had left', async () => {
  const log: string[] = []
  const closed = createSwitch()
  const held = await serveHeld((res) => {
    res.on('close', () => closed.resolve())
    res.write('a', () => log.push('a'))
    res.write('b', 'utf8', () => log.push('b'))
    res.end('c', () => log.push('end'))
  })
  const answer = held.server.fetch()
  await closed.promise
  expect(log).toEqual(['a', 'b', 'end'])
  held.settled.resolve()
  expect((await answer).text).toBe('abc')
})

it('a response over TLS is held and completed', async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }])
  const settled = createSwitch()
  const server = createServer({ key, cert }, (_, res) => {
    hold(res, () => settled.promise, setOurs)
    res.write('a')
    res.end(Buffer.from('b'))
    settled.resolve()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const answer = await new Promise<IncomingMessage>(resolve => get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, rejectUnauthorized: false, agent: false }, resolve))
  expect([answer.headers['set-cookie'], String(Buffer.concat(await answer.toArray() as Buffer[]))]).toEqual([[OURS], 'ab'])
})

describe('the headers of writeHead', () => {
  it('cannot be written twice', async () => {
    const thrown = createSwitch<string>()
    const held = await serveHeld((res) => {
      res.writeHead(201, { 'x-head': 'a' })
      try {
        res.writeHead(202, { 'x-head': 'b' })
      }
      catch (error) {
        thrown.resolve((error as { code: string }).code)
      }
      res.end('x')
    })
    const { status, headers, text } = await release(held)
    expect([status, headers['x-head'], text, await thrown.promise]).toEqual([201, 'a', 'x', 'ERR_HTTP_HEADERS_SENT'])
  })

  it('that are invalid throw to the handler', async () => {
    const held = await serveHeld((res) => {
      expect(() => res.writeHead(200, { 'x-bad': 'a\nb' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_CHAR' }))
      res.statusCode = 500
      res.end('handled')
    })
    const { status, text } = await release(held)
    expect([status, text]).toEqual([500, 'handled'])
  })
})

it('a client that closes its side while its response is held is sent what was answered before', async () => {
  const problems = watchProcess()
  const held = await serveHeld(res => res.end('x'))
  const socket = connect({ port: held.server.port, host: '127.0.0.1', allowHalfOpen: true })
  let received = ''
  socket.on('data', chunk => received += String(chunk))
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const res = await held.handled
  socket.end()
  await new Promise(resolve => res.req.socket.once('end', resolve))
  held.settled.resolve()
  await new Promise(resolve => socket.on('close', resolve))
  expect([received.slice(0, 15), received.at(-1), problems]).toEqual(['HTTP/1.1 200 OK', 'x', []])
})

describe('a response that several hold', () => {
  it('waits for all, and each has its word on the headers', async () => {
    const first = createSwitch()
    const second = createSwitch()
    const server = await serve((_, res) => {
      hold(res, () => first.promise, headers => headers.set('x-first', '1'))
      hold(res, () => second.promise, headers => headers.set('x-second', '2'))
      res.end('x')
      first.resolve()
      setImmediate(() => second.resolve())
    })
    const { headers, text } = await server.fetch()
    expect([headers['x-first'], headers['x-second'], text]).toEqual(['1', '2', 'x'])
  })

  it.each([['first'], ['second'], ['first', 'second']])('is one 503 when %s fails', async (...failing) => {
    const server = await serve((_, res) => {
      for (const name of ['first', 'second'])
        hold(res, () => nextTurn().then(() => failing.includes(name) ? Promise.reject(new Error(name)) : undefined))
      res.end('secret')
    })
    const socket = connect(server.port, '127.0.0.1')
    let received = ''
    socket.on('data', chunk => received += String(chunk))
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await new Promise(resolve => socket.on('close', resolve))
    expect([received.match(/HTTP\/1\.1 \d+/g), received.includes('secret')]).toEqual([['HTTP/1.1 503'], false])
  })
})

describe('a connection with a response that is held', () => {
  it('does nothing more when it was given up', async () => {
    const settled = createSwitch()
    const asked: string[] = []
    const server = await serve((req, res) => {
      asked.push(req.url!)
      hold(res, () => settled.promise)
      res.end('x')
      if (req.url === '/first')
        setImmediate(() => req.socket.destroy())
    })
    const socket = connect(server.port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk) => received += String(chunk))
    socket.on('error', () => {})
    socket.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\n')
    for (let turn = 0; turn < 20; turn++)
      await nextTurn()
    socket.write('POST /second HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
    for (let turn = 0; turn < 20; turn++)
      await nextTurn()
    settled.resolve()
    await new Promise(resolve => socket.on('close', resolve))
    expect([asked, received.endsWith('x')]).toEqual([['/first'], true])
  })

  it('sends the answer of a slow one before the 503 of the next', async () => {
    const server = await serve((req, res) => {
      if (req.url === '/slow') {
        setTimeout(() => res.end('slow'), 20)
        return
      }
      hold(res, () => Promise.reject(new Error('storage')))
      res.write('secret')
    })
    const socket = connect(server.port, '127.0.0.1')
    let received = ''
    socket.on('data', chunk => received += String(chunk))
    socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /fails HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise(resolve => socket.on('close', resolve))
    expect([received.match(/HTTP\/1\.1 \d+/g), received.includes('secret')]).toEqual([['HTTP/1.1 200', 'HTTP/1.1 503'], false])
  })
})

it('a response whose bytes are looked at elsewhere waits by its calls', async () => {
  const req = new IncomingMessage(new Socket())
  const res = new ServerResponse(req)
  const written: unknown[] = []
  res.end = ((chunk: unknown) => written.push(chunk)) as never
  const settled = createSwitch()
  hold(res, () => settled.promise)
  res.end('x')
  expect(written).toEqual([])
  settled.resolve()
  await expect.poll(() => written).toEqual(['x'])
})

it('a response behind one that was destroyed does at once what Node does', async () => {
  const log: string[] = []
  const answered = createSwitch()
  const server = await serve((req, res) => {
    hold(res, () => nextTurn())
    if (req.url === '/second') {
      res.end('x')
      log.push('ended')
      answered.resolve()
      return
    }
    // Node emits this on the first response when the second is written.
    res.on('drain', () => log.push('drain'))
    res.destroy()
    res.write('x')
  })
  const socket = connect(server.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nbGET /second HTTP/1.1\r\nHost: x\r\n\r\n')
  await answered.promise
  expect(log).toEqual(['drain', 'ended'])
})

it('responses that wait for nothing all get one and the same `writeHead`, and no accessor', async () => {
  const seen: { writeHead: unknown, accessors: string[] }[] = []
  const server = await serve((_, res) => {
    hold(res, () => undefined)
    res.end('x')
    const accessors = Object.entries(Object.getOwnPropertyDescriptors(res)).flatMap(([name, { get }]) => get ? [name] : [])
    seen.push({ writeHead: Object.getOwnPropertyDescriptor(res, 'writeHead')?.value, accessors })
  })
  await server.fetch()
  await server.fetch()
  const [first, second] = seen
  expect(first).toEqual({ writeHead: expect.any(Function), accessors: [] })
  expect(second!.writeHead).toBe(first!.writeHead)
  expect(second!.accessors).toEqual([])
})
