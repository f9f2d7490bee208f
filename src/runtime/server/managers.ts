import type { SessionManager } from '../../core/manager'
import type { SessionOptions, SessionOverrides } from './types'
import { createSessionManager } from '../../core/manager'
import { resolveRuntimeOptions } from './options'
import { createNitroStore } from './storage'

const MAX_MANAGERS = 100

/** The managers of one server: the configured one, and one per different set of options. */
export interface Managers {
  get(overrides?: SessionOverrides): SessionManager
}

/** @throws SessionError `CONFIG_ERROR` */
export function createManagers(config: SessionOptions): Managers {
  const options = resolveRuntimeOptions(config)
  const store = options.mode === 'storage' ? createNitroStore(config.storage ?? 'session', options.timeout) : undefined
  const configured = createSessionManager(options, { store })
  const managers = new Map([[JSON.stringify(options), configured]])
  return {
    get(overrides) {
      if (!overrides)
        return configured
      const other = resolveRuntimeOptions({ ...config, ...definedOf(overrides), cookie: { ...config.cookie, ...definedOf(overrides.cookie ?? {}) } })
      const key = JSON.stringify(other)
      const manager = managers.get(key) ?? createSessionManager(other, { store })
      // Options come from code; should a request ever make them up, memory stays bounded.
      if (managers.size < MAX_MANAGERS)
        managers.set(key, manager)
      return manager
    },
  }
}

function definedOf<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>
}
