import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HeaderList } from '../../../src/http/headers'
import type { Holder } from '../../../src/http/held-response/index'
import type { NodeResponse } from '../../../src/http/node-response'
import { createServer, request } from 'node:http'
import { onTestFinished } from 'vitest'
import { WaitingCalls } from '../../../src/http/held-response/waiting-calls'
import { holdNodeResponse } from '../../../src/http/held-response/index'

export interface Answer {
  status: number
  statusMessage: string
  headers: IncomingHttpHeaders
  setCookies: string[]
  body: Buffer
  text: string
}

export interface TestServer {
  port: number
  /** Sends a request. Rejects when the connection ends before the answer does. */
  fetch(options?: { method?: string, headers?: Record<string, string> }): Promise<Answer>
}

/** A server on a free port of this machine, closed when the test is over. */
export async function serve(listener: RequestListener): Promise<TestServer> {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    fetch: ({ method = 'GET', headers = {} } = {}) => new Promise((resolve, reject) => {
      const req = request({ host: '127.0.0.1', port, method, headers, agent: false }, (res) => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.on('error', reject)
        res.on('end', () => {
          const body = Buffer.concat(chunks)
          resolve({ status: res.statusCode ?? 0, statusMessage: res.statusMessage ?? '', headers: res.headers, setCookies: res.headers['set-cookie'] ?? [], body, text: body.toString() })
        })
      })
      req.on('error', reject)
      req.end()
    }),
  }
}

/** A promise that the test ends. */
export interface Switch<T = void> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

export function createSwitch<T = void>(): Switch<T> {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((...functions) => [resolve, reject] = functions)
  promise.catch(() => {})
  return { promise, resolve, reject }
}

export const OURS = 'session=ours; Path=/'

export type Hold = (res: NodeResponse, options: Holder) => unknown

/** Holds a response as the session does: our cookie is set in `finish`, a failure is a 503. */
export function hold(res: ServerResponse, settle: () => Promise<void> | undefined, finish: (headers: HeaderList) => void = () => {}, holdResponse: Hold = holdNodeResponse): void {
  holdResponse(res as unknown as NodeResponse, {
    flush: settle,
    finish,
    toErrorResponse: () => ({ statusCode: 503, statusMessage: 'Service Unavailable', body: '{"error":true}' }),
  })
}

/** As other runtimes hold a response. On Node itself it shows best whether all arrives as it was said. */
export const holdCalls: Hold = (res, options) => new WaitingCalls(res, options)

/** Sets our cookie beside those of others, as the session does in `finish`. */
export function setOurs(headers: HeaderList): void {
  const others = headers.getSetCookie().filter(line => !line.startsWith('session='))
  headers.delete('set-cookie')
  ;[...others, OURS].forEach(line => headers.append('set-cookie', line))
}

export interface Held {
  server: TestServer
  /** Ends the hold. */
  settled: Switch
  /** The handler has done all that it does synchronously. */
  handled: Promise<ServerResponse>
}

/** A server whose handler runs while its response is held. */
export async function serveHeld(handler: (res: ServerResponse, req: IncomingMessage) => unknown, finish?: (headers: HeaderList) => void, holdResponse?: Hold): Promise<Held> {
  const settled = createSwitch()
  const handled = createSwitch<ServerResponse>()
  const server = await serve((req, res) => {
    hold(res, () => settled.promise, finish, holdResponse)
    handler(res, req)
    handled.resolve(res)
  })
  // A connection that waits does not close.
  onTestFinished(() => settled.resolve())
  return { server, settled, handled: handled.promise }
}

type RequestOptions = Parameters<TestServer['fetch']>[0]

/** Lets the handler run, then releases, and gives the answer. */
export async function release({ server, settled, handled }: Held, options?: RequestOptions): Promise<Answer> {
  const answer = server.fetch(options)
  await handled
  settled.resolve()
  return answer
}

/** Lets the handler run, then rejects what it waits for, and gives the answer. */
export async function fail({ server, settled, handled }: Held, options?: RequestOptions): Promise<Answer> {
  const answer = server.fetch(options)
  await handled
  settled.reject(new Error('storage'))
  return answer
}
