import type { Manager, Migrator } from '../core/manager'
import type { CoreSessionOptions, ResolvedSessionOptions } from '../core/options'
import type { SessionStore } from '../core/types'
import { createManager } from '../core/manager'
import { definedOf } from '../core/record/value'
import { createTracer } from '../core/tracing'

const MAX_OTHERS = 100

/** How messages call the options that calls lay over the configured ones. */
export const CALL = 'the options of `useSession(event, options)`'

/** The managers of one server: the configured one, and one per different set of options. */
export interface Managers {
  get(overrides?: CoreSessionOptions): Manager
}

/** How a host makes managers from options. */
export interface ManagersHost<O extends CoreSessionOptions> {
  /**
   * @param overrides what a call laid over the options
   * @throws SessionError `CONFIG_ERROR`
   */
  resolve(options: O, overrides?: object): ResolvedSessionOptions
  /** Where storage mode keeps the records. */
  createStore(options: ResolvedSessionOptions): SessionStore | undefined
  /** How visitors with a cookie of another package move in, to the configured session only. */
  createMigration(options: ResolvedSessionOptions, store: SessionStore | undefined): Migrator | undefined
}

/** @throws SessionError `CONFIG_ERROR` */
export function createManagers<O extends CoreSessionOptions>(config: O, { resolve, createStore, createMigration }: ManagersHost<O>): Managers {
  const options = resolve(config)
  const store = options.mode === 'storage' ? createStore(options) : undefined
  const tracer = createTracer()
  const configured = createManager(options, { store, tracer, migrator: createMigration(options, store) })
  const others = new Map<string, Manager>()
  return {
    get(overrides) {
      if (!overrides)
        return configured
      const { cookie = {} } = overrides
      // What is no object is for `resolve` to refuse.
      const laidOver = typeof cookie === 'object' ? { ...config.cookie, ...definedOf(cookie) } : cookie
      const other = resolve({ ...config, ...definedOf(overrides), cookie: laidOver }, overrides)
      const key = JSON.stringify(other)
      if (key === JSON.stringify(options))
        return configured
      const manager = others.get(key) ?? createManager(other, { store, tracer })
      others.set(key, manager)
      // Options come from code; should a request ever make them up, memory stays bounded.
      if (others.size > MAX_OTHERS)
        others.delete(others.keys().next().value!)
      return manager
    },
  }
}
