import type { App, Files } from '../../support/apps'
import type { Runtime } from '../runtimes'
import type { StoreName } from '../stores'

/** What one build is for. */
export interface Target {
  runtime: Runtime
  store: StoreName
}

/** What a server learns when it starts. */
export interface Settings {
  mode: 'storage' | 'cookie'
  secret: string
  redisUrl?: string
}

/** The same app on one framework: the routes of `STORY`. */
export interface AppKind {
  /** Its name in the table. */
  title(version: string): string
  /** What npm installs beside our package. */
  packages(version: string): string[]
  files(version: string): Files
  /** Makes the production build; answers the entry of its server, as a path in the app's folder. */
  build(app: App, target: Target): Promise<string>
  /** The environment of its server. */
  toEnv(settings: Settings): Record<string, string>
  /** True when `/` is a page that shows whose session it is. */
  hasPage?: boolean
}

/** For the driver of Redis. */
export const IOREDIS = 'ioredis@5.11.1'
