import type { RejectReason, Session, SessionEventName } from './types'

/** What a request was sent to. */
export interface RequestAddress {
  /** The header `Host`, which may have a port. */
  readonly host: string | undefined
  /** The path as the browser knows it, with or without a query. */
  readonly path: string
}

/** One HTTP request and its response, as the core sees them. Adapters make it from an event. */
export interface Exchange {
  /** The raw `Cookie` header. */
  readonly cookieHeader: string | undefined
  /**
   * True when the response's headers can no longer change. What storage keeps under the id that the
   * browser has can change all the same; what needs a cookie is refused.
   */
  readonly isSent: boolean
  /** True while prerendering: the response is shown to everybody, so no session can be changed. */
  readonly isShared?: boolean
  /**
   * True for a request that no visitor made: it keeps no session alive.
   *
   * @default false
   */
  readonly isBackground?: boolean
  /**
   * Why no cookie can be sent although sessions can change, as a sentence. What storage keeps
   * under the id that the browser has needs none; all other changes are refused.
   */
  readonly cookieObstacle?: string
  /**
   * What keeps the response from beginning early, for who changes a session too late: as the end
   * of a sentence, such as `or ...`.
   */
  readonly lateRemedy?: string | undefined
  /** What the request was sent to. */
  readonly address: RequestAddress
  /**
   * Sets our own `Set-Cookie` headers of that cookie name, in place of earlier ones. The last is
   * the cookie itself; others remove it from other scopes. Without any, they are taken back.
   */
  setCookies(name: string, headers: readonly string[]): void
  /** Called when a write failed: what changes from now on is not stored, so its cookie must not go out. */
  close(): void
  /**
   * Called at a change: the host must await `commit` of the session before the first byte leaves.
   * Where that has left, or waits for nothing, the host stores the change by itself, by `save`.
   */
  holdResponse(): void
}

/** What a page may see of its visitor's session while it is rendered. */
export interface PageSession {
  /** False where only storage knows, because autoload is off and nobody loaded it. */
  readonly isLoaded: boolean
  /** Loads the session unless that was done. */
  load(): Promise<void>
  /** The exposed keys. */
  readonly keys: readonly string[]
  /** The exposed data; empty without a session. */
  readonly data: Readonly<Record<string, unknown>>
  /** When the session ends unless it is used again, in milliseconds since the epoch; `undefined` without one. */
  readonly expiresAt: number | undefined
  /** True where the browser has a cookie of a session once it has the response. */
  readonly hasCookie: boolean
  /** True when there are messages that nobody has read. */
  readonly hasMessages: boolean
  /** False for requests whose answer nobody is shown: messages wait for one that is. */
  readonly canTakeMessages: boolean
  /** Reads a message. */
  readMessage(key: string): unknown
  /** Removes a message that was read, unless another has taken its place. */
  takeMessage(key: string, message: unknown): void
  /** Ends the session. */
  destroy(): Promise<void>
}

/** Is told what happened; awaited before the response begins. */
export interface SessionObserver {
  /**
   * False while nobody wants to hear of the sessions that arrive, so that those which no handler
   * uses can be left alone.
   *
   * @default true
   */
  readonly isListening?: boolean
  session(name: SessionEventName, session: Session): unknown
  /** @param foreign the name of a cookie that has our name, yet was not made with our secrets */
  rejected(reason: RejectReason, foreign?: string): unknown
}
