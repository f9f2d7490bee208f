import type { IncomingMessage } from 'node:http'
import type { Visitor } from './browser'
import { on, once } from 'node:events'
import { WebSocket } from 'ws'
import { keepCookie } from './browser'

/** An open WebSocket of a visitor. */
export interface Socket {
  /** Those of the answer to the upgrade. */
  headers: IncomingMessage['headers']
  /** The first message. */
  greeting: unknown
  /** Sends a message and waits for the next one that comes. */
  ask(message: object): Promise<unknown>
  close(): Promise<void>
}

/** Opens a WebSocket with the visitor's cookies, as their browser does, and waits for the greeting. */
export async function openSocket(visitor: Visitor, origin: string, path: string): Promise<Socket> {
  const client = connect(visitor, origin, path)
  const messages = on(client, 'message', { close: ['close'] })
  const next = async (): Promise<unknown> => {
    const { value, done } = await messages.next()
    if (done)
      throw new Error('The WebSocket was closed.')
    return JSON.parse(String(value[0]))
  }
  const [response] = await once(client, 'upgrade') as [IncomingMessage]
  keepAll(visitor, response)
  return {
    headers: response.headers,
    greeting: await next(),
    ask(message) {
      client.send(JSON.stringify(message))
      return next()
    },
    async close() {
      client.close()
      await once(client, 'close')
    },
  }
}

/** Asks for a WebSocket that is going to be refused. */
export async function openRefused(visitor: Visitor, origin: string, path: string): Promise<{ status: number | undefined, cookies: string[], body: string }> {
  const client = connect(visitor, origin, path)
  client.on('error', () => {})
  const [, response] = await once(client, 'unexpected-response') as [unknown, IncomingMessage]
  keepAll(visitor, response)
  let body = ''
  for await (const chunk of response)
    body += chunk
  return { status: response.statusCode, cookies: response.headers['set-cookie'] ?? [], body }
}

function connect(visitor: Visitor, origin: string, path: string): WebSocket {
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return new WebSocket(new URL(path, origin.replace(/^http/, 'ws')), { headers: cookie ? { cookie } : {} })
}

function keepAll({ cookies }: Visitor, { headers }: IncomingMessage): void {
  headers['set-cookie']?.forEach(line => keepCookie(cookies, line))
}
