/** What browsers keep of one cookie: its name and value together. */
export const MAX_COOKIE_BYTES = 4096

/** The values of all `Set-Cookie` headers, in order. */
export function setCookiesOf(head: string): string[] {
  return [...head.matchAll(/^set-cookie: ?(.*)$/gim)].map(([, value]) => value!.trimEnd())
}

/** The cookies of one visitor, kept as a browser keeps them: the newest of a name, none that is too large. */
export class CookieJar {
  readonly #cookies = new Map<string, string>()
  /** What is sent with a request; `undefined` without cookies. */
  header: string | undefined

  /** Takes the cookies of an answer in. */
  keep(setCookies: readonly string[]): void {
    if (setCookies.length === 0)
      return
    for (const setCookie of setCookies) {
      const [pair = '', ...attributes] = setCookie.split(';')
      const name = pair.slice(0, pair.indexOf('=')).trim()
      if (pair.length > MAX_COOKIE_BYTES)
        continue
      if (attributes.some(isPast))
        this.#cookies.delete(name)
      else
        this.#cookies.set(name, pair.slice(pair.indexOf('=') + 1).trim())
    }
    const pairs = [...this.#cookies].map(([name, value]) => `${name}=${value}`)
    this.header = pairs.length > 0 ? pairs.join('; ') : undefined
  }
}

function isPast(attribute: string): boolean {
  const [name = '', value = ''] = attribute.split('=').map(part => part.trim())
  if (name.toLowerCase() === 'max-age')
    return Number(value) <= 0
  return name.toLowerCase() === 'expires' && Date.parse(value) <= Date.now()
}
