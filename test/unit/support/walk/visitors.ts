import type { Content } from './expected'
import type { WalkRequest } from './request'
import { Browser } from '../app'
import { parseSetCookie } from '../exchange'

/** What is known of a cookie that was sent. */
export interface Sent {
  id: string
  /** The deployment that signed it. */
  deployment: number
  /** When the browser drops it. */
  diesAt: number
  /** In cookie mode, where the cookie is the session: what it holds, and until when. Not known where it was made some time before the response. */
  content: Content | undefined
  expiresAt: number
}

/** What a response says of the session's cookie. */
export interface Said {
  isRemoval: boolean
  token: string
  /** In seconds; missing for a cookie that the browser forgets when it closes. */
  maxAge: number | undefined
}

/** Two browsers, what they were sent, and when they came to have the same session. */
export class Visitors {
  readonly browsers = [new Browser(), new Browser()] as const
  readonly sent = new Map<string, Sent>()
  readonly #tokens: string[][] = [[], []]
  #haveSame = false

  /** True when two browsers may have one session. */
  areOne(first: Browser, second: Browser): boolean {
    return first === second || this.#haveSame
  }

  /** The second browser gets the cookies of the first, as when they were stolen. */
  share(): void {
    const [first, second] = this.browsers
    this.#haveSame = true
    second.jar.clear()
    first.jar.forEach((value, name) => second.jar.set(name, value))
    this.#tokens[1]!.push(...this.#tokens[0]!)
  }

  /** The cookie that a browser has, or one that it had some time ago. */
  tokenOf(browser: number, age: number): string {
    const tokens = this.#tokens[browser]!
    return age === 0 ? this.browsers[browser]!.token : tokens.at(-1 - age) ?? ''
  }

  /** Hands the cookies of a response to its browser, unless it is lost on the way. */
  receive({ arrival: { browser }, line }: WalkRequest, isLost: boolean): void {
    if (line === undefined || isLost)
      return
    browser.receive([line])
    if (browser.token)
      this.#tokens[this.browsers.indexOf(browser as Browser)]!.push(browser.token)
  }
}

export function parseSaid(line: string | undefined): Said | undefined {
  if (line === undefined)
    return undefined
  const { value, attributes } = parseSetCookie(line)
  const maxAge = attributes.get('max-age')
  return { isRemoval: maxAge === '0', token: value, maxAge: maxAge === undefined ? undefined : Number(maxAge) }
}

/** The id in a token of storage mode. */
export function idOf(token: string): string | undefined {
  return token === '' ? undefined : token.slice(0, token.lastIndexOf('.'))
}
