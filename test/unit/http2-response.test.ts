import type { ClientHttp2Session, Http2ServerRequest, Http2ServerResponse, IncomingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Switch } from './support/server'
import { connect, createServer } from 'node:http2'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSwitch, hold, OURS } from './support/server'

interface Answer { headers: IncomingHttpHeaders, trailers: IncomingHttpHeaders, text: string }

interface Held {
  fetch(method?: string): Promise<Answer>
  handled: Promise<Http2ServerResponse>
  settled: Switch
}

/** A server of HTTP/2 whose handler runs while its response is held. */
async function serveHeld(handler: (res: Http2ServerResponse, req: Http2ServerRequest) => unknown): Promise<Held> {
  const settled = createSwitch()
  const handled = createSwitch<Http2ServerResponse>()
  const server = createServer((req, res) => {
    hold(res as never, () => settled.promise, headers => headers.append('set-cookie', OURS))
    handler(res, req)
    handled.resolve(res)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(async () => {
    client.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  return { settled, handled: handled.promise, fetch: method => request(client, method) }
}

function request(client: ClientHttp2Session, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = client.request({ ':path': '/', ':method': method })
    const answer: Answer = { headers: {}, trailers: {}, text: '' }
    stream.on('response', headers => answer.headers = headers)
    stream.on('trailers', trailers => answer.trailers = trailers)
    stream.on('data', chunk => answer.text += String(chunk))
    stream.on('error', reject)
    stream.on('close', () => resolve(answer))
    stream.end()
  })
}

async function answerOf({ fetch, handled, settled }: Held, end: 'resolve' | 'reject' = 'resolve', method?: string): Promise<Answer> {
  const answer = fetch(method)
  await handled
  if (end === 'resolve')
    settled.resolve()
  else
    settled.reject(new Error('storage'))
  return answer
}

describe('a held response of HTTP/2', () => {
  it('sends nothing before settle resolves, and looks sent to its handler', async () => {
    const held = await serveHeld((res) => {
      res.setHeader('x-a', '1')
      res.write('a')
      res.end('b')
    })
    let isAnswered = false
    const answer = held.fetch().finally(() => isAnswered = true)
    const res = await held.handled
    for (let turn = 0; turn < 20; turn++)
      await nextTurn()
    expect([isAnswered, res.headersSent, res.writableEnded]).toEqual([false, true, true])
    expect(() => res.setHeader('x-b', '2')).toThrow(expect.objectContaining({ code: 'ERR_HTTP2_HEADERS_SENT' }))
    held.settled.resolve()
    const { headers, text } = await answer
    expect([headers[':status'], headers['x-a'], headers['set-cookie'], text]).toEqual([200, '1', [OURS], 'ab'])
  })

  it('keeps the cookies that were set before beside those of writeHead', async () => {
    const held = await serveHeld((res) => {
      res.setHeader('set-cookie', 'earlier=1')
      res.writeHead(201, { 'set-cookie': 'theirs=1' })
      res.end()
    })
    expect((await answerOf(held)).headers['set-cookie']).toEqual(['earlier=1', 'theirs=1', OURS])
  })

  it('sends trailers', async () => {
    const held = await serveHeld((res) => {
      res.addTrailers({ 'x-end': 'yes' })
      res.end('x')
    })
    const { text, trailers } = await answerOf(held)
    expect([text, trailers['x-end']]).toEqual(['x', 'yes'])
  })

  it.each([204, 304])('sends a %i', async (status) => {
    const { headers, text } = await answerOf(await serveHeld(res => res.writeHead(status).end()))
    expect([headers[':status'], headers['set-cookie'], text]).toEqual([status, [OURS], ''])
  })

  it('sends no body to HEAD', async () => {
    const { headers, text } = await answerOf(await serveHeld(res => res.end('x')), 'resolve', 'HEAD')
    expect([headers[':status'], headers['set-cookie'], text]).toEqual([200, [OURS], ''])
  })

  it('sends a stream', async () => {
    const held = await serveHeld(res => void pipeline(Readable.from(Array.from({ length: 50 }, () => Buffer.alloc(10_000, 'x'))), res))
    expect((await answerOf(held)).text).toBe('x'.repeat(500_000))
  })

  it('whose client goes away ends with it', async () => {
    const closed = createSwitch<boolean>()
    const held = await serveHeld((res) => {
      res.on('close', () => closed.resolve(res.writableFinished))
      res.write('a')
    })
    const answer = held.fetch().catch(() => 'gone')
    const res = await held.handled
    res.stream.session!.destroy()
    await closed.promise
    held.settled.resolve()
    await nextTurn()
    expect([await answer, res.stream.destroyed, res.stream.errored]).toEqual([{ headers: {}, trailers: {}, text: '' }, true, null])
  })

  it.each<[string, (res: Http2ServerResponse) => unknown, method?: string]>([
    ['end', res => res.end('secret')],
    ['a stream that goes on', res => res.write('secret')],
    ['a 204', res => res.writeHead(204).end()],
    ['headers alone', res => res.writeHead(200)],
    ['an answer to HEAD', res => res.end('secret'), 'HEAD'],
  ])('is the 503 in place of %s when settle rejects', async (_, respond, method) => {
    const held = await serveHeld((res) => {
      res.setHeader('etag', '"x"')
      respond(res)
    })
    const { headers, text } = await answerOf(held, 'reject', method)
    expect([headers[':status'], headers['set-cookie'], headers.etag, headers['content-type'], text]).toEqual([503, [OURS], undefined, 'application/json', method ? '' : '{"error":true}'])
  })
})
