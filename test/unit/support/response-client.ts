import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Scenario } from './response-scenario'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect as connectHttp2, constants } from 'node:http2'
import { connect } from 'node:net'

/** Who asked for a response, and what it saw of it. */
export interface Client {
  readonly seen: string[]
  /** Resolves when its connection, or with HTTP/2 its stream, is closed. */
  readonly gone: Promise<unknown>
  /** Resolves when the server has the whole request. */
  readonly sent: Promise<unknown> | undefined
  leave(how: 'leave' | 'reset' | 'half-close'): void
  /** The response is over: asks again or leaves. */
  goOn(): Promise<void>
}

export interface Address {
  port: number
  /** The path of the request; that of a second one is below it. */
  path: string
}

export function ask(scenario: Scenario, address: Address): Client {
  return scenario.protocol === 'http1' ? new Http1Client(scenario, address) : new Http2Client(scenario, address)
}

const BODY = 'the body'

/** Shows long bodies as what they repeat, and any moment as the same. */
function readable(bytes: Buffer): string {
  return bytes.toString('latin1')
    .replace(/\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT/g, '<now>')
    .replace(/([a-zA-Z])\1{49,}/g, (all, character: string) => `<${all.length} ${character}>`)
}

/** Speaks HTTP/1 as bytes, so that nothing is lost of what the server sent. */
class Http1Client implements Client {
  readonly seen: string[] = []
  readonly gone: Promise<unknown>
  readonly sent = undefined
  readonly #socket: Socket
  readonly #scenario: Scenario
  readonly #path: string

  constructor(scenario: Scenario, { port, path }: Address) {
    const { second } = scenario.request
    this.#scenario = scenario
    this.#path = path
    const received: Buffer[] = []
    this.#socket = connect(port, '127.0.0.1')
      .on('data', chunk => received.push(chunk))
      .on('end', () => this.seen.push('end'))
      .on('error', (error: NodeJS.ErrnoException) => this.seen.push(`error ${error.code}`))
    this.gone = new Promise<void>(resolve => this.#socket.on('close', () => {
      this.seen.unshift(...readable(Buffer.concat(received)).split('\r\n'))
      resolve()
    }))
    this.#socket.write(this.#request() + (second === 'pipelined' ? this.#secondRequest() : ''))
  }

  #request(): string {
    const { method, version, connection } = this.#scenario.request
    const lines = [`${method} ${this.#path} HTTP/${version}`, 'Host: localhost', ...connection ? [`Connection: ${connection}`] : []]
    return method === 'POST' ? [...lines, `Content-Length: ${BODY.length}`, '', BODY].join('\r\n') : [...lines, '', ''].join('\r\n')
  }

  #secondRequest(): string {
    return `GET ${this.#path}/second HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`
  }

  leave(how: 'leave' | 'reset' | 'half-close'): void {
    if (how === 'half-close')
      this.#socket.end()
    else if (how === 'reset')
      this.#socket.resetAndDestroy()
    else
      this.#socket.destroy()
  }

  async goOn(): Promise<void> {
    const { second } = this.#scenario.request
    if (this.#socket.writable && second === 'next')
      this.#socket.write(this.#secondRequest())
    else if (second === 'nothing')
      this.#socket.end()
  }
}

class Http2Client implements Client {
  readonly seen: string[] = []
  readonly #second: string[] = []
  readonly gone: Promise<unknown>
  readonly sent: Promise<unknown> | undefined
  readonly #session: ClientHttp2Session
  readonly #stream: ClientHttp2Stream
  readonly #scenario: Scenario
  readonly #path: string

  constructor(scenario: Scenario, { port, path }: Address) {
    const { method } = scenario.request
    this.#scenario = scenario
    this.#path = path
    this.#session = connectHttp2(`http://127.0.0.1:${port}`)
    this.#session.on('error', (error: NodeJS.ErrnoException) => this.seen.push(`session error ${error.code}`))
    this.#session.on('goaway', code => this.seen.push(`goaway ${code}`))
    this.#stream = this.#ask({ ':method': method, ':path': path }, method === 'POST' ? BODY : undefined)
    this.gone = new Promise(resolve => this.#stream.on('close', resolve))
    if (method === 'POST')
      this.sent = once(this.#stream, 'finish').then(() => new Promise(resolve => this.#session.ping(resolve)))
    if (scenario.request.second === 'pipelined')
      this.#ask({ ':path': `${path}/second` }).resume()
  }

  #ask(headers: Record<string, string>, body?: string): ClientHttp2Stream {
    const stream = this.#session.request(headers, { endStream: body === undefined })
    this.#note(stream, headers[':path']!.endsWith('second') ? this.#second : this.seen)
    if (body !== undefined)
      stream.end(body)
    return stream
  }

  #note(stream: ClientHttp2Stream, seen: string[]): void {
    const received: Buffer[] = []
    const list = (headers: object): string => JSON.stringify(Object.entries(headers)).replace(/\["date","[^"]*GMT"\]/, '["date","<now>"]')
    stream.on('headers', (headers, flags) => seen.push(`interim ${flags} ${list(headers)}`))
    stream.on('response', (headers, flags) => seen.push(`response ${flags} ${list(headers)}`))
    stream.on('trailers', (headers, flags) => seen.push(`trailers ${flags} ${list(headers)}`))
    stream.on('data', chunk => received.push(chunk))
    stream.on('end', () => seen.push(`body ${readable(Buffer.concat(received))}`))
    stream.on('aborted', () => seen.push(`aborted after ${readable(Buffer.concat(received))}`))
    stream.on('error', (error: NodeJS.ErrnoException) => seen.push(`error ${error.code} ${error.message}`))
    stream.on('close', () => seen.push(`closed ${stream.rstCode}`))
  }

  leave(how: 'leave' | 'reset' | 'half-close'): void {
    if (how === 'leave')
      this.#session.destroy()
    else if (how === 'reset')
      this.#session.destroy(undefined, constants.NGHTTP2_CANCEL)
    else
      this.#stream.close(constants.NGHTTP2_CANCEL)
  }

  async goOn(): Promise<void> {
    if (this.#scenario.request.second === 'next' && !this.#session.closed) {
      const second = this.#ask({ ':path': `${this.#path}/second` }).resume()
      await new Promise(resolve => second.on('close', resolve))
    }
    this.#session.close()
    this.seen.push(...this.#second)
  }
}
