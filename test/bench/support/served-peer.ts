import type { ChildProcess } from 'node:child_process'
import type { ServerMessage, ServerOrder, Usage } from './peer-server'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const JITI = join(import.meta.dirname, '../../../node_modules/jiti/lib/jiti-cli.mjs')
const PROGRAM = join(import.meta.dirname, 'peer-server.ts')

/** One side of a peer, in a process of its own. */
export class ServedPeer {
  /** For errors. */
  readonly name: string
  #origin = ''
  #started: Promise<void> | undefined
  readonly #child: ChildProcess

  /**
   * The process runs from now on; `start` waits for it.
   *
   * @param order what it serves
   * @param execArgv options of Node
   */
  constructor(order: ServerOrder, execArgv: string[] = []) {
    this.name = `${order.label}${order.side === 'bare' ? ' (bare)' : ''}`
    this.#child = fork(JITI, [PROGRAM, JSON.stringify(order)], { execArgv })
  }

  /** Where it listens, once it has started. */
  get origin(): string {
    return this.#origin
  }

  /** Waits until it listens; an app has been found right by then. */
  start(): Promise<void> {
    this.#started ??= this.#learnOrigin()
    return this.#started
  }

  /** What it has done since it started. */
  async readUsage(): Promise<Usage> {
    const answer = this.#hear()
    this.#child.send('usage')
    return await answer as Usage
  }

  async stop(): Promise<void> {
    if (this.#hasEnded)
      return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  async #learnOrigin(): Promise<void> {
    const { port } = await this.#hear() as { port: number }
    this.#origin = `http://127.0.0.1:${port}`
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** The next message; a process that ends has told on its own standard error why. */
  async #hear(): Promise<ServerMessage> {
    if (this.#hasEnded)
      throw new Error(`${this.name} has ended`)
    const waiting = new AbortController()
    const { signal } = waiting
    try {
      return await Promise.race([
        once(this.#child, 'message', { signal }).then(([message]) => message as ServerMessage),
        once(this.#child, 'exit', { signal }).then(([code]) => {
          throw new Error(`${this.name} ended with ${code}`)
        }),
      ])
    }
    finally {
      waiting.abort()
    }
  }
}
