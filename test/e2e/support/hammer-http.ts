import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:http'
import { COOKIE } from '../../support/browser'

/** Longer than any server may take, also one whose storage is gone. */
const PATIENCE_MS = 120_000

export interface Answer {
  status: number
  body: Record<string, unknown>
  /** The session cookie that came with it: a value, or `null` for one that is taken away. */
  setCookie: string | null | undefined
}

/** Why there is no answer. */
export interface NoAnswer {
  status: 'none'
  reason: string
}

export interface Question {
  method: 'GET' | 'POST'
  path: string
  cookie?: string | undefined
}

/** Asks servers over connections that stay open. Never rejects. */
export class HammerHttp {
  // The connection that was idle the longest first, so that none gets so old that its server closes it.
  readonly #agent = new Agent({ keepAlive: true, scheduling: 'fifo' })

  send(origin: string, question: Question): Promise<Answer | NoAnswer> {
    const { method, path, cookie } = question
    const headers = cookie === undefined ? {} : { cookie: `${COOKIE}=${cookie}` }
    return new Promise((resolve) => {
      const fail = (error: NodeJS.ErrnoException): void => resolve({ status: 'none', reason: error.code ?? error.message })
      const req = request(new URL(path, origin), { method, headers, agent: this.#agent, timeout: PATIENCE_MS })
      req.once('timeout', () => req.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)))
      let isAnswered = false
      req.on('error', (error: NodeJS.ErrnoException) => {
        // Its server had closed it, since nobody used it for long, and did not see the question.
        if (req.reusedSocket && !isAnswered && ['ECONNRESET', 'EPIPE'].includes(error.code ?? ''))
          resolve(this.send(origin, question))
        else
          fail(error)
      })
      req.once('response', (response) => {
        isAnswered = true
        readAnswer(response).then(resolve, fail)
      })
      req.end()
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response)
    text += chunk
  return {
    status: response.statusCode ?? 0,
    body: response.headers['content-type']?.startsWith('application/json') ? JSON.parse(text) : {},
    setCookie: sessionCookieIn(response.headers['set-cookie'] ?? []),
  }
}

function sessionCookieIn(lines: string[]): string | null | undefined {
  const line = lines.find(line => line.startsWith(`${COOKIE}=`))
  if (line === undefined)
    return undefined
  return /;\s*max-age=0(?:;|$)/i.test(line) ? null : line.slice(COOKIE.length + 1).split(';')[0]
}
