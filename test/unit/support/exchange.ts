import type { RequestAddress } from '../../../src/core/ports'
import type { Exchange } from '../../../src/core/ports'
import type { EventExchange } from '../../../src/http/response-cookies'

const ADDRESS: RequestAddress = { host: 'app.example.com', path: '/' }

/** One request and its response, in memory. */
export class FakeExchange implements EventExchange {
  readonly cookieHeader: string | undefined
  isSent = false
  isForSharedCaches = false
  holds = 0
  /** What `markPrivate` was called with. */
  readonly marked: boolean[] = []
  readonly changes: string[] = []
  /** The `Set-Cookie` headers of the response by cookie name. */
  readonly cookies = new Map<string, readonly string[]>()
  readonly address: RequestAddress

  constructor(cookieHeader?: string, address: RequestAddress = ADDRESS) {
    this.cookieHeader = cookieHeader
    this.address = address
  }

  setCookies(name: string, lines: readonly string[]): void {
    if (this.isSent)
      return
    if (lines.length === 0)
      this.cookies.delete(name)
    else
      this.cookies.set(name, lines)
  }

  markPrivate(isPrivate: boolean): void {
    this.marked.push(isPrivate)
  }

  watch(): void {}

  setChanges(changes: string): void {
    this.changes.push(changes)
  }

  finish(): void {}

  holdResponse(): void {
    this.holds++
  }

  close(): void {
    this.isSent = true
  }
}

/** A request whose cookies nobody looks at. */
export function silentExchange(cookieHeader: string | undefined, isSent = false): Exchange {
  return { cookieHeader, isSent, address: ADDRESS, setCookies() {}, holdResponse() {}, close() {} }
}

export interface ParsedCookie {
  name: string
  value: string
  /** By lower-case name; an attribute without a value is `''`. */
  attributes: Map<string, string>
}

/** A `Set-Cookie` header as a browser reads it. */
export function parseSetCookie(header: string): ParsedCookie {
  const [pair = '', ...rest] = header.split('; ')
  const cut = (text: string): [string, string] => text.includes('=')
    ? [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]
    : [text, '']
  const [name, value] = cut(pair)
  return { name, value, attributes: new Map(rest.map(cut).map(([key, text]) => [key.toLowerCase(), text])) }
}
