import type { CoreSessionOptions } from '../../../src/core/options'
import type { SessionManager } from '../../../src/core/session-manager'
import type { SessionRecord } from '../../../src/core/types'
import type { Server } from './app'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createStorage } from 'unstorage'
import fsLite from 'unstorage/drivers/fs-lite'
import { createSessionManager } from '../../../src/core/session-manager'
import { resolveOptions } from '../../../src/core/resolve-options'
import { createStorageStore } from '../../../src/core/stores/unstorage'
import { Browser, NOON, SECRET } from './app'
import { temporaryFolder } from './folders'
import { HeldStore } from './held-store'

/** A manager with a driver, a store and locks of its own, as in a process of its own. */
export class Process implements Server {
  readonly store: HeldStore
  readonly manager: SessionManager

  constructor(base: string, options: CoreSessionOptions, now: () => number) {
    const resolved = resolveOptions({ secret: SECRET, ...options }, { isProduction: true })
    this.store = new HeldStore(createStorageStore(createStorage({ driver: fsLite({ base }) }), { base: '', timeout: 30_000 }))
    this.manager = createSessionManager(resolved, { store: this.store, now })
  }
}

/** Two processes that share one folder, and a clock that tests set. */
export class Processes {
  readonly a: Process
  readonly b: Process
  readonly base: string
  readonly #clock = { now: NOON }

  private constructor(base: string, options: CoreSessionOptions) {
    const now = (): number => this.#clock.now
    this.base = base
    this.a = new Process(base, options, now)
    this.b = new Process(base, options, now)
  }

  static async start(options: CoreSessionOptions = {}): Promise<Processes> {
    return new Processes(await temporaryFolder(), options)
  }

  /** Lets seconds pass. */
  wait(seconds: number): void {
    this.#clock.now += seconds * 1000
  }

  /** Everything that the folder holds, parsed; a file that is no record fails the test. */
  async records(): Promise<SessionRecord[]> {
    const texts = await Promise.all((await readdir(this.base)).map(name => readFile(join(this.base, name), 'utf8')))
    return texts.map(text => JSON.parse(text) as SessionRecord)
  }

  /** The records of sessions, without what is left of replaced ids. */
  async sessions(): Promise<SessionRecord[]> {
    return (await this.records()).filter(record => !record.isReplaced)
  }

  /** A browser that was here before and has this data. */
  async returning(data: Record<string, unknown> = { user: 'ada' }): Promise<Browser> {
    const browser = new Browser()
    await browser.run(this.a, async (session) => {
      await session.update(data)
    })
    return browser
  }
}
