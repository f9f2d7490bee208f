import type { IncomingMessage } from 'node:http'
import type { Visitor } from './browser'
import { on, once } from 'node:events'
import { WebSocket } from 'ws'
import { keepCookie } from './browser'

/** An open WebSocket of a visitor. */
export interface Socket {
  /** Those of the answer to the upgrade. */
  headers: IncomingMessage['headers']
  /** Waits for the next message. */
  next(): Promise<unknown>
  /** Sends a message and waits for the next one that comes. */
  ask(message: object): Promise<unknown>
  /** Sends a message that ends the connection. */
  endBy(message: object): Promise<{ code: number, reason: string }>
  /** Waits for the end. */
  ended: Promise<{ code: number, reason: string }>
  close(): Promise<void>
}

/** Opens a WebSocket with the visitor's cookies, as their browser does. */
export async function openSocket(visitor: Visitor, origin: string, path: string, headers: Record<string, string> = {}): Promise<Socket> {
  const client = connect(visitor, origin, path, headers)
  const messages = on(client, 'message')
  client.once('close', code => void messages.throw?.(new Error(`The WebSocket was closed with ${code}.`)))
  const ended = new Promise<{ code: number, reason: string }>(resolve => void client.once('close', (code, reason) => resolve({ code, reason: String(reason) })))
  const next = async (): Promise<unknown> => {
    const { value: [data] } = await messages.next()
    return JSON.parse(String(data))
  }
  const [response] = await once(client, 'upgrade') as [IncomingMessage]
  keepAll(visitor, response)
  return {
    headers: response.headers,
    next,
    ask(message) {
      client.send(JSON.stringify(message))
      return next()
    },
    ended,
    endBy(message) {
      client.send(JSON.stringify(message))
      return ended
    },
    async close() {
      if (client.readyState === WebSocket.CLOSED)
        return
      client.close()
      await once(client, 'close')
    },
  }
}

/** Opens one whose server speaks first. */
export async function openGreeted(visitor: Visitor, origin: string, path: string): Promise<Socket & { greeting: unknown }> {
  const socket = await openSocket(visitor, origin, path)
  return { ...socket, greeting: await socket.next() }
}

/** Asks for a WebSocket that is going to be refused. */
export async function openRefused(visitor: Visitor, origin: string, path: string, headers: Record<string, string> = {}): Promise<{ status: number | undefined, cookies: string[], body: string }> {
  const client = connect(visitor, origin, path, headers)
  client.on('error', () => {})
  const [, response] = await once(client, 'unexpected-response') as [unknown, IncomingMessage]
  keepAll(visitor, response)
  let body = ''
  for await (const chunk of response)
    body += chunk
  return { status: response.statusCode, cookies: response.headers['set-cookie'] ?? [], body }
}

function connect(visitor: Visitor, origin: string, path: string, headers: Record<string, string>): WebSocket {
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return new WebSocket(new URL(path, origin.replace(/^http/, 'ws')), { headers: cookie ? { ...headers, cookie } : headers })
}

function keepAll({ cookies }: Visitor, { headers }: IncomingMessage): void {
  headers['set-cookie']?.forEach(line => keepCookie(cookies, line))
}
