import type { TokenCodec } from '../cookie/token'
import type { Manager } from '../manager'
import type { Exchange } from '../ports'
import { normalizeValue, readCookies } from '../cookie/header'
import { TEST_COOKIE } from './test-cookie'

/** The cookies of ours that clients were sent, by the session that a test made up; empty for one that was removed. */
type Jar = Map<string, string>

/**
 * Clients that send the headers of a test with every request keep no cookies: the server keeps
 * those of ours for them, so that each request finds what became of the session.
 */
export function rememberCookies(manager: Manager, codec: TokenCodec): Manager {
  const { name } = manager.options.cookie
  const jar: Jar = new Map()
  const open = (exchange: Exchange): Exchange => {
    const { cookieHeader } = exchange
    const id = readCookies(cookieHeader, name).length > 0 ? undefined : testIdIn(cookieHeader, codec)
    return id === undefined ? exchange : new RememberingExchange(exchange, name, jar, id)
  }
  return { ...manager, open: (exchange, observer) => manager.open(open(exchange), observer) }
}

function testIdIn(cookieHeader: string | undefined, codec: TokenCodec): string | undefined {
  for (const value of readCookies(cookieHeader, TEST_COOKIE)) {
    const opened = codec.read(normalizeValue(value) ?? '')
    if (typeof opened === 'object')
      return opened.content.id
  }
  return undefined
}

/** A request of a client that keeps no cookies, as one of a client that does. */
class RememberingExchange implements Exchange {
  readonly cookieHeader: string | undefined
  readonly #exchange: Exchange
  readonly #name: string
  readonly #jar: Jar
  readonly #id: string
  readonly #before: string | undefined

  constructor(exchange: Exchange, name: string, jar: Jar, id: string) {
    this.#exchange = exchange
    this.#name = name
    this.#jar = jar
    this.#id = id
    this.#before = jar.get(id)
    this.cookieHeader = this.#before === undefined ? exchange.cookieHeader : withCookie(exchange.cookieHeader, name, this.#before)
  }

  get isSent(): boolean { return this.#exchange.isSent }
  get isShared(): boolean { return this.#exchange.isShared === true }
  get cookieObstacle(): string | undefined { return this.#exchange.cookieObstacle }
  get address(): Exchange['address'] { return this.#exchange.address }

  setCookies(name: string, headers: readonly string[]): void {
    this.#exchange.setCookies(name, headers)
    if (name !== this.#name)
      return
    const last = headers.at(-1)
    // Where there is nothing to remove from the client, the session of the test is over all the same.
    if (last === undefined)
      this.#jar.set(this.#id, this.#before ?? '')
    else
      this.#jar.set(this.#id, /^[^;]*; Max-Age=0(?:;|$)/.test(last) ? '' : last.slice(name.length + 1).split(';', 1)[0]!)
  }

  /** The response says nothing of our cookie after all. */
  close(): void {
    this.#exchange.close()
    if (this.#before === undefined)
      this.#jar.delete(this.#id)
    else
      this.#jar.set(this.#id, this.#before)
  }

  holdResponse(): void {
    this.#exchange.holdResponse()
  }
}

/** The header with our cookie in the place of that of the test. */
function withCookie(cookieHeader = '', name: string, value: string): string {
  const others = cookieHeader.split(';').filter(pair => pair.split('=', 1)[0]!.trim() !== TEST_COOKIE)
  return [...value === '' ? [] : [`${name}=${value}`], ...others].join(';')
}
