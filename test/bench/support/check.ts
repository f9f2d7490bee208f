import type { Answer } from './in-process'
import type { OpenPeer } from '../peers/peer'
import { isDeepStrictEqual } from 'node:util'
import { BIG_TEXT, PATHS, TEXT } from '../peers/peer'
import { BenchVisitor } from './bench-visitor'
import { MAX_COOKIE_BYTES, setCookiesOf } from './cookie-jar'
import { InProcessServer, readJson } from './in-process'
import { quietly } from './quietly'

/** What is known of a peer before its speed. */
export interface Checked {
  /** What becomes of 3,000 bytes. */
  big: 'kept' | `refused: ${number}` | 'lost in silence'
  /** Of 64 updates at once. */
  lost: number
  /** Bytes of all `Set-Cookie` values: of a read without a session, and of the others with one. */
  setCookie: { visitor: number, new: number, read: number, write: number }
}

const UPDATES = 64
const MAX_WAIT = 10_000

/**
 * Asks for all that makes a session a session.
 *
 * @throws Error that says what is wrong
 */
export async function checkPeer({ app, bare }: Pick<OpenPeer, 'app' | 'bare'>): Promise<Checked> {
  const server = new InProcessServer(app)
  const newcomer = (): BenchVisitor => new BenchVisitor(server)
  await checkBare(new InProcessServer(bare))
  const setCookie = { visitor: await expectAnswer(newcomer(), '/read', { count: null }), new: 0, read: 0, write: 0 }
  await expectAnswer(newcomer(), '/text', { text: null })
  await expectAnswer(newcomer(), '/untouched', { count: 0 }, 0)
  await checkNotFound(newcomer())

  const visitor = newcomer()
  setCookie.new = await expectAnswer(visitor, '/new', { count: 1 })
  if (setCookie.new === 0)
    throw new Error('/new set no cookie')
  setCookie.read = await expectAnswer(visitor, '/read', { count: 1 })
  await expectAnswer(visitor, '/text', { text: TEXT })
  await expectAnswer(visitor, '/untouched', { count: 0 }, 0)
  for (const count of [2, 3]) {
    setCookie.write = await expectAnswer(visitor, '/write', { count })
    await expectAnswer(visitor, '/read', { count })
  }
  await expectAnswer(newcomer(), '/read', { count: null })
  await checkForged(visitor, newcomer)
  return { big: await checkBig(newcomer()), lost: await countLost(server), setCookie }
}

async function checkBare(server: InProcessServer): Promise<void> {
  for (const path of PATHS)
    await expectAnswer(new BenchVisitor(server), path, { count: 0 }, 0)
}

async function checkNotFound(visitor: BenchVisitor): Promise<void> {
  const { status } = await inTime('/nowhere', visitor.visit('/nowhere'))
  if (status !== 404)
    throw new Error(`/nowhere answered ${status}`)
}

/** A cookie that differs from a good one in one character is none, whichever character it is. */
async function checkForged(visitor: BenchVisitor, newcomer: () => BenchVisitor): Promise<void> {
  const header = visitor.jar.header!
  const start = header.indexOf('=') + 1
  const end = header.includes(';') ? header.indexOf(';') : header.length
  // The last characters may hold bits that nobody reads.
  for (const place of [start + 6, Math.floor((start + end) / 2), end - 4]) {
    const forger = newcomer()
    forger.jar.header = `${header.slice(0, place)}${header[place] === 'A' ? 'B' : 'A'}${header.slice(place + 1)}`
    const answer = await quietly(() => inTime('/read', forger.ask('/read')))
    const json = readJson(answer) as { count?: unknown }
    if (answer.status !== 200 || json.count !== null)
      throw new Error(`A changed cookie was answered with ${describe(answer)}`)
  }
}

async function checkBig(visitor: BenchVisitor): Promise<Checked['big']> {
  const answer = await quietly(() => inTime('/new-big', visitor.visit('/new-big')))
  if (answer.status !== 200)
    return `refused: ${answer.status}`
  const isTooLarge = setCookiesOf(answer.head).some(cookie => cookie.split(';', 1)[0]!.length > MAX_COOKIE_BYTES)
  const read = await inTime('/text', visitor.visit('/text'))
  if (isDeepStrictEqual(readJson(read), { text: BIG_TEXT }))
    return 'kept'
  if (!isTooLarge)
    throw new Error(`3,000 bytes came back as ${describe(read)}`)
  return 'lost in silence'
}

/** One visitor changes the same session in 64 tabs; the browser keeps the last cookie. */
async function countLost(server: InProcessServer): Promise<number> {
  const visitor = new BenchVisitor(server)
  await visitor.visit('/new')
  const tabs = Array.from({ length: UPDATES }, () => new BenchVisitor(server))
  await inTime('/write', Promise.all(tabs.map(async (tab) => {
    tab.jar.header = visitor.jar.header
    const answer = await tab.ask('/write')
    if (answer.status !== 200)
      throw new Error(`One of ${UPDATES} updates at once was answered with ${describe(answer)}`)
    visitor.jar.keep(setCookiesOf(answer.head))
  })))
  const { count } = readJson(await inTime('/read', visitor.visit('/read'))) as { count: number }
  return UPDATES + 1 - count
}

/** The bytes of the cookies that came with it. */
async function expectAnswer(visitor: BenchVisitor, path: string, expected: unknown, cookieBytes?: 0): Promise<number> {
  const answer = await inTime(path, visitor.visit(path))
  if (answer.status !== 200 || !isDeepStrictEqual(readJson(answer), expected))
    throw new Error(`${path} answered ${describe(answer)} in place of ${JSON.stringify(expected)}`)
  const bytes = setCookiesOf(answer.head).reduce((sum, cookie) => sum + cookie.length, 0)
  if (cookieBytes !== undefined && bytes !== cookieBytes)
    throw new Error(`${path} set a cookie`)
  return bytes
}

function describe(answer: Answer): string {
  return `${answer.status} ${JSON.stringify(readJson(answer)).slice(0, 200)}`
}

/** Without it a request that is never answered ends the program in silence. */
async function inTime<T>(path: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${path} was not answered`)), MAX_WAIT)
  })
  try {
    return await Promise.race([answer, late])
  }
  finally {
    clearTimeout(timer)
  }
}
