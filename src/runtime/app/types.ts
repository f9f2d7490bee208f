import type { DeepReadonly, DefaultData, ExposedKeys } from '../../core/types'
import type { SessionState } from '../wire'
import type { Ref } from 'vue'

/** The keys in `expose`, typed as the session data. A visitor without a session has none of them. */
export type ExposedData = {
  readonly [K in keyof ExposedKeys & keyof DefaultData]?: DeepReadonly<DefaultData[K]>
}

/** The visitor's session as the page sees it. */
export interface ClientSession {
  /** The exposed data; empty without a session. */
  readonly data: Readonly<Ref<ExposedData>>
  /**
   * Fetches the newest data. Rarely needed: the page hears of what its own requests and other
   * tabs changed.
   *
   * @throws when the server cannot answer, with its `statusCode`
   */
  refresh(): Promise<void>
  /**
   * Ends the session, in all tabs.
   *
   * @throws when the server cannot answer, with its `statusCode`
   */
  clear(): Promise<void>
}

/** What a rendered page tells the browser. */
export interface PagePayload extends SessionState {
  /** What components saw before it changed, by their id. */
  earlier?: Record<string, Record<string, unknown>>
  /** True where components waited for the session, by which Vue numbers their ids. */
  isLate?: boolean
}
