import type { Server } from './app'
import type { Session } from '../../../src/core/types'
import { CookieJar } from 'tough-cookie'
import { FakeExchange } from './exchange'

/** A browser with a real cookie jar, which keeps cookies apart by Domain and Path and sends those that match. */
export class JarBrowser {
  readonly jar = new CookieJar(undefined, { rejectPublicSuffixes: false, prefixSecurity: 'strict' })

  /** The `Cookie` header of a request. */
  headerFor(url: string): string {
    return this.jar.getCookieStringSync(url)
  }

  /** Puts a cookie there, as a response from that address would. */
  receive(url: string, ...headers: string[]): void {
    for (const header of headers)
      this.jar.setCookieSync(header, url)
  }

  /** A whole request. */
  async run<T>(app: Server, url: string, handler: (session: Session) => T | Promise<T>): Promise<{ result: T, setCookies: string[] }> {
    const { host, pathname } = new URL(url)
    const exchange = new FakeExchange(this.headerFor(url) || undefined, { host, path: pathname })
    const request = app.manager.open(exchange)
    await request.load()
    const result = await handler(request.handle)
    await request.commit()
    const setCookies = [...exchange.cookies.values()].flat()
    this.receive(url, ...setCookies)
    return { result, setCookies }
  }
}
