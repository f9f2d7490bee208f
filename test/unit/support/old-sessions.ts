import type { CoreSessionOptions } from '../../../src/core/options'
import type { SessionMigration, SessionStore } from '../../../src/core/index'
import type { CookiePair, OldExpressApp } from '../../support/other-packages'
import type { Server } from './app'
import { createStorage } from 'unstorage'
import { createSessionManager, createStorageStore, fromExpressSession } from '../../../src/core/index'
import { App, Browser } from './app'
import { ControlledDriver } from './driver'
import { createOldExpressApp } from '../../support/other-packages'

/** The secret of the old app; express-session takes one of any length. */
export const OLD_APP_SECRET = 'keyboard cat'

/** An app of ours into which the visitors of another package move. */
export class NewApp implements Server {
  readonly app: App
  readonly manager: Server['manager']

  constructor(migration: SessionMigration, options: CoreSessionOptions = {}, app = new App(options)) {
    this.app = app
    const store = app.manager.store
    this.manager = createSessionManager(app.manager.options, { ...(store && { store }), migration, now: () => app.clock.now })
  }
}

/** The records of an old app, in a storage that can be held and made to fail. */
export class OldStorage {
  readonly driver = new ControlledDriver()
  readonly store: SessionStore

  constructor(timeout = 1000) {
    this.store = createStorageStore(createStorage({ driver: this.driver.driver }), { base: '', timeout })
  }

  get ids(): string[] {
    return [...this.#texts.keys()]
  }

  put(id: string, text: string): void {
    this.#texts.set(id, text)
  }

  get #texts(): Map<string, string> {
    return (this.driver.driver.getInstance as () => Map<string, string>)()
  }
}

/** Two apps, and a browser that express-session knows. */
export async function movingIn(options: CoreSessionOptions = {}, data: Record<string, unknown> = { user: 'ada' }, old: OldExpressApp = createOldExpressApp()): Promise<{
  /** The app of ours. */
  app: NewApp
  old: OldStorage
  browser: Browser
  cookie: CookiePair
}> {
  const { id, cookie } = await old.login(data)
  const storage = new OldStorage()
  storage.put(id, old.records[id]!)
  const app = new NewApp(fromExpressSession({ secret: OLD_APP_SECRET, store: storage.store }), options)
  return { app, old: storage, browser: new Browser([cookie]), cookie }
}
