import type { SessionOptions } from './types'
import type { Storage } from 'unstorage'

/** The Nitro app that plugins get, of either major version. */
export interface ServerApp {
  hooks: {
    hook(name: string, callback: (...args: never[]) => void | Promise<void>): unknown
    callHook(name: string, ...args: unknown[]): unknown
  }
  captureError(error: Error, context: object): void
}

/** The event of a request, of either major version of h3. */
export interface ServerEvent {
  readonly context: object
  readonly method: string
  readonly path: string
  readonly headers: Headers
}

/** What `#unsession/server` gives, which is `host.ts` of the major version that built the server. */
export interface ServerHost {
  /** The session options in runtime config; those of the event on workers. */
  readConfig(event?: ServerEvent): SessionOptions
  /** Where the app is below its host, such as `/`. */
  baseURL(): string
  /** The path below the base URL, without the query. */
  pathOf(event: ServerEvent): string
  /** What the app's config says of the route. */
  getRouteRules(event: ServerEvent): { session?: boolean, isr?: unknown, prerender?: boolean }
  useStorage(base?: string): Storage
  useNitroApp(): object
}
