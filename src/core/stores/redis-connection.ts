import type { Notice } from './notice'
import { elapsed } from '../clock'

/** The part of ioredis that tells of its connection; `Redis` and `Cluster` have it. */
export interface ConnectingClient {
  status?: string
  on?(event: string, listener: (error?: unknown) => void): unknown
  disconnect?(): unknown
}

/** What is known of the connection of a client, which connects again by itself. */
export interface Connection {
  /** How often it broke. */
  readonly breaks: number
  /** Milliseconds since it was lost, or since the first try; 0 while it is there. */
  readonly outage: number
  /** Tries no more where there is none. */
  giveUp(): void
}

const NO_CONNECTION = 'no connection'

/**
 * Watches the connection of a client of ioredis, and tells the operator when it cannot be made,
 * once: ioredis itself logs each try where nobody listens for errors. What the next try mends is
 * nothing to tell.
 */
export function watchConnection(client: ConnectingClient, notice: Notice): Connection {
  let breaks = 0
  let failures = 0
  let lostSince = isTrying(client) ? elapsed() : undefined
  /** The error of this try, or of this connection. */
  let cause: string | undefined
  client.on?.('connecting', () => cause = undefined)
  client.on?.('error', (error) => {
    cause = describe(error)
    if (lostSince === undefined && !isOfSystem(error))
      notice.tell(cause)
  })
  client.on?.('close', () => {
    breaks++
    lostSince ??= elapsed()
    if (++failures > 1)
      notice.away(cause ?? NO_CONNECTION)
  })
  client.on?.('ready', () => {
    lostSince = undefined
    failures = 0
    notice.back()
    // Such as a database that is not there: ioredis goes on with another.
    if (cause)
      notice.tell(cause)
  })
  return {
    get breaks() { return breaks },
    get outage() { return lostSince === undefined ? 0 : elapsed() - lostSince },
    giveUp() {
      if (lostSince !== undefined)
        client.disconnect?.()
    },
  }
}

/** False for one that is connected, and for one that connects when it is first used. */
function isTrying({ status }: ConnectingClient): boolean {
  return status !== undefined && !['ready', 'wait', 'monitoring'].includes(status)
}

/** True for an error of a connection, which ends with it. */
function isOfSystem(error: unknown): boolean {
  return typeof (Object(error) as { code?: unknown }).code === 'string'
}

/** The code of an error of the system, or what Redis says; nothing that could be an address with its password. */
function describe(error: unknown): string {
  const { code, message = '', lastNodeError } = Object(error) as { code?: unknown, message?: string, lastNodeError?: unknown }
  if (lastNodeError)
    return describe(lastNodeError)
  if (typeof code === 'string')
    return code
  return message && !message.includes('@') ? message : NO_CONNECTION
}
