import type { SessionMigration } from './migration/migration'
import type { ResolvedSessionOptions } from './options'
import type { SessionStore } from './types'
import { createManager, type Manager } from './manager'
import { createMigrator } from './migration/old-cookie'
import { guardMigration } from './migration/own'
import { sweep } from './storage/sweep'
import { createTracer } from './tracing'

/** Sessions of one cookie, with everything prepared that requests share. */
export interface SessionManager extends Manager {
  /**
   * Removes expired records from storage that does not do it by itself, in short turns that
   * keep nobody waiting. Resolves to their number.
   *
   * @throws SessionError `STORAGE_ERROR` when storage fails again and again
   */
  sweep(signal?: AbortSignal): Promise<number>
}

/** What {@link createSessionManager} takes besides the options. */
export interface ManagerDependencies {
  /** Needed in storage mode. */
  store?: SessionStore
  /** Sessions of another package that become ours when a request carries their cookie and none of ours. */
  migration?: SessionMigration | undefined
  /**
   * Milliseconds since the epoch.
   *
   * @default Date.now
   */
  now?: () => number
}

/** Derives every key once; requests only use them. */
export function createSessionManager(options: ResolvedSessionOptions, { store, migration, now }: ManagerDependencies): SessionManager {
  const manager = createManager(options, { store, now, tracer: createTracer(), migrator: migration && createMigrator(guardMigration(migration)) })
  return { ...manager, sweep: async signal => manager.store ? sweep(manager.store, signal, now) : 0 }
}
