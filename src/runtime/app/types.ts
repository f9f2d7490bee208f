import type { DeepReadonly, DefaultData, ExposedKeys } from '../../core/types'
import type { SessionState } from '../wire'
import type SessionStateComponent from './session-state'
import type { Ref } from 'vue'

/** The keys in `expose`, typed as the session data. A visitor without a session has none of them. */
export type ExposedData = {
  readonly [K in keyof ExposedKeys & keyof DefaultData]?: DeepReadonly<DefaultData[K]>
}

/** What a visitor must have: a key of the exposed data, or what a function says of it. */
export type Requirement = (keyof ExposedData & string) | ((data: ExposedData) => boolean)

/** The visitor's session as the page sees it. */
export interface ClientSession {
  /** The exposed data; empty without a session. */
  readonly data: Readonly<Ref<ExposedData>>
  /**
   * False until it is known whether there is a session: on pages that were rendered for everybody
   * (`ssr: false`, cached, prerendered), and on those that come from a cache of the browser. Then
   * true for good.
   */
  readonly ready: Readonly<Ref<boolean>>
  /**
   * When the session ends unless it is used again, by the clock of the server; `undefined` without
   * one. Then the page asks the server, and `data` empties.
   */
  readonly expiresAt: Readonly<Ref<Date | undefined>>
  /**
   * Fetches the newest data. Rarely needed: the page hears of what its own requests and other
   * tabs changed.
   *
   * @throws when the server cannot answer, with its `statusCode`; what was known stays
   */
  refresh(): Promise<void>
  /**
   * Ends the session, in all tabs. Resolves when the guards of the present route have run again.
   *
   * @throws when the server cannot answer, with its `statusCode`
   */
  clear(): Promise<void>
}

/** What a rendered page tells the browser. */
export interface PagePayload extends SessionState {
  /** True where the browser has the cookie that pages can read, once the response is there. */
  hasCookie: boolean
  /** The data as components saw it before it changed, by their id. */
  earlier?: Record<string, Record<string, unknown>>
  /** True where components waited for the session, by which Vue numbers their ids. */
  isLate?: boolean
}

/** What `session` in `definePageMeta` may say beside `middleware: 'session'`. */
export interface GuardMeta {
  /** What a visitor must have to see the page; by default what the option `guard` says. */
  require?: Requirement
  /** Where others are sent; by default what the option `guard` says. */
  redirectTo?: string
}

declare module '#app' {
  interface RuntimeNuxtHooks {
    /** The session that this page knew is over: by `clear`, a logout, in another tab, or because it expired. */
    'session:ended': () => void | Promise<void>
  }

  interface PageMeta {
    /** What the route middleware `session` asks for on this page. */
    session?: GuardMeta
  }
}

declare module 'vue' {
  interface GlobalComponents {
    SessionState: typeof SessionStateComponent
  }
}
