import type { EventExchange } from '../../../src/http/exchange'

/** One request and its response, in memory. */
export class FakeExchange implements EventExchange {
  readonly cookieHeader: string | undefined
  isSent = false
  isForSharedCaches = false
  holds = 0
  /** What `personalize` was called with. */
  readonly personalized: boolean[] = []
  readonly announced: string[] = []
  /** The `Set-Cookie` headers of the response by cookie name. */
  readonly cookies = new Map<string, string>()

  constructor(cookieHeader?: string) {
    this.cookieHeader = cookieHeader
  }

  setCookie(name: string, header: string | undefined): void {
    if (this.isSent)
      return
    if (header === undefined)
      this.cookies.delete(name)
    else
      this.cookies.set(name, header)
  }

  personalize(isPrivate: boolean): void {
    this.personalized.push(isPrivate)
  }

  announce(changes: string): void {
    this.announced.push(changes)
  }

  finish(): void {}

  hold(): void {
    this.holds++
  }

  close(): void {
    this.isSent = true
  }
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
