import type { Visitor } from './browser'
import type { RunningServer } from './nitro'
import { createHash } from 'node:crypto'
import { afterEach, expect } from 'vitest'
import { COOKIE, createVisitor, setCookiesOf } from './browser'
import { TEST_SECRET } from './nitro'

/** What came back: the body of a success, parsed where it is JSON, and our `Set-Cookie` lines. */
export interface Answer {
  status: number
  body?: unknown
  cookies: string[]
}

/** For servers whose storage always says something: no machine is so slow that it is taken for silent. */
export const PATIENT = { NITRO_SESSION_TIMEOUT: '30000' }

/** For servers whose storage is going to be silent. A slow machine is taken for that too: see {@link answered}. */
export const HASTY = { NITRO_SESSION_TIMEOUT: '1000' }

/** How long a server may take to find out that its storage is back; a poll ends as soon as it did. */
export const RECOVERY = { timeout: 120_000, interval: 100 }

/** In the data of every session that {@link TroubledServers.signIn} makes: never to be seen in a log. */
export const PRIVATE = 'private-data-of-a-visitor'

/** The servers of a test, and their visitors. */
export interface TroubledServers {
  /** Starts one that must be alive at the end of the test. */
  start(starting: Promise<RunningServer>): Promise<RunningServer>
  visitor(server: RunningServer, cookies?: Map<string, string>): Visitor
  /** Another browser that holds a copy of the cookies. */
  copy(visitor: Visitor, server: RunningServer): Visitor
  /** A visitor with a session that holds the given data, beside what is private. */
  signIn(server: RunningServer, data?: Record<string, unknown>): Promise<Visitor>
  /** Ends one before the test does. */
  stop(server: RunningServer): Promise<void>
}

/**
 * Whatever happens to the storage, at the end of each test every server must still run, must
 * have met no unhandled rejection, and must not have logged a secret, a cookie or an id.
 */
export function useTroubledServers(): TroubledServers {
  const servers: RunningServer[] = []
  const cookies = new Set<string>()
  const end = async (server: RunningServer): Promise<void> => {
    const isAlive = isRunning(server)
    await server.stop()
    expect({ isAlive, output: server.output() }).toMatchObject({ isAlive: true, output: expect.not.stringMatching(/unhandledRejection|uncaughtException/) })
    const secrets = [TEST_SECRET, ...[...cookies].flatMap(cookie => [cookie, idOf(cookie)])]
    expect(secrets.filter(secret => server.output().includes(secret))).toEqual([])
  }
  afterEach(async () => {
    const results = await Promise.allSettled(servers.splice(0).map(end))
    cookies.clear()
    for (const result of results) {
      if (result.status === 'rejected')
        throw result.reason
    }
  })
  const visitorOf = (server: RunningServer, jar?: Map<string, string>): Visitor => {
    const visitor = createVisitor(server.url, jar)
    const { fetch } = visitor
    visitor.fetch = async (...args) => {
      const response = await fetch(...args)
      for (const cookie of visitor.cookies.values())
        cookies.add(cookie)
      return response
    }
    return visitor
  }
  return {
    async start(starting) {
      const server = await starting
      servers.push(server)
      return server
    },
    visitor: visitorOf,
    copy: (visitor, server) => visitorOf(server, new Map(visitor.cookies)),
    async signIn(server, data = {}) {
      const visitor = visitorOf(server)
      const { status, cookies } = await post(visitor, '/set', { private: PRIVATE, ...data })
      expect({ status, cookies: cookies.length }).toEqual({ status: 200, cookies: 1 })
      return visitor
    },
    async stop(server) {
      servers.splice(servers.indexOf(server), 1)
      await end(server)
    },
  }
}

/** Ends a server and all that it started, without a chance to tidy up. */
export async function killGroup({ process: child }: RunningServer): Promise<void> {
  const closed = new Promise(resolve => child.once('close', resolve))
  process.kill(-child.pid!, 'SIGKILL')
  await closed
}

export async function get(visitor: Visitor, path: string): Promise<Answer> {
  return toAnswer(await visitor.fetch(path))
}

export async function post(visitor: Visitor, path: string, body?: unknown): Promise<Answer> {
  return toAnswer(await visitor.post(path, body))
}

/** The first answer that is no 503, of a server that is {@link HASTY} and whose storage is there. */
export async function answered(ask: () => Promise<Answer>): Promise<Answer> {
  const answers: Answer[] = []
  await expect.poll(async () => answers.unshift(await ask()) && answers[0]!.status, RECOVERY).not.toBe(503)
  return answers[0]!
}

/** The id inside a visitor's cookie, which nobody but the browser may hold. */
export function idOf(cookie: string): string {
  return cookie.slice(0, cookie.lastIndexOf('.'))
}

/** The name that the record of a visitor has in storage. */
export function recordName(visitor: Visitor, cookie = COOKIE): string {
  return createHash('sha256').update(idOf(visitor.cookies.get(cookie)!)).digest('hex')
}

/** Values that something else, or another version, left where a record was. */
export function foreignValues(record: string): [kind: string, value: string][] {
  const { version, ...rest } = JSON.parse(record)
  return [
    ['text', 'neither a record nor JSON'],
    ['nothing at all', ''],
    ['a record that was cut off', record.slice(0, record.length / 2)],
    ['an array', `[${record}]`],
    ['null', 'null'],
    ['a record without its data', JSON.stringify({ ...rest, version, data: undefined })],
    ['a record of a newer version', JSON.stringify({ ...rest, version: version + 1 })],
  ]
}

function isRunning({ process: { exitCode, signalCode } }: RunningServer): boolean {
  return exitCode === null && signalCode === null
}

async function toAnswer(response: Response): Promise<Answer> {
  const text = await response.text()
  const body = /json/.test(response.headers.get('content-type') ?? '') ? JSON.parse(text) : text
  return { status: response.status, ...(response.ok && { body }), cookies: setCookiesOf(response, COOKIE) }
}
