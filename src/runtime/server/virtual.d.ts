declare module '#unsession/driver' {
  import type { Driver } from 'unstorage'

  /** The unstorage driver of `storage: { driver }`, or undefined for a mount of the app. */
  export const createDriver: ((options: object) => Driver) | undefined
  export const driverName: string | undefined
}

declare module '#unsession/host' {
  /** Where the options are in runtime config. */
  export const configKey: string
  /** What each of them is in the build. */
  export type OptionKinds = { [option: string]: 'string' | 'number' | 'boolean' | 'list' | OptionKinds }
  export const optionKinds: OptionKinds
  /** True where the environment arrives with each request and not with the start. */
  export const isConfiguredPerRequest: boolean
  /** True where storage keeps records that have expired. */
  export const hasCleanup: boolean
  /** True where they are removed by a timer of the server. */
  export const hasCleanupTimer: boolean
  /** True where Nitro opens WebSockets. */
  export const hasSockets: boolean
  /** True in Nuxt, whose pages show the session. */
  export const hasPages: boolean
  /** Used in development where none is set; empty in production builds. */
  export const developmentSecret: string
}

declare module '#unsession/testing' {
  import type * as Testing from './testing/index'

  /** The part for tests; missing in production builds. */
  export const testing: typeof Testing | undefined
}

declare module '#unsession/migration' {
  import type { Driver } from 'unstorage'

  /** What `migrate.from` named when the server was built. */
  export const from: 'express-session' | 'h3' | 'iron-session' | 'cookie-session' | undefined
  /** The module that reads it. */
  export const source: unknown
  /** The unstorage driver of `migrate: { storage: { driver } }`. */
  export const createDriver: ((options: object) => Driver) | undefined
  export const driverName: string | undefined
}

declare module '#unsession/devtools' {
  /** Where the page is, below the app's base URL. */
  export const path: string
  export const page: string
  export const icon: string
}
