import type { Answer, InProcessServer } from './in-process'
import { CookieJar, setCookiesOf } from './cookie-jar'
import { Connection } from './in-process'

/** Somebody with a browser: a connection and cookies. */
export class BenchVisitor {
  readonly jar = new CookieJar()
  readonly #connection: Connection

  constructor(server: InProcessServer) {
    this.#connection = new Connection(server)
  }

  /** A request, as far as its cost counts. */
  ask(path: string): Promise<Answer> {
    return this.#connection.ask(path, this.jar.header)
  }

  /** A request whose cookies are kept. */
  async visit(path: string): Promise<Answer> {
    const answer = await this.ask(path)
    this.jar.keep(setCookiesOf(answer.head))
    return answer
  }

  leave(): void {
    this.#connection.close()
  }
}
