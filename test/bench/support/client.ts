import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:http'
import { COOKIE } from '../../support/browser'

export interface Call {
  method: 'GET' | 'POST'
  path: string
  /** The value of the session cookie. */
  cookie?: string
  body?: object
  /** Goes away without waiting: after so many milliseconds, `half` before the body was sent. */
  abort?: number | 'half'
}

export interface Answer {
  /** 0 for a request that was aborted on purpose. */
  status: number
  body: unknown
  /** The new value of the session cookie; null when it was expired, undefined when it stays. */
  cookie: string | null | undefined
}

const ABORTED: Answer = { status: 0, body: undefined, cookie: undefined }

/** Asks one server over a number of connections that stay open: with far less work than `fetch`. */
export class Client {
  readonly #agent: Agent
  readonly #origin: URL

  constructor(origin: string, connections: number) {
    this.#origin = new URL(origin)
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
  }

  /** Rejects when the connection breaks, unless the call said so. */
  async ask(call: Call): Promise<Answer> {
    try {
      const response = await this.#send(call)
      return response ? await read(response) : ABORTED
    }
    catch (error) {
      if (call.abort !== undefined)
        return ABORTED
      throw error
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Answers nothing for a request that was aborted before its response began. */
  #send({ method, path, cookie, body, abort }: Call): Promise<IncomingMessage | undefined> {
    const text = body ? JSON.stringify(body) : ''
    return new Promise((resolve, reject) => {
      const outgoing = request({
        agent: this.#agent,
        host: this.#origin.hostname,
        port: this.#origin.port,
        method,
        path,
        headers: {
          ...(cookie !== undefined && { cookie: `${COOKIE}=${cookie}` }),
          ...(method === 'POST' && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        },
      })
      outgoing.once('response', resolve).once('error', reject).once('close', () => resolve(undefined))
      if (abort === 'half')
        outgoing.write(text.slice(0, text.length / 2))
      else
        outgoing.end(text)
      if (abort !== undefined)
        setTimeout(() => outgoing.destroy(), abort === 'half' ? 1 : abort)
    })
  }
}

async function read(response: IncomingMessage): Promise<Answer> {
  let text = ''
  for await (const chunk of response)
    text += chunk
  const isJson = response.headers['content-type']?.startsWith('application/json')
  return {
    status: response.statusCode!,
    body: isJson ? JSON.parse(text) : text,
    cookie: sessionCookie(response.headers['set-cookie'] ?? []),
  }
}

function sessionCookie(lines: readonly string[]): string | null | undefined {
  const line = lines.find(line => line.startsWith(`${COOKIE}=`))
  if (line === undefined)
    return undefined
  return /;\s*max-age=0(?:;|$)/i.test(line) ? null : line.slice(COOKIE.length + 1, line.indexOf(';'))
}
