import type { Manager } from '../../core/manager'
import type { RequestSession } from '../../core/session/request-session'
import type { Exchange, SessionObserver } from '../../core/ports'
import type { ConnectionSessions } from '../find-sessions'
import { createSaver } from '../save-soon'

/** What a host gives to the sessions of one connection. */
export interface SocketOptions {
  /** The cookies of the browser when the connection was opened, as a `Cookie` header. */
  cookieHeader: string | undefined
  observer?: SessionObserver
  /** The sessions of the cookie that the options name. */
  manager(overrides?: object): Manager
  /** Is told of a write that failed, which nobody may have awaited. */
  onFailure(error: unknown): void
}

/**
 * The sessions of a connection that stays open after its response: a WebSocket. Each time they
 * are loaded it is as by a new request, so what happened to them meanwhile is noticed.
 */
export class SocketSessions implements ConnectionSessions {
  readonly #options: SocketOptions
  /** The one that was loaded last, by the name of its cookie. */
  readonly #loaded = new Map<string, RequestSession>()
  /** Writes that have not ended; they never reject. */
  readonly #writes = new Set<Promise<void>>()

  constructor(options: SocketOptions) {
    this.#options = options
  }

  /** Waits for what this connection itself is still writing. */
  async load(overrides?: object): Promise<RequestSession> {
    const manager = this.#options.manager(overrides)
    const session = this.#open(manager)
    await Promise.all(this.#writes)
    await session.load()
    this.#loaded.set(manager.options.cookie.name, session)
    return session
  }

  current(overrides?: object): RequestSession {
    const manager = this.#options.manager(overrides)
    return this.#loaded.get(manager.options.cookie.name) ?? this.#open(manager)
  }

  #open(manager: Manager): RequestSession {
    const { cookieHeader, observer } = this.#options
    const exchange: Exchange = {
      cookieHeader,
      isSent: false,
      cookieObstacle: 'An open WebSocket cannot send a cookie; its `upgrade` hook and every HTTP response can.',
      address: { host: undefined, path: '/' },
      setCookies() {},
      close() {},
      // Nothing waits for the writes of a connection.
      holdResponse: createSaver({
        async save() {
          await session.save()
          // Also what failed without anybody having awaited it.
          await session.commit()
        },
        onUnsaved: this.#options.onFailure,
        waitUntil: (saved) => {
          const written: Promise<void> = saved.then(() => void this.#writes.delete(written))
          this.#writes.add(written)
        },
      }),
    }
    const session: RequestSession = manager.open(exchange, observer)
    return session
  }
}

/** The `Cookie` header of a browser that was answered with these cookies, by name. */
export function withCookies(cookieHeader: string | undefined, cookies: ReadonlyMap<string, readonly string[]>): string | undefined {
  const answered = new Map([...cookies].filter(([, headers]) => headers.length > 0))
  if (answered.size === 0)
    return cookieHeader
  const others = cookieHeader?.split(';').filter(pair => !answered.has(pair.split('=', 1)[0]!.trim())) ?? []
  const kept = [...answered.values()].map(headers => headers.at(-1)!).filter(header => !/; Max-Age=0(?:;|$)/.test(header))
  return [...kept.map(header => header.split(';', 1)[0]!), ...others].join(';') || undefined
}
