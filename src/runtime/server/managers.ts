import type { SessionManager } from '../../core/manager'
import type { SessionOptions, SessionOverrides } from './types'
import { createSessionManager } from '../../core/manager'
import { resolveRuntimeOptions } from './options'
import { createNitroStore } from './storage'

const MAX_OTHERS = 100

/** The managers of one server: the configured one, and one per different set of options. */
export interface Managers {
  get(overrides?: SessionOverrides): SessionManager
}

/** @throws SessionError `CONFIG_ERROR` */
export function createManagers(config: SessionOptions): Managers {
  const options = resolveRuntimeOptions(config)
  const store = options.mode === 'storage' ? createNitroStore(config.storage ?? 'session', options.timeout) : undefined
  const configured = createSessionManager(options, { store })
  const others = new Map<string, SessionManager>()
  return {
    get(overrides) {
      if (!overrides)
        return configured
      const other = resolveRuntimeOptions({ ...config, ...definedOf(overrides), cookie: { ...config.cookie, ...definedOf(overrides.cookie ?? {}) } })
      const key = JSON.stringify(other)
      if (key === JSON.stringify(options))
        return configured
      const manager = others.get(key) ?? createSessionManager(other, { store })
      others.set(key, manager)
      // Options come from code; should a request ever make them up, memory stays bounded.
      if (others.size > MAX_OTHERS)
        others.delete(others.keys().next().value!)
      return manager
    },
  }
}

function definedOf<T extends object>(object: T): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>
}
