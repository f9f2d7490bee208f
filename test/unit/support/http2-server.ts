import type { ClientHttp2Session, ClientHttp2Stream, ClientSessionOptions, Http2Server, Http2ServerRequest, Http2ServerResponse, Http2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Switch } from './server'
import { connect, createServer } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { onTestFinished } from 'vitest'
import { createSwitch, hold, OURS } from './server'

export interface Http2Answer {
  status: number | undefined
  headers: IncomingHttpHeaders
  cookies: string[]
  /** The heads that came before. */
  hints: IncomingHttpHeaders[]
  trailers: IncomingHttpHeaders
  text: string
}

/** One request on its way. */
export interface Http2Exchange {
  readonly stream: ClientHttp2Stream
  /** Rejects when the stream ends in any other way than with an answer that is whole. */
  readonly answer: Promise<Http2Answer>
}

export interface Http2TestServer {
  readonly server: Http2Server
  connect(options?: ClientSessionOptions): ClientHttp2Session
}

export type Http2Handler = (res: Http2ServerResponse, req: Http2ServerRequest) => unknown

const sockets = new WeakMap<ClientHttp2Session, Socket>()

/** The client goes away without a word of HTTP/2. */
export function resetConnection(client: ClientHttp2Session): void {
  sockets.get(client)!.resetAndDestroy()
}

/** A server of HTTP/2 on a free port of this machine; it and its connections are closed when the test is over. */
export async function serveHttp2(handler: Http2Handler): Promise<Http2TestServer> {
  const server = createServer((req, res) => void handler(res, req))
  const sessions = new Set<Http2Session>()
  server.on('session', session => sessions.add(session))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  onTestFinished(async () => {
    sessions.forEach(session => session.destroy())
    await new Promise(resolve => server.close(resolve))
  })
  return {
    server,
    connect(options) {
      const socket = connectSocket(port, '127.0.0.1')
      const client = connect(`http://127.0.0.1:${port}`, { createConnection: () => socket, ...options })
      sockets.set(client, socket)
      // Its streams tell.
      client.on('error', () => {})
      sessions.add(client)
      return client
    },
  }
}

/** Sends a request; one with a body of its own is ended by whoever asks. */
export function ask(client: ClientHttp2Session, headers: OutgoingHttpHeaders = {}, body: { endStream?: boolean } = {}): Http2Exchange {
  const stream = client.request({ ':path': '/', ...headers }, { endStream: true, ...body })
  const answer = answerOn(stream)
  answer.catch(() => {})
  return { stream, answer }
}

function answerOn(stream: ClientHttp2Stream): Promise<Http2Answer> {
  const answer: Http2Answer = { status: undefined, headers: {}, cookies: [], hints: [], trailers: {}, text: '' }
  let isWhole = false
  return new Promise((resolve, reject) => {
    stream.setEncoding('utf8')
    stream.on('headers', headers => answer.hints.push(headers))
    stream.on('response', headers => Object.assign(answer, { status: headers[':status'], headers, cookies: headers['set-cookie'] ?? [] }))
    stream.on('trailers', trailers => answer.trailers = trailers)
    stream.on('data', chunk => answer.text += chunk)
    stream.on('end', () => isWhole = answer.status !== undefined && !stream.aborted)
    stream.on('error', reject)
    stream.on('close', () => isWhole ? resolve(answer) : reject(new Error(`closed with ${stream.rstCode}`)))
  })
}

export interface HeldHttp2 extends Http2TestServer {
  /** The one connection of the test. */
  client: ClientHttp2Session
  /** Ends the hold. */
  settled: Switch
  /** The handler has done all that it does synchronously. */
  handled: Promise<Http2ServerResponse>
}

/** A server whose handler runs while its response is held; our cookie is set when it leaves. */
export async function serveHeldHttp2(handler: Http2Handler): Promise<HeldHttp2> {
  const settled = createSwitch()
  const handled = createSwitch<Http2ServerResponse>()
  const server = await serveHttp2((res, req) => {
    holdHttp2(res, () => settled.promise)
    handler(res, req)
    handled.resolve(res)
  })
  return { ...server, client: server.connect(), settled, handled: handled.promise }
}

export function holdHttp2(res: Http2ServerResponse, settle: Parameters<typeof hold>[1], finish: Parameters<typeof hold>[2] = headers => headers.append('set-cookie', OURS)): void {
  hold(res as never, settle, finish)
}
