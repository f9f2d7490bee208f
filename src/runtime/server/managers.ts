import type { SessionManager } from '../../core/manager'
import type { SessionOptions, SessionOverrides } from './types'
import { createSessionManager } from '../../core/manager'
import { resolveRuntimeOptions } from './options'
import { createNitroStore } from './storage'

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
      const other = resolveRuntimeOptions({ ...config, ...overrides, cookie: { ...config.cookie, ...overrides.cookie } })
      const key = JSON.stringify(other)
      const manager = others.get(key) ?? createSessionManager(other, { store })
      others.set(key, manager)
      return manager
    },
  }
}
