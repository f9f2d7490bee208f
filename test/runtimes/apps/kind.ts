import type { App, Files } from '../../support/apps'
import type { Runtime } from '../runtimes'
import type { StoreName } from '../stores'

/** What one build is for. */
export interface Target {
  runtime: Runtime
  store: StoreName
}

/** The same app on one framework: the routes of `STORY`. */
export interface AppKind {
  /** Its name in the table; a version follows. */
  title: string
  packages(version: string): string[]
  files(version: string): Files
  /** Makes the production build; answers the entry of its server, as a path in the app's folder. */
  build(app: App, target: Target): Promise<string>
  /** True when `/` is a page that shows whose session it is. */
  hasPage?: boolean
}
