import type { RequestListener, Server } from 'node:http'
import { createServer } from 'node:http'
import { Duplex } from 'node:stream'

/** What came back, as text: it is taken apart by those who ask for it. */
export interface Answer {
  status: number
  /** Status line and headers. */
  head: string
  body: string
}

/** The server's end of a connection whose other end is this program. */
class Wire extends Duplex {
  received = ''
  /** A socket of Node has one, by which its responses are told from those of other runtimes. */
  readonly _handle = { readStart(): void {}, readStop(): void {} }

  constructor() {
    super({ decodeStrings: false })
  }

  override _read(): void {}

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.received += typeof chunk === 'string' ? chunk : chunk.toString('latin1')
    done()
  }
}

/**
 * A keep-alive connection to a server of Node that listens nowhere. Request, response and parser
 * are those of `node:http`; only the network is missing. Each answer arrives in a turn of the
 * event loop of its own, as from a network.
 */
export class Connection {
  readonly #wire = new Wire()
  #pending: { resolve(answer: Answer): void, reject(error: Error): void } | undefined

  constructor(server: InProcessServer) {
    server.accept(this.#wire, () => setImmediate(() => this.#finish()))
    this.#wire.once('close', () => this.#pending?.reject(new Error('The server closed the connection.')))
  }

  /** One request; the answer to the one before must be there. */
  ask(path: string, cookie: string | undefined): Promise<Answer> {
    this.#wire.received = ''
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject }
      this.#wire.push(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n${cookie ? `cookie: ${cookie}\r\n` : ''}\r\n`, 'latin1')
    })
  }

  close(): void {
    this.#pending = undefined
    this.#wire.destroy()
  }

  #finish(): void {
    const { received } = this.#wire
    const end = received.indexOf('\r\n\r\n')
    const pending = this.#pending
    this.#pending = undefined
    pending?.resolve({ status: Number(received.slice(9, 12)), head: received.slice(0, end), body: received.slice(end + 4) })
  }
}

/** A server of Node for connections within this process. */
export class InProcessServer {
  readonly #server: Server
  readonly #onAnswers = new WeakMap<object, () => void>()

  constructor(listener: RequestListener) {
    this.#server = createServer((req, res) => {
      const onAnswer = this.#onAnswers.get(req.socket)
      if (onAnswer)
        res.once('finish', onAnswer)
      return listener(req, res)
    })
    // A connection may wait for its turn longer than a server would wait for it.
    this.#server.keepAliveTimeout = 0
  }

  accept(wire: Duplex, onAnswer: () => void): void {
    this.#onAnswers.set(wire, onAnswer)
    this.#server.emit('connection', wire)
  }
}

/** The JSON of an answer, whose body may have come in chunks. */
export function readJson({ head, body }: Answer): unknown {
  const text = /^transfer-encoding: chunked$/im.test(head) ? joinChunks(body) : body
  try {
    return JSON.parse(text)
  }
  catch {
    return text
  }
}

function joinChunks(body: string): string {
  let text = ''
  let rest = body
  for (;;) {
    const start = rest.indexOf('\r\n') + 2
    const length = Number.parseInt(rest, 16)
    if (!(length > 0))
      return text
    text += rest.slice(start, start + length)
    rest = rest.slice(start + length + 2)
  }
}
